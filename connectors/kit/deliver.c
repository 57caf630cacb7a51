#include "connectors/kit/deliver.h"

#include "connectors/kit/event.h"
#include "connectors/kit/planning.h"
#include "connectors/kit/position.h"
#include "connectors/kit/presence.h"
#include "connectors/kit/sessions.h"
#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "hub/io/kafka.h"
#include "hub/io/log.h"
#include "hub/io/watchdog.h"
#include "schemas/lib/deadletter.h"
#include "schemas/lib/envelope.h"
#include "schemas/lib/frame.h"

#include <stdio.h>
#include <string.h>

enum { POLL_MS = 500, RETRY_MIN_MS = 500, RETRY_MAX_MS = 60000, RETRY_AFTER_MAX_MS = 3600000,
       NAME_SIZE_MAX = 192,
       PATIENCE_MS = HUB_WATCHDOG_PATIENCE_MS + 600000 /* the longest timeout of a receiver */ };

/* What all sessions of a process have in common; of the position the sequence, which counts its
 * commits, that was read or committed last, and the one that was tried. */
struct run {
    struct hub_connector *connector;
    const struct hub_runtime_settings *settings;
    struct hub_presence *presence;
    bool has_read;
    int64_t committed, tried;
    char *ended; /* why the receiver wants nothing any more, or NULL */
};

struct session {
    struct run *run;
    struct hub_connector *connector;
    const struct hub_subscription *subscription;
    struct hub_reader *reader;
    struct hub_producer *producer;
    char transactional_id[NAME_SIZE_MAX], deadletter_topic[NAME_SIZE_MAX];
    void *outbound_state;
    struct hub_position position; /* as committed last, but for its text */
    struct hub_connector_counts counts; /* with what is not committed yet */
    struct hub_plan plan;
    bool has_news;         /* the plan is not as it was committed last */
    struct hub_planning planning;
    size_t done;             /* of what is planned */
    struct hub_back_off back_off;
    int tries;
    int64_t ahead_ms; /* the wall clock's, of the monotonic one */
};

/* --- committing --- */

static void tell_position(struct session *session, const char *text) {
    json_t *told = json_pack("{s:I, s:I, s:I}", "read", (json_int_t)session->counts.read,
                             "published", (json_int_t)session->counts.published, "dead",
                             (json_int_t)session->counts.dead);
    hub_presence_tell_position(session->run->presence, text, session->position.sequence, told);
    json_decref(told);
}

static enum hub_status renew_producer(struct session *session, struct hub_error *reterr) {
    if (!hub_producer_is_dirty(session->producer))
        return HUB_OK;
    hub_producer_free(session->producer);
    session->producer = NULL;
    return hub_producer_new(session->run->settings->bootstrap, session->transactional_id,
                            &session->producer, reterr);
}

static enum hub_status write_all(struct session *session, const struct hub_kafka_write *letter,
                                 const char *text, struct hub_error *reterr) {
    if (letter != NULL)
        HUB_TRY(hub_producer_write(session->producer, letter, reterr));
    return hub_position_write(session->producer, session->connector, text,
                              session->position.sequence + 1, &session->counts, /* reason= */ NULL,
                              reterr);
}

/* The plan as it stands, with a dead letter or NULL. */
static enum hub_status commit(struct session *session, const struct hub_kafka_write *letter,
                              struct hub_error *reterr) {
    HUB_SCOPED_BUFFER text = {0};
    hub_plan_write(&session->plan, &text);
    HUB_TRY(renew_producer(session, reterr));
    HUB_TRY(hub_producer_begin(session->producer, reterr));
    enum hub_status status = write_all(session, letter, hub_buffer_text(&text), reterr);
    if (status != HUB_OK) {
        hub_producer_abort(session->producer);
        return status;
    }
    session->run->tried = session->position.sequence + 1;
    HUB_TRY(hub_producer_commit(session->producer, reterr));
    session->run->committed = ++session->position.sequence;
    session->has_news = false;
    tell_position(session, hub_buffer_text(&text));
    return HUB_OK;
}

/* --- a session --- */

/* As of every connector: where somebody else has moved the position, this one gives way. */
static enum hub_status recognise_position(struct session *session, struct hub_error *reterr) {
    struct run *run = session->run;
    int64_t sequence = session->position.sequence;
    if (run->has_read && sequence != run->committed && sequence != run->tried)
        return hub_fail(reterr, HUB_FATAL,
                        "another process runs connector %s: its position has moved; one process of "
                        "it would pass", session->connector->name);
    run->has_read = true;
    run->committed = run->tried = sequence;
    return HUB_OK;
}

