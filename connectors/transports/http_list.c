/* List, then get: a page names ids, and each is fetched by itself.
 *
 * The position moves when all of a page's ids are done; a connector that was killed before lists
 * that page again, so that a list which has changed meanwhile skips nothing. What cannot be had now
 * goes to the end, behind what can. */
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

/* The page's parameters, and which of its ids. */
static json_t *request_of(const struct fetching *fetching, const char *id) {
    json_t *request = json_copy(fetching->list->request);
    json_object_set_new(request, "id", json_string(id));
    return request;
}

static enum hub_status address_of(const struct fetching *fetching, const char *id,
                                  const char **ret_address, struct hub_error *reterr) {
    const char *get = fetching->options->get;
    HUB_SCOPED_BUFFER reference = {0};
    if (strcmp(get, "{id}") == 0) { /* the list holds the addresses themselves */
        hub_buffer_append_text(&reference, id);
    } else {
        json_t *values = request_of(fetching, id);
        enum hub_status status =
            hub_template_fill(HUB_TEMPLATE_ESCAPED, get, values, &reference, reterr);
        json_decref(values);
        HUB_TRY(status);
    }
    return hub_http_follow(fetching->list->address, hub_buffer_text(&reference),
                           &fetching->batch->arena, ret_address, reterr) == HUB_OK
               ? HUB_OK
               : HUB_FATAL;
}

static void add_document(struct fetching *fetching, const char *id, const char *address,
                         const struct hub_http_answer *answer, const char *refused,
                         const char *code) {
    struct hub_batch *batch = fetching->batch;
    if (batch->documents == NULL)
        batch->documents = hub_arena_take_zero(
            &batch->arena, BATCH_MAX + HUB_HTTP_PARALLEL_MAX, sizeof *batch->documents);
    batch->documents[batch->count++] = (struct hub_raw_document){
        .name = address,
        .bytes = answer->body,
        .context = json_pack("{s:o}", "request", request_of(fetching, id)),
        .refused = refused,
        .refused_code = code};
    fetching->size += answer->body.size;
}

/* What is gone, or not given, is told once and not in each sweep. */
static void tell(struct fetching *fetching, const char *id, const char *address,
                 const struct hub_http_answer *answer) {
    bool gone = answer->status == 404 || answer->status == 410;
    json_t *was = json_object_get(fetching->list->known, address);
    json_t *learnt = json_pack("{s:I}", "status", (json_int_t)answer->status);
    struct hub_http_answer nothing = {0};
    if (!json_equal(was, learnt))
        add_document(fetching, id, address, &nothing,
                     hub_arena_format(&fetching->batch->arena,
                                      gone ? "HTTP %ld: it is listed, and gone"
                                           : "HTTP %ld: it is listed, and not given",
                                      answer->status),
                     gone ? "GONE" : "HTTP");
    json_object_set_new(fetching->list->learnt, address, learnt);
}

static enum hub_status take_answer(struct fetching *fetching, const char *id, const char *address,
                                   const struct hub_http_answer *answer,
                                   struct hub_error *reterr) {
    if (answer->status == 401 || answer->status == 403 ||
        (answer->status >= 300 && answer->status < 400 && answer->status != 304))
        return hub_fail(reterr, HUB_FATAL, "%s: HTTP %ld; 200 or 304 would pass", address,
                        answer->status);
    if (hub_access_is_busy(answer->status)) {
        if (answer->retry_after_ms > fetching->batch->retry_after_ms)
            fetching->batch->retry_after_ms = answer->retry_after_ms;
        hub_fail(&fetching->error, HUB_RETRY, "%s: HTTP %ld", address, answer->status);
        json_array_append_new(fetching->again, json_string(id));
        return HUB_OK;
    }
    if (answer->status == 200) {
        add_document(fetching, id, address, answer, /* refused= */ NULL, /* code= */ NULL);
        json_object_set_new(fetching->list->learnt, address,
                            json_pack("{s:s?, s:s?}", "etag", answer->etag, "last_modified",
                                      answer->last_modified));
    } else if (answer->status != 304) {
        tell(fetching, id, address, answer);
    }
    return HUB_OK;
}

static enum hub_status take_result(struct fetching *fetching, const char *id, const char *address,
                                   const struct hub_http_result *result,
                                   struct hub_error *reterr) {
    struct hub_http_answer nothing = {0};
    switch (result->status) {
    case HUB_OK:
        return take_answer(fetching, id, address, &result->answer, reterr);
    case HUB_RETRY:
        fetching->error = result->error;
        json_array_append_new(fetching->again, json_string(id));
        return HUB_OK;
    case HUB_REJECT:
        add_document(fetching, id, address, &nothing,
                     hub_arena_format(&fetching->batch->arena, "%s", result->error.text), "SIZE");
        return HUB_OK;
    case HUB_FATAL:
        break;
    }
    *reterr = result->error;
    return HUB_FATAL;
}

static void add_validators(const struct fetching *fetching, struct hub_access_request *request) {
    const json_t *known = json_object_get(fetching->list->known, request->url);
    const char *etag = json_string_value(json_object_get(known, "etag"));
    const char *modified = json_string_value(json_object_get(known, "last_modified"));
    size_t count = 0;
    if (etag != NULL)
        request->headers[count++] =
            hub_arena_format(&fetching->batch->arena, "If-None-Match: %s", etag);
    if (modified != NULL)
        request->headers[count] =
            hub_arena_format(&fetching->batch->arena, "If-Modified-Since: %s", modified);
}

static enum hub_status fetch_round(struct fetching *fetching, struct hub_access *access,
                                   size_t from, size_t count, struct hub_error *reterr) {
    struct hub_arena *arena = &fetching->batch->arena;
    struct hub_access_request requests[HUB_HTTP_PARALLEL_MAX] = {0};
    struct hub_http_result results[HUB_HTTP_PARALLEL_MAX];
    const char *ids[HUB_HTTP_PARALLEL_MAX];
    for (size_t i = 0; i < count; i++) {
        ids[i] = json_string_value(json_array_get(fetching->list->left, from + i));
        HUB_TRY(address_of(fetching, ids[i], &requests[i].url, reterr));
        add_validators(fetching, &requests[i]);
    }
    HUB_TRY(hub_access_ask_all(access, requests, count, count, arena, results, reterr));
    for (size_t i = 0; i < count; i++)
        HUB_TRY(take_result(fetching, ids[i], requests[i].url, &results[i], reterr));
    return HUB_OK;
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
             json_array_size(fetching->again) == 0 && fetching->size < BATCH_SIZE_MAX &&
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
