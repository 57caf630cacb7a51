/* webhook: a source that calls, by POST, signed as Standard Webhooks says.
 *
 * A request is answered with 200 when its document is safe in Kafka and not before; what cannot be
 * made safe in time is answered with 503, and its sender comes again under the same webhook-id. The
 * position remembers the last ids, so that what comes again is told once, also when the connector
 * was killed between Kafka's commit and its answer. An id that has been forgotten since is told
 * again under the same key: where the version is the source's own the hub finds it unchanged.
 *
 * What is turned away never gets further than the server's thread. It is counted by kind, in the
 * position as of the next document that is taken, and the first of each kind is logged. */
#include "connectors/transports/transports.h"

#include "connectors/kit/format.h"
#include "connectors/transports/webhook_desk.h"
#include "connectors/transports/webhook_signature.h"
#include "hub/io/file.h"
#include "hub/io/http_server.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PEM_SIZE_MAX = 256 * 1024, RETRY_AFTER_S = 10, SIZE_MAX_BYTES = HUB_DOCUMENT_SIZE_MAX };

struct webhook_options {
    const char *listen;
    const char *path;
    const char *const *secrets;
    int64_t tolerance_s;
    const char *const *content_types;
    int64_t size_max_bytes;
    int64_t connections_max;
    const char *tls_certificate;
    const char *tls_key;
    const char *tls_client_ca;
    int64_t answer_timeout_ms;
    const char *while_away;
    int64_t remember;
};

static const char *const ways[] = {"nack", "wait", NULL};

