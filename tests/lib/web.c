#include "tests/lib/web.h"

#include "hub/base/memory.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REQUESTS_MAX = 64, HEADERS_MAX = 32, ROUTES_MAX = 64 };

struct request {
    const char *target;
    const char *names[HEADERS_MAX], *values[HEADERS_MAX];
    size_t header_count;
    const char *method, *body;
};

struct web {
    struct MHD_Daemon *daemon;
    const struct web_answer *answers;
    size_t answer_count;
    pthread_mutex_t lock; /* of all below: the daemon's thread writes, the test reads */
    struct hub_arena arena;
    struct request requests[REQUESTS_MAX];
    size_t asked;
    struct MHD_Connection *waiting[REQUESTS_MAX];
    size_t waiting_count;
    bool stopping;
    struct route {
        const char *path;
        struct web_answer answer;
    } routes[ROUTES_MAX];
    size_t route_count;
};

/* A request whose body is still coming. */
struct coming {
    bool has_begun;
    bool is_waiting; /* it never gets an answer */
    const char *target;
    struct hub_buffer body;
};

/* An answer that never ends. */
struct endless {
    struct web *web;
    struct MHD_Connection *connection;
    const struct web_answer *answer;
    bool sent;
};

static const char *keep(struct web *web, const char *text) {
    return hub_arena_text(&web->arena, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    struct web *web = context;
    struct request *request = &web->requests[web->asked];
    (void)kind;
    if (request->header_count < HEADERS_MAX) {
        request->names[request->header_count] = keep(web, name);
        request->values[request->header_count++] = keep(web, value);
    }
    return MHD_YES;
}

static void *on_target(void *context, const char *target, struct MHD_Connection *connection) {
    struct web *web = context;
    struct coming *coming = hub_allocate_zero(1, sizeof *coming);
    (void)connection;
    pthread_mutex_lock(&web->lock);
    coming->target = keep(web, target);
    pthread_mutex_unlock(&web->lock);
    return coming;
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code) {
    struct coming *coming = *state;
    (void)context;
    (void)connection;
    (void)code;
    if (coming != NULL)
        hub_buffer_free(&coming->body);
    *state = hub_release(coming);
}

static void wait_for_ever(struct web *web, struct MHD_Connection *connection) {
    web->waiting[web->waiting_count++] = connection;
    MHD_suspend_connection(connection);
}

/* What stands behind the name of something that is no header, or NULL. */
static const char *oddity(const struct web_answer *answer, const char *name) {
    for (size_t i = 0; answer->headers[i] != NULL; i++)
        if (strncmp(answer->headers[i], name, strlen(name)) == 0)
            return answer->headers[i] + strlen(name);
    return NULL;
}

static ssize_t on_more(void *context, uint64_t position, char *buffer, size_t size_max) {
    struct endless *endless = context;
    const char *body = endless->answer->body;
    size_t size = strlen(body);
    (void)position;
    if (oddity(endless->answer, "!stalls") != NULL && endless->sent) {
        pthread_mutex_lock(&endless->web->lock);
        bool stopping = endless->web->stopping;
        if (!stopping)
            wait_for_ever(endless->web, endless->connection);
        pthread_mutex_unlock(&endless->web->lock);
        return stopping ? MHD_CONTENT_READER_END_WITH_ERROR : 0;
    }
    endless->sent = true;
    size = size < size_max ? size : size_max;
    memcpy(buffer, body, size);
    return (ssize_t)size;
}

static struct MHD_Response *make(struct web *web, struct MHD_Connection *connection,
                                 const struct web_answer *answer) {
    const char *body = answer->body == NULL ? "" : answer->body;
    const char *size_text = oddity(answer, "!size ");
    size_t size = size_text != NULL ? (size_t)atol(size_text) : strlen(body);
    if (oddity(answer, "!endless") == NULL && oddity(answer, "!stalls") == NULL)
        return MHD_create_response_from_buffer(size, (void *)body, MHD_RESPMEM_PERSISTENT);
    struct endless *endless = hub_allocate_zero(1, sizeof *endless);
    *endless = (struct endless){web, connection, answer, false};
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, on_more, endless, free);
}

