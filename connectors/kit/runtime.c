#include "connectors/kit/runtime.h"

#include "connectors/kit/journal_use.h"
#include "connectors/kit/letters.h"
#include "connectors/kit/manifest.h"
#include "connectors/kit/pipeline.h"
#include "connectors/kit/position.h"
#include "connectors/kit/presence.h"
#include "connectors/kit/sessions.h"
#include "connectors/kit/spool_use.h"
#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "hub/io/kafka.h"
#include "hub/io/log.h"
#include "hub/io/watchdog.h"

#include <stdio.h>
#include <string.h>

enum { POLL_MS = 500, BACK_OFF_MIN_MS = 500, BACK_OFF_MAX_MS = 60000,
       RETRY_AFTER_MAX_MS = 3600000, NAME_MAX_SIZE = 192,
       PATIENCE_MS = HUB_WATCHDOG_PATIENCE_MS + 600000 /* a filter's deadline */ };

/* What this process knows over its sessions: of the position the sequence that it has read or
 * committed last, and the one that it has tried to commit; and what the transport keeps. */
struct memory {
    bool keeps_journal;
    bool has_read;
    int64_t committed, tried;
    void *kept;
    struct hub_spool *spool; /* or NULL */
};

struct session {
    struct hub_connector *connector;
    const struct hub_runtime_settings *settings;
    struct memory *memory;
    struct hub_presence *presence;
    struct hub_reader *reader;
    struct hub_producer *producer;
    char transactional_id[NAME_MAX_SIZE];
    char ingest_topic[NAME_MAX_SIZE], deadletter_topic[NAME_MAX_SIZE];
    char configuration[HUB_DIGEST_TEXT_SIZE];
    void *transport_state;
    struct hub_pipeline pipeline;
    struct hub_letters letters; /* while they are loaded */
    struct hub_journal *journal; /* or NULL */
    struct hub_manifesting *manifesting; /* or NULL */
    struct hub_position position; /* as committed last, but for its text: */
    char *position_text; /* that one; NULL: the one that was read */
    int64_t ahead_ms; /* the wall clock's, of the monotonic one */
    struct hub_arena arena; /* of the running batch */
};

/* --- what others may see --- */

static void tell_position(struct session *session, const char *text) {
    const struct hub_connector_counts *counts = &session->position.counts;
    json_t *told = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "read", (json_int_t)counts->read, "published",
        (json_int_t)counts->published, "withdrawn", (json_int_t)counts->withdrawn, "vanished",
        (json_int_t)counts->vanished, "unchanged", (json_int_t)counts->unchanged, "skipped",
        (json_int_t)counts->skipped, "dead", (json_int_t)counts->dead);
    hub_presence_tell_position(session->presence, text, session->position.sequence, told);
    json_decref(told);
}

/* --- loading --- */

static enum hub_status take_published(void *context, const struct hub_kafka_record *record,
                                      struct hub_error *reterr) {
    struct session *session = context;
    if (!record->has_key || !record->has_value)
        return HUB_OK;
    if (session->manifesting != NULL)
        HUB_TRY(hub_manifesting_load(session->manifesting, record, reterr));
    return session->pipeline.known == NULL
               ? HUB_OK
               : hub_known_load(session->pipeline.known, record->key, record->value, reterr);
}

/* What a broker has forgotten to end in a partition is open until somebody ends it by hand. The next
 * transaction of this name would commit it there: none is begun before. */
static enum hub_status settle_written(struct session *session, struct hub_error *reterr) {
    int32_t partitions = 0;
    HUB_TRY(hub_reader_partition_count(session->reader, session->ingest_topic, &partitions,
                                       reterr));
    size_t count = partitions > 0 ? (size_t)partitions : 0;
    struct hub_kafka_partition *written =
        hub_arena_take_zero(&session->arena, count + 1, sizeof *written);
    for (size_t i = 0; i < count; i++)
        written[i] = (struct hub_kafka_partition){session->ingest_topic, (int32_t)i, -1, NULL};
    written[count] = (struct hub_kafka_partition){session->deadletter_topic, 0, -1, NULL};
    return hub_reader_settle(session->reader, written, count + 1, reterr);
}

static enum hub_status take_letter(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    struct session *session = context;
    struct hub_error ignored;
    (void)reterr;
    /* What this version cannot read is told twice rather than that nothing is read. */
    enum hub_status status = hub_letters_read(&session->letters, session->connector->catalogue,
                                              record, &ignored);
    (void)status;
    return HUB_OK;
}