static enum hub_status open_outbound(struct session *session, struct hub_error *reterr) {
    const struct hub_outbound *outbound = session->subscription->outbound;
    struct hub_env env = {.folder = session->connector->folder,
                          .once = session->run->settings->once,
                          .monotonic_ms = hub_clock_monotonic_ms,
                          .realtime_ms = hub_clock_realtime_ms,
                          .is_stopping = hub_sessions_are_ending};
    session->outbound_state = hub_allocate_zero(1, outbound->state_size);
    return outbound->open(session->outbound_state, session->subscription->outbound_options, &env,
                          reterr);
}

/* The producer first: it ends what an earlier run left open, so that what is read next is all there
 * is. */
static enum hub_status open_session(struct session *session, struct hub_error *reterr) {
    const struct hub_connector *connector = session->connector;
    const char *bootstrap = session->run->settings->bootstrap;
    struct hub_kafka_partition letters = {session->deadletter_topic, 0, -1, NULL};
    struct hub_arena arena = {0};
    snprintf(session->transactional_id, NAME_SIZE_MAX, "%s",
             hub_connector_transactional_id(connector, &arena));
    hub_arena_destroy(&arena);
    snprintf(session->deadletter_topic, NAME_SIZE_MAX, "deadletter.%s", connector->institution);
    HUB_TRY(hub_reader_new(bootstrap, &session->reader, reterr));
    hub_reader_want_header(session->reader, "ce_type");
    HUB_TRY(hub_producer_new(bootstrap, session->transactional_id, &session->producer, reterr));
    HUB_TRY(hub_reader_settle(session->reader, &letters, 1, reterr));
    HUB_TRY(hub_position_read(session->reader, connector, &session->position, reterr));
    HUB_TRY(recognise_position(session, reterr));
    HUB_TRY(hub_plan_read(session->position.text, &session->plan, reterr));
    session->counts = session->position.counts;
    session->planning = (struct hub_planning){.subscription = session->subscription,
                                              .reader = session->reader,
                                              .plan = &session->plan,
                                              .once = session->run->settings->once};
    HUB_TRY(hub_planning_open(&session->planning, &session->has_news, reterr));
    if (session->has_news)
        HUB_TRY(commit(session, NULL, reterr));
    else
        tell_position(session, session->position.text);
    return open_outbound(session, reterr);
}

static void close_session(struct session *session) {
    if (session->outbound_state != NULL)
        session->subscription->outbound->close(session->outbound_state);
    hub_release(session->outbound_state);
    hub_producer_free(session->producer);
    hub_reader_free(session->reader);
    hub_position_free(&session->position);
    hub_planning_close(&session->planning);
    hub_plan_free(&session->plan);
}

/* --- delivering --- */

static void count_done(struct session *session, size_t delivered, size_t dead) {
    session->counts.read += (int64_t)(delivered + dead);
    session->counts.published += (int64_t)delivered;
    session->counts.dead += (int64_t)dead;
    session->done += delivered + dead;
    hub_plan_done(&session->plan, delivered + dead);
    session->has_news = true;
}

/* The first one that is left becomes a dead letter, with its original bytes. */
static enum hub_status give_up(struct session *session, const char *code, const char *reason,
                               struct hub_error *reterr) {
    const struct hub_connector *connector = session->connector;
    const struct hub_kafka_record *record = &session->planning.planned[session->done].record;
    struct hub_arena arena = {0};
    struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX];
    HUB_SCOPED_BUFFER value = {0};
    struct hub_deadletter letter = {
        .stage = "deliver",
        .code = code,
        .reason = reason,
        .institution = connector->institution,
        .connector = connector->name,
        .document = hub_arena_format(&arena, "%s/%lld", connector->name,
                                     (long long)session->plan.next),
        .topic = record->topic,
        .partition = record->partition,
        .offset = record->offset,
        .key = record->key,
        .original = record->value,
        .original_hash = hub_sha256.digest(record->value)};
    hub_frame_append(&value, hub_catalogue_latest(connector->catalogue, "deadletter")->id);
    hub_deadletter_encode(&letter, &value);
    struct hub_envelope envelope = {
        .id = letter.document,
        .source = hub_arena_format(&arena, "urn:atmp:%s:%s", connector->institution,
                                   connector->name),
        .type = "atmp.deadletter",
        .subject = hub_arena_format(&arena, "%.*s", (int)record->key.size,
                                    record->key.size == 0 ? "" : (const char *)record->key.data)};
    size_t count = hub_envelope_headers(&envelope, &arena, headers);
    struct hub_kafka_write write = {.topic = session->deadletter_topic,
                                    .partition = 0,
                                    .has_key = record->has_key,
                                    .key = record->key,
                                    .value = hub_buffer_bytes(&value),
                                    .headers = (const struct hub_kafka_header *)headers,
                                    .header_count = count};
    hub_log(HUB_LOG_WARNING, "given_up", "%s", reason);
    count_done(session, 0, 1);
    enum hub_status status = commit(session, &write, reterr);
    hub_arena_destroy(&arena);
    return status;
}

