#include "tests/lib/web.h"

#include "hub/base/memory.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REQUESTS_MAX = 64, HEADERS_MAX = 32 };

struct request {
    const char *target;
    const char *names[HEADERS_MAX], *values[HEADERS_MAX];
    size_t header_count;
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
    (void)connection;
    pthread_mutex_lock(&web->lock);
    if (web->asked < REQUESTS_MAX)
        web->requests[web->asked].target = keep(web, target);
    pthread_mutex_unlock(&web->lock);
    return NULL;
}

static enum MHD_Result give(struct MHD_Connection *connection, const struct web_answer *answer) {
    const char *body = answer->body == NULL ? "" : answer->body;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), (void *)body, MHD_RESPMEM_PERSISTENT);
    for (size_t i = 0; answer->headers[i] != NULL; i++) {
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
    (void)path;
    (void)method;
    (void)version;
    (void)data;
    (void)size;
    if (*state == NULL) { /* the headers are here, the body is not */
        *state = web;
        return MHD_YES;
    }
    if (*state == (void *)web->requests) /* resumed: it never gets an answer */
        return MHD_NO;
    pthread_mutex_lock(&web->lock);
    const struct web_answer *answer = &beyond;
    if (web->asked < web->answer_count)
        answer = &web->answers[web->asked];
    if (web->asked < REQUESTS_MAX) {
        MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, web);
        web->asked++;
    }
    if (answer->status == 0) {
        *state = web->requests;
        web->waiting[web->waiting_count++] = connection;
        MHD_suspend_connection(connection);
    }
    pthread_mutex_unlock(&web->lock);
    return answer->status == 0 ? MHD_YES : give(connection, answer);
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
                                   MHD_OPTION_URI_LOG_CALLBACK, on_target, web, MHD_OPTION_END);
    if (web->daemon == NULL) {
        fprintf(stderr, "test web server: it cannot listen\n");
        abort();
    }
    return web;
}

void web_stop(struct web *web) {
    pthread_mutex_lock(&web->lock);
    for (size_t i = 0; i < web->waiting_count; i++)
        MHD_resume_connection(web->waiting[i]);
    pthread_mutex_unlock(&web->lock);
    MHD_stop_daemon(web->daemon);
    pthread_mutex_destroy(&web->lock);
    hub_arena_destroy(&web->arena);
    hub_release(web);
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

const char *web_header(struct web *web, size_t index, const char *name) {
    size_t asked = web_asked(web);
    for (size_t i = 0; index < asked && i < web->requests[index].header_count; i++)
        if (strcasecmp(web->requests[index].names[i], name) == 0)
            return web->requests[index].values[i];
    return NULL;
}
