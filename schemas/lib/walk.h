/* The validating walker: one pass over bytes that nobody vouches for.
 *
 * It accepts exactly the Avro binary encodings of the schema's values (specification 1.11.1,
 * "Binary encoding") that stay within the limits: lengths and counts within the bytes left,
 * numbers within their type, enum and union indexes in range, booleans 0 or 1, strings in UTF-8,
 * block sizes that are true, and no byte left over. It reads nothing outside the slice and
 * allocates nothing. Depth is bounded by the schema, which cannot be recursive. */
#pragma once

#include "hub/base/status.h"
#include "schemas/lib/type.h"

struct hub_walk_limits {
    size_t size_max;       /* bytes of the whole value */
    uint64_t elements_max; /* array and map elements of the whole value, all levels together */
    bool plain;            /* strings must be plain (hub_text_is_plain) */
};

#define HUB_WALK_LIMITS_DEFAULT                                                                    \
    (struct hub_walk_limits) {                                                                     \
        .size_max = 256 * 1024, .elements_max = 100000                                             \
    }

struct hub_walk {
    /* Where each field of a top-level record begins, and at the end the size: fields + 1 entries,
     * given by the caller. NULL where nobody asks. */
    uint32_t *starts;
    /* Whether the bytes are the one canonical encoding: shortest numbers, one block an array, no
     * block sizes. Equal values are equal bytes only where this holds. */
    bool canonical;
    /* Whether every string is plain (hub_text_is_plain): one with a zero byte in it would be cut
     * short wherever it is used as a C string, and two values would become one. */
    bool plain;
    uint64_t elements; /* between hub_walk_first and hub_walk_others: how many there were */
};

/* HUB_REJECT with the field's path, the byte's position and what would pass. */
HUB_MUST_USE enum hub_status hub_walk(const struct hub_type *type, struct hub_bytes bytes,
                                      const struct hub_walk_limits *limits, struct hub_walk *walk,
                                      struct hub_error *reterr);

/* The same in two steps, for whoever may know what follows the first field, which is a record itself:
 * `parts` is where each of its fields begins, and its end. What is told of the walk is of the first field
 * alone until the others are walked, with the same bytes, limits and `walk`; `walk->starts` is needed. */
HUB_MUST_USE enum hub_status hub_walk_first(const struct hub_type *type, struct hub_bytes bytes,
                                            const struct hub_walk_limits *limits,
                                            struct hub_walk *walk, uint32_t *parts,
                                            struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_walk_others(const struct hub_type *type, struct hub_bytes bytes,
                                             const struct hub_walk_limits *limits,
                                             struct hub_walk *walk, struct hub_error *reterr);

/* A record that was accepted, canonical. */
struct hub_walked {
    struct hub_bytes bytes;
    const uint32_t *starts; /* of its fields, and its end */
};

/* hub_walk_others where an earlier record of the type is at hand: a field that has the bytes it had there is
 * not walked again, and `same` tells of each field, the first too, whether it has. It accepts and refuses
 * the same, for types whose elements take bytes (so that the bytes bound their number) and bytes that are no
 * more than the elements may be. Whether all is plain it does not find out: `walk->plain` is false. */
HUB_MUST_USE enum hub_status hub_walk_others_since(const struct hub_type *type,
                                                   struct hub_bytes bytes,
                                                   const struct hub_walk_limits *limits,
                                                   const struct hub_walked *before,
                                                   struct hub_walk *walk, bool *same,
                                                   struct hub_error *reterr);
bool hub_walk_elements_take_bytes(const struct hub_type *type);
