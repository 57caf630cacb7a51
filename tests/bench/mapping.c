/* Mapping a document, beside jq picking and naming the same values of it.
 *
 * Ours is all that a connector does with a document's bytes: parse, map by a configuration, guard, encode
 * as Avro, hash. jq's is to parse the same bytes, run its compiled program, and print what came. Rounds of the
 * two are taken in turn; what is told is CPU time of this process.
 *
 * usage: mapping FOLDER DOCUMENTS ROUNDS   (study.json, study.yaml and study.jq are in the folder) */
#include "connectors/kit/pipeline.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"

#include <jq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void stop(const char *what, const char *why) {
    fprintf(stderr, "mapping: %s: %s\n", what, why);
    exit(1);
}

static void must(enum hub_status status, const struct hub_error *error) {
    if (status != HUB_OK)
        stop("hub", error->text);
}

static void read_part(struct hub_arena *arena, const char *folder, const char *name,
                      struct hub_buffer *buffer) {
    struct hub_error error;
    must(hub_file_read(hub_arena_format(arena, "%s/%s", folder, name), buffer, &error), &error);
}

static double cpu_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- ours --- */

static double map_all(struct hub_pipeline *pipeline, struct hub_bytes document, size_t count) {
    struct hub_arena arena = {0};
    double began_s = cpu_s();
    for (size_t i = 0; i < count; i++) {
        struct hub_raw_document raw = {.name = "study.json", .bytes = document};
        struct hub_outgoing_list list;
        hub_pipeline_run(pipeline, &raw, (int64_t)i + 1, &arena, &list);
        if (list.counts.published != 1)
            stop("the document was not published", list.count > 0 ? list.items[0].reason : "");
        hub_arena_reset(&arena);
    }
    double took_s = cpu_s() - began_s;
    hub_arena_destroy(&arena);
    return took_s;
}

/* --- jq's --- */

static size_t pick(jq_state *jq, struct hub_bytes document) {
    jv parsed = jv_parse_sized((const char *)document.data, (int)document.size);
    if (!jv_is_valid(parsed))
        stop("jq", "the document");
    jq_start(jq, parsed, 0);
    jv picked = jq_next(jq);
    if (!jv_is_valid(picked))
        stop("jq", "nothing came of the document");
    jv text = jv_dump_string(picked, 0);
    size_t size = (size_t)jv_string_length_bytes(jv_copy(text));
    jv_free(text);
    return size;
}

static double pick_all(jq_state *jq, struct hub_bytes document, size_t count, size_t *ret_size) {
    double began_s = cpu_s();
    for (size_t i = 0; i < count; i++)
        *ret_size = pick(jq, document);
    return cpu_s() - began_s;
}

int main(int argc, char **argv) {
    const char *schemas = getenv("HUB_SCHEMAS");
    struct hub_catalogue *catalogue = NULL;
    struct hub_connector *connector = NULL;
    struct hub_arena arena = {0};
    struct hub_error error;
    size_t picked_size = 0;
    if (argc != 4) {
        fprintf(stderr, "usage: mapping FOLDER DOCUMENTS ROUNDS\n");
        return 2;
    }
    size_t count = strtoul(argv[2], NULL, 10), rounds = strtoul(argv[3], NULL, 10);
    HUB_SCOPED_BUFFER study = {0};
    HUB_SCOPED_BUFFER program = {0};
    read_part(&arena, argv[1], "study.json", &study);
    read_part(&arena, argv[1], "study.jq", &program);
    struct hub_bytes document = hub_buffer_bytes(&study);
    must(hub_catalogue_load(schemas == NULL ? "schemas" : schemas, &hub_sha256, &catalogue, &error),
         &error);
    must(hub_connector_load(hub_arena_format(&arena, "%s/study.yaml", argv[1]), catalogue,
                            /* keys_folder= */ NULL, &connector, &error),
         &error);
    jq_state *jq = jq_init();
    if (jq == NULL || !jq_compile(jq, hub_buffer_text(&program)))
        stop("jq", "study.jq");
    struct hub_pipeline pipeline = {.connector = connector};
    for (size_t i = 0; i < rounds; i++) {
        double mapped_s = map_all(&pipeline, document, count);
        double picked_s = pick_all(jq, document, count, &picked_size);
        printf("{\"mapped_us\": %.3f, \"picked_us\": %.3f, \"document\": %zu, \"picked\": %zu}\n",
               mapped_s / (double)count * 1e6, picked_s / (double)count * 1e6, document.size,
               picked_size);
        fflush(stdout);
    }
    jq_teardown(&jq);
    hub_connector_free(connector);
    hub_catalogue_free(catalogue);
    hub_arena_destroy(&arena);
    return 0;
}