static enum MHD_Result give(struct web *web, struct MHD_Connection *connection, const struct web_answer *answer) {
    struct MHD_Response *response = make(web, connection, answer);
    for (size_t i = 0; answer->headers[i] != NULL; i++) {
        if (answer->headers[i][0] == '!')
            continue;
        const char *colon = strchr(answer->headers[i], ':');
        char name[64] = {0};
        memcpy(name, answer->headers[i], (size_t)(colon - answer->headers[i]));
        MHD_add_response_header(response, name, colon + 2);
    }
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **state) {
    static const struct web_answer beyond = {.status = 500, .body = "no answer is left"};
    struct web *web = context;
    struct coming *coming = *state;
    (void)version;
    if (!coming->has_begun) { /* the headers are here, the body is not */
        coming->has_begun = true;
        return MHD_YES;
    }
    if (*size > 0) {
        hub_buffer_append(&coming->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (coming->is_waiting) /* resumed */
        return MHD_NO;
    pthread_mutex_lock(&web->lock);
    const struct web_answer *answer = &beyond;
    if (web->asked < web->answer_count)
        answer = &web->answers[web->asked];
    for (size_t i = 0; i < web->route_count; i++)
        if (strcmp(web->routes[i].path, path) == 0 && web->routes[i].answer.status != 0)
            answer = &web->routes[i].answer;
    if (web->asked < REQUESTS_MAX) {
        struct request *request = &web->requests[web->asked];
        request->target = coming->target;
        request->method = keep(web, method);
        request->body = keep(web, hub_buffer_text(&coming->body));
        MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, web);
        web->asked++;
    }
    if (answer->status == 0) {
        coming->is_waiting = true;
        wait_for_ever(web, connection);
    }
    pthread_mutex_unlock(&web->lock);
    return answer->status == 0 ? MHD_YES : give(web, connection, answer);
}

struct web *web_start(const struct web_answer *answers, size_t count) {
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct web *web = hub_allocate_zero(1, sizeof *web);
    web->answers = answers;
    web->answer_count = count;
    pthread_mutex_init(&web->lock, NULL);
    web->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
                                       MHD_ALLOW_SUSPEND_RESUME,
                                   0, NULL, NULL, on_request, web, MHD_OPTION_SOCK_ADDR, &where,
                                   MHD_OPTION_URI_LOG_CALLBACK, on_target, web,
                                   MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (web->daemon == NULL) {
        fprintf(stderr, "test web server: it cannot listen\n");
        abort();
    }
    return web;
}

void web_stop(struct web *web) {
    pthread_mutex_lock(&web->lock);
    web->stopping = true;
    for (size_t i = 0; i < web->waiting_count; i++)
        MHD_resume_connection(web->waiting[i]);
    pthread_mutex_unlock(&web->lock);
    MHD_stop_daemon(web->daemon);
    pthread_mutex_destroy(&web->lock);
    hub_arena_destroy(&web->arena);
    hub_release(web);
}

void web_route(struct web *web, const char *path, const struct web_answer *answer) {
    static const struct web_answer none = {0};
    pthread_mutex_lock(&web->lock);
    size_t at = 0;
    while (at < web->route_count && strcmp(web->routes[at].path, path) != 0)
        at++;
    if (at == ROUTES_MAX) {
        fprintf(stderr, "test web server: more than %d routes\n", ROUTES_MAX);
        abort();
    }
    web->route_count += at == web->route_count;
    web->routes[at].path = keep(web, path);
    web->routes[at].answer = answer == NULL ? none : *answer;
    if (answer != NULL)
        web->routes[at].answer.body = keep(web, answer->body);
    pthread_mutex_unlock(&web->lock);
}

const char *web_url(struct web *web, const char *path) {
    unsigned port = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    pthread_mutex_lock(&web->lock);
    const char *url = hub_arena_format(&web->arena, "http://127.0.0.1:%u%s", port, path);
    pthread_mutex_unlock(&web->lock);
    return url;
}

size_t web_asked(struct web *web) {
    pthread_mutex_lock(&web->lock);
    size_t asked = web->asked;
    pthread_mutex_unlock(&web->lock);
    return asked;
}

const char *web_target(struct web *web, size_t index) {
    return index < web_asked(web) ? web->requests[index].target : "";
}

const char *web_method(struct web *web, size_t index) {
    return index < web_asked(web) ? web->requests[index].method : "";
}

const char *web_body(struct web *web, size_t index) {
    return index < web_asked(web) ? web->requests[index].body : "";
}

const char *web_header(struct web *web, size_t index, const char *name) {
    size_t asked = web_asked(web);
    for (size_t i = 0; index < asked && i < web->requests[index].header_count; i++)
        if (strcasecmp(web->requests[index].names[i], name) == 0)
            return web->requests[index].values[i];
    return NULL;
}
