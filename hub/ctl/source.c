#include "hub/ctl/source.h"

#include "hub/archive/key_file.h"
#include "hub/archive/reader.h"
#include "hub/io/file.h"
#include "schemas/lib/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum hub_status take_function(void *context, const struct hub_kafka_record *record,
                                      struct hub_error *reterr);

struct hub_source {
    struct hub_reader *reader; /* NULL: an archive */
    const char *archive;
    int64_t until_ms; /* what is later is passed over */
};

/* --- opening --- */

static struct hub_reader *open_reader(const struct hub_ctl *ctl) {
    struct hub_reader *reader = NULL;
    struct hub_error error;
    char **topics = NULL;
    struct hub_arena arena = {0};
    enum hub_status status = hub_reader_new(ctl->bootstrap, &reader, &error);
    if (status == HUB_OK) /* answers at all? */
        status = hub_reader_topics(reader, &arena, &topics, &error);
    hub_arena_destroy(&arena);
    if (status == HUB_OK)
        return reader;
    fprintf(stderr, "hubctl: %s: %s\n", ctl->bootstrap, error.text);
    hub_reader_free(reader);
    return NULL;
}

struct hub_source *hub_ctl_source(struct hub_ctl *ctl) {
    struct hub_source source = {.archive = ctl->archive, .until_ms = ctl->as_of_ms};
    if (ctl->archive != NULL && !hub_file_is_folder(ctl->archive)) {
        fprintf(stderr, "hubctl: %s is no folder\n", ctl->archive);
        return NULL;
    }
    if (ctl->archive == NULL && (source.reader = open_reader(ctl)) == NULL)
        return NULL;
    return hub_copy_bytes(&source, sizeof source);
}

void hub_source_free(struct hub_source *source) {
    if (source == NULL)
        return;
    hub_reader_free(source->reader);
    hub_release(source);
}

struct hub_reader *hub_source_reader(struct hub_source *source) {
    return source == NULL ? NULL : source->reader;
}

/* --- an archive --- */

struct archived_reading {
    struct hub_source *source;
    const char *topic;
    int32_t partition;
    int64_t to;
    take_function *take;
    void *context;
    int64_t next;
    struct hub_buffer value; /* as it was on Kafka */
};

static struct hub_bytes value_of(const struct hub_archive_record *record,
                                 struct hub_buffer *value) {
    if (record->record.kind != HUB_ARCHIVED_AVRO)
        return record->record.value;
    hub_buffer_clear(value);
    hub_frame_append(value, record->segment->schema_id);
    hub_buffer_append_bytes(value, record->record.value);
    return hub_buffer_bytes(value);
}

static enum hub_status give(struct archived_reading *reading,
                            const struct hub_archive_record *record, struct hub_error *reterr) {
    const struct hub_archived *archived = &record->record;
    reading->next = archived->offset + 1;
    if (archived->timestamp_ms > reading->source->until_ms)
        return HUB_OK;
    struct hub_kafka_record kafka = {
        .topic = reading->topic,
        .partition = reading->partition,
        .offset = archived->offset,
        .timestamp_ms = archived->timestamp_ms,
        .has_key = archived->has_key,
        .has_value = archived->kind != HUB_ARCHIVED_NULL,
        .key = archived->key,
        .value = value_of(record, &reading->value),
        .headers = (const struct hub_kafka_header *)archived->headers,
        .header_count = archived->header_count};
    return reading->take(reading->context, &kafka, reterr);
}

static enum hub_status give_all(struct archived_reading *reading,
                                struct hub_archive_reader *reader, struct hub_error *reterr) {
    while (hub_archive_reader_has_next(reader)) {
        struct hub_archive_record record;
        HUB_TRY(hub_archive_reader_next(reader, &record, reterr));
        if (reading->to >= 0 && record.record.offset >= reading->to)
            return HUB_OK;
        HUB_TRY(give(reading, &record, reterr));
    }
    return HUB_OK;
}

