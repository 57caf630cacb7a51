#include "hub/io/http_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_TIMEOUT_MS = 10000, HEADER_SIZE_MAX = 8192, RETRY_AFTER_MAX_S = 7 * 86400 };

struct hub_http_client {
    CURL *handle;
};

struct exchange {
    struct hub_buffer body;
    struct hub_arena *arena;
    struct hub_http_answer answer;
};

enum hub_status hub_http_client_new(struct hub_http_client **ret_client,
                                    struct hub_error *reterr) {
    struct hub_http_client *client = hub_allocate_zero(1, sizeof *client);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, hub_allocate, free, hub_reallocate,
                             hub_copy_text, hub_allocate_zero) != CURLE_OK ||
        (client->handle = curl_easy_init()) == NULL) {
        hub_release(client);
        return hub_fail(reterr, HUB_FATAL, "libcurl cannot be started");
    }
    *ret_client = client;
    return HUB_OK;
}

void hub_http_client_free(struct hub_http_client *client) {
    if (client == NULL)
        return;
    curl_easy_cleanup(client->handle);
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
    if (length > HEADER_SIZE_MAX)
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

static bool configure(CURL *handle, const struct hub_http_request *request,
                      struct exchange *exchange, struct curl_slist *headers) {
    curl_easy_reset(handle);
    return curl_easy_setopt(handle, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_USERAGENT, "atmp-hub") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)CONNECT_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERDATA, exchange) == CURLE_OK;
}

static enum hub_status perform(CURL *handle, const struct hub_http_request *request,
                               struct exchange *exchange, struct hub_error *reterr) {
    CURLcode code = curl_easy_perform(handle);
    if (hub_buffer_overflowed(&exchange->body))
        return hub_fail(reterr, HUB_REJECT, "%s: the answer passes the limit of %zu bytes",
                        request->url, request->size_max);
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
        return hub_fail(reterr, HUB_FATAL, "%s: %s", request->url, curl_easy_strerror(code));
    if (code != CURLE_OK)
        return hub_fail(reterr, HUB_RETRY, "%s: %s", request->url, curl_easy_strerror(code));
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &exchange->answer.status);
    if (curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
        exchange->answer.retry_after_ms =
            1000 * (seconds > RETRY_AFTER_MAX_S ? (int64_t)RETRY_AFTER_MAX_S : (int64_t)seconds);
    return HUB_OK;
}

enum hub_status hub_http_get(struct hub_http_client *client,
                             const struct hub_http_request *request, struct hub_arena *arena,
                             struct hub_http_answer *ret_answer, struct hub_error *reterr) {
    struct exchange exchange = {.body = {.size_max = request->size_max}, .arena = arena};
    struct curl_slist *headers = NULL;
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        headers = curl_slist_append(headers, request->headers[i]);
    enum hub_status status = HUB_OK;
    if (configure(client->handle, request, &exchange, headers))
        status = perform(client->handle, request, &exchange, reterr);
    else
        status = hub_fail(reterr, HUB_FATAL, "%s: libcurl refuses the request", request->url);
    if (status == HUB_OK) {
        char *copy = hub_arena_text(arena, (const char *)exchange.body.data, exchange.body.size);
        exchange.answer.body = hub_bytes(copy, exchange.body.size);
        *ret_answer = exchange.answer;
    }
    curl_slist_free_all(headers);
    hub_buffer_free(&exchange.body);
    return status;
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
    return hub_fail(reterr, HUB_REJECT, "%s: its link to the next page %s; one at the same scheme, "
                    "host and port would pass", from,
                    valid ? "leads elsewhere" : "is no address");
}

void hub_http_append_escaped(struct hub_http_client *client, const char *text,
                             struct hub_buffer *buffer) {
    char *escaped = curl_easy_escape(client->handle, text, (int)strlen(text));
    hub_buffer_append_text(buffer, escaped == NULL ? "" : escaped);
    curl_free(escaped);
}
