/* Trial statements, made from a seed: what three systems say about the same trials.
 *
 * Proportions are those of two snapshots of a CAR-T register 81 days apart (2,152 and 2,242
 * trials): how long titles, conditions and products are, how trials stand, which fields change and
 * how often. Trials are told of unevenly: a tenth of them gets nearly half of all events. In 61 days of
 * that register 323 of 2,242 trials were updated, 487 times, the tenth that was updated most often had 80 %
 * of that, and the hundredth 16 %; so many events drawn as here are of 349 trials, of which the tenth has
 * 74 %, and the hundredth 25 %. (Three trials whose dates moved to and fro every day are left out.) Three of
 * ten events repeat what their system said before. A change reaches the systems one after the
 * other, so that they contradict each other for a while. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/io/kafka.h"
#include "schemas/lib/catalogue.h"
#include "schemas/lib/envelope.h"

#include <stdbool.h>

enum bench_event_kind { BENCH_FIRST = 0, BENCH_UPDATE, BENCH_REPEAT };

/* One event, as its institution's connector would write it. Valid until the next. */
struct bench_event {
    enum bench_event_kind kind;
    const char *institution;
    struct hub_bytes key, value; /* the value framed */
    struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX + 1]; /* with room for one more */
    size_t header_count;
};

/* What the hub must count when it has taken everything so far. */
struct bench_expected {
    int64_t events, bytes; /* keys, values and headers */
    int64_t created, changed, unchanged;
    int64_t entities, conflicts_open;
};

enum { BENCH_TRIALS_MAX = 11000000 };

struct bench_statements;

/* trials: at most BENCH_TRIALS_MAX. */
struct bench_statements *bench_statements_new(const struct hub_catalogue *catalogue, uint64_t seed,
                                              size_t trials);
void bench_statements_free(struct bench_statements *statements);
/* Before the first event: every system tells of each of its trials, in order, before any is told of
 * again. */
void bench_statements_tell_each(struct bench_statements *statements);
/* Trials change to and fro: there comes a time when nothing is said that was never said before. */
void bench_statements_to_and_fro(struct bench_statements *statements);
/* From now on every trial is told of as often as any other, or, as at first, few of them often. */
void bench_statements_evenly(struct bench_statements *statements, bool evenly);
void bench_statements_next(struct bench_statements *statements, struct bench_event *ret_event);
/* Whether every system has told of each of its trials (bench_statements_tell_each). */
bool bench_statements_has_told_each(const struct bench_statements *statements);
/* Some system says again what it said last; each has told of its trials. */
void bench_statements_repeat(struct bench_statements *statements, struct bench_event *ret_event);
/* Writes the event to its institution's ingest topic, in the running transaction. */
HUB_MUST_USE enum hub_status bench_event_write(struct hub_producer *producer,
                                               const struct bench_event *event,
                                               struct hub_error *reterr);
struct bench_expected bench_statements_expected(const struct bench_statements *statements);

/* A digest of records that does not depend on their order. */
struct bench_sum {
    int64_t records, bytes;
    uint64_t digest;
};
void bench_sum_add(struct bench_sum *sum, struct hub_bytes key, struct hub_bytes value,
                   const struct hub_header *headers, size_t header_count);