/* What is open, or was discarded, is not told again while the source says it as before. */
static enum hub_status load_letters(struct session *session, struct hub_error *reterr) {
    const struct hub_connector *connector = session->connector;
    struct hub_letters *letters = &session->letters;
    enum hub_status status =
        hub_read_settled(session->reader, session->deadletter_topic, 0, take_letter, session, reterr);
    for (size_t i = 0; status == HUB_OK && i < letters->count; i++) {
        const struct hub_open_letter *letter = &letters->items[i];
        HUB_SCOPED_BUFFER identity = {0};
        if (letter->connector == NULL || strcmp(letter->connector, connector->name) != 0 ||
            (!letter->open && letter->outcome != HUB_LETTER_DISCARDED))
            continue;
        hub_letter_identity(connector->institution, letter, &identity);
        hub_known_refuse(session->pipeline.known, hub_buffer_bytes(&identity));
    }
    hub_letters_free(letters);
    return status;
}

static enum hub_status load_published(struct session *session, struct hub_error *reterr) {
    const struct hub_connector *connector = session->connector;
    int32_t partitions = 0;
    hub_pipeline_begin(&session->pipeline, connector);
    HUB_TRY(hub_manifesting_open(connector, session->reader, hub_clock_monotonic_ms(),
                                 &session->manifesting, reterr));
    if (session->pipeline.known == NULL && session->manifesting == NULL)
        return HUB_OK;
    HUB_TRY(hub_reader_partition_count(session->reader, session->ingest_topic, &partitions,
                                       reterr));
    for (int32_t i = 0; i < partitions; i++)
        HUB_TRY(hub_read_settled(session->reader, session->ingest_topic, i, take_published, session,
                                 reterr));
    return session->pipeline.tells_once ? HUB_OK : load_letters(session, reterr);
}

/* A later process of this name fences this one, which would come back and fence that one, for ever:
 * where somebody else has moved the position, this one gives way. */
static enum hub_status recognise_position(struct session *session, struct hub_error *reterr) {
    struct memory *memory = session->memory;
    bool own = session->position.sequence == memory->committed || session->position.sequence == memory->tried;
    if (memory->has_read && !own)
        return hub_fail(reterr, HUB_FATAL,
                        "another process runs connector %s: its position has moved from document "
                        "%lld to %lld; one process of it would pass", session->connector->name,
                        (long long)memory->committed, (long long)session->position.sequence);
    memory->has_read = true;
    memory->committed = memory->tried = session->position.sequence;
    return HUB_OK;
}

static enum hub_status open_journal(struct session *session, struct hub_error *reterr) {
    struct hub_journal_config config =
        hub_journal_config_of(session->connector, session->settings->state_folder);
    if (!session->memory->keeps_journal)
        return HUB_OK;
    return hub_journal_open(&config, hub_clock_realtime_ms(), &session->journal, reterr);
}

static enum hub_status open_session(struct session *session, struct hub_error *reterr) {
    const struct hub_connector *connector = session->connector;
    const char *bootstrap = session->settings->bootstrap;
    struct hub_env env = {.monotonic_ms = hub_clock_monotonic_ms,
                          .realtime_ms = hub_clock_realtime_ms,
                          .is_stopping = hub_sessions_are_ending};
    snprintf(session->transactional_id, NAME_MAX_SIZE, "%s",
             hub_connector_transactional_id(connector, &session->arena));
    snprintf(session->ingest_topic, NAME_MAX_SIZE, "ingest.%s.%s", connector->institution,
             connector->domain->name);
    snprintf(session->deadletter_topic, NAME_MAX_SIZE, "deadletter.%s", connector->institution);
    HUB_TRY(hub_reader_new(bootstrap, &session->reader, reterr));
    /* The producer first: it ends what an earlier run left open, so that what is read next is all
     * there is. */
    HUB_TRY(hub_producer_new(bootstrap, session->transactional_id, &session->producer, reterr));
    HUB_TRY(settle_written(session, reterr));
    HUB_TRY(hub_position_read(session->reader, connector, &session->position, reterr));
    HUB_TRY(recognise_position(session, reterr));
    HUB_TRY(open_journal(session, reterr));
    HUB_TRY(load_published(session, reterr));
    env.position = session->position.text;
    env.folder = connector->folder;
    env.once = session->settings->once;
    hub_digest_text(&connector->config_hash, HUB_DIGEST_SIZE, session->configuration);
    env.configuration = session->configuration;
    env.kept = &session->memory->kept;
    env.spool = session->memory->spool;
    session->transport_state = hub_allocate_zero(1, connector->transport->state_size);
    tell_position(session, session->position.text);
    return connector->transport->open(session->transport_state, connector->transport_options, &env,
                                      reterr);
}

