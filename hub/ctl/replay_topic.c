/* hubctl replay --to-topic: every record as it was in Kafka, marked as one that was replayed, in transactions. Each
 * says how many there are with it, and their digest: what the last committed one says is where to go on. */
#include "hub/ctl/replay.h"

#include "hub/io/clock.h"
#include "hub/io/kafka.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 10000, BYTES_MAX = 8 * 1024 * 1024, TRANSACTION_MS = 1000 };

static const char from_name[] = "hub_replayed_from", time_name[] = "hub_replayed_time",
                  count_name[] = "hub_replay";

struct writing {
    struct hub_producer *producer;
    struct hub_arena arena; /* of one record */
    struct hub_buffer value;
    size_t records, bytes; /* of the transaction */
    int64_t began_ms;      /* of it, monotonic */
};

/* --- what an earlier run has written --- */

struct looking {
    char text[128]; /* of the last record's header */
    bool found;
};

static enum hub_status take(void *looking_, const struct hub_kafka_record *record,
                            struct hub_error *reterr) {
    struct looking *looking = looking_;
    (void)reterr;
    looking->found = true;
    looking->text[0] = '\0';
    if (record->header_count == 1)
        snprintf(looking->text, sizeof looking->text, "%.*s", (int)record->headers->value.size,
                 (const char *)record->headers->value.data);
    return HUB_OK;
}

/* Backwards by longer and longer steps: markers of transactions have offsets, too. */
static enum hub_status find_last(struct hub_reader *reader, const char *topic,
                                 struct looking *looking, struct hub_error *reterr) {
    int64_t first = 0, end = 0, step = 64;
    HUB_TRY(hub_reader_bounds(reader, topic, 0, &first, &end, reterr));
    for (int64_t from = end; !looking->found && from > first; step *= 8) {
        int64_t to = from;
        from = from - step > first ? from - step : first;
        HUB_TRY(hub_reader_read(reader, topic, 0, from, to, take, looking, NULL, reterr));
    }
    return HUB_OK;
}

static bool read_count(const char *text, struct hub_replayed *ret_written) {
    char *end = NULL;
    ret_written->count = strtoull(text, &end, 10);
    return end != text && *end == ' ' && strlen(end + 1) == 2 * HUB_DIGEST_SIZE &&
           hub_digest_read(end + 1, &ret_written->digest);
}

static enum hub_status read_written(struct hub_replaying *replaying,
                                    struct hub_replayed *ret_written, struct hub_error *reterr) {
    const char *topic = replaying->ctl->to_topic;
    struct hub_reader *reader = NULL;
    struct looking looking = {0};
    HUB_TRY(hub_reader_new(replaying->ctl->bootstrap, &reader, reterr));
    hub_reader_want_header(reader, count_name);
    enum hub_status status = find_last(reader, topic, &looking, reterr);
    hub_reader_free(reader);
    if (status != HUB_OK || !looking.found)
        return status;
    if (!replaying->ctl->resume)
        return hub_fail(reterr, HUB_REJECT, "%s has records already; another name would pass", topic);
    if (!read_count(looking.text, ret_written))
        return hub_fail(reterr, HUB_REJECT, "%s: its last record is none of a replay", topic);
    return HUB_OK;
}

/* --- writing --- */

static enum hub_status flush(struct hub_replaying *replaying, struct hub_error *reterr) {
    struct writing *writing = replaying->state;
    if (writing->records == 0)
        return HUB_OK;
    writing->records = writing->bytes = 0;
    return hub_producer_commit(writing->producer, reterr);
}

static struct hub_bytes append_value(struct writing *writing,
                                     const struct hub_archive_record *record) {
    const struct hub_archived *archived = &record->record;
    if (archived->kind != HUB_ARCHIVED_AVRO)
        return archived->value;
    hub_buffer_clear(&writing->value);
    hub_frame_append(&writing->value, record->segment->schema_id);
    hub_buffer_append_bytes(&writing->value, archived->value);
    return hub_buffer_bytes(&writing->value);
}

static struct hub_kafka_header header(const char *name, const char *text) {
    return (struct hub_kafka_header){name, hub_bytes_of_text(text)};
}

