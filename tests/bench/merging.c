/* Three statements about one trial merged from their bytes: by slices, as the fold does, and by avro-c's
 * generic values, as its manual teaches.
 *
 * Either begins with the three encoded statements and ends with the encoded trial, whose each field is, and the
 * conflicts: their paths, and their values as JSON texts with who says them. The rules are those of the trial's
 * schema: of authority, precedence and the latest, what agrees, dates that yield to more exact ones, lists united by
 * the keys of their elements and merged part by part. Before the clock starts both have come to the same bytes,
 * sources and conflicts for every trial, or the program ends.
 *
 * By slices is hub_merge, all of it, and what it needs: where the fields of each statement begin. By values, each
 * statement is read into a value that is used again; what is chosen is copied into the merged value, texts by
 * reference, and that is written. It does less: it has no decisions of people to look for, no life cycle's steps, no
 * rules that shut anybody out, and does not ask whose a conflict is to settle. The event's times stand beside the
 * statements for both, as in the fold.
 *
 * usage: merging
 * prints {"trials": N, "conflicts": N, "slices_us": X, "values_us": X}: CPU time of a trial, the median of rounds in
 * turn */
#include "hub/core/merge.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"
#include "tests/bench/merging_values.h"
#include "tests/bench/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VOICES = BENCH_VOICES, TRIALS = 5000, EVENTS = 10 * TRIALS, SEED = 1, ROUNDS = 11 };
static const char *const names[VOICES] = {"cart-register", "ctgov", "isrctn"}; /* sorted */

struct trial {
    struct hub_voice voices[VOICES]; /* without starts */
    size_t told;
};

struct merging {
    const struct hub_domain *domain;
    const struct hub_system *systems[VOICES];
    size_t ranks[VOICES];
    struct trial *trials;
    size_t count;
    struct hub_arena kept;  /* of the statements */
    struct hub_arena arena; /* of a merge */
    struct bench_values *values;
    struct hub_merged by_slices; /* the last one */
    const struct bench_merged *by_values;
    size_t conflicts;
};

