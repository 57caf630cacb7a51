/* Three statements about one trial merged from their bytes: by slices, as the fold does, and by avro-c's
 * generic values, as its manual teaches.
 *
 * Either begins with the three encoded statements and ends with the encoded trial. By slices is hub_merge, all of
 * it: each field's rules, who said it, unions of lists, conflicts with their texts. By values is less: each is
 * decoded; of each field that may be null the first that is not is copied, and compared with the others;
 * lists are united; the result is encoded.
 *
 * usage: merging
 * prints {"trials": N, "slices_us": X, "values_us": X}: CPU time of a trial, the median of rounds in turn */
#include "hub/core/merge.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "tests/bench/statements.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VOICES = 3, TRIALS = 5000, SEED = 1, ROUNDS = 11, SIZE_MAX_MERGED = 65536 };
static const char *const names[VOICES] = {"cart-register", "ctgov", "isrctn"}; /* sorted */

struct trial {
    char *keys[VOICES];
    struct hub_bytes bodies[VOICES];
    size_t told;
};

struct merging {
    const struct hub_domain *domain;
    const struct hub_system *systems[VOICES];
    size_t ranks[VOICES];
    struct trial *trials;
    size_t count;
    struct hub_arena arena; /* of a merge */
    avro_value_iface_t *iface;
    avro_value_t values[VOICES], merged;
    avro_writer_t writer;
    char buffer[SIZE_MAX_MERGED];
    size_t bytes; /* merged, so that nothing is optimised away */
};

static void stop(const char *what, const char *why) {
    fprintf(stderr, "merging: %s: %s\n", what, why);
    exit(1);
}

static void must(int failed) {
    if (failed != 0)
        stop("avro", avro_strerror());
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
    if (voice == VOICES || trial->bodies[voice].data != NULL)
        return;
    struct hub_bytes body;
    struct hub_error error;
    int32_t schema_id = 0;
    if (hub_frame_open(event->value, &schema_id, &body, &error) != HUB_OK)
        stop("frame", error.text);
    trial->keys[voice] = hub_copy_text(key);
    trial->bodies[voice] = hub_bytes(hub_copy_bytes(body.data, body.size), body.size);
    trial->told++;
}

