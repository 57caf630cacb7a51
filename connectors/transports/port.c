#include "connectors/transports/port.h"

#include "hub/io/file.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PEM_SIZE_MAX = 256 * 1024 };

const char *const hub_port_ways[] = {"nack", "wait", "spool", NULL};

static const struct hub_port_kind usual[HUB_PORT_OWN] = {
    [HUB_PORT_PATH] = {"path", 404}, [HUB_PORT_METHOD] = {"method", 405},
    [HUB_PORT_TYPE] = {"type", 415}, [HUB_PORT_SIZE] = {"size", 413},
    [HUB_PORT_SLOW] = {"slow", 408}, [HUB_PORT_CERTIFICATE] = {"certificate", 403},
};

struct hub_port {
    const struct hub_port_options *options;
    const struct hub_port_kind *own;
    hub_http_handler *handler;
    void *context; /* the handler's */
    struct hub_arena arena;
    struct hub_http_server *server;
    struct hub_desk *desk;
    bool (*is_stopping)(void); /* or NULL */
    pthread_mutex_t lock; /* of what was turned away */
    struct {
        int64_t count;
        bool told, untold; /* in the log */
        char why[HUB_ERROR_TEXT_MAX]; /* of the first */
    } away[HUB_PORT_KINDS_MAX];
};

static const struct hub_port_kind *kind_of(const struct hub_port *port, size_t kind) {
    return kind < HUB_PORT_OWN ? &usual[kind] : &port->own[kind - HUB_PORT_OWN];
}

static size_t count_kinds(const struct hub_port *port) {
    size_t count = HUB_PORT_OWN;
    while (port->own[count - HUB_PORT_OWN].name != NULL)
        count++;
    assert(count <= HUB_PORT_KINDS_MAX);
    return count;
}

/* --- on the server's threads --- */

static void count_away(struct hub_port *port, size_t kind, const char *why) {
    pthread_mutex_lock(&port->lock);
    if (!port->away[kind].told && !port->away[kind].untold) {
        port->away[kind].untold = true;
        snprintf(port->away[kind].why, sizeof port->away[kind].why, "%s", why);
    }
    port->away[kind].count++;
    pthread_mutex_unlock(&port->lock);
}

void hub_port_turn_away(struct hub_port *port, struct hub_http_reply *reply, size_t kind,
                        const char *why) {
    count_away(port, kind, why);
    reply->status = kind_of(port, kind)->status;
    if (kind == HUB_PORT_METHOD)
        reply->allow = "POST";
    hub_buffer_append_text(&reply->body, why);
    hub_buffer_append_byte(&reply->body, '\n');
}

static void on_question(void *port_, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    struct hub_port *port = port_;
    port->handler(port->context, question, reply);
}

static void on_refused(void *port, unsigned status) {
    if (status == usual[HUB_PORT_SIZE].status)
        count_away(port, HUB_PORT_SIZE, "a body over size_max_bytes");
    else if (status == usual[HUB_PORT_SLOW].status)
        count_away(port, HUB_PORT_SLOW, "a body that did not end in time");
    else
        count_away(port, HUB_PORT_CERTIFICATE, "a sender without a certificate of tls_client_ca");
}

void hub_port_take(struct hub_port *port, const struct hub_desk_item *item, const char *taken,
                   const char *kept, struct hub_http_reply *reply) {
    enum hub_desk_answer answer = hub_desk_ask(port->desk, item);
    reply->status = answer == HUB_DESK_LATER ? 503 : 200;
    reply->retry_after_s = answer == HUB_DESK_LATER ? HUB_PORT_RETRY_AFTER_S : 0;
    hub_buffer_append_text(&reply->body, answer == HUB_DESK_SAFE    ? taken
                                         : answer == HUB_DESK_KNOWN ? "known\n"
                                         : answer == HUB_DESK_KEPT  ? kept
                                                                    : "not now; the same once "
                                                                      "more would pass\n");
}

bool hub_port_is_of_type(const struct hub_http_question *question, const char *const *types) {
    const char *type = hub_http_header(question, "content-type");
    size_t size = type == NULL ? 0 : strcspn(type, "; \t");
    for (size_t i = 0; types[i] != NULL; i++)
        if (size > 0 && strlen(types[i]) == size && strncasecmp(types[i], type, size) == 0)
            return true;
    return false;
}

/* --- opening --- */

static bool is_loopback(const char *address) {
    return strncmp(address, "127.", 4) == 0;
}

