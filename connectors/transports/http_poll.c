/* http-poll: a web interface that is asked again and again.
 *
 * One sweep asks for every page, following the token or link that each page gives, and does so for
 * every value of the sweep parameter where there is one. A page that is the whole of its answer is
 * asked for with ETag or If-Modified-Since afterwards, and not handed on when it has not changed.
 * Pages may instead list what is then fetched by itself. The position is the page to go on with, so
 * that an interrupted sweep continues; what changed meanwhile in pages before it is found by the whole
 * sweep that follows. */
#include "connectors/transports/http_poll.h"
#include "connectors/transports/transports.h"

#include <string.h>

enum { PAGES_MAX = 100000 };

const char *const http_page_formats[] = {"json", "xml", NULL};

static const struct hub_option options[] = {
    HTTP_POLL_OPTIONS(struct http_poll_options, , "60000"),
    {0},
};

/* --- opening --- */

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct http_poll_options *own = options_;
    struct http_selectors selectors;
    struct hub_arena arena = {0};
    if ((own->sweep_parameter != NULL) != (own->sweep_values[0] != NULL))
        return hub_fail(reterr, HUB_FATAL, "sweep_parameter and sweep_values need each other");
    if ((own->ids != NULL) != (own->get != NULL))
        return hub_fail(reterr, HUB_FATAL, "ids and get need each other");
    if (own->get_body != NULL && own->get == NULL)
        return hub_fail(reterr, HUB_FATAL, "get_body needs get");
    enum hub_status status = http_selectors_parse(own, &arena, &selectors, reterr);
    if (status == HUB_OK)
        status = http_asking_check(own, &arena, reterr);
    if (status == HUB_OK)
        status = hub_access_check(&own->access, reterr);
    hub_arena_destroy(&arena);
    return status;
}

static enum hub_status open_poll(void *state_, const void *options_, const struct hub_env *env,
                                 struct hub_error *reterr) {
    struct http_poll *state = state_;
    state->options = options_;
    state->env = *env;
    HUB_TRY(http_place_load(&state->place, env->position, options_, reterr));
    state->continued = !http_place_is_first_page(&state->place) || state->place.sweep > 0;
    HUB_TRY(http_selectors_parse(options_, &state->arena, &state->selectors, reterr));
    return hub_access_open(&state->access, &state->options->access, env, reterr);
}

static void close_poll(void *state_) {
    struct http_poll *state = state_;
    hub_access_close(&state->access);
    http_place_free(&state->place);
    http_place_free(&state->pending);
    http_list_free(&state->list);
    hub_arena_destroy(&state->arena);
}

/* --- one page --- */

static enum hub_status fetch(struct http_poll *state, const struct http_asking *asking,
                             struct hub_arena *arena, struct hub_http_answer *ret_answer,
                             struct hub_error *reterr) {
    struct hub_access_request request = {.url = asking->address, .body = asking->body};
    const json_t *validators = json_object_get(state->place.validators, asking->base);
    const char *etag = json_string_value(json_object_get(validators, "etag"));
    const char *modified = json_string_value(json_object_get(validators, "last_modified"));
    bool first = http_place_is_first_page(&state->place);
    size_t count = 0;
    if (asking->body != NULL)
        request.headers[count++] =
            hub_arena_format(arena, "Content-Type: %s", state->options->content_type);
    if (first && etag != NULL)
        request.headers[count++] = hub_arena_format(arena, "If-None-Match: %s", etag);
    if (first && modified != NULL)
        request.headers[count++] = hub_arena_format(arena, "If-Modified-Since: %s", modified);
    return hub_access_ask(&state->access, &request, arena, ret_answer, reterr);
}

