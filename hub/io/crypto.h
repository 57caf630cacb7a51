/* SHA-256, keyed pseudonyms, signatures, and what is sealed, from OpenSSL. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/status.h"

/* The digester handed to the pure layers. */
extern const struct hub_digester hub_sha256;

/* SHA-256 of what comes in pieces. Zeros are one of no pieces, and a copy goes on by itself. */
struct hub_digesting {
    uint64_t state[14]; /* OpenSSL's */
    bool begun;
};
void hub_digesting_add(struct hub_digesting *digesting, struct hub_bytes piece);
/* Of all pieces, one after the other; more may follow. */
struct hub_digest hub_digesting_so_far(const struct hub_digesting *digesting);

/* HMAC-SHA-256 (RFC 2104). */
struct hub_digest hub_hmac_sha256(struct hub_bytes key, struct hub_bytes message);

/* Whether they are the same, in a time that tells nothing of where they differ. */
bool hub_same_secret(struct hub_bytes a, struct hub_bytes b);

/* HUB_FATAL where the system gives none. */
HUB_MUST_USE enum hub_status hub_random(void *bytes, size_t size, struct hub_error *reterr);

/* Sealing with AES-256 in Galois/Counter Mode (NIST SP 800-38D): whoever has the key reads it, and sees
 * whether one bit of it or of what is associated with it, which stays readable, is another. */
enum { HUB_SEAL_NONCE_SIZE = 12, HUB_SEAL_TAG_SIZE = 16,
       HUB_SEAL_OVERHEAD = HUB_SEAL_NONCE_SIZE + HUB_SEAL_TAG_SIZE };

/* Appends a fresh random nonce, the ciphertext and the tag. A key is for 2^32 of them at most. HUB_FATAL
 * where there is no randomness. At most 1 GiB. */
HUB_MUST_USE enum hub_status hub_seal(const struct hub_digest *key, struct hub_bytes associated,
                                      struct hub_bytes plain, struct hub_buffer *buffer,
                                      struct hub_error *reterr);
/* The same with a nonce that is made of the key and of all that is sealed (as the synthetic one of RFC 5297 is):
 * the same sealed twice is the same bytes, and that alone shows. Two different plaintexts share a nonce with a
 * chance of 2^-32 after 2^32 of them. */
void hub_seal_same(const struct hub_digest *key, struct hub_bytes associated,
                   struct hub_bytes plain, struct hub_buffer *buffer);
/* Appends what was sealed; false, and nothing is appended, where it was not with this key and this beside
 * it. */
bool hub_unseal(const struct hub_digest *key, struct hub_bytes associated, struct hub_bytes sealed,
                struct hub_buffer *buffer);

/* Ed25519 (RFC 8032): the private key is 32 random bytes, and a signature is the same each time. */
enum { HUB_ED25519_KEY_SIZE = 32, HUB_ED25519_SIGNATURE_SIZE = 64 };
struct hub_ed25519_key {
    uint8_t bytes[HUB_ED25519_KEY_SIZE];
};
struct hub_ed25519_signature {
    uint8_t bytes[HUB_ED25519_SIGNATURE_SIZE];
};
/* A private key as `openssl genpkey -algorithm ed25519` writes it (PEM, RFC 7468 and 8410). HUB_REJECT where
 * the text is none. */
HUB_MUST_USE enum hub_status hub_ed25519_read(struct hub_bytes pem,
                                              struct hub_ed25519_key *ret_private,
                                              struct hub_error *reterr);
struct hub_ed25519_key hub_ed25519_public(const struct hub_ed25519_key *private);
struct hub_ed25519_signature hub_ed25519_sign(const struct hub_ed25519_key *private,
                                              struct hub_bytes message);
bool hub_ed25519_signed(const struct hub_ed25519_key *public, struct hub_bytes message,
                        const struct hub_ed25519_signature *signature);

/* Base64 with padding (RFC 4648 section 4). Of two writings of the same bytes only the one that
 * encoding gives is read. */
void hub_base64_append(struct hub_bytes bytes, struct hub_buffer *buffer);
bool hub_base64_decode(struct hub_bytes text, struct hub_buffer *buffer);
