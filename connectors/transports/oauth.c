#include "connectors/transports/oauth.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

enum { TIMEOUT_MS = 30000, ANSWER_SIZE_MAX = 64 * 1024, TOKEN_SIZE_MAX = 16 * 1024,
       MARGIN_MS = 30000, LIFE_MAX_S = 7 * 86400, ERROR_SIZE_MAX = 64 };

enum hub_status hub_oauth_check(const struct hub_oauth_options *options,
                                struct hub_error *reterr) {
    bool has_client = options->client_id != NULL && options->client_secret != NULL;
    bool has_any = options->client_id != NULL || options->client_secret != NULL ||
                   options->scope != NULL;
    if (options->token_url == NULL ? has_any : !has_client)
        return hub_fail(reterr, HUB_FATAL,
                        "oauth_token_url, oauth_client_id and oauth_client_secret need each other");
    if (options->token_url != NULL && !hub_http_is_private(options->token_url))
        return hub_fail(reterr, HUB_FATAL,
                        "oauth_token_url '%s': a secret goes there; https would pass",
                        options->token_url);
    return HUB_OK;
}

/* RFC 4648 section 4. */
static void append_base64(struct hub_bytes bytes, struct hub_buffer *buffer) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        hub_buffer_append_byte(buffer, (uint8_t)letters[group >> 18]);
        hub_buffer_append_byte(buffer, (uint8_t)letters[group >> 12 & 63]);
        hub_buffer_append_byte(buffer, left > 1 ? (uint8_t)letters[group >> 6 & 63] : '=');
        hub_buffer_append_byte(buffer, left > 2 ? (uint8_t)letters[group & 63] : '=');
    }
}

static void append_member(struct hub_buffer *body, const char *name, const char *value) {
    hub_buffer_append_format(body, "&%s=", name);
    hub_http_append_escaped(value, body);
}

static enum hub_status ask(const struct hub_oauth *oauth, struct hub_http_client *client,
                           struct hub_arena *arena, struct hub_http_answer *ret_answer,
                           struct hub_error *reterr) {
    const struct hub_oauth_options *own = oauth->options;
    const char *headers[4] = {"Content-Type: application/x-www-form-urlencoded",
                              "Accept: application/json"};
    HUB_SCOPED_BUFFER body = {0};
    hub_buffer_append_text(&body, "grant_type=client_credentials");
    if (own->scope != NULL)
        append_member(&body, "scope", own->scope);
    if (strcmp(own->authentication, "client_secret_post") == 0) {
        append_member(&body, "client_id", own->client_id);
        append_member(&body, "client_secret", own->client_secret);
    } else {
        HUB_SCOPED_BUFFER pair = {0}, header = {0};
        hub_http_append_escaped(own->client_id, &pair);
        hub_buffer_append_byte(&pair, ':');
        hub_http_append_escaped(own->client_secret, &pair);
        hub_buffer_append_text(&header, "Authorization: Basic ");
        append_base64(hub_buffer_bytes(&pair), &header);
        headers[2] = hub_arena_text(arena, (const char *)header.data, header.size);
    }
    struct hub_http_request request = {.url = own->token_url,
                                       .headers = headers,
                                       .body = hub_buffer_text(&body),
                                       .timeout_ms = TIMEOUT_MS,
                                       .size_max = ANSWER_SIZE_MAX};
    return hub_http_ask(client, &request, arena, ret_answer, reterr);
}

/* What may stand in a header and is no longer than a token need be. */
static bool is_token(const char *text) {
    size_t size = text == NULL ? 0 : strlen(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return size > 0 && size <= TOKEN_SIZE_MAX;
}

static enum hub_status take(struct hub_oauth *oauth, const json_t *answer, int64_t now_ms,
                            struct hub_error *reterr) {
    const char *token = json_string_value(json_object_get(answer, "access_token"));
    const char *type = json_string_value(json_object_get(answer, "token_type"));
    const json_t *life = json_object_get(answer, "expires_in");
    int64_t life_s = json_is_number(life) ? (int64_t)json_number_value(life) : LIFE_MAX_S;
    if (!is_token(token) || type == NULL || strcasecmp(type, "Bearer") != 0)
        return hub_fail(reterr, HUB_FATAL,
                        "%s: its answer has no access_token of token_type Bearer",
                        oauth->options->token_url);
    HUB_SCOPED_BUFFER header = {0};
    hub_buffer_append_format(&header, "Authorization: Bearer %s", token);
    hub_release(oauth->header);
    oauth->header = hub_copy_text(hub_buffer_text(&header));
    life_s = life_s > LIFE_MAX_S ? LIFE_MAX_S : life_s;
    /* One that lives shorter than the margin is used once: the next request asks anew. */
    oauth->until_ms = now_ms + life_s * 1000 - MARGIN_MS;
    return HUB_OK;
}

static enum hub_status refuse(const struct hub_oauth *oauth, const json_t *answer, long status,
                              struct hub_error *reterr) {
    const char *why = json_string_value(json_object_get(answer, "error"));
    bool later = status == 408 || status == 429 || status >= 500;
    return hub_fail(reterr, later ? HUB_RETRY : HUB_FATAL, "%s: HTTP %ld%s%.*s",
                    oauth->options->token_url, status, why == NULL ? "" : ", ", ERROR_SIZE_MAX,
                    why == NULL ? "" : why);
}

static enum hub_status renew(struct hub_oauth *oauth, struct hub_http_client *client,
                             int64_t now_ms, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_http_answer answer;
    json_error_t error;
    enum hub_status status = ask(oauth, client, &arena, &answer, reterr);
    if (status == HUB_REJECT)
        status = HUB_FATAL;
    if (status == HUB_OK) {
        json_t *said = json_loadb((const char *)answer.body.data, answer.body.size, 0, &error);
        status = answer.status == 200 ? take(oauth, said, now_ms, reterr)
                                      : refuse(oauth, said, answer.status, reterr);
        json_decref(said);
    }
    hub_arena_destroy(&arena);
    return status;
}

enum hub_status hub_oauth_header(struct hub_oauth *oauth, struct hub_http_client *client,
                                 int64_t now_ms, const char **ret_header,
                                 struct hub_error *reterr) {
    *ret_header = NULL;
    if (oauth->options->token_url == NULL)
        return HUB_OK;
    if (oauth->header == NULL || now_ms >= oauth->until_ms)
        HUB_TRY(renew(oauth, client, now_ms, reterr));
    *ret_header = oauth->header;
    return HUB_OK;
}

bool hub_oauth_forget(struct hub_oauth *oauth) {
    bool was = oauth->header != NULL;
    oauth->header = hub_release(oauth->header);
    return was;
}
