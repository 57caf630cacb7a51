/* notify-pull: a source that calls when something has changed, and says no more than which ids.
 *
 * A notice is a form (Erasmus Without Paper's change notices, REDCap's data entry triggers). Its
 * ids are put before what http-poll does: each is fetched by `get`, and in between the whole source
 * is swept at an interval, because notices get lost. (All of it: a sweep of what has changed since
 * the last one would trust the source's clock with what its notices have lost.)
 *
 * A notice is answered with 200 when its ids are safe in Kafka, as a part of the position, and not
 * before: a source that is slow to give a document keeps nobody waiting, and what its sender was
 * told is ours is fetched whenever the connector is killed. They leave the position with the
 * transaction that has their documents. What is told of twice before it is fetched is fetched once;
 * what is told of while it is fetched is fetched again. What cannot be had now waits behind the
 * rest, and delays neither the rest nor the sweep; what is gone, is not given, or could not be had
 * for give_up_ms is a dead letter. With `while_away: spool` a notice is answered when it is on the disk, too,
 * where Kafka is away; what it names is fetched when Kafka is back.
 *
 * A notice is believed in nothing but that something may have changed. One that is forged leads to
 * requests to the source that is configured, about ids that are written so that they cannot end
 * what they stand in: no more of them than ids_per_minute_max, and no more in wait than
 * waiting_max. Who may send them is told by a secret behind the path (all that REDCap can do), by
 * addresses, and by client certificates; EWP's HTTP signatures are for a proxy to check. */
#include "connectors/transports/transports.h"

#include "connectors/transports/bell.h"
#include "connectors/transports/http_poll.h"
#include "connectors/transports/waiting.h"

#include <stdlib.h>
#include <string.h>

enum { NOTICE_SIZE_MAX = 1048576, PAUSE_MIN_MS = 1000, PAUSE_MAX_MS = 60000,
       RETRY_AFTER_MAX_MS = 3600000 };

struct notify_options {
    struct http_poll_options sweep;
    struct bell_options bell;
    int64_t waiting_max;
    int64_t give_up_ms;
};

static const struct hub_option options[] = {
    HUB_PORT_OPTIONS(struct notify_options, bell.port, "notice_", "127.0.0.1:8083", "65536",
                     NOTICE_SIZE_MAX),
    {.name = "path",
     HUB_TEXT_OPTION(struct notify_options, bell.path),
     .initial = "/",
     .help = "Where notices are posted to, with a slash and a secret behind it where there are "
             "secrets; everything else is 404."},
    {.name = "secrets",
     HUB_TEXTS_OPTION(struct notify_options, bell.secrets),
     .secret = true,
     .help = "What may stand behind the path, 16 characters at least; several while one replaces "
             "another. As ${env:NAME} or ${file:/path}. Secrets or notice_tls_client_ca are "
             "needed. A notice has no signature, and nothing of it is believed: a forged one makes the "
             "source be asked, for no more than ids_per_minute_max ids."},
    {.name = "senders",
     HUB_TEXTS_OPTION(struct notify_options, bell.notice.senders),
     .help = "IPv4 addresses that notices may come from, such as 192.0.2.0/24; without it all. "
             "Behind a proxy it is the proxy's."},
    {.name = "id_field",
     HUB_TEXT_OPTION(struct notify_options, bell.notice.id_field),
     .required = true,
     .help = "Field of a notice that has an id, and may come several times: omobility_id of EWP, "
             "record of REDCap. It is {id} in 'get'."},
    {.name = "fields",
     HUB_TEXTS_OPTION(struct notify_options, bell.notice.fields),
     .help = "Other fields that a notice must have once, for {name} in 'get' and @request.name: "
             "sending_hei_id of EWP."},
    {.name = "ids_max",
     HUB_NUMBER_OPTION(struct notify_options, bell.notice.ids_max),
     .initial = "100",
     .minimum = 1,
     .maximum = 1000,
     .help = "Ids in one notice; each is fetched by itself, whatever number a source allows."},
    {.name = "answer",
     HUB_TEXT_OPTION(struct notify_options, bell.answer),
     .initial = "taken",
     .help = "What a sender hears with 200: of EWP the response that its API names."},
    {.name = "answer_type",
     HUB_TEXT_OPTION(struct notify_options, bell.answer_type),
     .initial = "text/plain",
     .help = "The answer's content type."},
    {.name = "waiting_max",
     HUB_NUMBER_OPTION(struct notify_options, waiting_max),
     .initial = "1000",
     .minimum = 1,
     .maximum = 10000,
     .help = "Ids that wait to be fetched; a notice beyond it is answered with 503. They are part "
             "of the position, which is written with every transaction."},
    {.name = "ids_per_minute_max",
     HUB_NUMBER_OPTION(struct notify_options, bell.ids_per_minute_max),
     .initial = "1000",
     .minimum = 1,
     .maximum = 100000,
     .help = "Ids that are taken in a minute; a notice beyond it is answered with 429."},
    {.name = "give_up_ms",
     HUB_NUMBER_OPTION(struct notify_options, give_up_ms),
     .initial = "86400000",
     .minimum = 1000,
     .maximum = 604800000,
     .help = "After so long what a notice names and cannot be had is a dead letter, in "
             "milliseconds."},
    HTTP_POLL_OPTIONS(struct notify_options, sweep., "3600000"),
    {0},
};

