#include "hub/io/crypto.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static struct hub_digest sha256(struct hub_bytes bytes) {
    struct hub_digest digest;
    SHA256(bytes.data, bytes.size, digest.bytes);
    return digest;
}

const struct hub_digester hub_sha256 = {.digest = sha256};

struct hub_digest hub_hmac_sha256(struct hub_bytes key, struct hub_bytes message) {
    struct hub_digest digest;
    unsigned size = 0;
    const void *made = HMAC(EVP_sha256(), key.data, (int)key.size, message.data, message.size,
                            digest.bytes, &size);
    assert(made != NULL && size == HUB_DIGEST_SIZE);
    return digest;
}