enum hub_status hub_port_check(const struct hub_port_options *own, const char *prefix,
                               struct hub_error *reterr) {
    bool certificate = own->tls_certificate != NULL;
    if (certificate != (own->tls_key != NULL))
        return hub_fail(reterr, HUB_FATAL, "%stls_certificate and %stls_key need each other",
                        prefix, prefix);
    if (own->tls_client_ca != NULL && !certificate)
        return hub_fail(reterr, HUB_FATAL, "%stls_client_ca needs %stls_certificate", prefix,
                        prefix);
    if (!certificate && !is_loopback(own->listen))
        return hub_fail(reterr, HUB_FATAL, "listen '%s' without %stls_certificate; a loopback "
                        "address such as 127.0.0.1:8082 would pass", own->listen, prefix);
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

static enum hub_status listen_at(struct hub_port *port, const struct hub_env *env,
                                 struct hub_error *reterr) {
    const struct hub_port_options *own = port->options;
    struct hub_http_server_config config = {
        .address = own->listen,
        .handler = on_question,
        .refused = on_refused,
        .context = port,
        .waits = true,
        .body_size_max_bytes = (size_t)own->size_max_bytes,
        .connections_max = (unsigned)own->connections_max};
    HUB_TRY(read_pem(env, own->tls_certificate, &port->arena, &config.tls_certificate, reterr));
    HUB_TRY(read_pem(env, own->tls_key, &port->arena, &config.tls_key, reterr));
    HUB_TRY(read_pem(env, own->tls_client_ca, &port->arena, &config.tls_client_ca, reterr));
    return hub_http_server_new(&config, &port->server, reterr);
}

int64_t hub_port_spools(const struct hub_port_options *own) {
    return strcmp(own->while_away, "spool") == 0 ? own->spool_max_bytes : 0;
}

void hub_port_close(struct hub_port *port) {
    if (port->is_stopping != NULL && port->is_stopping())
        hub_desk_end(port->desk);
    else
        hub_desk_close(port->desk);
}

void hub_port_free(struct hub_port *port) {
    if (port == NULL)
        return;
    hub_desk_end(port->desk);
    hub_http_server_free(port->server);
    hub_desk_free(port->desk);
    pthread_mutex_destroy(&port->lock);
    hub_arena_destroy(&port->arena);
    hub_release(port);
}

enum hub_status hub_port_new(const struct hub_port_config *config, const struct hub_env *env,
                             const json_t *position, struct hub_port **ret_port,
                             struct hub_error *reterr) {
    const struct hub_port_options *own = config->options;
    struct hub_desk_config desk = {.wait_max_ms = own->answer_timeout_ms,
                                   .nacks = strcmp(own->while_away, "wait") != 0,
                                   .spool = hub_port_spools(own) > 0 ? env->spool : NULL,
                                   .marks_max = config->marks_max};
    struct hub_port *port = hub_allocate_zero(1, sizeof *port);
    const json_t *away = json_object_get(position, "turned_away");
    port->options = own;
    port->own = config->own;
    port->handler = config->handler;
    port->context = config->context;
    port->is_stopping = env->is_stopping;
    port->desk = hub_desk_new(&desk);
    pthread_mutex_init(&port->lock, NULL);
    for (size_t i = 0; i < count_kinds(port); i++)
        port->away[i].count = json_integer_value(json_object_get(away, kind_of(port, i)->name));
    hub_desk_open(port->desk, json_object_get(position, "marks"));
    *ret_port = port; /* before anybody calls */
    enum hub_status status = listen_at(port, env, reterr);
    if (status == HUB_OK)
        return HUB_OK;
    hub_port_free(port);
    *ret_port = NULL;
    return status;
}

struct hub_desk *hub_port_desk(struct hub_port *port) {
    return port->desk;
}

/* --- what was turned away --- */

const char *hub_port_note(struct hub_port *port, struct hub_arena *arena) {
    const char *note = NULL;
    pthread_mutex_lock(&port->lock);
    for (size_t i = 0; note == NULL && i < HUB_PORT_KINDS_MAX; i++) {
        if (!port->away[i].untold)
            continue;
        port->away[i].told = true;
        port->away[i].untold = false;
        note = hub_arena_format(arena, "%s: answered with %u: %s; more of the kind are counted "
                                "and not told", kind_of(port, i)->name, kind_of(port, i)->status,
                                port->away[i].why);
    }
    pthread_mutex_unlock(&port->lock);
    return note;
}

json_t *hub_port_turned_away(struct hub_port *port) {
    json_t *away = json_object();
    pthread_mutex_lock(&port->lock);
    for (size_t i = 0; i < HUB_PORT_KINDS_MAX; i++)
        if (port->away[i].count > 0)
            json_object_set_new(away, kind_of(port, i)->name,
                                json_integer(port->away[i].count));
    pthread_mutex_unlock(&port->lock);
    return away;
}
