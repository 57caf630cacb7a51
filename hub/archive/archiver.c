#include "hub/archive/archiver.h"

#include "hub/engine/topics.h"
#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/http_client.h"
#include "hub/io/log.h"
#include "hub/io/watchdog.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/walk.h"

#include <signal.h>
#include <string.h>

enum { BACK_OFF_MIN_MS = 200, BACK_OFF_MAX_MS = 30000, ALARM_EVERY_MS = 3600 * 1000,
       UNSIGNED_MAX = 250000 /* records */ };

/* Of what is kept for decades: what was said, and what was made of it. */
static const char *const kept[] = {"ingest.", "log.", "unified.", "conflict.", "match.",
                                   "deadletter.", "decision"};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write, not the end */
}

/* What outlives a session: what was said, so that it is said once. */
struct told {
    int64_t lag_ms; /* monotonic: when the alarm was given last; 0: there is none */
    enum hub_witnessing *witnessing; /* of each witness */
};

struct session {
    const struct hub_archiver_settings *settings;
    const struct hub_catalogue *catalogue;
    struct hub_archiver_state *state;
    struct hub_archive *archive;
    struct hub_reader *reader;
    struct hub_kafka_partition *partitions; /* with where they end, as of this round */
    int64_t *read_until;                    /* of each, how far it was read; -1: not yet */
    size_t partition_count;
    struct hub_arena arena; /* of the session */
    struct told *told;
    struct hub_http_client *client; /* to witnesses; NULL: there are none */
    int64_t ahead_ms;       /* the wall clock's, of the monotonic one */
    int32_t unknown_id;     /* the last schema that the catalogue does not have */
    struct hub_arena record_arena;
};

/* --- partitions --- */

static bool is_kept(const char *topic) {
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strncmp(topic, kept[i], strlen(kept[i])) == 0)
            return true;
    return false;
}

/* Of the topics that are there. */
static enum hub_status list_partitions(struct session *session, struct hub_error *reterr) {
    struct hub_topic_config *topics = NULL;
    size_t count = 0, room = 0;
    hub_topics_list(session->catalogue, &session->arena, &topics, &count);
    for (size_t i = 0; i < count; i++)
        room += (size_t)topics[i].partitions;
    session->partitions = hub_arena_take_zero(&session->arena, room, sizeof *session->partitions);
    session->read_until = hub_arena_take_zero(&session->arena, room, sizeof *session->read_until);
    HUB_TRY(hub_topics_check(session->catalogue, session->reader, reterr));
    for (size_t i = 0; i < count; i++) {
        int32_t found = -1;
        if (!is_kept(topics[i].name))
            continue;
        HUB_TRY(hub_reader_partition_count(session->reader, topics[i].name, &found, reterr));
        if (found < 0)
            hub_log(HUB_LOG_WARNING, "topic_missing", "%s is not there yet", topics[i].name);
        for (int32_t k = 0; k < found; k++) {
            session->read_until[session->partition_count] = -1;
            session->partitions[session->partition_count++] =
                (struct hub_kafka_partition){topics[i].name, k, -1, NULL};
        }
    }
    return HUB_OK;
}

/* What is gone was compacted, or deleted, before it was archived. */
static enum hub_status look_for_gap(struct session *session,
                                    const struct hub_kafka_partition *partition, int64_t next,
                                    struct hub_error *reterr) {
    int64_t first = 0, end = 0;
    HUB_TRY(hub_reader_bounds(session->reader, partition->topic, partition->partition, &first,
                              &end, reterr));
    if (next >= 0 && first > next) {
        atomic_fetch_add(&session->state->gaps, 1);
        hub_log(HUB_LOG_ERROR, "archive_gap", "%s-%d: offsets %lld to %lld are gone, and were not "
                "archived", partition->topic, partition->partition, (long long)next,
                (long long)first - 1);
    }
    return HUB_OK;
}

/* Said at once and then every hour, and once when it is over. */
static void tell_lag(const struct session *session, int64_t lag_ms) {
    int64_t now_ms = hub_clock_monotonic_ms(), *alarm_ms = &session->told->lag_ms;
    bool late = lag_ms > session->settings->lag_alarm_ms;
    if (late && (*alarm_ms == 0 || now_ms - *alarm_ms > ALARM_EVERY_MS)) {
        *alarm_ms = now_ms;
        hub_log(HUB_LOG_ERROR, "archive_lag", "the archive is %lld s behind; what Kafka compacts before "
                "it is archived is lost", (long long)lag_ms / 1000);
    } else if (!late && *alarm_ms != 0) {
        *alarm_ms = 0;
        hub_log(HUB_LOG_INFO, "archive_lag_over", "the archive is up to date again");
    }
}

/* --- records --- */

