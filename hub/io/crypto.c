/* The plain SHA-256 functions are deprecated since OpenSSL 3 but not gone: EVP looks its
 * implementation up under a lock for each digest, which costs more than digesting a short text. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hub/io/crypto.h"

#include "hub/base/memory.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static struct hub_digest sha256(struct hub_bytes bytes) {
    struct hub_digest digest;
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, bytes.data, bytes.size);
    SHA256_Final(digest.bytes, &context);
    return digest;
}

const struct hub_digester hub_sha256 = {.digest = sha256};

struct hub_digest hub_hmac_sha256(struct hub_bytes key, struct hub_bytes message) {
    struct hub_digest digest;
    unsigned size = 0;
    hub_need(HMAC(EVP_sha256(), key.data, (int)key.size, message.data, message.size, digest.bytes,
                  &size));
    assert(size == HUB_DIGEST_SIZE);
    return digest;
}
