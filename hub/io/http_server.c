#include "hub/io/http_server.h"

#include "hub/base/memory.h"
#include "hub/io/clock.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BODY_SIZE_MAX = 1024 * 1024, CONNECTIONS_MAX = 64, IDLE_TIMEOUT_S = 10,
       BODY_TIMEOUT_MS = 30000, LAST_WORDS_S = 2, STACK_SIZE = 256 * 1024, HEAD_SIZE_MAX = 32768,
       CONTENT_LENGTH_DIGITS_MAX = 18, OPTIONS_MAX = 16 };

struct hub_http_server {
    struct MHD_Daemon *daemon;
    struct hub_http_server_config config; /* its texts are the caller's, and gone after _new */
    pthread_mutex_t lock; /* of what is below */
    pthread_cond_t answered;
    size_t busy; /* requests whose answer is not all sent */
};

/* One request while it arrives. */
struct request {
    struct hub_buffer body;
    size_t received;
    int64_t began_ms;
    bool answered; /* before its body was read */
};

static enum MHD_Result answer(struct MHD_Connection *connection,
                              const struct hub_http_reply *reply) {
    struct hub_bytes body = hub_buffer_bytes(&reply->body);
    struct MHD_Response *response =
        hub_need(MHD_create_response_from_buffer(body.size, (void *)body.data,
                                                 MHD_RESPMEM_MUST_COPY));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    if (reply->allow != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
    if (reply->retry_after_s > 0) {
        char seconds[32];
        snprintf(seconds, sizeof seconds, "%lld", (long long)reply->retry_after_s);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

const char *hub_http_argument(const struct hub_http_question *question, const char *name) {
    return MHD_lookup_connection_value(question->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *hub_http_header(const struct hub_http_question *question, const char *name) {
    return MHD_lookup_connection_value(question->connection, MHD_HEADER_KIND, name);
}

uint32_t hub_http_peer(const struct hub_http_question *question) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(question->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr->sa_family != AF_INET)
        return 0;
    struct sockaddr_in peer;
    memcpy(&peer, info->client_addr, sizeof peer);
    return ntohl(peer.sin_addr.s_addr);
}

struct visitor {
    void (*visit)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result on_header(void *visitor_, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    const struct visitor *visitor = visitor_;
    (void)kind;
    visitor->visit(visitor->context, name, value == NULL ? "" : value);
    return MHD_YES;
}

void hub_http_each_header(const struct hub_http_question *question,
                          void (*visit)(void *context, const char *name, const char *value),
                          void *context) {
    struct visitor visitor = {visit, context};
    MHD_get_connection_values(question->connection, MHD_HEADER_KIND, on_header, &visitor);
}

/* --- what the server refuses by itself --- */

static void tell_refused(struct hub_http_server *server, unsigned status) {
    if (server->config.refused != NULL)
        server->config.refused(server->config.context, status);
}

static enum MHD_Result refuse(struct hub_http_server *server, struct MHD_Connection *connection,
                              unsigned status, const char *text) {
    struct hub_http_reply reply = {.status = status, .content_type = "text/plain"};
    hub_buffer_append_text(&reply.body, text);
    tell_refused(server, status);
    enum MHD_Result result = answer(connection, &reply);
    hub_buffer_free(&reply.body);
    return result;
}

static enum MHD_Result refuse_size(struct hub_http_server *server,
                                   struct MHD_Connection *connection) {
    char text[96];
    snprintf(text, sizeof text, "over the limit of %zu bytes\n",
             server->config.body_size_max_bytes);
    return refuse(server, connection, MHD_HTTP_CONTENT_TOO_LARGE, text);
}

/* GnuTLS asks the client for a certificate; whether it is one of the CA's is for us to ask. */
static bool is_known_client(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned trouble = 0;
    return info != NULL &&
           gnutls_certificate_verify_peers((gnutls_session_t)info->tls_session, &purpose, 1,
                                           &trouble) == GNUTLS_E_SUCCESS &&
           trouble == 0;
}

/* More than is read and thrown away so that the sender hears why. */
static bool announces_far_too_much(const struct hub_http_server *server,
                                   struct MHD_Connection *connection) {
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length != NULL &&
           (strlen(length) > CONTENT_LENGTH_DIGITS_MAX ||
            strtoull(length, NULL, 10) > 2 * (uint64_t)server->config.body_size_max_bytes);
}

/* --- one request --- */

static enum MHD_Result begin_request(struct hub_http_server *server,
                                     struct MHD_Connection *connection, void **state) {
    struct request *request = hub_allocate_zero(1, sizeof *request);
    request->body.size_max = server->config.body_size_max_bytes;
    request->began_ms = hub_clock_monotonic_ms();
    *state = request;
    pthread_mutex_lock(&server->lock);
    server->busy++;
    pthread_mutex_unlock(&server->lock);
    request->answered = true;
    if (server->config.tls_client_ca != NULL && !is_known_client(connection))
        return refuse(server, connection, MHD_HTTP_FORBIDDEN,
                      "a certificate that the client CA has signed would pass\n");
    if (announces_far_too_much(server, connection))
        return refuse_size(server, connection);
    request->answered = false;
    return MHD_YES;
}

/* MHD_NO cuts the connection off, the only answer there is before a body has ended. */
static enum MHD_Result take_part(struct hub_http_server *server, struct request *request,
                                 const char *data, size_t *size) {
    request->received += *size;
    hub_buffer_append(&request->body, data, *size);
    *size = 0;
    if (request->answered)
        return MHD_YES;
    bool endless = request->received > 2 * server->config.body_size_max_bytes;
    bool slow =
        hub_clock_monotonic_ms() - request->began_ms > server->config.body_timeout_ms;
    if (endless || slow)
        tell_refused(server, endless ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_REQUEST_TIMEOUT);
    return endless || slow ? MHD_NO : MHD_YES;
}

/* Called once for the headers, then for each part of the body, then once more without any. */
static enum MHD_Result on_request(void *server_, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **state) {
    struct hub_http_server *server = server_;
    struct request *request = *state;
    (void)version;
    if (request == NULL)
        return begin_request(server, connection, state);
    if (*size > 0)
        return take_part(server, request, data, size);
    if (request->answered)
        return MHD_YES;
    if (hub_buffer_overflowed(&request->body))
        return refuse_size(server, connection);
    struct hub_http_question question = {method, path, hub_buffer_bytes(&request->body),
                                         connection};
    struct hub_http_reply reply = {.status = 404, .content_type = "text/plain"};
    server->config.handler(server->config.context, &question, &reply);
    enum MHD_Result result = answer(connection, &reply);
    hub_buffer_free(&reply.body);
    return result;
}

static void on_completed(void *server_, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
    struct hub_http_server *server = server_;
    struct request *request = *state;
    (void)connection;
    (void)code;
    if (request == NULL)
        return;
    hub_buffer_free(&request->body);
    *state = hub_release(request);
    pthread_mutex_lock(&server->lock);
    server->busy--;
    pthread_cond_broadcast(&server->answered);
    pthread_mutex_unlock(&server->lock);
}

/* --- beginning and end --- */

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

static gnutls_datum_t datum(const char *text) {
    return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

/* The library would only say that it cannot listen. */
static enum hub_status check_tls(const struct hub_http_server_config *config,
                                 struct hub_error *reterr) {
    gnutls_certificate_credentials_t credentials = NULL;
    int code = gnutls_certificate_allocate_credentials(&credentials);
    if (code != GNUTLS_E_SUCCESS)
        hub_memory_end();
    gnutls_datum_t certificate = datum(config->tls_certificate), key = datum(config->tls_key);
    code = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key,
                                               GNUTLS_X509_FMT_PEM);
    const char *what = "certificate and key";
    if (code >= 0 && config->tls_client_ca != NULL) {
        gnutls_datum_t trust = datum(config->tls_client_ca);
        what = "client CA";
        code = gnutls_certificate_set_x509_trust_mem(credentials, &trust, GNUTLS_X509_FMT_PEM);
        code = code == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : code;
    }
    gnutls_certificate_free_credentials(credentials);
    return code >= 0 ? HUB_OK
                     : hub_fail(reterr, HUB_FATAL, "TLS %s: %s; PEM files that belong together "
                                "would pass", what, gnutls_strerror(code));
}

static struct MHD_Daemon *start(struct hub_http_server *server, struct sockaddr_in *where) {
    const struct hub_http_server_config *config = &server->config;
    struct MHD_OptionItem options[OPTIONS_MAX];
    size_t count = 0;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD;
    flags |= config->waits ? (unsigned)MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL
                           : (unsigned)MHD_USE_EPOLL;
    if (config->waits)
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_STACK_SIZE, STACK_SIZE, NULL};
    if (config->tls_certificate != NULL) {
        flags |= MHD_USE_TLS;
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                                   (void *)config->tls_certificate};
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)config->tls_key};
        options[count++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0,
            (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"};
    }
    if (config->tls_client_ca != NULL)
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                                   (void *)config->tls_client_ca};
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, where,
                            MHD_OPTION_CONNECTION_LIMIT, config->connections_max,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_SIZE_MAX,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_ARRAY,
                            options, MHD_OPTION_END);
}

static void set_defaults(struct hub_http_server_config *config) {
    if (config->body_size_max_bytes == 0)
        config->body_size_max_bytes = BODY_SIZE_MAX;
    if (config->connections_max == 0)
        config->connections_max = CONNECTIONS_MAX;
    if (config->body_timeout_ms == 0)
        config->body_timeout_ms = BODY_TIMEOUT_MS;
}

static void discard(struct hub_http_server *server) {
    pthread_cond_destroy(&server->answered);
    pthread_mutex_destroy(&server->lock);
    hub_release(server);
}

enum hub_status hub_http_server_new(const struct hub_http_server_config *config,
                                    struct hub_http_server **ret_server,
                                    struct hub_error *reterr) {
    struct sockaddr_in where;
    if (!parse_address(config->address, &where))
        return hub_fail(reterr, HUB_FATAL, "'%s': HOST:PORT such as 127.0.0.1:8081 would pass",
                        config->address);
    if (config->tls_certificate != NULL)
        HUB_TRY(check_tls(config, reterr));
    struct hub_http_server *server = hub_allocate_zero(1, sizeof *server);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->answered, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&server->lock, NULL);
    server->config = *config;
    set_defaults(&server->config);
    server->daemon = start(server, &where);
    if (server->daemon == NULL) {
        discard(server);
        return hub_fail(reterr, HUB_FATAL, "cannot listen on %s: is the port taken?",
                        config->address);
    }
    *ret_server = server;
    return HUB_OK;
}

void hub_http_server_free(struct hub_http_server *server) {
    if (server == NULL)
        return;
    struct timespec until;
    int listening = MHD_quiesce_daemon(server->daemon);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LAST_WORDS_S;
    pthread_mutex_lock(&server->lock);
    while (server->busy > 0 &&
           pthread_cond_timedwait(&server->answered, &server->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&server->lock);
    MHD_stop_daemon(server->daemon);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    discard(server);
}
