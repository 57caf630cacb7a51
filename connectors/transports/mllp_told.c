#include "connectors/transports/mllp_told.h"

#include <jansson.h>
#include <stdlib.h>

static void remember(struct hub_mllp_told *told, const char *mark) {
    memcpy(told->marks[told->next], mark, HUB_MLLP_MARK_SIZE);
    told->next = (told->next + 1) % HUB_MLLP_REMEMBERED;
    told->count += told->count < HUB_MLLP_REMEMBERED;
}

bool hub_mllp_told_add(struct hub_mllp_told *told, char outcome, const struct hub_digest *digest) {
    char mark[HUB_MLLP_MARK_SIZE] = {outcome};
    hub_digest_text(digest, (HUB_MLLP_MARK_SIZE - 2) / 2, mark + 1);
    for (size_t i = 0; i < told->count; i++)
        if (memcmp(told->marks[i], mark, HUB_MLLP_MARK_SIZE) == 0)
            return false;
    remember(told, mark);
    return true;
}

static bool read_marks(const json_t *marks, struct hub_mllp_told *told) {
    for (size_t i = 0; i < json_array_size(marks); i++) {
        const json_t *mark = json_array_get(marks, i);
        if (!json_is_string(mark) || json_string_length(mark) != HUB_MLLP_MARK_SIZE - 1)
            return false;
        remember(told, json_string_value(mark));
    }
    return true;
}

enum hub_status hub_mllp_told_read(const char *text, const char *configuration,
                                   struct hub_mllp_told *told, struct hub_error *reterr) {
    json_error_t error;
    *told = (struct hub_mllp_told){0};
    if (text == NULL)
        return HUB_OK;
    json_t *position = json_loads(text, 0, &error);
    const json_t *received = json_object_get(position, "received");
    const json_t *marks = json_object_get(position, "recent");
    const char *by = json_string_value(json_object_get(position, "configuration"));
    bool same = configuration == NULL || (by != NULL && strcmp(by, configuration) == 0);
    bool good = json_is_integer(received) && json_is_array(marks) &&
                (!same || read_marks(marks, told));
    told->received = json_integer_value(received);
    json_decref(position);
    if (good)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL, "the position is not one of mllp: {\"received\": 1, "
                    "\"configuration\": \"...\", \"recent\": [...]} would pass");
}

const char *hub_mllp_told_render(const struct hub_mllp_told *told, const char *configuration,
                                 struct hub_arena *arena) {
    json_t *marks = json_array();
    for (size_t i = 0; i < told->count; i++) {
        size_t at = (told->next + HUB_MLLP_REMEMBERED - told->count + i) % HUB_MLLP_REMEMBERED;
        json_array_append_new(marks, json_string(told->marks[at]));
    }
    json_t *position = json_pack("{s:I, s:s, s:o}", "received", (json_int_t)told->received,
                                 "configuration", configuration, "recent", marks);
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = hub_arena_text(arena, text, strlen(text));
    free(text);
    json_decref(position);
    return copy;
}
