/* http-poll: a web interface that is asked again and again.
 *
 * One sweep asks for every page, following the token that each page gives, and does so for every
 * value of the sweep parameter where there is one. A page that is the whole of its answer is asked
 * for with ETag or If-Modified-Since afterwards, and not handed on when it has not changed. The
 * position is the token to go on with, so that an interrupted sweep continues. */
#include "connectors/transports/transports.h"

#include "connectors/transports/link.h"
#include "hub/io/http_client.h"

#include <string.h>
#include <time.h>

enum { PAGES_MAX = 100000, HEADERS_MAX = 32 };

struct http_poll_options {
    const char *url;
    const char *const *headers;
    const char *const *parameters;
    const char *next;
    const char *token_parameter;
    const char *sweep_parameter;
    const char *const *sweep_values;
    int64_t interval_ms;
    int64_t timeout_ms;
    int64_t size_max_bytes;
};

static const struct hub_option options[] = {
    {.name = "url",
     HUB_TEXT_OPTION(struct http_poll_options, url),
     .required = true,
     .help = "Address of the first page, without the parameters below. Every record tells the "
             "address that it came from: a secret belongs in a header."},
    {.name = "headers",
     HUB_TEXTS_OPTION(struct http_poll_options, headers),
     .help = "Request headers, each 'Name: value'."},
    {.name = "parameters",
     HUB_TEXTS_OPTION(struct http_poll_options, parameters),
     .help = "Query parameters, each name=value; also @request.name."},
    {.name = "next",
     HUB_TEXT_OPTION(struct http_poll_options, next),
     .help = "Top-level member of a JSON page that holds the next page's token, or 'link' for a "
             "Link header with rel=\"next\" (RFC 8288); without it an answer is one page."},
    {.name = "token_parameter",
     HUB_TEXT_OPTION(struct http_poll_options, token_parameter),
     .help = "Query parameter that takes the token."},
    {.name = "sweep_parameter",
     HUB_TEXT_OPTION(struct http_poll_options, sweep_parameter),
     .help = "Query parameter that takes each of sweep_values in turn."},
    {.name = "sweep_values",
     HUB_TEXTS_OPTION(struct http_poll_options, sweep_values),
     .help = "The values of sweep_parameter."},
    {.name = "interval_ms",
     HUB_NUMBER_OPTION(struct http_poll_options, interval_ms),
     .initial = "60000",
     .minimum = 100,
     .maximum = 86400000,
     .help = "From the end of one sweep to the start of the next, in milliseconds."},
    {.name = "timeout_ms",
     HUB_NUMBER_OPTION(struct http_poll_options, timeout_ms),
     .initial = "30000",
     .minimum = 100,
     .maximum = 600000,
     .help = "For one page, in milliseconds."},
    {.name = "size_max_bytes",
     HUB_NUMBER_OPTION(struct http_poll_options, size_max_bytes),
     .initial = "16777216",
     .minimum = 1024,
     .maximum = 16777216,
     .help = "Of one page."},
    {0},
};

/* Where a sweep stands; rendered as the position. */
struct place {
    json_t *validators; /* request without token -> {etag, last_modified} */
    char *token;        /* of the next page, or NULL for the first one */
    char *link;         /* address of the next page, where a Link header gave it */
    int64_t sweep;      /* index of the sweep value */
    int64_t page;       /* within the value; bounds a service that never ends */
};

struct http_poll {
    const struct http_poll_options *options;
    struct hub_env env;
    struct hub_http_client *client;
    struct place place, pending;
    bool resting;
    int64_t rest_until_ms; /* by the monotonic clock */
    bool pending_rest;
};

static void forget_page(struct place *place) {
    place->token = hub_release(place->token);
    place->link = hub_release(place->link);
}

static void free_place(struct place *place) {
    json_decref(place->validators);
    forget_page(place);
    *place = (struct place){0};
}

static char *copy_or_null(const char *text) {
    return text == NULL ? NULL : hub_copy_text(text);
}

static struct place copy_place(const struct place *place) {
    return (struct place){json_deep_copy(place->validators), copy_or_null(place->token),
                          copy_or_null(place->link), place->sweep, place->page};
}

