/* What http-poll asks for: the address and the body of a page, with the values of parameters, token
 * and sweep in their places. */
#include "connectors/transports/http_poll.h"

#include <string.h>

enum { BODY_SIZE_MAX = 1024 * 1024 };

const char *http_token_of(const struct http_poll_options *own, const struct http_place *place) {
    return place->token != NULL ? place->token : own->first_token;
}

static bool has_its_place(const struct http_poll_options *own, const char *name) {
    return hub_template_has(own->url, name) ||
           (own->body != NULL && hub_template_has(own->body, name));
}

static void append_query(const struct http_poll_options *own, const json_t *values,
                         struct hub_buffer *url) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)values, name, value) {
        if (has_its_place(own, name))
            continue;
        hub_buffer_append_byte(url, memchr(url->data, '?', url->size) == NULL ? '?' : '&');
        hub_http_append_escaped(name, url);
        hub_buffer_append_byte(url, '=');
        hub_http_append_escaped(json_string_value(value), url);
    }
}

json_t *http_parameters(const struct http_poll_options *own) {
    json_t *request = json_object();
    for (size_t i = 0; own->parameters[i] != NULL; i++) {
        const char *equals = strchr(own->parameters[i], '=');
        size_t size = equals == NULL ? strlen(own->parameters[i])
                                     : (size_t)(equals - own->parameters[i]);
        json_object_setn_new(request, own->parameters[i], size,
                             json_string(equals == NULL ? "" : equals + 1));
    }
    return request;
}

static json_t *make_request(const struct http_poll_options *own, const struct http_place *place) {
    json_t *request = http_parameters(own);
    if (own->sweep_parameter != NULL)
        json_object_set_new(request, own->sweep_parameter,
                            json_string(own->sweep_values[place->sweep]));
    return request;
}

static enum hub_status make_address(const struct http_poll_options *own, const json_t *values,
                                    struct hub_arena *arena, const char **ret_address,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER url = {0};
    HUB_TRY(hub_template_fill(HUB_TEMPLATE_ESCAPED, own->url, values, &url, reterr));
    append_query(own, values, &url);
    *ret_address = hub_arena_text(arena, (const char *)url.data, url.size);
    return HUB_OK;
}

enum hub_status http_body_make(const struct http_poll_options *own, const char *text,
                               const json_t *values, struct hub_arena *arena,
                               const char **ret_body, struct hub_error *reterr) {
    enum hub_template_kind kind = HUB_TEMPLATE_JSON;
    HUB_SCOPED_BUFFER body = {.size_max = BODY_SIZE_MAX};
    if (!hub_template_kind_of(own->content_type, &kind))
        return hub_fail(reterr, HUB_FATAL, "content_type '%s'; application/json, application/xml "
                        "or application/x-www-form-urlencoded would pass", own->content_type);
    HUB_TRY(hub_template_fill(kind, text, values, &body, reterr));
    if (hub_buffer_overflowed(&body))
        return hub_fail(reterr, HUB_FATAL, "the body passes the limit of %d bytes", BODY_SIZE_MAX);
    *ret_body = hub_arena_text(arena, (const char *)body.data, body.size);
    return HUB_OK;
}

static enum hub_status fill_asking(const struct http_poll_options *own,
                                   const struct http_place *place, json_t *values,
                                   struct hub_arena *arena, struct http_asking *asking,
                                   struct hub_error *reterr) {
    if (own->first_token != NULL)
        json_object_set_new(values, own->token_parameter, json_string(own->first_token));
    else if (own->token_parameter != NULL && has_its_place(own, own->token_parameter))
        json_object_set_new(values, own->token_parameter, json_string(""));
    HUB_TRY(make_address(own, values, arena, &asking->base, reterr));
    if (place->token != NULL)
        json_object_set_new(values, own->token_parameter, json_string(place->token));
    HUB_TRY(make_address(own, values, arena, &asking->address, reterr));
    if (place->link != NULL) /* it names the page that the first one's body had made */
        asking->address = hub_arena_text(arena, place->link, strlen(place->link));
    else if (own->body != NULL)
        HUB_TRY(http_body_make(own, own->body, values, arena, &asking->body, reterr));
    return HUB_OK;
}

enum hub_status http_asking_make(const struct http_poll_options *own,
                                 const struct http_place *place, struct hub_arena *arena,
                                 struct http_asking *ret_asking, struct hub_error *reterr) {
    *ret_asking = (struct http_asking){.request = make_request(own, place)};
    json_t *values = json_copy(ret_asking->request);
    enum hub_status status = fill_asking(own, place, values, arena, ret_asking, reterr);
    json_decref(values);
    return status;
}

enum hub_status http_asking_check(const struct http_poll_options *own, struct hub_arena *arena,
                                  struct hub_error *reterr) {
    struct http_place first = {0};
    struct http_asking asking;
    json_error_t error;
    enum hub_template_kind kind = HUB_TEMPLATE_XML;
    enum hub_status status = http_asking_make(own, &first, arena, &asking, reterr);
    json_decref(asking.request);
    HUB_TRY(status);
    if (asking.body == NULL || !hub_template_kind_of(own->content_type, &kind) ||
        kind != HUB_TEMPLATE_JSON)
        return HUB_OK;
    json_t *body = json_loads(asking.body, JSON_DECODE_ANY, &error);
    if (body == NULL)
        return hub_fail(reterr, HUB_FATAL, "body: it is no JSON at character %d: %s",
                        error.position, error.text);
    json_decref(body);
    return HUB_OK;
}
