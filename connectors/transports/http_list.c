/* List, then get: a page names ids, and each is fetched by itself.
 *
 * The position moves when all of a page's ids are done; a connector that was killed before lists
 * that page again, so that a list which has changed meanwhile skips nothing. What cannot be had now
 * goes to the end, behind what can. notify-pull has lists of another making: what it was told of. */
#include "connectors/transports/http_poll.h"

#include <string.h>

enum { IDS_MAX = 100000, ID_SIZE_MAX = 2048, BATCH_MAX = 50, BATCH_SIZE_MAX = 16 * 1024 * 1024,
       BATCH_MS = 1000, KNOWN_MAX = 100000 };

void http_list_drop(struct http_list *list) {
    json_decref(list->left);
    json_decref(list->pending_left);
    json_decref(list->request);
    list->left = list->pending_left = list->request = NULL;
    list->address = hub_release(list->address);
}

void http_list_free(struct http_list *list) {
    http_list_drop(list);
    json_decref(list->known);
    json_decref(list->learnt);
    *list = (struct http_list){0};
}

enum hub_status http_list_take(struct http_list *list, const struct http_selectors *selectors,
                               const json_t *tree, const char *address, json_t *request,
                               struct hub_error *reterr) {
    struct hub_scope scope = {.here = tree};
    struct hub_arena arena = {0};
    const json_t **values = NULL;
    size_t count = 0;
    json_t *ids = json_array(), *seen = json_object();
    enum hub_status status = HUB_OK;
    hub_path_find(selectors->ids, &scope, &arena, &values, &count);
    if (count > IDS_MAX)
        status = hub_fail(reterr, HUB_FATAL, "%s: it lists %zu ids, over the limit of %d", address,
                          count, IDS_MAX);
    for (size_t i = 0; i < count && status == HUB_OK; i++) {
        const char *id = hub_tree_text(values[i], &arena);
        if (id == NULL || strlen(id) > ID_SIZE_MAX || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
            status = hub_fail(reterr, HUB_FATAL, "%s: id %zu of its list is none; a text of up to "
                              "%d bytes would pass", address, i + 1, ID_SIZE_MAX);
        else if (json_object_get(seen, id) == NULL) {
            json_object_set_new(seen, id, json_true());
            json_array_append_new(ids, json_string(id));
        }
    }
    json_decref(seen);
    hub_arena_destroy(&arena);
    if (status != HUB_OK) {
        json_decref(ids);
        return status;
    }
    http_list_drop(list);
    list->left = ids;
    list->request = json_incref(request);
    list->address = hub_copy_text(address);
    if (list->known == NULL)
        list->known = json_object();
    return HUB_OK;
}

/* --- one round: as many as go at a time --- */

struct fetching {
    struct http_list *list;
    const struct http_poll_options *options;
    struct hub_batch *batch;
    json_t *again; /* ids that could not be had now */
    size_t size;   /* of the documents' bytes */
    struct hub_error error; /* why the last one of `again` could not */
};

/* An item, and what is asked for it. */
struct wanted {
    json_t *item;
    struct hub_access_request request;
    const char *key; /* by which it is known: its address, with the body where it is posted */
};

static bool was_told_of(const json_t *item) {
    return json_is_object(item);
}

/* The page's parameters, and which of its ids. */
static json_t *request_of(const struct fetching *fetching, const json_t *item) {
    json_t *request = json_copy(fetching->list->request);
    if (was_told_of(item))
        json_object_update(request, json_object_get(item, "request"));
    else
        json_object_set_new(request, "id", json_string(json_string_value(item)));
    return request;
}

enum hub_status http_list_ask(const struct http_poll_options *own, const json_t *request,
                              struct hub_arena *arena, const char **ret_reference,
                              const char **ret_body, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER reference = {0};
    if (strcmp(own->get, "{id}") == 0) /* the list holds the addresses themselves */
        hub_buffer_append_text(&reference, json_string_value(json_object_get(request, "id")));
    else
        HUB_TRY(hub_template_fill(HUB_TEMPLATE_ESCAPED, own->get, request, &reference, reterr));
    *ret_reference = hub_arena_text(arena, (const char *)reference.data, reference.size);
    *ret_body = NULL;
    return own->get_body == NULL
               ? HUB_OK
               : http_body_make(own, own->get_body, request, arena, ret_body, reterr);
}

static void add_validators(const struct fetching *fetching, struct wanted *wanted) {
    const json_t *known = json_object_get(fetching->list->known, wanted->key);
    const char *etag = json_string_value(json_object_get(known, "etag"));
    const char *modified = json_string_value(json_object_get(known, "last_modified"));
    size_t count = 0;
    if (etag != NULL)
        wanted->request.headers[count++] =
            hub_arena_format(&fetching->batch->arena, "If-None-Match: %s", etag);
    if (modified != NULL)
        wanted->request.headers[count] =
            hub_arena_format(&fetching->batch->arena, "If-Modified-Since: %s", modified);
}

static enum hub_status want(const struct fetching *fetching, json_t *item,
                            struct wanted *ret_wanted, struct hub_error *reterr) {
    const struct http_poll_options *own = fetching->options;
    struct hub_arena *arena = &fetching->batch->arena;
    struct wanted wanted = {.item = item};
    const char *reference = NULL;
    json_t *values = request_of(fetching, item);
    enum hub_status status =
        http_list_ask(own, values, arena, &reference, &wanted.request.body, reterr);
    json_decref(values);
    HUB_TRY(status);
    if (hub_http_follow(fetching->list->address, reference, arena, &wanted.request.url, reterr) !=
        HUB_OK)
        return HUB_FATAL;
    wanted.key = wanted.request.url;
    if (wanted.request.body == NULL) {
        add_validators(fetching, &wanted);
    } else {
        wanted.key = hub_arena_format(arena, "%s %s", wanted.request.url, wanted.request.body);
        wanted.request.headers[0] =
            hub_arena_format(arena, "Content-Type: %s", own->content_type);
    }
    *ret_wanted = wanted;
    return HUB_OK;
}

static void add_document(struct fetching *fetching, const struct wanted *wanted,
                         struct hub_bytes body, const char *refused, const char *code) {
    struct hub_batch *batch = fetching->batch;
    if (batch->documents == NULL)
        batch->documents = hub_arena_take_zero(
            &batch->arena, BATCH_MAX + HUB_HTTP_PARALLEL_MAX, sizeof *batch->documents);
    batch->documents[batch->count++] = (struct hub_raw_document){
        .name = wanted->request.url,
        .identity = wanted->key,
        .bytes = body,
        .context = json_pack("{s:o}", "request", request_of(fetching, wanted->item)),
        .refused = refused,
        .refused_code = code};
    fetching->size += body.size;
}

static void refuse(struct fetching *fetching, const struct wanted *wanted, const char *why,
                   const char *code) {
    add_document(fetching, wanted, hub_bytes(NULL, 0),
                 hub_arena_format(&fetching->batch->arena, "%s", why), code);
}

/* What is gone, or not given, is told once and not in each sweep. */
static void tell(struct fetching *fetching, const struct wanted *wanted, long status) {
    const json_t *was = json_object_get(fetching->list->known, wanted->key);
    json_t *learnt = json_pack("{s:I}", "status", (json_int_t)status);
    bool gone = status == 404 || status == 410;
    struct hub_error why;
    hub_fail(&why, HUB_REJECT, "HTTP %ld: it %s, and %s", status,
             was_told_of(wanted->item) ? "was told of" : "is listed", gone ? "gone" : "not given");
    if (!json_equal(was, learnt))
        refuse(fetching, wanted, why.text, gone ? "GONE" : "HTTP");
    else
        hub_batch_keep(fetching->batch, wanted->key);
    json_object_set_new(fetching->list->learnt, wanted->key, learnt);
}

/* It could not be had now. */
static void put_back(struct fetching *fetching, const struct wanted *wanted,
                     const struct hub_error *why, int64_t now_ms) {
    struct hub_error text;
    fetching->error = *why;
    if (was_told_of(wanted->item) &&
        json_integer_value(json_object_get(wanted->item, "until")) <= now_ms) {
        hub_fail(&text, HUB_REJECT, "it was told of, and could not be had in time: %s", why->text);
        refuse(fetching, wanted, text.text, "HTTP");
        return;
    }
    json_array_append(fetching->again, wanted->item);
}

/* What needs a person. Of what was told of only that nobody is let in: whatever else is refused may
 * be one that does not exist. */
static bool is_for_a_person(const struct wanted *wanted, long status) {
    bool elsewhere = status == 403 || (status >= 300 && status < 400 && status != 304);
    return status == 401 || (elsewhere && !was_told_of(wanted->item));
}

static enum hub_status take_answer(struct fetching *fetching, const struct wanted *wanted,
                                   const struct hub_http_answer *answer, int64_t now_ms,
                                   struct hub_error *reterr) {
    const char *address = wanted->request.url;
    struct hub_error why;
    if (is_for_a_person(wanted, answer->status))
        return hub_fail(reterr, HUB_FATAL, "%s: HTTP %ld; 200 or 304 would pass", address,
                        answer->status);
    if (hub_access_is_busy(answer->status)) {
        if (answer->retry_after_ms > fetching->batch->retry_after_ms)
            fetching->batch->retry_after_ms = answer->retry_after_ms;
        hub_fail(&why, HUB_RETRY, "%s: HTTP %ld", address, answer->status);
        put_back(fetching, wanted, &why, now_ms);
        return HUB_OK;
    }
    if (answer->status == 200) {
        add_document(fetching, wanted, answer->body, /* refused= */ NULL, /* code= */ NULL);
        json_object_set_new(fetching->list->learnt, wanted->key,
                            json_pack("{s:s?, s:s?}", "etag", answer->etag, "last_modified",
                                      answer->last_modified));
    } else if (answer->status != 304) {
        tell(fetching, wanted, answer->status);
    } else {
        hub_batch_keep(fetching->batch, wanted->key);
    }
    return HUB_OK;
}

static enum hub_status take_result(struct fetching *fetching, const struct wanted *wanted,
                                   const struct hub_http_result *result, int64_t now_ms,
                                   struct hub_error *reterr) {
    switch (result->status) {
    case HUB_OK:
        return take_answer(fetching, wanted, &result->answer, now_ms, reterr);
    case HUB_RETRY:
        put_back(fetching, wanted, &result->error, now_ms);
        return HUB_OK;
    case HUB_REJECT:
        refuse(fetching, wanted, result->error.text, "SIZE");
        return HUB_OK;
    case HUB_FATAL:
        break;
    }
    *reterr = result->error;
    return HUB_FATAL;
}

static enum hub_status fetch_round(struct fetching *fetching, struct hub_access *access,
                                   size_t from, size_t count, struct hub_error *reterr) {
    struct hub_arena *arena = &fetching->batch->arena;
    struct wanted wanted[HUB_HTTP_PARALLEL_MAX];
    struct hub_access_request requests[HUB_HTTP_PARALLEL_MAX] = {0};
    struct hub_http_result results[HUB_HTTP_PARALLEL_MAX];
    for (size_t i = 0; i < count; i++) {
        HUB_TRY(want(fetching, json_array_get(fetching->list->left, from + i), &wanted[i],
                     reterr));
        requests[i] = wanted[i].request;
    }
    HUB_TRY(hub_access_ask_all(access, requests, count, count, arena, results, reterr));
    int64_t now_ms = access->env.realtime_ms();
    for (size_t i = 0; i < count; i++)
        HUB_TRY(take_result(fetching, &wanted[i], &results[i], now_ms, reterr));
    return HUB_OK;
}

/* A list stops at what cannot be had; what was told of goes on to the others, which others may have
 * told of. */
static bool goes_on(const struct fetching *fetching) {
    return json_array_size(fetching->again) == 0 ||
           was_told_of(json_array_get(fetching->again, 0));
}

static enum hub_status fetch_some(struct fetching *fetching, struct hub_access *access,
                                  size_t *ret_done, struct hub_error *reterr) {
    int64_t until_ms = access->env.monotonic_ms() + BATCH_MS;
    size_t count = json_array_size(fetching->list->left), done = 0;
    do {
        size_t parallel = (size_t)fetching->options->get_parallel;
        parallel = parallel > count - done ? count - done : parallel;
        HUB_TRY(fetch_round(fetching, access, done, parallel, reterr));
        done += parallel;
    } while (done < count && fetching->batch->count < BATCH_MAX &&
             goes_on(fetching) && fetching->size < BATCH_SIZE_MAX && !hub_access_rests(access, /* timeout_ms= */ 0) &&
             access->env.monotonic_ms() < until_ms);
    *ret_done = done;
    return HUB_OK;
}

enum hub_status http_list_fetch(struct http_list *list, struct hub_access *access,
                                const struct http_poll_options *options, struct hub_batch *batch,
                                struct hub_error *reterr) {
    struct fetching fetching = {
        .list = list, .options = options, .batch = batch, .again = json_array()};
    size_t done = 0;
    json_decref(list->learnt);
    json_decref(list->pending_left);
    list->learnt = json_object();
    list->pending_left = NULL;
    enum hub_status status = fetch_some(&fetching, access, &done, reterr);
    bool none = status == HUB_OK && done == json_array_size(fetching.again) && done > 0;
    if (status == HUB_OK) {
        list->pending_left = json_array();
        for (size_t i = done; i < json_array_size(list->left); i++)
            json_array_append(list->pending_left, json_array_get(list->left, i));
        json_array_extend(list->pending_left, fetching.again);
        list->put_back = json_array_size(fetching.again);
    }
    if (none) { /* what comes after it may be to be had */
        json_decref(list->left);
        list->left = list->pending_left;
        list->pending_left = NULL;
        *reterr = fetching.error;
        status = HUB_RETRY;
    }
    json_decref(fetching.again);
    return status;
}

bool http_list_commit(struct http_list *list) {
    if (json_object_size(list->known) > KNOWN_MAX)
        json_object_clear(list->known);
    json_object_update(list->known, list->learnt);
    json_decref(list->left);
    list->left = list->pending_left;
    list->pending_left = NULL;
    return json_array_size(list->left) == 0;
}
