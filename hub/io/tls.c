#include "hub/io/tls.h"

#include "hub/base/memory.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

struct hub_tls {
    SSL_CTX *context;
};

struct hub_tls_session {
    SSL *ssl;
    const char *why;
    bool failed; /* nothing may be said any more */
};

/* A key that has a password is refused and nobody asked. */
static int no_password(char *buffer, int size, int writing, void *context) {
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

/* The first of a row of errors is what the others come from. */
static const char *first_reason(void) {
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_SYSTEM_ERROR(error) ? strerrordesc_np(ERR_GET_REASON(error))
                                                 : ERR_reason_error_string(error);
    ERR_clear_error();
    return reason;
}

static enum hub_status refuse_file(const char *what, const char *file, const char *wanted,
                                   struct hub_error *reterr) {
    const char *reason = first_reason();
    return hub_fail(reterr, HUB_FATAL, "%s %s: %s; %s would pass", what, file,
                    reason == NULL ? "it cannot be read" : reason, wanted);
}

static enum hub_status use_files(SSL_CTX *context, const char *certificate, const char *key,
                                 const char *client_authorities, struct hub_error *reterr) {
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return refuse_file("certificate", certificate, "a PEM file of certificates, our own first,",
                           reterr);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return refuse_file("key", key, "the PEM file of the certificate's key, without a password,",
                           reterr);
    if (client_authorities == NULL)
        return HUB_OK;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_authorities);
    if (names == NULL || SSL_CTX_load_verify_locations(context, client_authorities, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return refuse_file("authorities", client_authorities, "a PEM file of certificates", reterr);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return HUB_OK;
}

enum hub_status hub_tls_new(const char *certificate, const char *key,
                            const char *client_authorities, struct hub_tls **ret_tls,
                            struct hub_error *reterr) {
    SSL_CTX *context = hub_need(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    ERR_clear_error();
    enum hub_status status = use_files(context, certificate, key, client_authorities, reterr);
    if (status != HUB_OK) {
        SSL_CTX_free(context);
        return status;
    }
    *ret_tls = hub_allocate(sizeof **ret_tls);
    (*ret_tls)->context = context;
    return HUB_OK;
}

void hub_tls_free(struct hub_tls *tls) {
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    hub_release(tls);
}

struct hub_tls_session *hub_tls_session_new(struct hub_tls *tls, int connection) {
    struct hub_tls_session *session = hub_allocate_zero(1, sizeof *session);
    session->ssl = hub_need(SSL_new(tls->context));
    if (SSL_set_fd(session->ssl, connection) != 1)
        hub_memory_end();
    SSL_set_accept_state(session->ssl);
    return session;
}

void hub_tls_session_free(struct hub_tls_session *session) {
    if (session == NULL)
        return;
    if (!session->failed && SSL_is_init_finished(session->ssl))
        SSL_shutdown(session->ssl);
    ERR_clear_error();
    SSL_free(session->ssl);
    hub_release(session);
}

bool hub_tls_is_agreed(const struct hub_tls_session *session) {
    return SSL_is_init_finished(session->ssl);
}

const char *hub_tls_why(const struct hub_tls_session *session) {
    return session->why;
}

static enum hub_tls_result judge(struct hub_tls_session *session, int result) {
    if (result == 1)
        return HUB_TLS_SOME;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return HUB_TLS_NEEDS_INPUT;
    case SSL_ERROR_WANT_WRITE:
        return HUB_TLS_NEEDS_OUTPUT;
    case SSL_ERROR_ZERO_RETURN:
        return HUB_TLS_OVER;
    case SSL_ERROR_SYSCALL: /* the peer has gone */
        session->failed = true;
        return HUB_TLS_OVER;
    default: /* OpenSSL has more, and none that could go on */
        session->failed = true;
        session->why = first_reason();
        return HUB_TLS_OVER;
    }
}

enum hub_tls_result hub_tls_read(struct hub_tls_session *session, void *data, size_t size,
                                 size_t *ret_size) {
    ERR_clear_error();
    return judge(session, SSL_read_ex(session->ssl, data, size, ret_size));
}

enum hub_tls_result hub_tls_write(struct hub_tls_session *session, struct hub_bytes bytes,
                                  size_t *ret_size) {
    ERR_clear_error();
    return judge(session, SSL_write_ex(session->ssl, bytes.data, bytes.size, ret_size));
}