/* A value of a schema that is known and that it fits; else the message is kept as it is. */
static const struct hub_schema *find_schema(struct session *session, struct hub_bytes message,
                                            struct hub_bytes *ret_body) {
    const struct hub_walk_limits limits = {.size_max = HUB_KAFKA_MESSAGE_SIZE_MAX,
                                           .elements_max = UINT64_MAX};
    struct hub_walk walk = {0};
    struct hub_error error;
    int32_t id = 0;
    if (hub_frame_open(message, &id, ret_body, &error) != HUB_OK)
        return NULL;
    const struct hub_schema *schema = hub_catalogue_by_id(session->catalogue, id);
    if (schema == NULL && id != session->unknown_id) {
        session->unknown_id = id;
        hub_log(HUB_LOG_WARNING, "schema_unknown", "schema %d is not in the lock: its values are "
                "archived as bytes until the archiver is started with one that has it", id);
    }
    return schema != NULL && hub_walk(schema->root, *ret_body, &limits, &walk, &error) == HUB_OK
               ? schema
               : NULL;
}

static const struct hub_header *copy_headers(struct session *session,
                                             const struct hub_kafka_record *record) {
    struct hub_header *headers = hub_arena_take(
        &session->record_arena, (record->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct hub_header){record->headers[i].name, record->headers[i].value};
    return headers;
}

static enum hub_status append(struct session *session, const struct hub_kafka_record *record,
                              struct hub_error *reterr) {
    struct hub_archived archived = {.offset = record->offset,
                                    .timestamp_ms = record->timestamp_ms,
                                    .has_key = record->has_key,
                                    .key = record->key,
                                    .headers = copy_headers(session, record),
                                    .header_count = record->header_count,
                                    .kind = HUB_ARCHIVED_NULL};
    const struct hub_schema *schema = NULL;
    if (record->has_value) {
        schema = find_schema(session, record->value, &archived.value);
        archived.kind = schema != NULL ? HUB_ARCHIVED_AVRO : HUB_ARCHIVED_BYTES;
        if (schema == NULL)
            archived.value = record->value;
    }
    return hub_archive_append(session->archive, record->topic, record->partition, &archived,
                              schema == NULL ? 0 : schema->id,
                              schema == NULL ? NULL : schema->text, reterr);
}

static enum hub_status take(void *context, const struct hub_kafka_record *record,
                            struct hub_error *reterr) {
    struct session *session = context;
    if (stop_requested)
        return hub_fail(reterr, HUB_RETRY, "stopped as asked");
    HUB_TRY(append(session, record, reterr));
    int64_t age_ms = hub_clock_realtime_ms() - record->timestamp_ms;
    if (age_ms > session->settings->lag_alarm_ms)
        tell_lag(session, age_ms);
    hub_arena_reset(&session->record_arena);
    atomic_fetch_add(&session->state->records, 1);
    atomic_fetch_add(&session->state->bytes, (long long)(record->key.size + record->value.size));
    atomic_store(&session->state->ticked_ms, hub_clock_monotonic_ms());
    return hub_archive_unsigned(session->archive) < UNSIGNED_MAX
               ? HUB_OK
               : hub_archive_sign(session->archive, reterr);
}

/* --- witnesses --- */

/* Said where it is another than the last time; a refusal each time. */
static void tell_witnessing(struct session *session, size_t index, enum hub_witnessing now,
                            const struct hub_error *error) {
    enum hub_witnessing *before = &session->told->witnessing[index];
    const char *name = session->settings->witnesses.items[index].key.name;
    if (now == HUB_WITNESS_REFUSES) {
        atomic_fetch_add(&session->state->refusals, 1);
        hub_log(HUB_LOG_ERROR, "witness_refuses", "%s", error->text);
    } else if (now == HUB_WITNESS_AWAY && *before != HUB_WITNESS_AWAY) {
        hub_log(HUB_LOG_WARNING, "witness_away", "%s: %s; it is asked again each round", name,
                error->text);
    } else if (now == HUB_WITNESSED) {
        atomic_fetch_add(&session->state->cosigned, 1);
        if (*before != HUB_WITNESSED)
            hub_log(HUB_LOG_INFO, "witness_again", "%s cosigns", name);
    }
    *before = now;
}

static void ask_witnesses(struct session *session) {
    for (size_t i = 0; i < session->settings->witnesses.count; i++) {
        struct hub_error error = {{0}};
        hub_watchdog_beat();
        tell_witnessing(session, i,
                        hub_witnesses_ask(&session->settings->witnesses.items[i],
                                          hub_archive_rollup(session->archive), session->client,
                                          &error),
                        &error);
    }
}

/* --- rounds --- */

static enum hub_status read_on(struct session *session,
                               const struct hub_kafka_partition *partition, int64_t next,
                               struct hub_error *reterr) {
    HUB_TRY(look_for_gap(session, partition, next, reterr));
    HUB_TRY(hub_reader_read(session->reader, partition->topic, partition->partition,
                            next < 0 ? 0 : next, partition->offset, take, session, NULL, reterr));
    return hub_archive_reach(session->archive, partition->topic, partition->partition,
                             partition->offset, reterr);
}

/* The partition must be the one that was archived: it cannot end before the archive does. */
static enum hub_status read_partition(struct session *session, size_t index,
                                      struct hub_error *reterr) {
    const struct hub_kafka_partition *partition = &session->partitions[index];
    int64_t next = -1;
    if (partition->offset == session->read_until[index])
        return HUB_OK;
    HUB_TRY(hub_archive_next_offset(session->archive, partition->topic, partition->partition, &next,
                                    reterr));
    if (next > partition->offset)
        return hub_fail(reterr, HUB_FATAL, "%s-%d: it ends at offset %lld, and %lld are archived: it "
                        "was made anew, or is of another Kafka; another --archive would pass",
                        partition->topic, partition->partition, (long long)partition->offset,
                        (long long)next);
    if (next < partition->offset && partition->offset > 0)
        HUB_TRY(read_on(session, partition, next, reterr));
    session->read_until[index] = partition->offset;
    return HUB_OK;
}

static enum hub_status do_round(struct session *session, struct hub_error *reterr) {
    int64_t now_ms = hub_clock_realtime_ms();
    HUB_TRY(hub_clock_check(&session->ahead_ms, reterr));
    HUB_TRY(hub_reader_ends(session->reader, session->partitions, session->partition_count, reterr));
    for (size_t i = 0; i < session->partition_count; i++) {
        hub_watchdog_beat();
        HUB_TRY(read_partition(session, i, reterr));
    }
    HUB_TRY(hub_archive_sign(session->archive, reterr));
    ask_witnesses(session);
    atomic_store(&session->state->signed_until_ms, now_ms);
    atomic_store(&session->state->ticked_ms, hub_clock_monotonic_ms());
    tell_lag(session, /* lag_ms= */ 0);
    atomic_fetch_add(&session->state->rounds, 1);
    return HUB_OK;
}

/* Asks again and again while it waits, that what others see goes on. */
static void wait_for_round(const struct session *session, int64_t began_ms) {
    enum { STEP_MS = 1000 };
    while (!stop_requested) {
        int64_t left_ms = session->settings->interval_ms - (hub_clock_monotonic_ms() - began_ms);
        if (left_ms <= 0)
            return;
        atomic_store(&session->state->ticked_ms, hub_clock_monotonic_ms());
        hub_pause_ms(left_ms < STEP_MS ? left_ms : STEP_MS);
    }
}

static enum hub_status open_session(struct session *session, struct hub_error *reterr) {
    HUB_TRY(hub_clock_check(&session->ahead_ms, reterr));
    HUB_TRY(hub_archive_open(&session->settings->archive, &session->archive, reterr));
    HUB_TRY(hub_reader_new(session->settings->bootstrap, &session->reader, reterr));
    if (session->settings->witnesses.count > 0)
        HUB_TRY(hub_http_client_new(NULL, &session->client, reterr));
    return list_partitions(session, reterr);
}

static void close_session(struct session *session) {
    hub_http_client_free(session->client);
    hub_reader_free(session->reader);
    hub_archive_close(session->archive);
    hub_arena_destroy(&session->record_arena);
    hub_arena_destroy(&session->arena);
}

static enum hub_status run_session(struct session *session, struct hub_error *reterr) {
    HUB_TRY(open_session(session, reterr));
    while (!stop_requested) {
        int64_t began_ms = hub_clock_monotonic_ms();
        HUB_TRY(do_round(session, reterr));
        if (session->settings->once)
            return HUB_OK;
        wait_for_round(session, began_ms);
    }
    return HUB_OK;
}

enum hub_status hub_archiver_run(const struct hub_archiver_settings *settings,
                                 const struct hub_catalogue *catalogue,
                                 struct hub_archiver_state *state, struct hub_error *reterr) {
    struct hub_back_off back_off = {.min_ms = BACK_OFF_MIN_MS, .max_ms = BACK_OFF_MAX_MS};
    struct told told = {
        .witnessing = hub_allocate_zero(settings->witnesses.count + 1, sizeof *told.witnessing)};
    enum hub_status status = HUB_OK;
    catch_signals();
    hub_watchdog_start(HUB_WATCHDOG_PATIENCE_MS);
    for (;;) {
        struct session session = {.settings = settings,
                                  .catalogue = catalogue,
                                  .state = state,
                                  .told = &told};
        int64_t began_ms = hub_clock_monotonic_ms();
        status = run_session(&session, reterr);
        close_session(&session);
        if (status != HUB_RETRY || stop_requested)
            break;
        atomic_fetch_add(&state->failures, 1);
        int64_t until_ms = atomic_load(&state->signed_until_ms);
        if (until_ms > 0)
            tell_lag(&session, hub_clock_realtime_ms() - until_ms);
        hub_back_off(&back_off, hub_clock_monotonic_ms() - began_ms, reterr->text);
    }
    hub_release(told.witnessing);
    return stop_requested ? HUB_OK : status;
}
