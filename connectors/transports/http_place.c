#include "connectors/transports/http_poll.h"

#include <stdlib.h>
#include <string.h>

void http_place_forget_page(struct http_place *place) {
    place->token = hub_release(place->token);
    place->link = hub_release(place->link);
}

bool http_place_is_first_page(const struct http_place *place) {
    return place->token == NULL && place->link == NULL;
}

void http_place_free(struct http_place *place) {
    json_decref(place->validators);
    http_place_forget_page(place);
    *place = (struct http_place){0};
}

static char *copy_or_null(const char *text) {
    return text == NULL ? NULL : hub_copy_text(text);
}

struct http_place http_place_copy(const struct http_place *place) {
    return (struct http_place){json_deep_copy(place->validators), copy_or_null(place->token),
                               copy_or_null(place->link), place->sweep, place->page};
}

enum hub_status http_place_load(struct http_place *place, const char *text,
                                const struct http_poll_options *options,
                                struct hub_error *reterr) {
    json_error_t error;
    place->validators = json_object();
    if (text == NULL)
        return HUB_OK;
    json_t *position = json_loads(text, 0, &error);
    json_t *validators = json_object_get(position, "validators");
    if (!json_is_object(validators)) {
        json_decref(position);
        return hub_fail(reterr, HUB_FATAL,
                        "the position is not one of http-poll: {\"validators\": {...}, ...} would "
                        "pass");
    }
    json_object_update(place->validators, validators);
    place->token = copy_or_null(json_string_value(json_object_get(position, "token")));
    place->link = copy_or_null(json_string_value(json_object_get(position, "link")));
    place->sweep = json_integer_value(json_object_get(position, "sweep"));
    json_decref(position);
    /* The configuration may have other values by now. */
    int64_t values = 0;
    while (options->sweep_values[values] != NULL)
        values++;
    if (place->sweep == 0 || (place->sweep > 0 && place->sweep < values))
        return HUB_OK;
    place->sweep = 0;
    http_place_forget_page(place);
    return HUB_OK;
}

const char *http_place_render(const struct http_place *place, struct hub_arena *arena) {
    json_t *position = json_pack("{s:O, s:s?, s:s?, s:I}", "validators", place->validators,
                                 "token", place->token, "link", place->link, "sweep",
                                 (json_int_t)place->sweep);
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = hub_arena_text(arena, text, strlen(text));
    free(text);
    json_decref(position);
    return copy;
}
