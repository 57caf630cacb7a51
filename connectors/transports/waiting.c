#include "connectors/transports/waiting.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_BYTES = 1024 * 1024 };

enum hub_status waiting_open(struct waiting *waiting, const struct http_poll_options *own,
                             const json_t *position, struct hub_error *reterr) {
    const struct http_place first = {0};
    struct hub_arena arena = {0};
    struct http_asking asking = {0};
    size_t index;
    json_t *item;
    enum hub_status status = http_asking_make(own, &first, &arena, &asking, reterr);
    if (status == HUB_OK)
        waiting->list.address = hub_copy_text(asking.base);
    json_decref(asking.request);
    hub_arena_destroy(&arena);
    waiting->list.request = http_parameters(own);
    waiting->list.known = json_object();
    waiting->list.left = json_array();
    waiting->later = json_array();
    json_array_foreach(position, index, item) {
        const json_t *request = json_object_get(item, "request");
        if (!json_is_string(json_object_get(request, "id")))
            return hub_fail(reterr, HUB_FATAL, "the position is not one of notify-pull: "
                            "{\"waiting\": [{\"request\": {\"id\": ...}, ...}], ...} would pass");
        json_array_append(waiting->list.left, item);
    }
    return status;
}

void waiting_free(struct waiting *waiting) {
    http_list_free(&waiting->list);
    json_decref(waiting->later);
    json_decref(waiting->taken);
    json_decref(waiting->index);
    *waiting = (struct waiting){0};
}

/* --- notices --- */

static char *key_of(const json_t *request) {
    return hub_need(json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS));
}

static void add_to_index(struct waiting *waiting, const json_t *items) {
    size_t position;
    json_t *item;
    json_array_foreach(items, position, item) {
        char *key = key_of(json_object_get(item, "request"));
        json_object_set_new(waiting->index, key, json_boolean(items == waiting->later));
        waiting->size += strlen(key);
        free(key);
    }
}

void waiting_begin(struct waiting *waiting) {
    json_decref(waiting->index);
    json_decref(waiting->taken);
    waiting->index = json_object();
    waiting->taken = NULL;
    waiting->size = 0;
    waiting->again = false;
    add_to_index(waiting, waiting->list.left);
    add_to_index(waiting, waiting->later);
}

/* Those of a notice that do not wait yet. */
static json_t *find_new(const struct waiting *waiting, const json_t *requests, int64_t until_ms,
                        size_t *ret_size, bool *ret_again) {
    json_t *fresh = json_array(), *request;
    size_t position;
    json_array_foreach(requests, position, request) {
        char *key = key_of(request);
        const json_t *waits = json_object_get(waiting->index, key);
        *ret_again |= json_is_true(waits);
        if (waits == NULL) {
            json_array_append_new(fresh, json_pack("{s:O, s:I}", "request", request, "until",
                                                   (json_int_t)until_ms));
            *ret_size += strlen(key);
        }
        free(key);
    }
    return fresh;
}

bool waiting_add(struct waiting *waiting, const json_t *requests, int64_t until_ms,
                 size_t count_max) {
    size_t size = 0;
    bool again = false;
    json_t *fresh = find_new(waiting, requests, until_ms, &size, &again);
    size_t count = json_object_size(waiting->index) + json_array_size(fresh);
    bool fits = json_array_size(fresh) == 0 ||
                (count <= count_max && waiting->size + size <= SIZE_MAX_BYTES);
    if (fits) {
        if (waiting->taken == NULL)
            waiting->taken = json_copy(waiting->list.left);
        json_array_extend(waiting->taken, fresh);
        add_to_index(waiting, fresh);
        waiting->again |= again;
    }
    json_decref(fresh);
    return fits;
}

bool waiting_taken(struct waiting *waiting) {
    json_decref(waiting->list.left);
    waiting->list.left = waiting->taken;
    waiting->taken = NULL;
    return waiting->again;
}

/* --- fetching --- */

/* Moves the last `count` of what comes next to what could not be had. */
static void put_off(struct waiting *waiting, size_t count) {
    for (; count > 0; count--) {
        size_t last = json_array_size(waiting->list.left) - 1;
        json_array_insert(waiting->later, 0, json_array_get(waiting->list.left, last));
        json_array_remove(waiting->list.left, last);
    }
}

bool waiting_has_some(struct waiting *waiting, bool again) {
    if (again) {
        json_array_extend(waiting->list.left, waiting->later);
        json_array_clear(waiting->later);
    }
    return json_array_size(waiting->list.left) > 0;
}

enum hub_status waiting_fetch(struct waiting *waiting, struct hub_access *access,
                              const struct http_poll_options *options, struct hub_batch *batch,
                              bool *ret_put_back, struct hub_error *reterr) {
    struct http_list *list = &waiting->list;
    list->put_back = 0;
    enum hub_status status = http_list_fetch(list, access, options, batch, reterr);
    *ret_put_back = list->put_back > 0;
    if (status == HUB_RETRY && list->put_back > 0)
        put_off(waiting, list->put_back);
    return status;
}

void waiting_fetched(struct waiting *waiting) {
    (void)http_list_commit(&waiting->list);
    put_off(waiting, waiting->list.put_back);
}

json_t *waiting_list(const struct waiting *waiting) {
    const struct http_list *list = &waiting->list;
    const json_t *next = waiting->taken != NULL        ? waiting->taken
                         : list->pending_left != NULL ? list->pending_left
                                                      : list->left;
    json_t *all = json_copy((json_t *)next);
    json_array_extend(all, waiting->later);
    return all;
}