static void close_session(struct session *session) {
    if (session->transport_state != NULL)
        session->connector->transport->close(session->transport_state);
    hub_release(session->transport_state);
    hub_pipeline_end(&session->pipeline);
    hub_journal_close(session->journal);
    hub_manifesting_free(session->manifesting);
    hub_producer_free(session->producer);
    hub_reader_free(session->reader);
    hub_position_free(&session->position);
    hub_release(session->position_text);
    hub_arena_destroy(&session->arena);
}

/* --- one batch --- */

static void add_counts(struct hub_connector_counts *sum, const struct hub_connector_counts *more) {
    sum->read += more->read;
    sum->published += more->published;
    sum->withdrawn += more->withdrawn;
    sum->vanished += more->vanished;
    sum->unchanged += more->unchanged;
    sum->skipped += more->skipped;
    sum->dead += more->dead;
}

_Static_assert(sizeof(struct hub_header) == sizeof(struct hub_kafka_header) &&
                   offsetof(struct hub_header, value) == offsetof(struct hub_kafka_header, value),
               "a header is a header");

static enum hub_status write_outgoing(struct session *session,
                                      const struct hub_outgoing *outgoing,
                                      struct hub_error *reterr) {
    struct hub_kafka_write write = {
        .topic = outgoing->dead ? session->deadletter_topic : session->ingest_topic,
        .partition = outgoing->dead ? 0 : -1,
        .has_key = true,
        .key = hub_bytes_of_text(outgoing->key),
        .value = outgoing->value,
        .headers = (const struct hub_kafka_header *)outgoing->headers,
        .header_count = outgoing->header_count};
    return hub_producer_write(session->producer, &write, reterr);
}

/* What the guard holds back stays at the institution, readable by the connector's user only. */
static enum hub_status keep_held(struct session *session, const struct hub_outgoing *outgoing,
                                 struct hub_error *reterr) {
    struct hub_digest digest = hub_sha256.digest(outgoing->held);
    char text[HUB_DIGEST_TEXT_SIZE];
    hub_digest_text(&digest, HUB_DIGEST_SIZE, text);
    const char *folder = hub_arena_format(&session->arena, "%s/held/%s",
                                          session->settings->state_folder,
                                          session->connector->name);
    HUB_TRY(hub_file_make_folder(folder, reterr));
    return hub_file_write(hub_arena_format(&session->arena, "%s/%s", folder, text),
                          outgoing->held, reterr);
}

static enum hub_status write_lists(struct session *session, const struct hub_outgoing_list *lists,
                                   size_t count, struct hub_error *reterr) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < lists[i].count; k++) {
            if (lists[i].items[k].held.data != NULL)
                HUB_TRY(keep_held(session, &lists[i].items[k], reterr));
            HUB_TRY(write_outgoing(session, &lists[i].items[k], reterr));
        }
    return HUB_OK;
}

static enum hub_status renew_producer(struct session *session, struct hub_error *reterr) {
    if (!hub_producer_is_dirty(session->producer))
        return HUB_OK;
    hub_producer_free(session->producer);
    session->producer = NULL;
    return hub_producer_new(session->settings->bootstrap, session->transactional_id,
                            &session->producer, reterr);
}