static void stop(const char *what, const char *why) {
    fprintf(stderr, "merging: %s: %s\n", what, why);
    exit(1);
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- the statements --- */

static void keep(struct merging *merging, const struct bench_event *event) {
    const char *key = (const char *)event->key.data;
    size_t number = strtoul(key + event->key.size - 8, NULL, 10) % TRIALS, voice = 0;
    struct trial *trial = &merging->trials[number];
    while (voice < VOICES && strncmp(key, names[voice], strlen(names[voice])) != 0)
        voice++;
    if (voice == VOICES)
        return;
    struct hub_bytes body;
    struct hub_error error;
    int32_t schema_id = 0;
    if (hub_frame_open(event->value, &schema_id, &body, &error) != HUB_OK)
        stop("frame", error.text);
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(merging->domain->schema->root, body, starts);
    struct hub_stamp stamp = hub_statement_stamp(merging->domain, body, starts);
    trial->told += trial->voices[voice].key == NULL;
    trial->voices[voice] = (struct hub_voice){
        .key = hub_arena_text(&merging->kept, key, event->key.size),
        .system = merging->systems[voice],
        .institution = "lu",
        .rank = merging->ranks[voice],
        .body = hub_bytes(hub_arena_text(&merging->kept, (const char *)body.data, body.size),
                          body.size),
        .has_event_time = stamp.has_event_time,
        .event_time_ms = stamp.event_time_ms};
}

/* Those that all three tell of, as they stand after a while: with conflicts, as in the benchmark's load. */
static void generate(struct merging *merging, const struct hub_catalogue *catalogue) {
    struct bench_statements *statements = bench_statements_new(catalogue, SEED, TRIALS);
    struct bench_event event;
    merging->trials = hub_allocate_zero(TRIALS, sizeof *merging->trials);
    bench_statements_tell_each(statements);
    for (size_t i = 0; i < EVENTS || !bench_statements_has_told_each(statements); i++) {
        bench_statements_next(statements, &event);
        keep(merging, &event);
    }
    for (size_t i = 0; i < TRIALS; i++)
        if (merging->trials[i].told == VOICES)
            merging->trials[merging->count++] = merging->trials[i];
    if (merging->count == 0)
        stop("statements", "no trial that all three systems tell of");
    bench_statements_free(statements);
}

/* --- by slices --- */

static void merge_slices(struct merging *merging, const struct trial *trial) {
    const struct hub_domain *domain = merging->domain;
    HUB_NOT_ZEROED struct hub_voice voices[VOICES];
    HUB_NOT_ZEROED uint32_t starts[VOICES][HUB_FIELDS_MAX + 1];
    hub_arena_reset(&merging->arena);
    for (size_t i = 0; i < VOICES; i++) {
        hub_slice_fields(domain->schema->root, trial->voices[i].body, starts[i]);
        voices[i] = trial->voices[i];
        voices[i].starts = starts[i];
    }
    struct hub_merge_input input = {.domain = domain, .voices = voices, .voice_count = VOICES};
    hub_merge(&input, &merging->arena, &merging->by_slices);
}

/* --- by values --- */

static void merge_values(struct merging *merging, const struct trial *trial) {
    merging->by_values = bench_values_merge(merging->values, trial->voices);
}

/* --- both come to the same --- */

static void check_trial(struct merging *merging, const struct trial *trial) {
    merge_slices(merging, trial);
    merge_values(merging, trial);
    const struct hub_merged *slices = &merging->by_slices;
    const struct bench_merged *values = merging->by_values;
    size_t sources_size = merging->domain->contract.count * sizeof *slices->sources;
    bool same = hub_bytes_equal(slices->value, values->value) &&
                memcmp(slices->sources, values->sources, sources_size) == 0 &&
                slices->conflict_count == values->conflict_count;
    for (size_t i = 0; same && i < slices->conflict_count; i++) {
        const struct hub_conflict_found *found = &slices->conflicts[i];
        const struct bench_conflict *other = &values->conflicts[i];
        same = strcmp(found->path, other->path) == 0 && found->value_count == other->count &&
               found->values[0].voice_count == other->voice_counts[0] &&
               found->values[0].voices[0] == other->voices[0][0];
    }
    if (!same)
        stop("slices and values come to something else for", trial->voices[0].key);
    merging->conflicts += slices->conflict_count;
}

/* --- rounds --- */

static double time_all(struct merging *merging,
                       void (*merge)(struct merging *merging, const struct trial *trial)) {
    double began_s = cpu_seconds();
    for (size_t i = 0; i < merging->count; i++)
        merge(merging, &merging->trials[i]);
    return (cpu_seconds() - began_s) * 1e6 / (double)merging->count;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    static struct merging merging;
    const char *folder = getenv("HUB_SCHEMAS");
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    double slices_us[ROUNDS + 1], values_us[ROUNDS + 1];
    if (hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error) !=
        HUB_OK)
        stop("schemas", error.text);
    merging.domain = hub_catalogue_domain(catalogue, hub_bytes_of_text("trial"));
    for (size_t i = 0; i < VOICES; i++) {
        merging.systems[i] = hub_parties_system(&catalogue->parties, hub_bytes_of_text(names[i]));
        if (merging.systems[i] == NULL)
            stop("no system", names[i]);
        merging.ranks[i] = hub_domain_system_rank(merging.domain, hub_bytes_of_text(names[i]));
    }
    generate(&merging, catalogue);
    merging.values = bench_values_open(merging.domain);
    for (size_t i = 0; i < merging.count; i++)
        check_trial(&merging, &merging.trials[i]);
    for (size_t i = 0; i <= ROUNDS; i++) { /* the first warms up */
        slices_us[i] = time_all(&merging, merge_slices);
        values_us[i] = time_all(&merging, merge_values);
    }
    qsort(slices_us + 1, ROUNDS, sizeof *slices_us, compare);
    qsort(values_us + 1, ROUNDS, sizeof *values_us, compare);
    printf("{\"trials\": %zu, \"conflicts\": %zu, \"slices_us\": %.3f, \"values_us\": %.3f}\n",
           merging.count, merging.conflicts, slices_us[1 + ROUNDS / 2],
           values_us[1 + ROUNDS / 2]);
    bench_values_close(merging.values);
    return 0;
}
