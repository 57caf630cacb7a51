#include "hub/io/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_TIMEOUT_MS = 10000, HEADER_SIZE_MAX = 8192, HEADERS_SIZE_MAX = 128 * 1024,
       RETRY_AFTER_MAX_S = 7 * 86400, LOOK_MS = 1000 };

struct hub_http_client {
    const struct hub_http_tls *tls;
    CURLM *together; /* keeps the connections of all */
    CURL *handles[HUB_HTTP_PARALLEL_MAX]; /* made when they are needed */
};

struct exchange {
    const struct hub_http_request *request;
    struct curl_slist *headers;
    struct hub_buffer body;
    size_t headers_size; /* of the answer, read so far */
    struct hub_arena *arena;
    struct hub_http_answer answer;
};

enum hub_status hub_http_client_new(const struct hub_http_tls *tls,
                                    struct hub_http_client **ret_client,
                                    struct hub_error *reterr) {
    struct hub_http_client *client = hub_allocate_zero(1, sizeof *client);
    client->tls = tls;
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, hub_allocate, free, hub_reallocate,
                             hub_copy_text, hub_allocate_zero) != CURLE_OK ||
        (client->together = curl_multi_init()) == NULL) {
        hub_release(client);
        return hub_fail(reterr, HUB_FATAL, "libcurl cannot be started");
    }
    *ret_client = client;
    return HUB_OK;
}

void hub_http_client_free(struct hub_http_client *client) {
    if (client == NULL)
        return;
    for (size_t i = 0; i < HUB_HTTP_PARALLEL_MAX; i++)
        curl_easy_cleanup(client->handles[i]);
    curl_multi_cleanup(client->together);
    hub_release(client);
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    struct exchange *exchange = context;
    hub_buffer_append(&exchange->body, data, size * count);
    return hub_buffer_overflowed(&exchange->body) ? 0 : size * count;
}

static const char *value_of(struct exchange *exchange, const char *line, size_t size,
                            const char *name) {
    size_t name_size = strlen(name);
    if (size <= name_size || strncasecmp(line, name, name_size) != 0 || line[name_size] != ':')
        return NULL;
    size_t from = name_size + 1, to = size;
    while (from < to && (line[from] == ' ' || line[from] == '\t'))
        from++;
    while (to > from && (line[to - 1] == '\r' || line[to - 1] == '\n' || line[to - 1] == ' '))
        to--;
    return hub_arena_text(exchange->arena, line + from, to - from);
}

static size_t on_header(char *line, size_t size, size_t count, void *context) {
    struct exchange *exchange = context;
    struct hub_http_answer *answer = &exchange->answer;
    size_t length = size * count;
    const char *value = NULL;
    exchange->headers_size += length;
    if (length > HEADER_SIZE_MAX || exchange->headers_size > HEADERS_SIZE_MAX)
        return 0;
    if ((value = value_of(exchange, line, length, "etag")) != NULL)
        answer->etag = value;
    else if ((value = value_of(exchange, line, length, "last-modified")) != NULL)
        answer->last_modified = value;
    else if ((value = value_of(exchange, line, length, "link")) != NULL)
        answer->link = answer->link == NULL
                           ? value
                           : hub_arena_format(exchange->arena, "%s, %s", answer->link, value);
    return length;
}

static bool configure_tls(CURL *handle, const struct hub_http_tls *tls) {
    static const struct hub_http_tls none = {0};
    tls = tls == NULL ? &none : tls;
    return curl_easy_setopt(handle, CURLOPT_SSLVERSION,
                            (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           (tls->certificate == NULL ||
            curl_easy_setopt(handle, CURLOPT_SSLCERT, tls->certificate) == CURLE_OK) &&
           (tls->key == NULL || curl_easy_setopt(handle, CURLOPT_SSLKEY, tls->key) == CURLE_OK) &&
           (tls->authorities == NULL ||
            curl_easy_setopt(handle, CURLOPT_CAINFO, tls->authorities) == CURLE_OK);
}

static bool configure(CURL *handle, struct exchange *exchange) {
    const struct hub_http_request *request = exchange->request;
    curl_easy_reset(handle);
    return curl_easy_setopt(handle, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_USERAGENT, "atmp-hub") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip, deflate") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)CONNECT_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK &&
           (request->body == NULL ||
            curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body) == CURLE_OK) &&
           curl_easy_setopt(handle, CURLOPT_PRIVATE, exchange) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERDATA, exchange) == CURLE_OK;
}

static bool is_for_a_person(CURLcode code) {
    return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
           code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
}

static enum hub_status judge(CURL *handle, CURLcode code, struct exchange *exchange,
                             struct hub_error *reterr) {
    const struct hub_http_request *request = exchange->request;
    if (hub_buffer_overflowed(&exchange->body))
        return hub_fail(reterr, HUB_REJECT, "%s: the answer passes the limit of %zu bytes",
                        request->url, request->size_max);
    if (code != CURLE_OK)
        return hub_fail(reterr, is_for_a_person(code) ? HUB_FATAL : HUB_RETRY, "%s: %s",
                        request->url, curl_easy_strerror(code));
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &exchange->answer.status);
    if (curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
        exchange->answer.retry_after_ms =
            1000 * (seconds > RETRY_AFTER_MAX_S ? (int64_t)RETRY_AFTER_MAX_S : (int64_t)seconds);
    char *copy =
        hub_arena_text(exchange->arena, (const char *)exchange->body.data, exchange->body.size);
    exchange->answer.body = hub_bytes(copy, exchange->body.size);
    return HUB_OK;
}

/* --- several at a time --- */

struct round {
    struct hub_http_client *client;
    const struct hub_http_request *requests;
    size_t count, next, running;
    struct hub_arena *arena;
    struct hub_http_result *results;
};