static enum hub_status publish_batch(struct session *session, const struct hub_batch *batch,
                                     struct hub_error *reterr) {
    struct hub_outgoing_list *lists =
        hub_arena_take_zero(&session->arena, batch->count, sizeof *lists);
    struct hub_connector_counts counts = session->position.counts;
    int64_t sequence = session->position.sequence;
    for (size_t i = 0; i < batch->count; i++) {
        hub_pipeline_run(&session->pipeline, &batch->documents[i], ++sequence, &session->arena,
                         &lists[i]);
        if (lists[i].failed != HUB_OK)
            return hub_fail(reterr, lists[i].failed, "%s", lists[i].failure);
        hub_pipeline_take(&session->pipeline, &lists[i]); /* a batch that fails ends the session */
        add_counts(&counts, &lists[i].counts);
        if (lists[i].note != NULL)
            hub_log(HUB_LOG_WARNING, "snapshot", "%s", lists[i].note);
    }
    if (batch->count == 0)
        sequence++; /* so that this position is told from the one before */
    if (session->journal != NULL)
        HUB_TRY(hub_journal_append(session->journal, batch->documents, batch->count,
                                   session->position.sequence + 1, hub_clock_realtime_ms(),
                                   reterr));
    HUB_TRY(renew_producer(session, reterr));
    HUB_TRY(hub_producer_begin(session->producer, reterr));
    enum hub_status status = write_lists(session, lists, batch->count, reterr);
    if (status == HUB_OK)
        status = hub_position_write(session->producer, session->connector, batch->position,
                                    sequence, &counts, /* reason= */ NULL, reterr);
    if (status != HUB_OK) {
        hub_producer_abort(session->producer);
        return status;
    }
    session->memory->tried = sequence;
    HUB_TRY(hub_producer_commit(session->producer, reterr));
    session->memory->committed = sequence;
    for (size_t i = 0; i < batch->count; i++)
        hub_manifesting_take(session->manifesting, batch, i, &lists[i], hub_clock_realtime_ms());
    session->position.counts = counts;
    session->position.sequence = sequence;
    hub_release(session->position_text);
    session->position_text = hub_copy_text(batch->position);
    tell_position(session, batch->position);
    return session->connector->transport->commit(session->transport_state, reterr);
}

/* A transaction of its own: what it says is what is committed. */
static enum hub_status publish_manifest(struct session *session, struct hub_error *reterr) {
    HUB_TRY(renew_producer(session, reterr));
    HUB_TRY(hub_producer_begin(session->producer, reterr));
    const char *text =
        session->position_text != NULL ? session->position_text : session->position.text;
    enum hub_status status = hub_manifesting_write(session->manifesting, session->producer, text,
                                                   session->position.sequence, reterr);
    if (status != HUB_OK) {
        hub_producer_abort(session->producer);
        return status;
    }
    HUB_TRY(hub_producer_commit(session->producer, reterr));
    hub_manifesting_written(session->manifesting, hub_clock_monotonic_ms());
    return HUB_OK;
}

/* At intervals, and at the end of a run. */
static enum hub_status keep_manifest(struct session *session, bool is_idle, bool ended,
                                     struct hub_error *reterr) {
    struct hub_manifesting *manifesting = session->manifesting;
    if (manifesting == NULL)
        return HUB_OK;
    bool wanted = hub_manifesting_is_due(manifesting, is_idle, hub_clock_monotonic_ms()) ||
                  (ended && hub_manifesting_has_news(manifesting));
    return wanted ? publish_manifest(session, reterr) : HUB_OK;
}

/* --- the loop --- */

/* The source cannot be reached: time may mend it. A source that says how long is given that long. */
static enum hub_status wait_for_source(struct session *session, int *tries, int64_t retry_after_ms,
                                       const struct hub_error *error, struct hub_error *reterr) {
    int64_t wait_ms = BACK_OFF_MIN_MS;
    for (int i = 0; i < *tries && wait_ms < BACK_OFF_MAX_MS; i++)
        wait_ms *= 2;
    wait_ms = wait_ms > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : wait_ms;
    wait_ms = wait_ms < retry_after_ms ? retry_after_ms : wait_ms;
    wait_ms = wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
    (*tries)++;
    hub_log(HUB_LOG_WARNING, "source_stalled", "%s; again in %lld ms", error->text,
            (long long)wait_ms);
    if (session->settings->once && *tries >= HUB_ONCE_TRIES)
        return hub_fail(reterr, HUB_RETRY, "%s", error->text);
    hub_presence_tell_source(session->presence, HUB_SOURCE_STALLED, error->text);
    hub_presence_wait_ms(session->presence, wait_ms);
    return HUB_OK;
}

/* Whether somebody wants it to rest: then nothing is read, and the session stays open. */
static bool rests(struct session *session) {
    const char *why = NULL;
    if (!hub_presence_is_paused(session->presence, &why)) {
        hub_presence_tell(session->presence, HUB_RUNNING, NULL);
        return false;
    }
    hub_presence_tell(session->presence, HUB_PAUSED, why);
    hub_pause_ms(POLL_MS);
    return true;
}

