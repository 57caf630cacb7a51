/* SHA-256 and keyed pseudonyms, from OpenSSL. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/status.h"

/* The digester handed to the pure layers. */
extern const struct hub_digester hub_sha256;

/* HMAC-SHA-256 (RFC 2104). */
struct hub_digest hub_hmac_sha256(struct hub_bytes key, struct hub_bytes message);