static const struct hub_option options[] = {
    {.name = "listen",
     HUB_TEXT_OPTION(struct webhook_options, listen),
     .initial = "127.0.0.1:8082",
     .help = "HOST:PORT. Without tls_certificate only a loopback address passes, such as one "
             "behind a proxy that speaks TLS."},
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
    {.name = "size_max_bytes",
     HUB_NUMBER_OPTION(struct webhook_options, size_max_bytes),
     .initial = "1048576",
     .minimum = 1024,
     .maximum = SIZE_MAX_BYTES,
     .help = "Of one request's body."},
    {.name = "connections_max",
     HUB_NUMBER_OPTION(struct webhook_options, connections_max),
     .initial = "64",
     .minimum = 1,
     .maximum = 1024,
     .help = "At one time; each has a thread, and at most twice size_max_bytes."},
    {.name = "tls_certificate",
     HUB_TEXT_OPTION(struct webhook_options, tls_certificate),
     .help = "File with the certificate and those above it, in PEM: then it speaks HTTPS."},
    {.name = "tls_key",
     HUB_TEXT_OPTION(struct webhook_options, tls_key),
     .help = "File with the certificate's key, in PEM."},
    {.name = "tls_client_ca",
     HUB_TEXT_OPTION(struct webhook_options, tls_client_ca),
     .help = "File with the certificates, in PEM, that sign those of senders; without it senders "
             "need none."},
    {.name = "answer_timeout_ms",
     HUB_NUMBER_OPTION(struct webhook_options, answer_timeout_ms),
     .initial = "10000",
     .minimum = 100,
     .maximum = 600000,
     .help = "So long a request waits until it is safe in Kafka; then it is answered with 503. "
             "Less than its sender waits, in milliseconds."},
    {.name = "while_away",
     HUB_TEXT_OPTION(struct webhook_options, while_away),
     .initial = "nack",
     .choices = ways,
     .help = "While Kafka is away a request is answered with 503 at once (nack), or waits for it "
             "until answer_timeout_ms (wait)."},
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
enum kind { PATH, METHOD, TYPE, SIZE, SLOW, CERTIFICATE, HEADERS, OLD, NEW, SIGNATURE, KINDS };

static const struct {
    const char *name;
    unsigned status;
} kinds[KINDS] = {
    [PATH] = {"path", 404},       [METHOD] = {"method", 405},
    [TYPE] = {"type", 415},       [SIZE] = {"size", 413},
    [SLOW] = {"slow", 408},       [CERTIFICATE] = {"certificate", 403},
    [HEADERS] = {"headers", 400}, [OLD] = {"old", 400},
    [NEW] = {"new", 400},         [SIGNATURE] = {"signature", 401},
};

/* What goes on from session to session: the port, and who waits at it. */
struct counter {
    const struct webhook_options *options;
    int64_t (*realtime_ms)(void);
    struct hub_arena arena;
    struct hub_webhook_secrets secrets;
    struct hub_http_server *server;
    struct hub_desk *desk;
    pthread_mutex_t lock; /* of what was turned away */
    struct {
        int64_t count;
        bool told, untold; /* in the log */
        char why[HUB_ERROR_TEXT_MAX]; /* of the first */
    } away[KINDS];
};

struct webhook {
    struct counter *counter;
};

/* --- on the server's threads --- */

static void count_away(struct counter *counter, enum kind kind, const char *why) {
    pthread_mutex_lock(&counter->lock);
    if (!counter->away[kind].told && !counter->away[kind].untold) {
        counter->away[kind].untold = true;
        snprintf(counter->away[kind].why, sizeof counter->away[kind].why, "%s", why);
    }
    counter->away[kind].count++;
    pthread_mutex_unlock(&counter->lock);
}

static void turn_away(struct counter *counter, struct hub_http_reply *reply, enum kind kind,
                      const char *why) {
    count_away(counter, kind, why);
    reply->status = kinds[kind].status;
    hub_buffer_append_text(&reply->body, why);
    hub_buffer_append_byte(&reply->body, '\n');
}

static void on_refused(void *counter, unsigned status) {
    if (status == kinds[SIZE].status)
        count_away(counter, SIZE, "a body over size_max_bytes");
    else if (status == kinds[SLOW].status)
        count_away(counter, SLOW, "a body that did not end in time");
    else
        count_away(counter, CERTIFICATE, "a sender without a certificate of tls_client_ca");
}

static bool is_one_of(const char *const *list, const char *text, size_t size) {
    for (size_t i = 0; list[i] != NULL; i++)
        if (strlen(list[i]) == size && strncasecmp(list[i], text, size) == 0)
            return true;
    return false;
}

static bool is_wanted_type(const struct webhook_options *own,
                           const struct hub_http_question *question) {
    static const char *const usual[] = {"application/json", NULL};
    const char *type = hub_http_header(question, "content-type");
    return type != NULL && is_one_of(own->content_types[0] == NULL ? usual : own->content_types,
                                     type, strcspn(type, "; \t"));
}

/* Headers by their names in small letters. What lets somebody in somewhere is not told. */
static void keep_header(void *headers, const char *name, const char *value) {
    static const char *const secret[] = {"authorization", "proxy-authorization", "cookie",
                                         "webhook-signature", NULL};
    char *small = hub_copy_text(name);
    for (char *c = small; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    /* A name or value that is not UTF-8 is no text, and not there. */
    if (!is_one_of(secret, small, strlen(small)))
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

static void ask_desk(struct counter *counter, const struct hub_http_question *question,
                     const struct hub_webhook_claim *claim, struct hub_http_reply *reply) {
    static const struct {
        unsigned status;
        const char *text;
    } answers[] = {[HUB_DESK_SAFE] = {200, "taken\n"},
                   [HUB_DESK_KNOWN] = {200, "known\n"},
                   [HUB_DESK_LATER] = {503, "not now; the same once more would pass\n"}};
    json_t *context = make_context(question, claim);
    struct hub_desk_item item = {.id = claim->id, .body = question->body, .context = context};
    enum hub_desk_answer answer = hub_desk_ask(counter->desk, &item);
    json_decref(context);
    reply->status = answers[answer].status;
    reply->retry_after_s = answer == HUB_DESK_LATER ? RETRY_AFTER_S : 0;
    hub_buffer_append_text(&reply->body, answers[answer].text);
}

static void on_question(void *counter_, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    static const enum kind kind_of[] = {[HUB_WEBHOOK_UNSIGNED] = HEADERS,
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
        turn_away(counter, reply, PATH, "nothing is here");
        return;
    }
    if (strcmp(question->method, "POST") != 0) {
        reply->allow = "POST";
        turn_away(counter, reply, METHOD, "POST would pass");
        return;
    }
    if (!is_wanted_type(own, question)) {
        turn_away(counter, reply, TYPE, "a content-type that is configured would pass");
        return;
    }
    enum hub_webhook_verdict verdict = hub_webhook_verify(
        &counter->secrets, &claim, counter->realtime_ms() / 1000, own->tolerance_s, &why);
    if (verdict == HUB_WEBHOOK_GOOD)
        ask_desk(counter, question, &claim, reply);
    else
        turn_away(counter, reply, kind_of[verdict], why.text);
}

/* --- opening --- */

static bool is_loopback(const char *address) {
    return strncmp(address, "127.", 4) == 0;
}

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct webhook_options *own = options_;
    struct hub_arena arena = {0};
    struct hub_webhook_secrets secrets;
    bool certificate = own->tls_certificate != NULL;
    enum hub_status status = hub_webhook_secrets_read(own->secrets, &arena, &secrets, reterr);
    hub_arena_destroy(&arena);
    HUB_TRY(status);
    if (own->path[0] != '/')
        return hub_fail(reterr, HUB_FATAL, "path '%s': one that begins with / would pass",
                        own->path);
    if (certificate != (own->tls_key != NULL))
        return hub_fail(reterr, HUB_FATAL, "tls_certificate and tls_key need each other");
    if (own->tls_client_ca != NULL && !certificate)
        return hub_fail(reterr, HUB_FATAL, "tls_client_ca needs tls_certificate");
    if (!certificate && !is_loopback(own->listen))
        return hub_fail(reterr, HUB_FATAL, "listen '%s' without tls_certificate; a loopback "
                        "address such as 127.0.0.1:8082 would pass", own->listen);
    return HUB_OK;
}

static enum hub_status read_pem(const struct hub_env *env, const char *path,
                                struct hub_arena *arena, const char **ret_text,
                                struct hub_error *reterr) {
    HUB_SCOPED_BUFFER text = {.size_max = PEM_SIZE_MAX};
    if (path == NULL)
        return HUB_OK;
    const char *whole = env->folder == NULL ? path : hub_file_resolve(env->folder, path, arena);
    if (hub_file_read(whole, &text, reterr) != HUB_OK)
        return HUB_FATAL; /* one that is too large is for a person, too */
    *ret_text = hub_arena_text(arena, (const char *)text.data, text.size);
    return HUB_OK;
}

static enum hub_status listen_at(struct counter *counter, const struct hub_env *env,
                                 struct hub_error *reterr) {
    const struct webhook_options *own = counter->options;
    struct hub_http_server_config config = {
        .address = own->listen,
        .handler = on_question,
        .refused = on_refused,
        .context = counter,
        .waits = true,
        .body_size_max_bytes = (size_t)own->size_max_bytes,
        .connections_max = (unsigned)own->connections_max};
    HUB_TRY(read_pem(env, own->tls_certificate, &counter->arena, &config.tls_certificate, reterr));
    HUB_TRY(read_pem(env, own->tls_key, &counter->arena, &config.tls_key, reterr));
    HUB_TRY(read_pem(env, own->tls_client_ca, &counter->arena, &config.tls_client_ca, reterr));
    return hub_http_server_new(&config, &counter->server, reterr);
}

static void release(void *counter_) {
    struct counter *counter = counter_;
    hub_desk_end(counter->desk);
    hub_http_server_free(counter->server);
    hub_desk_free(counter->desk);
    pthread_mutex_destroy(&counter->lock);
    hub_arena_destroy(&counter->arena);
    hub_release(counter);
}

static enum hub_status new_counter(const struct webhook_options *own, const struct hub_env *env,
                                   const json_t *position, struct counter **ret_counter,
                                   struct hub_error *reterr) {
    struct hub_desk_config config = {.wait_max_ms = own->answer_timeout_ms,
                                     .nacks = strcmp(own->while_away, "nack") == 0,
                                     .marks_max = (size_t)own->remember};
    struct counter *counter = hub_allocate_zero(1, sizeof *counter);
    const json_t *away = json_object_get(position, "turned_away");
    counter->options = own;
    counter->realtime_ms = env->realtime_ms;
    counter->desk = hub_desk_new(&config);
    pthread_mutex_init(&counter->lock, NULL);
    for (size_t i = 0; i < KINDS; i++)
        counter->away[i].count = json_integer_value(json_object_get(away, kinds[i].name));
    hub_desk_open(counter->desk, json_object_get(position, "marks"));
    enum hub_status status =
        hub_webhook_secrets_read(own->secrets, &counter->arena, &counter->secrets, reterr);
    if (status == HUB_OK)
        status = listen_at(counter, env, reterr);
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
        hub_desk_open(counter->desk, json_object_get(position, "marks"));
    json_decref(position);
    if (status == HUB_OK)
        *env->kept = state->counter = counter;
    return status;
}

/* The port stays: what comes while Kafka is away gets its answer there. */
static void close_webhook(void *state_) {
    struct webhook *state = state_;
    if (state->counter != NULL)
        hub_desk_close(state->counter->desk);
}

/* --- polling --- */

/* What was turned away as one sentence a kind, the first time only. */
static const char *next_note(struct counter *counter, struct hub_arena *arena) {
    const char *note = NULL;
    pthread_mutex_lock(&counter->lock);
    for (size_t i = 0; note == NULL && i < KINDS; i++) {
        if (!counter->away[i].untold)
            continue;
        counter->away[i].told = true;
        counter->away[i].untold = false;
        note = hub_arena_format(arena, "%s: answered with %u: %s; more of the kind are counted "
                                "and not told", kinds[i].name, kinds[i].status,
                                counter->away[i].why);
    }
    pthread_mutex_unlock(&counter->lock);
    return note;
}

static const char *render_position(struct counter *counter, struct hub_arena *arena) {
    json_t *away = json_object();
    pthread_mutex_lock(&counter->lock);
    for (size_t i = 0; i < KINDS; i++)
        if (counter->away[i].count > 0)
            json_object_set_new(away, kinds[i].name, json_integer(counter->away[i].count));
    pthread_mutex_unlock(&counter->lock);
    json_t *position =
        json_pack("{s:o, s:o}", "marks", hub_desk_marks(counter->desk), "turned_away", away);
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
    (void)reterr;
    batch.count = hub_desk_take(state->counter->desk, timeout_ms, &batch.arena, items);
    batch.exhausted = batch.count == 0;
    batch.note = next_note(state->counter, &batch.arena);
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
    (void)reterr;
    hub_desk_settle(state->counter->desk);
    return HUB_OK;
}

static bool rereads(const void *options_) {
    (void)options_;
    return false;
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
};