/* Those that it had, and where it was, when, and which of the replay it is. */
static void set_headers(struct hub_replaying *replaying, const struct hub_archive_record *record,
                        struct hub_kafka_write *write) {
    struct hub_arena *arena = &((struct writing *)replaying->state)->arena;
    const struct hub_archived *archived = &record->record;
    HUB_SCOPED_BUFFER time = {0};
    char digest[HUB_DIGEST_TEXT_SIZE];
    size_t count = archived->header_count;
    struct hub_kafka_header *headers = hub_arena_take(arena, (count + 3) * sizeof *headers);
    for (size_t i = 0; i < count; i++)
        headers[i] = (struct hub_kafka_header){archived->headers[i].name,
                                               archived->headers[i].value};
    hub_render_time(archived->timestamp_ms, &time);
    struct hub_digest tally = hub_tally_digest(&replaying->tally);
    hub_digest_text(&tally, HUB_DIGEST_SIZE, digest);
    headers[count++] =
        header(from_name, hub_arena_format(arena, "%s-%d@%lld", record->leaf.topic,
                                           record->leaf.partition, (long long)archived->offset));
    headers[count++] = header(time_name, hub_arena_format(arena, "%s", hub_buffer_text(&time)));
    headers[count++] =
        header(count_name, hub_arena_format(arena, "%llu %s",
                                            (unsigned long long)replaying->tally.count, digest));
    write->headers = headers;
    write->header_count = count;
}

static enum hub_status write_record(struct hub_replaying *replaying,
                                    const struct hub_archive_record *record,
                                    const struct hub_schema *schema, struct hub_error *reterr) {
    struct writing *writing = replaying->state;
    const struct hub_archived *archived = &record->record;
    struct hub_kafka_write write = {.topic = replaying->ctl->to_topic,
                                    .partition = 0,
                                    .has_key = archived->has_key,
                                    .key = archived->key,
                                    .value = append_value(writing, record)};
    (void)schema;
    hub_arena_reset(&writing->arena);
    set_headers(replaying, record, &write);
    if (writing->records == 0) {
        HUB_TRY(hub_producer_begin(writing->producer, reterr));
        writing->began_ms = hub_clock_monotonic_ms();
    }
    HUB_TRY(hub_producer_write(writing->producer, &write, reterr));
    writing->records++;
    writing->bytes += write.key.size + write.value.size;
    bool full = writing->records >= RECORDS_MAX || writing->bytes >= BYTES_MAX ||
                hub_clock_monotonic_ms() - writing->began_ms >= TRANSACTION_MS;
    return full ? flush(replaying, reterr) : HUB_OK;
}

/* --- opening --- */

/* The producer first: what an earlier one has left open is over then, and that one can write no more. */
static enum hub_status open_topic(struct hub_replaying *replaying, struct hub_replayed *ret_written,
                                  struct hub_error *reterr) {
    static const char *const settings[] = {"cleanup.policy",    "delete",
                                           "retention.ms",      "604800000",
                                           "max.message.bytes", "25165824",
                                           NULL};
    const struct hub_ctl *ctl = replaying->ctl;
    const struct hub_topic_config topic = {ctl->to_topic, 1, settings};
    struct writing *writing = hub_allocate_zero(1, sizeof *writing);
    replaying->state = writing;
    const char *id = hub_arena_format(&replaying->arena, "%s.ctl.%s", ctl->group, ctl->to_topic);
    HUB_TRY(hub_topics_create(ctl->bootstrap, &topic, 1, /* replication= */ 1, reterr));
    HUB_TRY(hub_producer_new(ctl->bootstrap, id, &writing->producer, reterr));
    return read_written(replaying, ret_written, reterr);
}

static void close_topic(struct hub_replaying *replaying) {
    struct writing *writing = replaying->state;
    if (writing == NULL)
        return;
    if (writing->records > 0)
        hub_producer_abort(writing->producer);
    hub_producer_free(writing->producer);
    hub_buffer_free(&writing->value);
    hub_arena_destroy(&writing->arena);
    hub_release(writing);
}

const struct hub_replay_target hub_replay_to_topic = {open_topic, write_record, flush, flush,
                                                      close_topic};