static enum hub_status loop(struct session *session, struct hub_error *reterr) {
    const struct hub_transport *transport = session->connector->transport;
    int tries = 0;
    while (!hub_sessions_are_ending()) {
        struct hub_batch batch = {0};
        struct hub_error error;
        hub_watchdog_beat();
        HUB_TRY(hub_clock_check(&session->ahead_ms, reterr));
        if (rests(session))
            continue;
        enum hub_status status =
            transport->poll(session->transport_state, POLL_MS, &batch, &error);
        if (status == HUB_RETRY && hub_sessions_are_ending())
            break; /* it gave up for that */
        if (status == HUB_RETRY) {
            HUB_TRY(wait_for_source(session, &tries, batch.retry_after_ms, &error, reterr));
            continue;
        }
        if (status != HUB_OK) {
            *reterr = error;
            return status;
        }
        tries = 0;
        hub_presence_tell_source(session->presence,
                                 batch.count > 0 ? HUB_SOURCE_READING : HUB_SOURCE_IDLE, NULL);
        if (batch.note != NULL)
            hub_log(HUB_LOG_WARNING, "turned_away", "%s", batch.note);
        bool ended = session->settings->once && batch.exhausted && batch.count == 0;
        bool is_idle = batch.count == 0;
        hub_manifesting_begin_batch(session->manifesting, &batch);
        if (batch.count > 0 || batch.keeps)
            status = publish_batch(session, &batch, reterr);
        if (status == HUB_OK)
            hub_manifesting_end_batch(session->manifesting, &batch, hub_clock_realtime_ms());
        if (status == HUB_OK)
            status = keep_manifest(session, is_idle, ended, reterr);
        hub_batch_free(&batch);
        hub_arena_reset(&session->arena);
        if (status != HUB_OK || ended)
            return status;
    }
    /* Told to end. The next run says what cannot be said now. */
    struct hub_error why;
    if (keep_manifest(session, /* is_idle= */ true, /* ended= */ true, &why) != HUB_OK)
        hub_log(HUB_LOG_WARNING, "no_manifest", "%s", why.text);
    return HUB_OK;
}

/* What all sessions of a process have in common. */
struct run {
    struct hub_connector *connector;
    const struct hub_runtime_settings *settings;
    struct memory memory;
    struct hub_presence *presence;
};

static enum hub_status run_session(void *context, struct hub_error *reterr) {
    struct run *run = context;
    struct session session = {.connector = run->connector,
                              .settings = run->settings,
                              .memory = &run->memory,
                              .presence = run->presence};
    HUB_TRY(hub_clock_check(&session.ahead_ms, reterr));
    enum hub_status status = open_session(&session, reterr);
    if (status == HUB_OK)
        status = loop(&session, reterr);
    if (status == HUB_OK)
        hub_log(HUB_LOG_INFO, "stopped", "read %lld, published %lld, withdrawn %lld, vanished "
                "%lld, unchanged %lld, skipped %lld, dead %lld",
                (long long)session.position.counts.read, (long long)session.position.counts.published,
                (long long)session.position.counts.withdrawn, (long long)session.position.counts.vanished,
                (long long)session.position.counts.unchanged, (long long)session.position.counts.skipped,
                (long long)session.position.counts.dead);
    close_session(&session);
    return status;
}

enum hub_status hub_runtime_run(struct hub_connector *connector,
                                const struct hub_runtime_settings *settings,
                                struct hub_error *reterr) {
    HUB_TRY(hub_sessions_begin(connector->name, PATIENCE_MS, reterr));
    HUB_TRY(hub_options_need_secrets(connector->source, connector->transport->options, reterr));
    if (connector->keys.trial && hub_mapping_uses_keys(connector->mapping))
        return hub_fail(reterr, HUB_FATAL,
                        "%s: pseudonyms and what is sealed need keys; --keys names the folder that holds them",
                        connector->file);
    connector->keys.subjects = HUB_SUBJECTS_MADE;
    struct run run = {.connector = connector, .settings = settings};
    run.presence = hub_presence_open(settings->state_folder, connector->name);
    enum hub_status status = hub_journal_decide(connector, settings->state_folder,
                                                hub_clock_realtime_ms(),
                                                &run.memory.keeps_journal, reterr);
    if (status == HUB_OK)
        status = hub_spool_decide(connector, settings->state_folder, &run.memory.spool, reterr);
    if (status == HUB_OK)
        status = hub_sessions_run(run.presence, settings->once, run_session, &run, reterr);
    if (run.memory.kept != NULL)
        connector->transport->release(run.memory.kept);
    hub_spool_close(run.memory.spool);
    hub_presence_close(run.presence, status == HUB_OK ? HUB_STOPPED : HUB_FAILED,
                       status == HUB_OK ? NULL : reterr->text);
    return status;
}