/* The receiver cannot be reached, or does not want it now: time may mend it. */
static enum hub_status wait_for_receiver(struct session *session, int64_t retry_after_ms,
                                         const struct hub_error *error, struct hub_error *reterr) {
    int64_t wait_ms = hub_back_off_next_ms(&session->back_off, 0);
    if (session->plan.since_ms == 0) {
        session->plan.since_ms = hub_clock_realtime_ms();
        session->has_news = true;
    }
    if (session->has_news)
        HUB_TRY(commit(session, NULL, reterr));
    wait_ms = wait_ms < retry_after_ms ? retry_after_ms : wait_ms;
    wait_ms = wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
    hub_log(HUB_LOG_WARNING, "receiver_stalled", "%s; again in %lld ms", error->text,
            (long long)wait_ms);
    if (session->run->settings->once && ++session->tries >= HUB_ONCE_TRIES)
        return hub_fail(reterr, HUB_RETRY, "%s", error->text);
    hub_presence_tell_source(session->run->presence, HUB_SOURCE_STALLED, error->text);
    hub_presence_wait_ms(session->run->presence, wait_ms);
    return HUB_OK;
}

/* No further one is delivered, in this process or a later one. */
static enum hub_status end_subscription(struct session *session, const char *why,
                                        struct hub_error *reterr) {
    session->plan.ended = hub_arena_format(
        &session->plan.arena, "%s: the subscription has ended; to begin it again, set 'ended' of its "
        "position to null (`connector position`)", why);
    hub_log(HUB_LOG_WARNING, "subscription_ended", "%s", session->plan.ended);
    return commit(session, NULL, reterr);
}

/* As many as go together, up to one that cannot be told; 0 and why where that is the first. */
static size_t render(struct session *session, struct hub_buffer *texts, struct hub_event *events,
                     struct hub_arena *arena, struct hub_error *reterr) {
    size_t left = session->plan.count, count = 0;
    for (; count < left && count < session->planning.pace.together_max; count++) {
        const struct hub_planned *planned = &session->planning.planned[session->done + count];
        struct hub_event_source source = {
            .subscription = session->connector->name,
            .number = session->plan.next + (int64_t)count,
            .record = &planned->record,
            .is_compacted = !planned->is_found};
        if (hub_event_render(session->connector->catalogue, &source, &texts[count], reterr) !=
            HUB_OK)
            break;
        events[count] = (struct hub_event){
            .number = source.number,
            .id = hub_arena_format(arena, "%s/%lld", source.subscription,
                                   (long long)source.number),
            .json = hub_buffer_text(&texts[count]),
            .size = texts[count].size};
    }
    return count;
}

static enum hub_status hand_over(struct session *session, const struct hub_event *events,
                                 size_t count, struct hub_error *reterr) {
    struct hub_outbound_result result = {0};
    struct hub_error error;
    int64_t tried_ms =
        session->plan.since_ms == 0 ? 0 : hub_clock_realtime_ms() - session->plan.since_ms;
    enum hub_status status = session->subscription->outbound->deliver(
        session->outbound_state, events, count, tried_ms, &result, &error);
    switch (status) {
    case HUB_OK:
        count_done(session, count, 0);
        session->back_off.wait_ms = 0;
        session->tries = 0;
        hub_presence_tell_source(session->run->presence, HUB_SOURCE_READING, NULL);
        return HUB_OK;
    case HUB_RETRY:
        return wait_for_receiver(session, result.retry_after_ms, &error, reterr);
    case HUB_REJECT:
        return give_up(session, result.code, error.text, reterr);
    case HUB_FATAL:
        if (result.is_gone)
            return end_subscription(session, error.text, reterr);
        *reterr = error;
        return HUB_FATAL;
    }
    return HUB_FATAL;
}