static enum hub_status load_place(struct http_poll *state, struct hub_error *reterr) {
    json_error_t error;
    state->place.validators = json_object();
    if (state->env.position == NULL)
        return HUB_OK;
    json_t *position = json_loads(state->env.position, 0, &error);
    json_t *validators = json_object_get(position, "validators");
    if (!json_is_object(validators)) {
        json_decref(position);
        return hub_fail(reterr, HUB_FATAL,
                        "the position is not one of http-poll: {\"validators\": {...}, ...} would "
                        "pass");
    }
    json_object_update(state->place.validators, validators);
    state->place.token = copy_or_null(json_string_value(json_object_get(position, "token")));
    state->place.link = copy_or_null(json_string_value(json_object_get(position, "link")));
    state->place.sweep = json_integer_value(json_object_get(position, "sweep"));
    json_decref(position);
    /* The configuration may have other values by now. */
    int64_t values = 0;
    while (state->options->sweep_values[values] != NULL)
        values++;
    if (state->place.sweep == 0 || (state->place.sweep > 0 && state->place.sweep < values))
        return HUB_OK;
    state->place.sweep = 0;
    forget_page(&state->place);
    return HUB_OK;
}

static bool follows_links(const struct http_poll_options *own) {
    return own->next != NULL && strcmp(own->next, "link") == 0;
}

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct http_poll_options *own = options_;
    size_t headers = 0;
    bool sweeps = own->sweep_parameter != NULL;
    bool takes_token = own->next != NULL && !follows_links(own);
    if (sweeps != (own->sweep_values[0] != NULL))
        return hub_fail(reterr, HUB_FATAL, "sweep_parameter and sweep_values need each other");
    if (takes_token != (own->token_parameter != NULL))
        return hub_fail(reterr, HUB_FATAL, "token_parameter and a next that names a member need "
                        "each other");
    while (own->headers[headers] != NULL)
        headers++;
    if (headers > HEADERS_MAX)
        return hub_fail(reterr, HUB_FATAL, "%zu headers, over the limit of %d", headers,
                        HEADERS_MAX);
    return HUB_OK;
}

static enum hub_status open_poll(void *state_, const void *options_, const struct hub_env *env,
                                 struct hub_error *reterr) {
    struct http_poll *state = state_;
    state->options = options_;
    state->env = *env;
    HUB_TRY(load_place(state, reterr));
    return hub_http_client_new(&state->client, reterr);
}

static void close_poll(void *state_) {
    struct http_poll *state = state_;
    hub_http_client_free(state->client);
    free_place(&state->place);
    free_place(&state->pending);
}

/* --- one page --- */

static void append_parameter(struct http_poll *state, struct hub_buffer *url, const char *name,
                             const char *value) {
    bool first = memchr(url->data, '?', url->size) == NULL;
    hub_buffer_append_byte(url, first ? '?' : '&');
    hub_http_append_escaped(state->client, name, url);
    hub_buffer_append_byte(url, '=');
    hub_http_append_escaped(state->client, value, url);
}

/* The address and the parameters that make the page, also as the context @request. */
static json_t *make_request(struct http_poll *state, struct hub_buffer *url) {
    const struct http_poll_options *own = state->options;
    json_t *request = json_object();
    hub_buffer_append_text(url, own->url);
    for (size_t i = 0; own->parameters[i] != NULL; i++) {
        const char *equals = strchr(own->parameters[i], '=');
        size_t size = equals == NULL ? strlen(own->parameters[i])
                                     : (size_t)(equals - own->parameters[i]);
        char *name = hub_copy_bytes(own->parameters[i], size);
        const char *value = equals == NULL ? "" : equals + 1;
        append_parameter(state, url, name, value);
        json_object_set_new(request, name, json_string(value));
        hub_release(name);
    }
    if (own->sweep_parameter != NULL) {
        const char *value = own->sweep_values[state->place.sweep];
        append_parameter(state, url, own->sweep_parameter, value);
        json_object_set_new(request, own->sweep_parameter, json_string(value));
    }
    return request;
}

static bool is_first_page(const struct place *place) {
    return place->token == NULL && place->link == NULL;
}

static enum hub_status fetch(struct http_poll *state, const char *base, const char *url,
                             struct hub_arena *arena, struct hub_http_answer *ret_answer,
                             struct hub_error *reterr) {
    const char *headers[HEADERS_MAX + 3] = {0};
    size_t count = 0;
    for (; state->options->headers[count] != NULL; count++)
        headers[count] = state->options->headers[count];
    const json_t *validators = json_object_get(state->place.validators, base);
    const char *etag = json_string_value(json_object_get(validators, "etag"));
    const char *modified = json_string_value(json_object_get(validators, "last_modified"));
    if (is_first_page(&state->place) && etag != NULL)
        headers[count++] = hub_arena_format(arena, "If-None-Match: %s", etag);
    if (is_first_page(&state->place) && modified != NULL)
        headers[count++] = hub_arena_format(arena, "If-Modified-Since: %s", modified);
    struct hub_http_request request = {.url = url,
                                       .headers = headers,
                                       .timeout_ms = state->options->timeout_ms,
                                       .size_max = (size_t)state->options->size_max_bytes};
    return hub_http_get(state->client, &request, arena, ret_answer, reterr);
}

