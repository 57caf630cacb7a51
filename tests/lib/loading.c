#include "tests/lib/loading.h"

#include "schemas/lib/frame.h"
#include "tests/lib/records.h"

static struct hub_bytes first_text(struct hub_bytes message) {
    struct hub_bytes body, text = hub_bytes_of_text("");
    struct hub_error ignored;
    int64_t size = 0;
    int32_t id = 0;
    if (hub_frame_open(message, &id, &body, &ignored) != HUB_OK)
        return text;
    struct hub_cursor cursor = hub_cursor(body);
    if (hub_cursor_long(&cursor, &size, NULL) && size > 0)
        hub_cursor_take(&cursor, (uint64_t)size, &text);
    return text;
}

enum hub_status test_load(struct hub_fold *fold, enum hub_fold_topic topic,
                          struct hub_bytes message, struct hub_error *reterr) {
    struct hub_input record = {
        .has_key = true, .has_value = true, .key = first_text(message), .value = message};
    return hub_fold_load(fold, topic, &record, reterr);
}

enum hub_status test_loaded(struct hub_fold *fold, struct hub_error *reterr) {
    HUB_TRY(hub_fold_loaded(fold, reterr));
    return hub_fold_wake_all(fold, reterr);
}

/* --- a store --- */

/* A call fails before it gives anything, or after. */
static enum hub_status go_on(const struct test_store *store, struct hub_error *reterr) {
    if (store->steps == NULL)
        return HUB_OK;
    if (*store->steps == 0)
        return hub_fail(reterr, HUB_RETRY, "the store gives up");
    --*store->steps;
    return HUB_OK;
}

static enum hub_status find(void *context, uint64_t hook, struct hub_given *given,
                            hub_store_take take, void *take_context, struct hub_error *reterr) {
    (void)given; /* everything, each time */
    const struct test_store *store = context;
    HUB_TRY(go_on(store, reterr));
    for (size_t i = 0; i < HUB_FOLD_TOPICS; i++)
        HUB_TRY(hub_shelf_find(store->shelves[i], hook, take, take_context, reterr));
    return go_on(store, reterr);
}

static enum hub_status each(void *context, unsigned topic, hub_store_take take,
                            void *take_context, struct hub_error *reterr) {
    const struct test_store *store = context;
    HUB_TRY(go_on(store, reterr));
    HUB_TRY(hub_shelf_each(store->shelves[topic], take, take_context, reterr));
    return go_on(store, reterr);
}

struct test_store *test_store_new(void) {
    struct test_store *store = hub_allocate_zero(1, sizeof *store);
    store->store = (struct hub_store){store, find, each};
    for (unsigned i = 0; i < HUB_FOLD_TOPICS; i++)
        store->shelves[i] = hub_shelf_new(i, i == HUB_FOLD_LOG ? "hub_replaced_status" : NULL);
    return store;
}

void test_store_free(struct test_store *store) {
    if (store == NULL)
        return;
    for (size_t i = 0; i < HUB_FOLD_TOPICS; i++)
        hub_shelf_free(store->shelves[i]);
    hub_hooks_free(&store->hooks);
    hub_release(store);
}

bool test_store_put(struct test_store *store, const char *rules, enum hub_fold_topic topic,
                    const struct hub_input *record, struct hub_fold *fold) {
    struct hub_error error;
    bool stale = false;
    if (hub_fold_hooks_of(test_catalogue(), rules, topic, record, &store->hooks, &stale, &error) !=
            HUB_OK ||
        stale)
        return false;
    if (store->hooks.count > 0)
        hub_shelf_put(store->shelves[topic], record, store->hooks.items, store->hooks.count);
    for (size_t i = 0; i < store->hooks.count; i++)
        if (fold != NULL && store->hooks.items[i].is_near)
            hub_fold_load_near(fold, &store->hooks.items[i].near_hash, 1);
    return true;
}