static void finish(struct round *round, struct exchange *exchange, CURL *handle, CURLcode code) {
    struct hub_http_result *result = &round->results[exchange->request - round->requests];
    result->status = judge(handle, code, exchange, &result->error);
    result->answer = exchange->answer;
    curl_slist_free_all(exchange->headers);
    hub_buffer_free(&exchange->body);
    exchange->request = NULL;
}

/* Gives the next request to a handle that has nothing to do. */
static void begin(struct round *round, size_t slot, struct exchange *exchange) {
    const struct hub_http_request *request = &round->requests[round->next++];
    CURL **handle = &round->client->handles[slot];
    *exchange = (struct exchange){
        .request = request, .body = {.size_max = request->size_max}, .arena = round->arena};
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        exchange->headers = curl_slist_append(exchange->headers, request->headers[i]);
    if (*handle == NULL)
        *handle = hub_need(curl_easy_init());
    if (configure(*handle, exchange) && configure_tls(*handle, round->client->tls) &&
        curl_multi_add_handle(round->client->together, *handle) == CURLM_OK) {
        round->running++;
        return;
    }
    finish(round, exchange, *handle, CURLE_URL_MALFORMAT);
}

/* Whatever goes wrong with one of them, or with all, ends as its code. */
static void take_finished(struct round *round) {
    CURLM *together = round->client->together;
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(together, &left)) != NULL;) {
        CURL *handle = message->easy_handle;
        CURLcode code = message->data.result;
        struct exchange *exchange = NULL;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&exchange);
        curl_multi_remove_handle(together, handle);
        finish(round, exchange, handle, code);
        round->running--;
    }
}

void hub_http_ask_all(struct hub_http_client *client, const struct hub_http_request *requests,
                      size_t count, size_t parallel, struct hub_arena *arena,
                      struct hub_http_result *results) {
    struct exchange exchanges[HUB_HTTP_PARALLEL_MAX] = {0};
    struct round round = {client, requests, count, 0, 0, arena, results};
    assert(parallel > 0 && parallel <= HUB_HTTP_PARALLEL_MAX);
    memset(results, 0, count * sizeof *results);
    for (int running = 0; round.next < count || round.running > 0;) {
        for (size_t i = 0; i < parallel && round.next < count; i++)
            if (exchanges[i].request == NULL)
                begin(&round, i, &exchanges[i]);
        curl_multi_perform(client->together, &running);
        take_finished(&round);
        if (round.running == parallel || (round.next == count && round.running > 0))
            curl_multi_poll(client->together, NULL, 0, LOOK_MS, NULL);
    }
}

enum hub_status hub_http_ask(struct hub_http_client *client,
                             const struct hub_http_request *request, struct hub_arena *arena,
                             struct hub_http_answer *ret_answer, struct hub_error *reterr) {
    struct hub_http_result result;
    hub_http_ask_all(client, request, 1, 1, arena, &result);
    if (result.status == HUB_OK)
        *ret_answer = result.answer;
    else
        *reterr = result.error;
    return result.status;
}

static bool is_printable(const char *text) {
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static bool part_equals(CURLU *a, CURLU *b, CURLUPart part) {
    char *x = NULL, *y = NULL;
    bool equal = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                 curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                 strcasecmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return equal;
}

enum hub_status hub_http_follow(const char *from, const char *reference, struct hub_arena *arena,
                                const char **ret_url, struct hub_error *reterr) {
    CURLU *base = curl_url(), *next = curl_url();
    char *url = NULL;
    bool valid = is_printable(reference) &&
                 curl_url_set(base, CURLUPART_URL, from, 0) == CURLUE_OK &&
                 curl_url_set(next, CURLUPART_URL, from, 0) == CURLUE_OK &&
                 curl_url_set(next, CURLUPART_URL, reference, 0) == CURLUE_OK &&
                 curl_url_get(next, CURLUPART_URL, &url, 0) == CURLUE_OK;
    bool same = valid && part_equals(base, next, CURLUPART_SCHEME) &&
                part_equals(base, next, CURLUPART_HOST) &&
                part_equals(base, next, CURLUPART_PORT);
    if (same)
        *ret_url = hub_arena_text(arena, url, strlen(url));
    curl_free(url);
    curl_url_cleanup(base);
    curl_url_cleanup(next);
    if (same)
        return HUB_OK;
    return hub_fail(reterr, HUB_REJECT, "%s: its link %s; one at the same scheme, "
                    "host and port would pass", from,
                    valid ? "leads elsewhere" : "is no address");
}

static bool is_unreserved(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || strchr("-._~", letter) != NULL;
}

void hub_http_append_escaped(const char *text, struct hub_buffer *buffer) {
    for (; *text != '\0'; text++)
        if (is_unreserved(*text))
            hub_buffer_append_byte(buffer, (uint8_t)*text);
        else
            hub_buffer_append_format(buffer, "%%%02X", (unsigned char)*text);
}

void hub_http_append_unescaped(struct hub_bytes text, struct hub_buffer *buffer) {
    int size = 0;
    if (text.size == 0 || text.size > INT_MAX) /* of nothing curl looks for an end */
        return;
    char *plain = hub_need(
        curl_easy_unescape(NULL, (const char *)text.data, (int)text.size, &size));
    hub_buffer_append(buffer, plain, (size_t)size);
    curl_free(plain);
}

bool hub_http_is_private(const char *url) {
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL;
    bool valid = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool private = valid && (strcmp(scheme, "https") == 0 ||
                             (strcmp(scheme, "http") == 0 &&
                              (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
                               strcmp(host, "localhost") == 0)));
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    return private;
}