/* What the page's member says; NULL where it is absent, null, or no page that can be read. */
static enum hub_status next_token(const char *member, struct hub_bytes body, char **ret_token,
                                  struct hub_error *reterr) {
    json_error_t error;
    json_t *page = json_loadb((const char *)body.data, body.size, 0, &error);
    const json_t *token = json_object_get(page, member);
    enum hub_status status = HUB_OK;
    *ret_token = NULL;
    if (json_is_string(token) && json_string_length(token) > 0) {
        *ret_token = hub_copy_text(json_string_value(token));
    } else if (json_is_integer(token)) {
        HUB_SCOPED_BUFFER text = {0};
        hub_buffer_append_format(&text, "%lld", (long long)json_integer_value(token));
        *ret_token = hub_copy_text(hub_buffer_text(&text));
    } else if (token != NULL && !json_is_null(token) && !json_is_string(token)) {
        status = hub_fail(reterr, HUB_FATAL,
                          "member '%s' of a page is no text or whole number, which a token is",
                          member);
    }
    json_decref(page);
    return status;
}

/* Where the page after this one is; nothing where this is the last. */
static enum hub_status find_next(const struct http_poll *state, const struct hub_http_answer *answer,
                                 const char *address, struct hub_arena *arena, struct place *next,
                                 struct hub_error *reterr) {
    const struct http_poll_options *own = state->options;
    if (answer->status != 200 || own->next == NULL)
        return HUB_OK;
    if (!follows_links(own))
        return next_token(own->next, answer->body, &next->token, reterr);
    char *reference = hub_link_next(answer->link);
    const char *url = NULL;
    if (reference == NULL)
        return HUB_OK;
    enum hub_status status = hub_http_follow(address, reference, arena, &url, reterr);
    hub_release(reference);
    if (status != HUB_OK)
        return HUB_FATAL;
    next->link = hub_copy_text(url);
    return HUB_OK;
}

