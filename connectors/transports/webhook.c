/* webhook: a source that calls, by POST, signed as Standard Webhooks says.
 *
 * A request is answered with 200 when its document is safe in Kafka and not before; what cannot be
 * made safe in time is answered with 503, and its sender comes again under the same webhook-id. The
 * position remembers the last ids, so that what comes again is told once, also when the connector
 * was killed between Kafka's commit and its answer. An id that has been forgotten since is told
 * again under the same key: where the version is the source's own the hub finds it unchanged. With `while_away:
 * spool` it is answered when it is on the disk, too, where Kafka is away.
 *
 * What is turned away never gets further than the server's thread. It is counted by kind, in the
 * position as of the next document that is taken, and the first of each kind is logged. */
#include "connectors/transports/transports.h"

#include "connectors/kit/format.h"
#include "connectors/transports/port.h"
#include "connectors/transports/webhook_signature.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_BYTES = HUB_DOCUMENT_SIZE_MAX };

struct webhook_options {
    struct hub_port_options port;
    const char *path;
    const char *const *secrets;
    int64_t tolerance_s;
    const char *const *content_types;
    int64_t remember;
};

static const struct hub_option options[] = {
    HUB_PORT_OPTIONS(struct webhook_options, port, "", "127.0.0.1:8082", "1048576",
                     SIZE_MAX_BYTES),
    {.name = "path",
     HUB_TEXT_OPTION(struct webhook_options, path),
     .initial = "/",
     .help = "Where it is posted to; everything else is 404."},
    {.name = "secrets",
     HUB_TEXTS_OPTION(struct webhook_options, secrets),
     .required = true,
     .secret = true,
     .help = "Whose signatures pass: whsec_<base64>, several of them in a list or parted by white "
             "space while one replaces another. As ${env:NAME} or ${file:/path}."},
    {.name = "tolerance_s",
     HUB_NUMBER_OPTION(struct webhook_options, tolerance_s),
     .initial = "300",
     .minimum = 1,
     .maximum = 86400,
     .help = "How far webhook-timestamp may be from now, in seconds."},
    {.name = "content_types",
     HUB_TEXTS_OPTION(struct webhook_options, content_types),
     .help = "What passes, without parameters; without it application/json."},
    {.name = "remember",
     HUB_NUMBER_OPTION(struct webhook_options, remember),
     .initial = "1000",
     .minimum = 64,
     .maximum = 10000,
     .help = "So many of the last webhook-ids are known again; each takes 19 bytes of the "
             "position, which is written with every transaction."},
    {0},
};

/* Why something was turned away. */
enum kind { HEADERS = HUB_PORT_OWN, OLD, NEW, SIGNATURE };

static const struct hub_port_kind kinds[] = {
    {"headers", 400}, {"old", 400}, {"new", 400}, {"signature", 401}, {NULL, 0}};

/* What goes on from session to session. */
struct counter {
    const struct webhook_options *options;
    int64_t (*realtime_ms)(void);
    struct hub_arena arena;
    struct hub_webhook_secrets secrets;
    struct hub_port *port;
};

struct webhook {
    struct counter *counter;
};

/* --- on the server's threads --- */

static bool is_wanted_type(const struct webhook_options *own,
                           const struct hub_http_question *question) {
    static const char *const usual[] = {"application/json", NULL};
    return hub_port_is_of_type(question, own->content_types[0] == NULL ? usual
                                                                       : own->content_types);
}

/* Headers by their names in small letters. What lets somebody in somewhere is not told. */
static void keep_header(void *headers, const char *name, const char *value) {
    static const char *const secret[] = {"authorization", "proxy-authorization", "cookie",
                                         "webhook-signature", NULL};
    char *small = hub_copy_text(name);
    for (char *c = small; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    bool tells = false;
    for (size_t i = 0; secret[i] != NULL; i++)
        tells |= strcmp(secret[i], small) == 0;
    if (!tells) /* a name or value that is not UTF-8 is no text, and not there */
        json_object_set_new(headers, small, json_string(value));
    hub_release(small);
}

static json_t *make_context(const struct hub_http_question *question,
                            const struct hub_webhook_claim *claim) {
    json_t *headers = json_object();
    hub_http_each_header(question, keep_header, headers);
    return json_pack("{s:o, s:{s:s, s:s}}", "header", headers, "request", "id", claim->id,
                     "timestamp", claim->timestamp);
}

static void on_question(void *counter_, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    static const size_t kind_of[] = {[HUB_WEBHOOK_UNSIGNED] = HEADERS,
                                     [HUB_WEBHOOK_OLD] = OLD,
                                     [HUB_WEBHOOK_NEW] = NEW,
                                     [HUB_WEBHOOK_FORGED] = SIGNATURE};
    struct counter *counter = counter_;
    const struct webhook_options *own = counter->options;
    struct hub_webhook_claim claim = {
        .id = hub_http_header(question, "webhook-id"),
        .timestamp = hub_http_header(question, "webhook-timestamp"),
        .signatures = hub_http_header(question, "webhook-signature"),
        .body = question->body};
    struct hub_error why;
    if (strcmp(question->path, own->path) != 0) {
        hub_port_turn_away(counter->port, reply, HUB_PORT_PATH, "nothing is here");
        return;
    }
    if (strcmp(question->method, "POST") != 0) {
        hub_port_turn_away(counter->port, reply, HUB_PORT_METHOD, "POST would pass");
        return;
    }
    if (!is_wanted_type(own, question)) {
        hub_port_turn_away(counter->port, reply, HUB_PORT_TYPE,
                           "a content-type that is configured would pass");
        return;
    }
    enum hub_webhook_verdict verdict = hub_webhook_verify(
        &counter->secrets, &claim, counter->realtime_ms() / 1000, own->tolerance_s, &why);
    if (verdict != HUB_WEBHOOK_GOOD) {
        hub_port_turn_away(counter->port, reply, kind_of[verdict], why.text);
        return;
    }
    json_t *context = make_context(question, &claim);
    struct hub_desk_item item = {.id = claim.id, .body = question->body, .context = context};
    hub_port_take(counter->port, &item, "taken\n", "kept\n", reply);
    json_decref(context);
}

/* --- opening --- */

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct webhook_options *own = options_;
    struct hub_arena arena = {0};
    struct hub_webhook_secrets secrets;
    enum hub_status status = hub_webhook_secrets_read(own->secrets, &arena, &secrets, reterr);
    hub_arena_destroy(&arena);
    HUB_TRY(status);
    if (own->path[0] != '/')
        return hub_fail(reterr, HUB_FATAL, "path '%s': one that begins with / would pass",
                        own->path);
    return hub_port_check(&own->port, "", reterr);
}

