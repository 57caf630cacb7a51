/* The limit of a replay: the same segments read and decoded, with nothing else done. And what writes them.
 *
 * usage: segments write FOLDER EVENTS TRIALS SEED    an archive of generated statements
 *        segments read FOLDER                        each record read as the archive's reader does, and decoded
 *                                                    to the JSON that consume prints, into memory; prints how
 *                                                    many, and bytes of JSON */
#include "hub/archive/archive.h"
#include "hub/archive/values.h"
#include "hub/ctl/line.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "schemas/lib/frame.h"
#include "tests/bench/statements.h"

#include <stdio.h>
#include <stdlib.h>

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const int64_t FIRST_MS = 1772323200000; /* 2026-03-01 */

static void must(enum hub_status status, const struct hub_error *error) {
    if (status == HUB_OK)
        return;
    fprintf(stderr, "segments: %s\n", error->text);
    exit(1);
}

/* --- writing --- */

static void append(struct hub_archive *archive, const struct hub_catalogue *catalogue,
                   const struct bench_event *event, const char *topic, int64_t number) {
    struct hub_error error;
    struct hub_archived record = {.offset = number,
                                  .timestamp_ms = FIRST_MS + number,
                                  .has_key = true,
                                  .key = event->key,
                                  .headers = event->headers,
                                  .header_count = event->header_count,
                                  .kind = HUB_ARCHIVED_AVRO};
    int32_t id = 0;
    must(hub_frame_open(event->value, &id, &record.value, &error), &error);
    must(hub_archive_append(archive, topic, (int32_t)(number % 2), &record, id,
                            hub_catalogue_by_id(catalogue, id)->text, &error), &error);
}

static void write_archive(const char *folder, int64_t events, size_t trials, uint64_t seed) {
    const char *schemas = getenv("HUB_SCHEMAS");
    const struct hub_archive_config config = {
        .folder = folder, .deployment = "bench.example", .private = &private};
    struct hub_catalogue *catalogue = NULL;
    struct hub_archive *archive = NULL;
    struct hub_error error;
    must(hub_catalogue_load(schemas == NULL ? "schemas" : schemas, &hub_sha256, &catalogue, &error),
         &error);
    must(hub_archive_open(&config, &archive, &error), &error);
    struct bench_statements *statements = bench_statements_new(catalogue, seed, trials);
    for (int64_t i = 0; i < events; i++) {
        struct bench_event event;
        char topic[128];
        bench_statements_next(statements, &event);
        snprintf(topic, sizeof topic, "ingest.%s.trial", event.institution);
        append(archive, catalogue, &event, topic, i);
    }
    must(hub_archive_sign(archive, &error), &error);
    bench_statements_free(statements);
    hub_archive_close(archive);
    hub_catalogue_free(catalogue);
}

/* --- reading --- */

struct reading {
    struct hub_values *values;
    struct hub_buffer json;
    uint64_t records, bytes;
};

static void decode(struct reading *reading, const struct hub_archive_record *record,
                   const struct hub_schema *schema) {
    const struct hub_archived *archived = &record->record;
    const struct hub_ctl_record line = {
        .topic = record->leaf.topic,
        .partition = record->leaf.partition,
        .offset = archived->offset,
        .timestamp_ms = archived->timestamp_ms,
        .key = archived->key,
        .schema = schema,
        .body = archived->value,
        .value = archived->value,
        .headers = (const struct hub_kafka_header *)archived->headers,
        .header_count = archived->header_count};
    hub_buffer_clear(&reading->json);
    hub_ctl_line_append(&line, &reading->json);
}

static void read_log(struct reading *reading, const char *folder) {
    HUB_SCOPED_BUFFER path = {0}, text = {0};
    struct hub_archive_reader *reader = NULL;
    struct hub_note_key key;
    struct hub_bytes line, rest;
    struct hub_error error;
    hub_buffer_append_format(&path, "%s/log.vkey", folder);
    must(hub_file_read(hub_buffer_text(&path), &text, &error), &error);
    if (!hub_bytes_cut(hub_buffer_bytes(&text), '\n', &line, &rest))
        exit(1);
    must(hub_note_key_read(line, &key, &error), &error);
    must(hub_archive_reader_open(folder, &key, /* from= */ 0, &reader, &error), &error);
    for (uint64_t i = 0; i < hub_archive_reader_checkpoint(reader)->size; i++) {
        struct hub_archive_record record;
        const struct hub_schema *schema = NULL;
        must(hub_archive_reader_next(reader, &record, &error), &error);
        must(hub_values_open(reading->values, &record, &schema, &error), &error);
        decode(reading, &record, schema);
        reading->bytes += reading->json.size;
        reading->records++;
    }
    hub_archive_reader_close(reader);
}

static void read_archive(const char *folder) {
    struct reading reading = {.values = hub_values_new()};
    struct hub_arena arena = {0};
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    must(hub_file_list(folder, "", &arena, &names, &count, &error), &error);
    for (size_t i = 0; i < count; i++)
        if (strncmp(names[i], "ingest.", 7) == 0)
            read_log(&reading, hub_arena_format(&arena, "%s/%s", folder, names[i]));
    printf("{\"records\": %llu, \"bytes\": %llu}\n", (unsigned long long)reading.records,
           (unsigned long long)reading.bytes);
    hub_buffer_free(&reading.json);
    hub_values_free(reading.values);
    hub_arena_destroy(&arena);
}

int main(int argc, char **argv) {
    if (argc == 6 && strcmp(argv[1], "write") == 0) {
        write_archive(argv[2], strtoll(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
                      strtoull(argv[5], NULL, 10));
    } else if (argc == 3 && strcmp(argv[1], "read") == 0) {
        read_archive(argv[2]);
    } else {
        fprintf(stderr, "usage: segments write FOLDER EVENTS TRIALS SEED\n       segments read FOLDER\n");
        return 2;
    }
    return 0;
}
