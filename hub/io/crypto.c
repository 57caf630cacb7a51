/* The plain SHA-256 functions are deprecated since OpenSSL 3 but not gone: EVP looks its
 * implementation up under a lock for each digest, which costs more than digesting a short text. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hub/io/crypto.h"

#include "hub/base/memory.h"

#include <assert.h>
#include <openssl/crypto.h>
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

bool hub_same_secret(struct hub_bytes a, struct hub_bytes b) {
    return a.size == b.size && CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}

void hub_base64_append(struct hub_bytes bytes, struct hub_buffer *buffer) {
    size_t size = (bytes.size + 2) / 3 * 4;
    unsigned char *text = hub_allocate(size + 1);
    EVP_EncodeBlock(text, bytes.data, (int)bytes.size);
    hub_buffer_append(buffer, text, size);
    hub_release(text);
}

/* OpenSSL's own decoder passes over white space, and counts padding as bytes. */
bool hub_base64_decode(struct hub_bytes text, struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER again = {0};
    size_t padding = 0;
    if (text.size == 0 || text.size % 4 != 0)
        return false;
    while (padding < 2 && text.data[text.size - 1 - padding] == '=')
        padding++;
    unsigned char *bytes = hub_allocate(text.size);
    int size = EVP_DecodeBlock(bytes, text.data, (int)text.size);
    bool good = size >= 0;
    if (good) {
        hub_base64_append(hub_bytes(bytes, (size_t)size - padding), &again);
        good = hub_bytes_equal(hub_buffer_bytes(&again), text);
    }
    if (good)
        hub_buffer_append(buffer, bytes, (size_t)size - padding);
    OPENSSL_cleanse(bytes, text.size);
    hub_release(bytes);
    return good;
}