/* Those that all three tell of. */
static void generate(struct merging *merging, const struct hub_catalogue *catalogue) {
    struct bench_statements *statements = bench_statements_new(catalogue, SEED, TRIALS);
    struct bench_event event;
    merging->trials = hub_allocate_zero(TRIALS, sizeof *merging->trials);
    bench_statements_tell_each(statements);
    while (!bench_statements_has_told_each(statements)) {
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
    struct hub_voice voices[VOICES];
    struct hub_merged merged;
    hub_arena_reset(&merging->arena);
    for (size_t i = 0; i < VOICES; i++) {
        uint32_t *starts =
            hub_arena_take(&merging->arena, (domain->schema->root->count + 1) * sizeof *starts);
        hub_slice_fields(domain->schema->root, trial->bodies[i], starts);
        voices[i] = (struct hub_voice){.key = trial->keys[i],
                                       .system = merging->systems[i],
                                       .institution = "lu",
                                       .rank = merging->ranks[i],
                                       .body = trial->bodies[i],
                                       .starts = starts};
    }
    struct hub_merge_input input = {.domain = domain, .voices = voices, .voice_count = VOICES};
    hub_merge(&input, &merging->arena, &merged);
    merging->bytes += merged.value.size;
}

/* --- by values --- */

static void unite(avro_value_t *into, avro_value_t *from) {
    size_t count = 0, known = 0;
    must(avro_value_get_size(from, &count));
    for (size_t i = 0; i < count; i++) {
        avro_value_t item, other, fresh;
        size_t k = 0;
        must(avro_value_get_by_index(from, i, &item, NULL));
        must(avro_value_get_size(into, &known));
        for (; k < known; k++) {
            must(avro_value_get_by_index(into, k, &other, NULL));
            if (avro_value_equal(&item, &other))
                break;
        }
        if (k < known)
            continue;
        must(avro_value_append(into, &fresh, NULL));
        must(avro_value_copy(&fresh, &item));
    }
}

/* The first that is stated; how many others say something else. */
static size_t choose(avro_value_t *into, avro_value_t fields[VOICES]) {
    avro_value_t *chosen = NULL;
    size_t against = 0;
    for (size_t i = 0; i < VOICES; i++) {
        int branch = 0;
        bool is_union = avro_value_get_type(&fields[i]) == AVRO_UNION;
        if (is_union)
            must(avro_value_get_discriminant(&fields[i], &branch));
        if (is_union && branch == 0)
            continue;
        if (chosen == NULL)
            chosen = &fields[i];
        else
            against += !avro_value_equal(chosen, &fields[i]);
    }
    must(avro_value_copy(into, chosen == NULL ? &fields[0] : chosen));
    return against;
}

static void merge_values(struct merging *merging, const struct trial *trial) {
    size_t count = merging->domain->schema->root->count, against = 0;
    for (size_t i = 0; i < VOICES; i++) {
        avro_reader_t reader =
            avro_reader_memory((const char *)trial->bodies[i].data, (int64_t)trial->bodies[i].size);
        must(avro_value_reset(&merging->values[i]));
        must(avro_value_read(reader, &merging->values[i]));
        avro_reader_free(reader);
    }
    must(avro_value_reset(&merging->merged));
    for (size_t field = 0; field < count; field++) {
        avro_value_t fields[VOICES], into;
        must(avro_value_get_by_index(&merging->merged, field, &into, NULL));
        for (size_t i = 0; i < VOICES; i++)
            must(avro_value_get_by_index(&merging->values[i], field, &fields[i], NULL));
        if (avro_value_get_type(&into) == AVRO_ARRAY)
            for (size_t i = 0; i < VOICES; i++)
                unite(&into, &fields[i]);
        else
            against += choose(&into, fields);
    }
    avro_writer_reset(merging->writer);
    must(avro_value_write(merging->writer, &merging->merged));
    merging->bytes += (size_t)avro_writer_tell(merging->writer) + against;
}

static void open_values(struct merging *merging) {
    const struct hub_schema *schema = merging->domain->schema;
    avro_schema_t parsed = NULL;
    must(avro_schema_from_json_length(schema->text, schema->text_size, &parsed));
    merging->iface = avro_generic_class_from_schema(parsed);
    if (merging->iface == NULL)
        stop("avro", avro_strerror());
    for (size_t i = 0; i < VOICES; i++)
        must(avro_generic_value_new(merging->iface, &merging->values[i]));
    must(avro_generic_value_new(merging->iface, &merging->merged));
    merging->writer = avro_writer_memory(merging->buffer, sizeof merging->buffer);
    avro_schema_decref(parsed);
}

static void close_values(struct merging *merging) {
    for (size_t i = 0; i < VOICES; i++)
        avro_value_decref(&merging->values[i]);
    avro_value_decref(&merging->merged);
    avro_value_iface_decref(merging->iface);
    avro_writer_free(merging->writer);
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
    open_values(&merging);
    for (size_t i = 0; i <= ROUNDS; i++) { /* the first warms up */
        slices_us[i] = time_all(&merging, merge_slices);
        values_us[i] = time_all(&merging, merge_values);
    }
    qsort(slices_us + 1, ROUNDS, sizeof *slices_us, compare);
    qsort(values_us + 1, ROUNDS, sizeof *values_us, compare);
    printf("{\"trials\": %zu, \"slices_us\": %.3f, \"values_us\": %.3f}\n", merging.count,
           slices_us[1 + ROUNDS / 2], values_us[1 + ROUNDS / 2]);
    close_values(&merging);
    return merging.bytes == 0;
}
