/* Made-up statements from a seed: who says what, in a first order. */
#pragma once

#include "tests/lib/records.h"

struct script_line {
    const char *institution;
    const char *key;
    struct hub_bytes message; /* framed */
};

struct script {
    const char *domain;
    size_t trials; /* that slots link to, nct:NCT00000000 on; 0: to none */
    struct hub_arena arena;
    struct script_line *lines;
    size_t count;
};

/* Trials of five systems, one of them carried by two institutions: shared, exclusive, one-way,
 * unverified and misread numbers, some of them one slip apart, several versions, withdrawals. */
void script_make_trials(struct script *script, uint64_t seed);
/* Slots of three facilities that overlap, move, are cancelled and change facility, and with it the
 * shard; some are told by two systems. */
void script_make_slots(struct script *script, uint64_t seed);
void script_free(struct script *script);
