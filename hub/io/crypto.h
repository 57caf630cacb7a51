/* SHA-256, keyed pseudonyms and signatures, from OpenSSL. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/status.h"

/* The digester handed to the pure layers. */
extern const struct hub_digester hub_sha256;

/* HMAC-SHA-256 (RFC 2104). */
struct hub_digest hub_hmac_sha256(struct hub_bytes key, struct hub_bytes message);

/* Whether they are the same, in a time that tells nothing of where they differ. */
bool hub_same_secret(struct hub_bytes a, struct hub_bytes b);

/* Base64 with padding (RFC 4648 section 4). Of two writings of the same bytes only the one that
 * encoding gives is read. */
void hub_base64_append(struct hub_bytes bytes, struct hub_buffer *buffer);
bool hub_base64_decode(struct hub_bytes text, struct hub_buffer *buffer);
