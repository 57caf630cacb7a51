#include "hub/io/http_server.h"

#include "hub/base/memory.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_SIZE_MAX = 1024 * 1024, CONNECTIONS_MAX = 64, TIMEOUT_S = 10 };

struct hub_http_server {
    struct MHD_Daemon *daemon;
    hub_http_handler *handler;
    void *context;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *content_type, struct hub_bytes body) {
    struct MHD_Response *response =
        hub_need(MHD_create_response_from_buffer(body.size, (void *)body.data,
                                                 MHD_RESPMEM_MUST_COPY));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

const char *hub_http_argument(const struct hub_http_question *question, const char *name) {
    return MHD_lookup_connection_value(question->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* Called once for the headers, then for each part of the body, then once more without any. */
static enum MHD_Result on_request(void *server_, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **state) {
    struct hub_http_server *server = server_;
    struct hub_buffer *body = *state;
    (void)version;
    if (body == NULL) {
        body = hub_allocate_zero(1, sizeof *body);
        body->size_max = BODY_SIZE_MAX;
        *state = body;
        return MHD_YES;
    }
    if (*size > 0) {
        hub_buffer_append(body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (hub_buffer_overflowed(body))
        return answer(connection, MHD_HTTP_CONTENT_TOO_LARGE, "text/plain",
                      hub_bytes_of_text("over the limit of 1 MiB\n"));
    struct hub_http_question question = {method, path, hub_buffer_bytes(body), connection};
    struct hub_http_reply reply = {.status = 404, .content_type = "text/plain"};
    server->handler(server->context, &question, &reply);
    enum MHD_Result result =
        answer(connection, reply.status, reply.content_type, hub_buffer_bytes(&reply.body));
    hub_buffer_free(&reply.body);
    return result;
}

static void on_completed(void *server, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
    struct hub_buffer *body = *state;
    (void)server;
    (void)connection;
    (void)code;
    if (body != NULL)
        hub_buffer_free(body);
    hub_release(body);
    *state = NULL;
}

static bool parse_address(const char *address, struct sockaddr_in *ret_socket) {
    const char *colon = strrchr(address, ':');
    char host[64];
    size_t size = colon == NULL ? sizeof host : (size_t)(colon - address);
    if (size >= sizeof host)
        return false;
    memcpy(host, address, size);
    host[size] = '\0';
    char *rest = NULL;
    long port = strtol(colon + 1, &rest, 10);
    *ret_socket = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return *rest == '\0' && port > 0 && port < 65536 &&
           inet_pton(AF_INET, host, &ret_socket->sin_addr) == 1;
}

enum hub_status hub_http_server_new(const char *address, hub_http_handler *handler, void *context,
                                    struct hub_http_server **ret_server,
                                    struct hub_error *reterr) {
    struct sockaddr_in where;
    if (!parse_address(address, &where))
        return hub_fail(reterr, HUB_FATAL, "'%s': HOST:PORT such as 127.0.0.1:8081 would pass",
                        address);
    struct hub_http_server *server = hub_allocate_zero(1, sizeof *server);
    server->handler = handler;
    server->context = context;
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL, NULL, on_request, server,
        MHD_OPTION_SOCK_ADDR, &where, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)32768, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
    if (server->daemon == NULL) {
        hub_release(server);
        return hub_fail(reterr, HUB_FATAL, "cannot listen on %s: is the port taken?", address);
    }
    *ret_server = server;
    return HUB_OK;
}

void hub_http_server_free(struct hub_http_server *server) {
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    hub_release(server);
}
