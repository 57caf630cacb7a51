/* A digest as a dependency: the pure layers are handed the function, so that they link no
 * cryptography of their own. */
#pragma once

#include "hub/base/bytes.h"

enum { HUB_DIGEST_SIZE = 32, HUB_DIGEST_TEXT_SIZE = 2 * HUB_DIGEST_SIZE + 1 };

/* SHA-256 (FIPS 180-4). */
struct hub_digest {
    uint8_t bytes[HUB_DIGEST_SIZE];
};

struct hub_digester {
    struct hub_digest (*digest)(struct hub_bytes bytes);
};

/* The first `size` bytes as lower-case hexadecimal with an ending zero: 2 * size + 1 characters. */
static inline void hub_digest_text(const struct hub_digest *digest, size_t size, char *ret_text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digits[digest->bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    ret_text[2 * size] = '\0';
}