static enum hub_status read_archive(struct archived_reading *reading, int64_t from,
                                    struct hub_error *reterr) {
    struct hub_archive_reader *reader = NULL;
    struct hub_note_key key;
    HUB_SCOPED_BUFFER folder = {0};
    hub_buffer_append_format(&folder, "%s/%s-%d", reading->source->archive, reading->topic,
                             reading->partition);
    const char *path = hub_buffer_text(&folder);
    if (!hub_file_is_folder(path)) /* nothing was archived of it */
        return HUB_OK;
    HUB_TRY(hub_log_key_load(path, &key, reterr)); /* `archive verify --key` asks who signed in truth */
    HUB_TRY(hub_archive_reader_open(path, &key, 0, &reader, reterr));
    enum hub_status status = hub_archive_reader_seek(reader, from, reterr);
    if (status == HUB_OK)
        status = give_all(reading, reader, reterr);
    hub_archive_reader_close(reader);
    return status == HUB_OK ? HUB_OK : hub_fail_at(reterr, status, "%s", path);
}

/* TOPIC-PARTITION; false of other names. */
static bool read_name(const char *name, size_t *ret_topic_size, int32_t *ret_partition) {
    const char *dash = strrchr(name, '-');
    char *end = NULL;
    if (dash == NULL || dash == name || dash[1] < '0' || dash[1] > '9')
        return false;
    *ret_partition = (int32_t)strtol(dash + 1, &end, 10);
    *ret_topic_size = (size_t)(dash - name);
    return *end == '\0';
}

static enum hub_status count_partitions(struct hub_source *source, const char *topic,
                                        int32_t *ret_count, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char **names = NULL;
    size_t count = 0;
    *ret_count = -1;
    enum hub_status status = hub_file_list(source->archive, "", &arena, &names, &count, reterr);
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        int32_t partition = 0;
        if (read_name(names[i], &size, &partition) && strlen(topic) == size &&
            strncmp(topic, names[i], size) == 0 && partition >= *ret_count)
            *ret_count = partition + 1;
    }
    hub_arena_destroy(&arena);
    return status;
}

/* Sorted, each once. */
static enum hub_status list_topics(struct hub_source *source, struct hub_arena *arena,
                                   char ***ret_names, struct hub_error *reterr) {
    char **names = NULL;
    size_t count = 0, kept = 0;
    HUB_TRY(hub_file_list(source->archive, "", arena, &names, &count, reterr));
    char **topics = hub_arena_take_zero(arena, count + 1, sizeof *topics);
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        int32_t partition = 0;
        if (!read_name(names[i], &size, &partition))
            continue;
        char *topic = hub_arena_text(arena, names[i], size);
        if (kept == 0 || strcmp(topics[kept - 1], topic) != 0)
            topics[kept++] = topic;
    }
    *ret_names = topics;
    return HUB_OK;
}

/* --- Kafka --- */

struct cutting {
    int64_t until_ms;
    take_function *take;
    void *context;
};

static enum hub_status take_earlier(void *context, const struct hub_kafka_record *record,
                                    struct hub_error *reterr) {
    struct cutting *cutting = context;
    return record->timestamp_ms > cutting->until_ms
               ? HUB_OK
               : cutting->take(cutting->context, record, reterr);
}

/* --- either --- */

enum hub_status hub_source_read(struct hub_source *source, const char *topic, int32_t partition,
                                int64_t from, int64_t to, take_function *take, void *context,
                                int64_t *ret_next, struct hub_error *reterr) {
    if (source->reader != NULL) {
        struct cutting cutting = {source->until_ms, take, context};
        return hub_reader_read(source->reader, topic, partition, from, to, take_earlier, &cutting,
                               ret_next, reterr);
    }
    struct archived_reading reading = {.source = source,
                                       .topic = topic,
                                       .partition = partition,
                                       .to = to,
                                       .take = take,
                                       .context = context,
                                       .next = from};
    enum hub_status status = read_archive(&reading, from, reterr);
    hub_buffer_free(&reading.value);
    if (ret_next != NULL)
        *ret_next = reading.next;
    return status;
}

enum hub_status hub_source_partition_count(struct hub_source *source, const char *topic,
                                           int32_t *ret_count, struct hub_error *reterr) {
    return source->reader != NULL
               ? hub_reader_partition_count(source->reader, topic, ret_count, reterr)
               : count_partitions(source, topic, ret_count, reterr);
}

enum hub_status hub_source_topics(struct hub_source *source, struct hub_arena *arena,
                                  char ***ret_names, struct hub_error *reterr) {
    return source->reader != NULL ? hub_reader_topics(source->reader, arena, ret_names, reterr)
                                  : list_topics(source, arena, ret_names, reterr);
}