/* Until when something is not asked for; a time by the monotonic clock. */
struct pause {
    int64_t until_ms;
    int64_t last_ms; /* how long it was */
};

struct notify {
    const struct notify_options *options;
    struct hub_env env;
    struct bell *bell; /* NULL in a single run, which takes no notices */
    struct http_poll sweep;
    struct waiting waiting;
    struct pause told, swept;
    bool is_full, is_full_told; /* of ids that wait */
    enum { NOTHING, TAKEN, FETCHED, SWEPT } pending; /* what the running batch is */
};

/* --- opening --- */

/* Whether what a notice names can be asked for, whatever its texts are. */
static enum hub_status check_asking(const struct notify_options *own, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    const char *reference, *body;
    json_t *request = http_parameters(&own->sweep);
    json_object_set_new(request, "id", json_string("any text"));
    for (size_t i = 0; own->bell.notice.fields[i] != NULL; i++)
        json_object_set_new(request, own->bell.notice.fields[i], json_string("any text"));
    enum hub_status status =
        http_list_ask(&own->sweep, request, &arena, &reference, &body, reterr);
    json_decref(request);
    hub_arena_destroy(&arena);
    return status;
}

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct notify_options *own = options_;
    struct http_poll_options sweep = own->sweep;
    if (sweep.get == NULL || strcmp(sweep.get, "{id}") == 0)
        return hub_fail(reterr, HUB_FATAL, "get is the address of one id's document; such as "
                        "'/items/{id}' would pass");
    if (sweep.ids == NULL) /* the sweep's pages are the documents; `get` is for notices */
        sweep.get = sweep.get_body = NULL;
    HUB_TRY(hub_transport_http_poll.check(&sweep, reterr));
    HUB_TRY(check_asking(own, reterr));
    HUB_TRY(bell_check(&own->bell, reterr));
    if (own->bell.notice.ids_max > own->waiting_max)
        return hub_fail(reterr, HUB_FATAL, "ids_max %lld is more than waiting_max %lld",
                        (long long)own->bell.notice.ids_max, (long long)own->waiting_max);
    return HUB_OK;
}

static enum hub_status open_bell(struct notify *state, const json_t *position,
                                 struct hub_error *reterr) {
    struct bell *bell = *state->env.kept;
    if (state->env.once)
        return HUB_OK;
    if (bell == NULL)
        HUB_TRY(bell_new(&state->options->bell, &state->env, position, &bell, reterr));
    else
        hub_desk_open(hub_port_desk(bell_port(bell)), /* marks= */ NULL);
    *state->env.kept = state->bell = bell;
    return HUB_OK;
}

static enum hub_status open_parts(struct notify *state, const json_t *position,
                                  struct hub_error *reterr) {
    const struct notify_options *own = state->options;
    struct hub_env env = state->env;
    /* One of http-poll goes on as a sweep. */
    const json_t *sweep = json_object_get(position, "validators") != NULL
                              ? position
                              : json_object_get(position, "sweep");
    char *text = sweep == NULL ? NULL : json_dumps(sweep, JSON_COMPACT);
    if (env.position != NULL && text == NULL)
        return hub_fail(reterr, HUB_FATAL, "the position is not one of notify-pull: {\"sweep\": "
                        "{...}, \"waiting\": [...], ...} would pass");
    env.position = text;
    enum hub_status status = hub_transport_http_poll.open(&state->sweep, &own->sweep, &env, reterr);
    free(text);
    if (status == HUB_OK)
        status = waiting_open(&state->waiting, &own->sweep,
                              json_object_get(position, "waiting"), reterr);
    return status == HUB_OK ? open_bell(state, position, reterr) : status;
}

