/* Three statements about one trial merged by avro-c's generic values, by all the rules that hub_merge follows for this
 * domain. */
#pragma once

#include "hub/core/merge.h"

enum { BENCH_VOICES = 3, BENCH_CONFLICTS_MAX = 64 };

struct bench_conflict {
    char path[128];
    char *texts[BENCH_VOICES]; /* JSON; the chosen one first */
    size_t voices[BENCH_VOICES][BENCH_VOICES], voice_counts[BENCH_VOICES];
    size_t count;
};

/* What a trial came to; until the next one. */
struct bench_merged {
    struct hub_bytes value;
    int sources[HUB_FIELDS_MAX]; /* as in hub_merged */
    struct bench_conflict conflicts[BENCH_CONFLICTS_MAX];
    size_t conflict_count;
};

struct bench_values;

/* Ends the process with a line on standard error where the domain has a rule that is not followed here. */
struct bench_values *bench_values_open(const struct hub_domain *domain);
/* The bodies are read anew; of the voices `starts` is not asked. */
const struct bench_merged *bench_values_merge(struct bench_values *values,
                                              const struct hub_voice voices[BENCH_VOICES]);
void bench_values_close(struct bench_values *values);