static bool is_same(const char *a, const char *b) {
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* A page that is the whole of its answer need not come again while it is the same. A list is always
 * asked for: what it lists may have changed. */
static void keep_validators(const struct http_poll *state, struct http_place *next,
                            const struct hub_http_answer *answer, const struct http_asking *asking,
                            bool whole) {
    bool keeps = whole && asking->body == NULL && state->selectors.ids == NULL;
    json_object_del(next->validators, asking->base);
    if (keeps && (answer->etag != NULL || answer->last_modified != NULL))
        json_object_set_new(next->validators, asking->base,
                            json_pack("{s:s?, s:s?}", "etag", answer->etag, "last_modified",
                                      answer->last_modified));
}

/* Moves to the page after this one; `ret_over` where the sweep is over. */
static enum hub_status advance(struct http_poll *state, const struct hub_http_answer *answer,
                               const json_t *tree, const struct http_asking *asking,
                               struct hub_arena *arena, bool *ret_over,
                               struct hub_error *reterr) {
    const struct http_poll_options *own = state->options;
    struct http_place *next = &state->pending;
    const char *token = http_token_of(own, &state->place);
    bool first = http_place_is_first_page(&state->place);
    http_place_forget_page(next);
    if (answer->status == 200)
        HUB_TRY(http_page_next(own, &state->selectors, answer, tree, asking->address, token, arena,
                               next, reterr));
    bool more = !http_place_is_first_page(next);
    if (is_same(next->token, token) || is_same(next->link, asking->address)) {
        http_place_forget_page(&state->place);
        return hub_fail(reterr, HUB_RETRY, "%s: the next page is this page; the sweep begins anew",
                        asking->address);
    }
    if (more && next->page + 1 >= PAGES_MAX)
        return hub_fail(reterr, HUB_FATAL, "%s: more than %d pages", asking->base, PAGES_MAX);
    if (first && answer->status == 200)
        keep_validators(state, next, answer, asking, /* whole= */ !more);
    next->page = more ? next->page + 1 : 0;
    next->sweep += !more;
    bool ended = own->sweep_parameter == NULL || own->sweep_values[next->sweep] == NULL;
    *ret_over = !more && ended;
    if (*ret_over)
        next->sweep = 0;
    return HUB_OK;
}

static enum hub_status judge(struct http_poll *state, const struct hub_http_answer *answer,
                             const char *url, struct hub_error *reterr) {
    if (answer->status == 200 || answer->status == 304)
        return HUB_OK;
    if (hub_access_is_busy(answer->status))
        return hub_fail(reterr, HUB_RETRY, "%s: HTTP %ld", url, answer->status);
    if (!http_place_is_first_page(&state->place) && answer->status != 401) {
        /* A token that is no longer good: the sweep begins anew. */
        http_place_forget_page(&state->place);
        return hub_fail(reterr, HUB_RETRY, "%s: HTTP %ld for a page's token", url, answer->status);
    }
    return hub_fail(reterr, HUB_FATAL, "%s: HTTP %ld; 200 or 304 would pass", url, answer->status);
}

static void add_page(struct hub_batch *batch, const struct http_asking *asking,
                     const struct hub_http_answer *answer, const char *refused,
                     const char *code) {
    batch->documents = hub_arena_take_zero(&batch->arena, 1, sizeof *batch->documents);
    batch->count = 1;
    batch->documents[0] = (struct hub_raw_document){
        .name = asking->address,
        .bytes = answer->body,
        .context = json_pack("{s:O}", "request", asking->request),
        .refused = refused,
        .refused_code = code};
}

/* Why a page was refused; what comes after one with its token inside cannot be told. */
static const char *refusal(const struct http_poll *state, struct hub_arena *arena,
                           const struct hub_error *error) {
    return hub_arena_format(arena, "%s%s", error->text,
                            state->options->next == NULL
                                ? ""
                                : "; what comes after it in this sweep was not asked for");
}

/* A page that came, or one that was too large (`refused`): to the one after it. */
static enum hub_status take_page(struct http_poll *state, const struct http_asking *asking,
                                 const struct hub_http_answer *answer, const char *refused,
                                 struct hub_batch *batch, struct hub_error *reterr) {
    struct hub_error error;
    json_t *tree = NULL;
    bool parses = state->options->next != NULL || state->selectors.ids != NULL;
    bool lists = state->selectors.ids != NULL && answer->status == 200;
    const char *code = "SIZE";
    if (parses && answer->status == 200 &&
        http_page_parse(state->options, answer->body, &batch->arena, &tree, &error) != HUB_OK &&
        lists) {
        refused = refusal(state, &batch->arena, &error);
        code = "PARSE";
    }
    http_place_free(&state->pending);
    state->pending = http_place_copy(&state->place);
    enum hub_status status = advance(state, answer, tree, asking, &batch->arena,
                                     &state->pending_rest, reterr);
    if (status == HUB_OK && lists && refused == NULL)
        status = http_list_take(&state->list, &state->selectors, tree, asking->address,
                                asking->request, reterr);
    else if (status == HUB_OK && (refused != NULL || answer->status == 200))
        add_page(batch, asking, answer, refused, refused == NULL ? NULL : code);
    batch->position = http_place_render(&state->pending, &batch->arena);
    json_decref(tree);
    state->looks = state->looks && refused == NULL;
    if (answer->status == 304)
        hub_batch_keep(batch, asking->address);
    return status;
}

/* A whole sweep begins with its first page, unless another session has begun it. */
static void begin_look(struct http_poll *state) {
    if (state->continued || !http_place_is_first_page(&state->place) || state->place.sweep > 0)
        return;
    state->begins_look = state->looks = true;
}

static enum hub_status read_page(struct http_poll *state, struct hub_batch *batch,
                                 struct hub_error *reterr) {
    struct hub_http_answer answer = {0};
    struct http_asking asking;
    begin_look(state);
    enum hub_status status =
        http_asking_make(state->options, &state->place, &batch->arena, &asking, reterr);
    if (status == HUB_OK)
        status = fetch(state, &asking, &batch->arena, &answer, reterr);
    if (status == HUB_OK)
        status = judge(state, &answer, asking.address, reterr);
    batch->retry_after_ms = answer.retry_after_ms;
    if (status == HUB_OK)
        status = take_page(state, &asking, &answer, /* refused= */ NULL, batch, reterr);
    else if (status == HUB_REJECT)
        status = take_page(state, &asking, &answer, refusal(state, &batch->arena, reterr), batch,
                           reterr);
    json_decref(asking.request);
    return status;
}

static enum hub_status read_listed(struct http_poll *state, struct hub_batch *batch,
                                   struct hub_error *reterr) {
    if (json_array_size(state->list.left) == 0) /* it named nothing */
        return HUB_OK;
    HUB_TRY(http_list_fetch(&state->list, &state->access, state->options, batch, reterr));
    bool last = json_array_size(state->list.pending_left) == 0;
    batch->position = http_place_render(last ? &state->pending : &state->place, &batch->arena);
    return HUB_OK;
}

/* --- the transport --- */

static enum hub_status commit_poll(void *state_, struct hub_error *reterr) {
    struct http_poll *state = state_;
    (void)reterr;
    if (state->list.pending_left != NULL && !http_list_commit(&state->list))
        return HUB_OK;
    http_list_drop(&state->list);
    if (state->pending.validators == NULL)
        return HUB_OK;
    http_place_free(&state->place);
    state->place = state->pending;
    state->pending = (struct http_place){0};
    state->resting = state->pending_rest && !state->continued;
    state->continued = state->continued && !state->pending_rest;
    state->rest_until_ms = state->env.monotonic_ms() + state->options->interval_ms;
    return HUB_OK;
}

static enum hub_status read_next(struct http_poll *state, struct hub_batch *batch,
                                 struct hub_error *reterr) {
    if (state->list.left == NULL)
        HUB_TRY(read_page(state, batch, reterr));
    if (state->list.left != NULL)
        HUB_TRY(read_listed(state, batch, reterr));
    return HUB_OK;
}

/* Whether what the running batch has is the last of what its page lists. */
static bool is_list_done(const struct http_list *list) {
    return list->left == NULL ||
           json_array_size(list->pending_left != NULL ? list->pending_left : list->left) == 0;
}

static enum hub_status poll_http(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                 struct hub_error *reterr) {
    struct http_poll *state = state_;
    struct hub_batch batch = {0};
    int64_t left_ms = state->rest_until_ms - state->env.monotonic_ms();
    if (state->resting && left_ms > 0) {
        hub_access_wait_ms(left_ms < timeout_ms ? left_ms : timeout_ms);
        batch.exhausted = true;
        *ret_batch = batch;
        return HUB_OK;
    }
    state->resting = false;
    if (hub_access_rests(&state->access, timeout_ms)) {
        *ret_batch = batch;
        return HUB_OK;
    }
    enum hub_status status = read_next(state, &batch, reterr);
    if (status != HUB_OK) {
        int64_t retry_after_ms = batch.retry_after_ms;
        hub_batch_free(&batch);
        ret_batch->retry_after_ms = retry_after_ms;
        return status;
    }
    batch.begins_look = state->begins_look;
    batch.ends_look = state->looks && state->pending_rest && is_list_done(&state->list);
    state->looks = state->looks && !batch.ends_look;
    state->begins_look = false;
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
