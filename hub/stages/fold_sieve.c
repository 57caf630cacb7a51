#include "hub/stages/fold_sieve.h"

#include "hub/base/memory.h"

#include <string.h>

enum { BITS_MIN = 1 << 12, BITS_EACH = 16 };

static void set_bit(struct fold_sieve *sieve, uint64_t hash) {
    size_t bit = hash & (sieve->bit_count - 1);
    sieve->bits[bit / 64] |= (uint64_t)1 << bit % 64;
}

static void set(struct fold_sieve *sieve, uint64_t hash) {
    set_bit(sieve, hash);
    set_bit(sieve, fold_sieve_other(hash));
}

void fold_sieve_note(struct fold_sieve *sieve, uint64_t hash) {
    HUB_GROW(sieve->hashes, sieve->count, sieve->capacity);
    sieve->hashes[sieve->count++] = hash;
}

void fold_sieve_add(struct fold_sieve *sieve, uint64_t hash) {
    if (!hub_hook_set_add(&sieve->added, hash))
        return;
    fold_sieve_note(sieve, hash);
    if (sieve->count * BITS_EACH <= sieve->bit_count)
        set(sieve, hash);
    else
        fold_sieve_build(sieve);
}

void fold_sieve_build(struct fold_sieve *sieve) {
    size_t wanted = sieve->count * BITS_EACH;
    if (sieve->bit_count == 0)
        sieve->bit_count = BITS_MIN;
    while (sieve->bit_count < wanted)
        sieve->bit_count *= 4;
    hub_release(sieve->bits);
    sieve->bits = hub_allocate_zero(sieve->bit_count / 64, sizeof *sieve->bits);
    for (size_t i = 0; i < sieve->count; i++)
        set(sieve, sieve->hashes[i]);
}

void fold_sieve_settle(struct fold_sieve *sieve) {
    hub_hook_set_free(&sieve->added);
}

void fold_sieve_clear(struct fold_sieve *sieve) {
    sieve->count = 0;
    hub_hook_set_free(&sieve->added);
    if (sieve->bit_count > 0)
        memset(sieve->bits, 0, sieve->bit_count / 8);
}

void fold_sieve_free(struct fold_sieve *sieve) {
    hub_release(sieve->bits);
    hub_release(sieve->hashes);
    hub_hook_set_free(&sieve->added);
    *sieve = (struct fold_sieve){0};
}