static enum hub_status open_notify(void *state_, const void *options_, const struct hub_env *env,
                                   struct hub_error *reterr) {
    struct notify *state = state_;
    json_error_t error;
    state->options = options_;
    state->env = *env;
    json_t *position = env->position == NULL ? json_object() : json_loads(env->position, 0, &error);
    enum hub_status status = open_parts(state, position, reterr);
    json_decref(position);
    return status;
}

/* The port stays: what comes while Kafka is away gets its answer there. */
static void close_notify(void *state_) {
    struct notify *state = state_;
    if (state->bell != NULL)
        hub_port_close(bell_port(state->bell));
    hub_transport_http_poll.close(&state->sweep);
    waiting_free(&state->waiting);
}

/* --- polling --- */

static void pause_for(struct notify *state, struct pause *pause, int64_t retry_after_ms) {
    int64_t wait_ms = pause->last_ms == 0 ? PAUSE_MIN_MS : pause->last_ms * 2;
    pause->last_ms = wait_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : wait_ms;
    wait_ms = retry_after_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : retry_after_ms;
    pause->until_ms =
        state->env.monotonic_ms() + (wait_ms > pause->last_ms ? wait_ms : pause->last_ms);
}

static bool is_over(const struct notify *state, const struct pause *pause) {
    return state->env.monotonic_ms() >= pause->until_ms;
}

/* Where the sweep stands, and what waits. */
static void set_position(struct notify *state, const char *sweep, struct hub_batch *batch) {
    json_error_t error;
    json_t *away = state->bell == NULL ? json_object()
                                       : hub_port_turned_away(bell_port(state->bell));
    json_t *position = json_pack("{s:o?, s:o, s:o}", "sweep", json_loads(sweep, 0, &error),
                                 "waiting", waiting_list(&state->waiting), "turned_away", away);
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    batch->position = hub_arena_text(&batch->arena, text, strlen(text));
    free(text);
    json_decref(position);
}

/* Puts what notices named to what waits; `ret_taken` where there were any. Of those that were kept, one that has no
 * place has the others wait, too. */
static enum hub_status take_notices(struct notify *state, int64_t timeout_ms,
                                    struct hub_batch *batch, bool *ret_taken,
                                    struct hub_error *reterr) {
    const struct notify_options *own = state->options;
    struct hub_desk_item items[HUB_DESK_BATCH_MAX];
    size_t count = 0, taken = 0;
    bool is_stuck = false;
    *ret_taken = false;
    if (state->bell == NULL)
        return HUB_OK;
    struct hub_desk *desk = hub_port_desk(bell_port(state->bell));
    HUB_TRY(hub_desk_take(desk, timeout_ms, &batch->arena, items, &count, reterr));
    int64_t until_ms = state->env.realtime_ms() + own->give_up_ms;
    if (count > 0)
        waiting_begin(&state->waiting);
    for (size_t i = 0; i < count; i++) {
        bool fits = !is_stuck && waiting_add(&state->waiting, items[i].context, until_ms,
                                             (size_t)own->waiting_max);
        if (!fits)
            hub_desk_refuse(desk, items[i].id);
        is_stuck |= !fits && items[i].is_kept;
        taken += fits;
        json_decref(items[i].context);
    }
    state->is_full |= taken < count;
    if (taken == 0)
        return HUB_OK;
    *ret_taken = true;
    state->pending = TAKEN;
    batch->keeps = true;
    set_position(state, http_place_render(&state->sweep.place, &batch->arena), batch);
    return HUB_OK;
}

static enum hub_status commit_notify(void *state_, struct hub_error *reterr) {
    struct notify *state = state_;
    enum hub_status status = HUB_OK;
    if (state->pending == SWEPT)
        status = hub_transport_http_poll.commit(&state->sweep, reterr);
    else if (state->pending == FETCHED)
        waiting_fetched(&state->waiting);
    else if (state->pending == TAKEN) {
        if (waiting_taken(&state->waiting)) /* what could not be had may be to be had now */
            state->told.until_ms = 0;
        status = hub_desk_settle(hub_port_desk(bell_port(state->bell)), reterr);
    }
    state->pending = NOTHING;
    return status;
}