static void release(void *counter_) {
    struct counter *counter = counter_;
    hub_port_free(counter->port);
    hub_arena_destroy(&counter->arena);
    hub_release(counter);
}

static enum hub_status new_counter(const struct webhook_options *own, const struct hub_env *env,
                                   const json_t *position, struct counter **ret_counter,
                                   struct hub_error *reterr) {
    struct counter *counter = hub_allocate_zero(1, sizeof *counter);
    struct hub_port_config config = {.options = &own->port,
                                     .own = kinds,
                                     .marks_max = (size_t)own->remember,
                                     .handler = on_question,
                                     .context = counter};
    counter->options = own;
    counter->realtime_ms = env->realtime_ms;
    enum hub_status status =
        hub_webhook_secrets_read(own->secrets, &counter->arena, &counter->secrets, reterr);
    if (status == HUB_OK)
        status = hub_port_new(&config, env, position, &counter->port, reterr);
    if (status != HUB_OK)
        release(counter);
    else
        *ret_counter = counter;
    return status;
}

static enum hub_status open_webhook(void *state_, const void *options_, const struct hub_env *env,
                                    struct hub_error *reterr) {
    struct webhook *state = state_;
    struct counter *counter = *env->kept;
    json_error_t error;
    json_t *position = env->position == NULL ? json_pack("{s:[]}", "marks")
                                             : json_loads(env->position, 0, &error);
    enum hub_status status = HUB_OK;
    if (!json_is_array(json_object_get(position, "marks")))
        status = hub_fail(reterr, HUB_FATAL, "the position is not one of webhook: {\"marks\": "
                          "[...], ...} would pass");
    else if (counter == NULL)
        status = new_counter(options_, env, position, &counter, reterr);
    else
        hub_desk_open(hub_port_desk(counter->port), json_object_get(position, "marks"));
    json_decref(position);
    if (status == HUB_OK)
        *env->kept = state->counter = counter;
    return status;
}

/* The port stays: what comes while Kafka is away gets its answer there. */
static void close_webhook(void *state_) {
    struct webhook *state = state_;
    if (state->counter != NULL)
        hub_port_close(state->counter->port);
}

/* --- polling --- */

static const char *render_position(struct counter *counter, struct hub_arena *arena) {
    struct hub_port *port = counter->port;
    json_t *position = json_pack("{s:o, s:o}", "marks", hub_desk_marks(hub_port_desk(port)),
                                 "turned_away", hub_port_turned_away(port));
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = hub_arena_text(arena, text, strlen(text));
    free(text);
    json_decref(position);
    return copy;
}

static enum hub_status poll_webhook(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                    struct hub_error *reterr) {
    struct webhook *state = state_;
    struct hub_batch batch = {0};
    struct hub_desk_item items[HUB_DESK_BATCH_MAX];
    struct hub_desk *desk = hub_port_desk(state->counter->port);
    enum hub_status status =
        hub_desk_take(desk, timeout_ms, &batch.arena, items, &batch.count, reterr);
    if (status != HUB_OK) {
        hub_batch_free(&batch);
        return status;
    }
    batch.exhausted = batch.count == 0;
    batch.note = hub_port_note(state->counter->port, &batch.arena);
    batch.documents = hub_arena_take_zero(&batch.arena, batch.count + 1, sizeof *batch.documents);
    for (size_t i = 0; i < batch.count; i++)
        batch.documents[i] = (struct hub_raw_document){
            .name = hub_arena_format(&batch.arena, "webhook/%s", items[i].id),
            .bytes = items[i].body,
            .context = items[i].context};
    if (batch.count > 0)
        batch.position = render_position(state->counter, &batch.arena);
    *ret_batch = batch;
    return HUB_OK;
}

static enum hub_status commit_webhook(void *state_, struct hub_error *reterr) {
    struct webhook *state = state_;
    return hub_desk_settle(hub_port_desk(state->counter->port), reterr);
}

static bool rereads(const void *options_) {
    (void)options_;
    return false;
}

static int64_t spools(const void *options_) {
    const struct webhook_options *own = options_;
    return hub_port_spools(&own->port);
}

const struct hub_transport hub_transport_webhook = {
    .name = "webhook",
    .summary = "A source that calls: requests signed as Standard Webhooks says, each one document.",
    .options = options,
    .options_size = sizeof(struct webhook_options),
    .check = check_options,
    .state_size = sizeof(struct webhook),
    .open = open_webhook,
    .poll = poll_webhook,
    .commit = commit_webhook,
    .close = close_webhook,
    .release = release,
    .rereads = rereads,
    .spools = spools,
};