static enum hub_status deliver_some(struct session *session, struct hub_error *reterr) {
    size_t room = session->planning.pace.together_max;
    struct hub_buffer *texts = hub_allocate_zero(room, sizeof *texts);
    struct hub_event *events = hub_allocate_zero(room, sizeof *events);
    struct hub_arena arena = {0};
    struct hub_error error;
    size_t count = render(session, texts, events, &arena, &error);
    enum hub_status status = count == 0
                                 ? give_up(session, "ENCODING", error.text, reterr)
                                 : hand_over(session, events, count, reterr);
    for (size_t i = 0; i < room; i++)
        hub_buffer_free(&texts[i]);
    hub_release(texts);
    hub_release(events);
    hub_arena_destroy(&arena);
    return status;
}

/* --- the loop --- */

static bool rests(struct session *session) {
    struct hub_presence *presence = session->run->presence;
    const char *why = NULL;
    if (!hub_presence_is_paused(presence, &why)) {
        hub_presence_tell(presence, HUB_RUNNING, NULL);
        return false;
    }
    hub_presence_tell(presence, HUB_PAUSED, why);
    hub_pause_ms(POLL_MS);
    return true;
}

/* Numbers are committed before anything is delivered under them. */
static enum hub_status find_work(struct session *session, struct hub_error *reterr) {
    if (session->plan.count > 0)
        return session->planning.planned != NULL ? HUB_OK
                                                 : hub_planning_again(&session->planning, reterr);
    session->done = 0;
    HUB_TRY(hub_planning_make(&session->planning, reterr));
    if (session->plan.count > 0 || session->has_news)
        return commit(session, NULL, reterr);
    return HUB_OK;
}

static enum hub_status loop(struct session *session, struct hub_error *reterr) {
    while (!hub_sessions_are_ending() && session->plan.ended == NULL) {
        hub_watchdog_beat();
        HUB_TRY(hub_clock_check(&session->ahead_ms, reterr));
        if (rests(session))
            continue;
        HUB_TRY(find_work(session, reterr));
        if (session->plan.count > 0) {
            HUB_TRY(deliver_some(session, reterr));
            continue;
        }
        hub_presence_tell_source(session->run->presence, HUB_SOURCE_IDLE, NULL);
        if (session->run->settings->once)
            return HUB_OK;
        hub_pause_ms(POLL_MS);
    }
    return session->has_news ? commit(session, NULL, reterr) : HUB_OK;
}

static enum hub_status run_session(void *context, struct hub_error *reterr) {
    struct run *run = context;
    struct session session = {
        .run = run,
        .connector = run->connector,
        .subscription = run->connector->subscription,
        .back_off = {.min_ms = RETRY_MIN_MS, .max_ms = RETRY_MAX_MS}};
    HUB_TRY(hub_clock_check(&session.ahead_ms, reterr));
    enum hub_status status = open_session(&session, reterr);
    if (status == HUB_OK)
        status = loop(&session, reterr);
    if (status == HUB_OK)
        hub_log(HUB_LOG_INFO, "stopped", "delivered %lld, dead %lld",
                (long long)session.counts.published, (long long)session.counts.dead);
    if (status == HUB_OK && session.plan.ended != NULL)
        run->ended = hub_copy_text(session.plan.ended);
    close_session(&session);
    return status;
}

enum hub_status hub_deliver_run(struct hub_connector *connector,
                                const struct hub_runtime_settings *settings,
                                struct hub_error *reterr) {
    const struct hub_subscription *subscription = connector->subscription;
    HUB_TRY(hub_sessions_begin(connector->name, PATIENCE_MS, reterr));
    HUB_TRY(hub_options_need_secrets(subscription->target, subscription->outbound->options, reterr));
    struct run run = {.connector = connector, .settings = settings};
    run.presence = hub_presence_open(settings->state_folder, connector->name);
    enum hub_status status =
        hub_sessions_run(run.presence, settings->once, run_session, &run, reterr);
    hub_presence_close(run.presence, status == HUB_OK ? HUB_STOPPED : HUB_FAILED,
                       status == HUB_OK ? run.ended : reterr->text);
    hub_release(run.ended);
    return status;
}
