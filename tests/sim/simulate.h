/* One seed, one run. */
#pragma once

#include "tests/sim/check.h"

struct totals {
    size_t runs, decided_runs;
    size_t records, decisions, entries, rules, ruled_runs;
    size_t crashes, aborted, moves, compactions, checkpoints, caches_lost;
    int64_t simulated_ms;
    struct churn churn;
    int64_t late, withdrawn, moved, dead, taken, refused, conflict_events, match_events;
    int64_t ruled, overruled;
    size_t changes, referring_runs, breaches; /* of what is referred to */
    int64_t facts;
};

/* Adds what happened to the totals. False, and why in `failure`, where a promise is broken; with
 * `tells` every step is printed. */
bool simulate(uint64_t seed, enum breach breach, bool tells, struct totals *totals,
              char *failure, size_t failure_size);
