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

/* Of 2 * HUB_DIGEST_SIZE characters as hub_digest_text writes them; false where they are others. */
static inline bool hub_digest_read(const char *text, struct hub_digest *ret_digest) {
    for (size_t i = 0; i < 2 * HUB_DIGEST_SIZE; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_digit && (text[i] < 'a' || text[i] > 'f'))
            return false;
        uint8_t half = (uint8_t)(is_digit ? text[i] - '0' : text[i] - 'a' + 10);
        uint8_t *byte = &ret_digest->bytes[i / 2];
        *byte = (uint8_t)(i % 2 == 0 ? half << 4 : *byte | half);
    }
    return true;
}