/* Some of what waits. It may be that none of it gives a document. */
static enum hub_status fetch(struct notify *state, struct hub_batch *batch,
                             struct hub_error *reterr) {
    bool put_back = false;
    enum hub_status status = waiting_fetch(&state->waiting, &state->sweep.access,
                                           &state->options->sweep, batch, &put_back, reterr);
    if (status == HUB_OK && !put_back)
        state->told.last_ms = 0;
    else
        pause_for(state, &state->told, batch->retry_after_ms);
    HUB_TRY(status);
    state->pending = FETCHED;
    batch->is_beside = true;
    set_position(state, http_place_render(&state->sweep.place, &batch->arena), batch);
    return batch->count > 0 ? HUB_OK : commit_notify(state, reterr);
}

/* For the log: what was turned away, the first time only. */
static const char *next_note(struct notify *state, struct hub_arena *arena) {
    if (state->is_full && !state->is_full_told) {
        state->is_full_told = true;
        return "as many ids as may wait to be fetched do: notices of others are answered with "
               "503";
    }
    return state->bell == NULL ? NULL : hub_port_note(bell_port(state->bell), arena);
}

/* The next of the sweep; while it rests nothing. */
static enum hub_status sweep(struct notify *state, struct hub_batch *batch,
                             struct hub_error *reterr) {
    enum hub_status status =
        hub_transport_http_poll.poll(&state->sweep, /* timeout_ms= */ 0, batch, reterr);
    if (status == HUB_RETRY && !state->env.once)
        pause_for(state, &state->swept, batch->retry_after_ms);
    HUB_TRY(status);
    state->swept.last_ms = 0;
    state->pending = batch->count > 0 ? SWEPT : NOTHING;
    if (batch->position != NULL)
        set_position(state, batch->position, batch);
    return HUB_OK;
}

static enum hub_status read_next(struct notify *state, int64_t timeout_ms, struct hub_batch *batch,
                                 struct hub_error *reterr) {
    bool taken = false;
    HUB_TRY(take_notices(state, /* timeout_ms= */ 0, batch, &taken, reterr));
    if (taken)
        return HUB_OK;
    if (hub_access_rests(&state->sweep.access, timeout_ms))
        return HUB_OK;
    if (waiting_has_some(&state->waiting, is_over(state, &state->told)))
        return fetch(state, batch, reterr);
    if (is_over(state, &state->swept)) {
        hub_batch_free(batch);
        HUB_TRY(sweep(state, batch, reterr));
        if (!batch->exhausted)
            return HUB_OK;
    }
    return take_notices(state, timeout_ms, batch, &taken, reterr);
}

static enum hub_status poll_notify(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                   struct hub_error *reterr) {
    struct notify *state = state_;
    struct hub_batch batch = {0};
    state->pending = NOTHING;
    enum hub_status status = read_next(state, timeout_ms, &batch, reterr);
    if (status == HUB_OK) {
        batch.note = next_note(state, &batch.arena);
        *ret_batch = batch;
        return HUB_OK;
    }
    /* It is said here when the source is asked again; a single run has nothing else to do. */
    int64_t retry_after_ms = state->env.once ? batch.retry_after_ms : 0;
    hub_batch_free(&batch);
    ret_batch->retry_after_ms = retry_after_ms;
    return status;
}

static bool rereads(const void *options_) {
    (void)options_;
    return true;
}

static int64_t spools(const void *options_) {
    const struct notify_options *own = options_;
    return hub_port_spools(&own->bell.port);
}

const struct hub_transport hub_transport_notify_pull = {
    .name = "notify-pull",
    .summary = "A source that calls to say which ids have changed: they are fetched, and all of it "
               "is swept at times.",
    .options = options,
    .options_size = sizeof(struct notify_options),
    .check = check_options,
    .state_size = sizeof(struct notify),
    .open = open_notify,
    .poll = poll_notify,
    .commit = commit_notify,
    .close = close_notify,
    .release = bell_free,
    .rereads = rereads,
    .spools = spools,
};
