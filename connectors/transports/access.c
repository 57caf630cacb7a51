#include "connectors/transports/access.h"

#include <string.h>
#include <time.h>

const char *const hub_oauth_authentications[] = {"client_secret_basic", "client_secret_post", NULL};

enum hub_status hub_access_check(const struct hub_access_options *options,
                                 struct hub_error *reterr) {
    size_t headers = 0;
    while (options->headers[headers] != NULL)
        headers++;
    if (headers > HUB_ACCESS_HEADERS_MAX)
        return hub_fail(reterr, HUB_FATAL, "%zu headers, over the limit of %d", headers,
                        HUB_ACCESS_HEADERS_MAX);
    if ((options->tls_certificate == NULL) != (options->tls_key == NULL))
        return hub_fail(reterr, HUB_FATAL, "tls_certificate and tls_key need each other");
    return hub_oauth_check(&options->oauth, reterr);
}

static const char *place_of(struct hub_access *access, const char *file) {
    if (file == NULL || file[0] == '/' || access->env.folder == NULL)
        return file;
    return hub_arena_format(&access->arena, "%s/%s", access->env.folder, file);
}

enum hub_status hub_access_open(struct hub_access *access,
                                const struct hub_access_options *options,
                                const struct hub_env *env, struct hub_error *reterr) {
    access->options = options;
    access->env = *env;
    access->tls = (struct hub_http_tls){.certificate = place_of(access, options->tls_certificate),
                                        .key = place_of(access, options->tls_key),
                                        .authorities = place_of(access, options->tls_ca)};
    access->oauth.options = &options->oauth;
    return hub_http_client_new(&access->tls, &access->client, reterr);
}

void hub_access_close(struct hub_access *access) {
    hub_http_client_free(access->client);
    hub_oauth_forget(&access->oauth);
    hub_arena_destroy(&access->arena);
}

void hub_access_wait_ms(int64_t milliseconds) {
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&span, NULL);
}

static int64_t rest_left_ms(const struct hub_access *access) {
    int64_t left_ms = access->rest_until_ms - access->env.monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

bool hub_access_rests(const struct hub_access *access, int64_t timeout_ms) {
    int64_t left_ms = rest_left_ms(access);
    if (left_ms == 0)
        return false;
    hub_access_wait_ms(left_ms < timeout_ms ? left_ms : timeout_ms);
    return true;
}

/* What is asked for together is rested for together, afterwards. */
static void pace(struct hub_access *access, size_t count) {
    int64_t most = access->options->requests_per_minute_max;
    if (most > 0)
        access->rest_until_ms = access->env.monotonic_ms() + rest_left_ms(access) +
                                (60000 * (int64_t)count + most - 1) / most;
}

/* The headers of the options, the request's own, and the token's. */
static struct hub_http_request prepare(const struct hub_access *access,
                                       const struct hub_access_request *request,
                                       const char *token, struct hub_arena *arena) {
    const struct hub_access_options *own = access->options;
    const char **headers = hub_arena_take_zero(
        arena, HUB_ACCESS_HEADERS_MAX + HUB_ACCESS_OWN_MAX + 2, sizeof *headers);
    size_t count = 0;
    for (size_t i = 0; own->headers[i] != NULL; i++)
        headers[count++] = own->headers[i];
    for (size_t i = 0; request->headers[i] != NULL; i++)
        headers[count++] = request->headers[i];
    headers[count] = token;
    return (struct hub_http_request){.url = request->url,
                                     .headers = headers,
                                     .body = request->body,
                                     .timeout_ms = own->timeout_ms,
                                     .size_max = (size_t)own->size_max_bytes};
}

static enum hub_status ask_once(struct hub_access *access,
                                const struct hub_access_request *requests, size_t count,
                                size_t parallel, struct hub_arena *arena,
                                struct hub_http_result *results, struct hub_error *reterr) {
    const char *token = NULL;
    pace(access, count);
    HUB_TRY(hub_oauth_header(&access->oauth, access->client, access->env.monotonic_ms(), &token,
                             reterr));
    struct hub_http_request *prepared = hub_arena_take_zero(arena, count, sizeof *prepared);
    for (size_t i = 0; i < count; i++)
        prepared[i] = prepare(access, &requests[i], token, arena);
    hub_http_ask_all(access->client, prepared, count, parallel, arena, results);
    return HUB_OK;
}

static bool is_unauthorised(const struct hub_http_result *result) {
    return result->status == HUB_OK && result->answer.status == 401;
}

enum hub_status hub_access_ask_all(struct hub_access *access,
                                   const struct hub_access_request *requests, size_t count,
                                   size_t parallel, struct hub_arena *arena,
                                   struct hub_http_result *results, struct hub_error *reterr) {
    HUB_TRY(ask_once(access, requests, count, parallel, arena, results, reterr));
    size_t refused = 0;
    for (size_t i = 0; i < count; i++)
        refused += is_unauthorised(&results[i]);
    if (refused == 0 || !hub_oauth_forget(&access->oauth))
        return HUB_OK;
    struct hub_access_request *again = hub_arena_take_zero(arena, refused, sizeof *again);
    struct hub_http_result *answers = hub_arena_take_zero(arena, refused, sizeof *answers);
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        if (is_unauthorised(&results[i]))
            again[at++] = requests[i];
    HUB_TRY(ask_once(access, again, refused, parallel, arena, answers, reterr));
    at = 0;
    for (size_t i = 0; i < count; i++)
        if (is_unauthorised(&results[i]))
            results[i] = answers[at++];
    return HUB_OK;
}

enum hub_status hub_access_ask(struct hub_access *access,
                               const struct hub_access_request *request, struct hub_arena *arena,
                               struct hub_http_answer *ret_answer, struct hub_error *reterr) {
    struct hub_http_result result;
    HUB_TRY(hub_access_ask_all(access, request, 1, 1, arena, &result, reterr));
    if (result.status == HUB_OK)
        *ret_answer = result.answer;
    else
        *reterr = result.error;
    return result.status;
}

bool hub_access_is_busy(long status) {
    return status == 408 || status == 429 || status >= 500;
}
