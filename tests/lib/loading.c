#include "tests/lib/loading.h"

#include "schemas/lib/frame.h"

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
