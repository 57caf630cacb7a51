/* A sieve of the hashes (hub_near_hash) that the values of identifiers have: nearly all slips of a number
 * are unknown, and one look at a bit or two tells, where a table would walk a chain.
 *
 * What is no more leaves its bit, and its hash, until the sieve is cleared: it may hold more than there
 * is, and never less. */
#pragma once

#include "hub/base/hook_set.h"

struct fold_sieve {
    uint64_t *bits;
    size_t bit_count; /* a power of two, or none */
    uint64_t *hashes; /* all of them, also of those that sleep or are no more */
    size_t count, capacity;
    struct hub_hook_set added; /* those that were added one by one, once each */
};

/* Two bits of each: what passes the second by chance costs a look-up. */
static inline uint64_t fold_sieve_other(uint64_t hash) {
    return hash >> 32 | hash << 32;
}

static inline bool fold_sieve_has_bit(const struct fold_sieve *sieve, uint64_t hash) {
    size_t bit = hash & (sieve->bit_count - 1);
    return (sieve->bits[bit / 64] >> bit % 64 & 1) != 0;
}

static inline bool fold_sieve_may_hold(const struct fold_sieve *sieve, uint64_t hash) {
    return sieve->bit_count > 0 && fold_sieve_has_bit(sieve, hash) &&
           fold_sieve_has_bit(sieve, fold_sieve_other(hash));
}

/* What is loaded is noted first, and put in at once by a build. */
void fold_sieve_note(struct fold_sieve *sieve, uint64_t hash);
void fold_sieve_build(struct fold_sieve *sieve);
/* One more. A hash that was added before takes no more room. */
void fold_sieve_add(struct fold_sieve *sieve, uint64_t hash);
/* Nothing is added again for a while: what keeps from adding twice takes no more room. */
void fold_sieve_settle(struct fold_sieve *sieve);
void fold_sieve_clear(struct fold_sieve *sieve);
void fold_sieve_free(struct fold_sieve *sieve);