static bool is_same(const char *a, const char *b) {
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A page that is the whole of its answer need not come again while it is the same. */
static void keep_validators(struct place *next, const struct hub_http_answer *answer,
                            const char *base, bool whole) {
    json_object_del(next->validators, base);
    if (whole && (answer->etag != NULL || answer->last_modified != NULL))
        json_object_set_new(next->validators, base,
                            json_pack("{s:s?, s:s?}", "etag", answer->etag, "last_modified",
                                      answer->last_modified));
}

/* Moves to the page after this one; `ret_over` where the sweep is over. */
static enum hub_status advance(struct http_poll *state, const struct hub_http_answer *answer,
                               const char *base, const char *address, struct hub_arena *arena,
                               bool *ret_over, struct hub_error *reterr) {
    const struct http_poll_options *own = state->options;
    struct place *next = &state->pending;
    bool first = is_first_page(&state->place);
    forget_page(next);
    HUB_TRY(find_next(state, answer, address, arena, next, reterr));
    bool more = !is_first_page(next);
    if (is_same(next->token, state->place.token) || is_same(next->link, address)) {
        forget_page(&state->place);
        return hub_fail(reterr, HUB_RETRY, "%s: the next page is this page; the sweep begins anew",
                        address);
    }
    if (more && next->page + 1 >= PAGES_MAX)
        return hub_fail(reterr, HUB_FATAL, "%s: more than %d pages", base, PAGES_MAX);
    if (first && answer->status == 200)
        keep_validators(next, answer, base, /* whole= */ !more);
    next->page = more ? next->page + 1 : 0;
    next->sweep += !more;
    bool ended = own->sweep_parameter == NULL || own->sweep_values[next->sweep] == NULL;
    *ret_over = !more && ended;
    if (*ret_over)
        next->sweep = 0;
    return HUB_OK;
}

static const char *render_place(struct hub_arena *arena, const struct place *place) {
    json_t *position = json_pack("{s:O, s:s?, s:s?, s:I}", "validators", place->validators,
                                 "token", place->token, "link", place->link, "sweep",
                                 (json_int_t)place->sweep);
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = hub_arena_text(arena, text, strlen(text));
    free(text);
    json_decref(position);
    return copy;
}

static enum hub_status judge(struct http_poll *state, const struct hub_http_answer *answer,
                             const char *url, struct hub_error *reterr) {
    if (answer->status == 200 || answer->status == 304)
        return HUB_OK;
    if (answer->status == 408 || answer->status == 429 || answer->status >= 500)
        return hub_fail(reterr, HUB_RETRY, "%s: HTTP %ld", url, answer->status);
    if (!is_first_page(&state->place)) {
        forget_page(&state->place); /* a token that is no longer good: the sweep begins anew */
        return hub_fail(reterr, HUB_RETRY, "%s: HTTP %ld for a page's token", url, answer->status);
    }
    return hub_fail(reterr, HUB_FATAL, "%s: HTTP %ld; 200 or 304 would pass", url, answer->status);
}

/* Why a page was refused; what comes after one with its token inside cannot be told. */
static const char *refusal(const struct http_poll *state, struct hub_arena *arena,
                           const struct hub_error *error) {
    return hub_arena_format(arena, "%s%s", error->text,
                            state->options->next == NULL
                                ? ""
                                : "; what comes after it in this sweep was not asked for");
}

static enum hub_status read_page(struct http_poll *state, struct hub_batch *batch,
                                 struct hub_error *reterr) {
    HUB_SCOPED_BUFFER url = {0};
    struct hub_http_answer answer = {0};
    json_t *request = make_request(state, &url);
    const char *base = hub_arena_text(&batch->arena, (const char *)url.data, url.size);
    if (state->place.token != NULL && state->options->token_parameter != NULL)
        append_parameter(state, &url, state->options->token_parameter, state->place.token);
    const char *address =
        state->place.link != NULL ? state->place.link : hub_buffer_text(&url);
    address = hub_arena_text(&batch->arena, address, strlen(address));
    enum hub_status status = fetch(state, base, address, &batch->arena, &answer, reterr);
    if (status == HUB_OK)
        status = judge(state, &answer, address, reterr);
    batch->retry_after_ms = answer.retry_after_ms;
    const char *refused = status == HUB_REJECT ? refusal(state, &batch->arena, reterr) : NULL;
    if (status == HUB_OK || status == HUB_REJECT) {
        free_place(&state->pending);
        state->pending = copy_place(&state->place);
        enum hub_status moved = advance(state, &answer, base, address, &batch->arena,
                                        &state->pending_rest, reterr);
        status = moved == HUB_OK ? status : moved;
        batch->position = render_place(&batch->arena, &state->pending);
    }
    if ((status == HUB_OK && answer.status == 200) || status == HUB_REJECT) {
        batch->documents = hub_arena_take_zero(&batch->arena, 1, sizeof *batch->documents);
        batch->count = 1;
        batch->documents[0] = (struct hub_raw_document){
            .name = address,
            .bytes = answer.body,
            .context = json_pack("{s:O}", "request", request),
            .refused = refused,
            .refused_code = "SIZE"};
        status = HUB_OK;
    }
    json_decref(request);
    return status;
}

static void wait_ms(int64_t milliseconds) {
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&span, NULL);
}

static enum hub_status commit_poll(void *state_, struct hub_error *reterr) {
    struct http_poll *state = state_;
    (void)reterr;
    if (state->pending.validators == NULL)
        return HUB_OK;
    free_place(&state->place);
    state->place = state->pending;
    state->pending = (struct place){0};
    state->resting = state->pending_rest;
    state->rest_until_ms = state->env.monotonic_ms() + state->options->interval_ms;
    return HUB_OK;
}

static enum hub_status poll_http(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                 struct hub_error *reterr) {
    struct http_poll *state = state_;
    struct hub_batch batch = {0};
    int64_t left_ms = state->rest_until_ms - state->env.monotonic_ms();
    if (state->resting && left_ms > 0) {
        wait_ms(left_ms < timeout_ms ? left_ms : timeout_ms);
        batch.exhausted = true;
        *ret_batch = batch;
        return HUB_OK;
    }
    state->resting = false;
    enum hub_status status = read_page(state, &batch, reterr);
    if (status != HUB_OK) {
        int64_t retry_after_ms = batch.retry_after_ms;
        hub_batch_free(&batch);
        ret_batch->retry_after_ms = retry_after_ms;
        return status;
    }
    if (batch.count == 0) /* not modified: nothing waits for Kafka */
        status = commit_poll(state, reterr);
    *ret_batch = batch;
    return status;
}

static bool rereads(const void *options_) {
    (void)options_;
    return true;
}

const struct hub_transport hub_transport_http_poll = {
    .name = "http-poll",
    .summary = "A web interface that is asked again and again, page by page.",
    .options = options,
    .options_size = sizeof(struct http_poll_options),
    .check = check_options,
    .state_size = sizeof(struct http_poll),
    .open = open_poll,
    .poll = poll_http,
    .commit = commit_poll,
    .close = close_poll,
    .rereads = rereads,
};
