/* Documents that are edited where their formats have made trees of them: so every format is edited alike,
 * and what a record tells of its document's bytes stays the same. */
#include "connectors/kit/conform_state.h"

#include <string.h>
#include <time.h>

static const char unknown[] = "conform_unknown";

/* --- dates --- */

static size_t count_digits(const char *text) {
    return strspn(text, "0123456789");
}

/* How long the date is that the text begins with: 2026-03-01, or 20260301 alone or before hours; else 0. */
static size_t date_size(const char *text) {
    size_t digits = count_digits(text);
    if (digits == 8 || digits == 12 || digits == 14)
        return 8;
    return digits == 4 && text[4] == '-' && count_digits(text + 5) == 2 && text[7] == '-' &&
                   count_digits(text + 8) == 2
               ? 10
               : 0;
}

/* The text a day later; NULL where it begins with no date. */
static const char *shift(const char *text, struct hub_arena *arena) {
    size_t size = date_size(text);
    const char *between = size == 8 ? "" : "-";
    struct tm day = {0};
    if (size == 0)
        return NULL;
    const char *end = strptime(hub_arena_text(arena, text, size),
                               size == 8 ? "%Y%m%d" : "%Y-%m-%d", &day);
    if (end == NULL || *end != '\0' || day.tm_year < 0 || day.tm_year > 300)
        return NULL;
    time_t moment = timegm(&day) + 24 * 60 * 60;
    gmtime_r(&moment, &day);
    return hub_arena_format(arena, "%04d%s%02d%s%02d%s", day.tm_year + 1900, between,
                            day.tm_mon + 1, between, day.tm_mday, text + size);
}

/* --- the walk --- */

static bool is_plain(const char *name) {
    return *name != '\0' && strpbrk(name, ".[]\"^ ") == NULL;
}

static bool is_meant(const struct conform_edit *edit, struct hub_bytes path) {
    return edit->place == NULL || hub_bytes_equal_text(path, edit->place);
}

static struct conform_place *note(struct conform_edit *edit, struct hub_bytes path) {
    struct conform_place *place = NULL;
    HASH_FIND(hh, edit->places, path.data, path.size, place);
    if (place != NULL)
        return place;
    place = hub_arena_take_zero(edit->arena, 1, sizeof *place);
    place->path = hub_arena_text(edit->arena, (const char *)path.data, path.size);
    HASH_ADD_KEYPTR(hh, edit->places, place->path, path.size, place);
    return place;
}

/* What stands there instead; NULL: what stood there. */
static json_t *edit_leaf(struct conform_edit *edit, json_t *value, struct hub_bytes path) {
    const char *later = NULL;
    switch (edit->kind) {
    case CONFORM_LIST:
        if (json_is_boolean(value))
            return NULL;
        struct conform_place *place = note(edit, path);
        place->date |= json_is_string(value) &&
                       shift(json_string_value(value), edit->arena) != NULL;
        return NULL;
    case CONFORM_ADD:
        return NULL;
    case CONFORM_PLANT:
        if (json_is_boolean(value) || !is_meant(edit, path))
            return NULL;
        if (!json_is_number(value))
            return json_string(edit->text);
        return edit->number == 0 ? NULL : json_integer(edit->number);
    case CONFORM_SHIFT:
        if (json_is_string(value) && is_meant(edit, path))
            later = shift(json_string_value(value), edit->arena);
        return later == NULL ? NULL : json_string(later);
    }
    return NULL;
}

/* `each`: the rows or messages, which are in no path; or NULL. Gives what stands there instead, or NULL. */
static json_t *walk(struct conform_edit *edit, json_t *value, const char *each,
                    struct hub_buffer *path);

static void walk_object(struct conform_edit *edit, json_t *object, const char *each,
                        struct hub_buffer *path) {
    const char *name;
    json_t *member;
    size_t size = path->size;
    json_object_foreach(object, name, member) {
        bool whole = size == 0 && each != NULL && strcmp(name, each) == 0;
        const char *quote = is_plain(name) ? "" : "\"";
        if (!whole)
            hub_buffer_append_format(path, "%s%s%s%s", size == 0 ? "" : ".", quote, name, quote);
        json_t *instead = walk(edit, member, whole ? NULL : each, path);
        if (instead != NULL)
            json_object_set_new(object, name, instead);
        path->size = size;
    }
    if (edit->kind == CONFORM_LIST)
        note(edit, hub_buffer_bytes(path))->object = true;
    else if (edit->kind == CONFORM_ADD && is_meant(edit, hub_buffer_bytes(path)))
        json_object_set_new(object, unknown, json_string("unknown"));
}

static json_t *walk(struct conform_edit *edit, json_t *value, const char *each,
                    struct hub_buffer *path) {
    size_t index;
    json_t *element;
    if (json_is_object(value)) {
        walk_object(edit, value, each, path);
        return NULL;
    }
    if (!json_is_array(value))
        return edit_leaf(edit, value, hub_buffer_bytes(path));
    json_array_foreach(value, index, element) {
        json_t *instead = walk(edit, element, each, path);
        if (instead != NULL)
            json_array_set_new(value, index, instead);
    }
    return NULL;
}

/* --- the format around the format --- */

struct edited_format {
    const struct hub_format *format;
    const void *options;
    struct hub_bytes document; /* as it is parsed */
    struct conform_edit *edit;
};

/* The bytes, and the text on a line after them. */
static struct hub_bytes plant_after(struct hub_bytes bytes, const char *text,
                                    struct hub_arena *arena) {
    size_t size = strlen(text);
    HUB_SCOPED_BUFFER both = {.size_max = bytes.size + size + 1};
    hub_buffer_append_bytes(&both, bytes);
    hub_buffer_append_byte(&both, '\n');
    hub_buffer_append_text(&both, text);
    return hub_bytes(hub_arena_text(arena, (const char *)both.data, both.size), both.size);
}

static bool is_fact(const struct conform_edit *edit) {
    return edit->place != NULL && *edit->place == '@';
}

static enum hub_status parse(const void *options, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    const struct edited_format *edited = options;
    HUB_SCOPED_BUFFER path = {0};
    (void)document;
    HUB_TRY(edited->format->parse(edited->options, edited->document, arena, ret_parsed, reterr));
    if (!is_fact(edited->edit))
        walk(edited->edit, ret_parsed->tree, edited->format->each, &path);
    bool plants = edited->edit->kind == CONFORM_PLANT && !is_fact(edited->edit);
    for (size_t i = 0; plants && i < ret_parsed->row_count; i++)
        ret_parsed->rows[i] = plant_after(ret_parsed->rows[i], edited->edit->text, arena);
    return HUB_OK;
}

/* Facts have members of members; unknown ones are nothing to them. */
static void walk_facts(struct conform_edit *edit, json_t *context) {
    HUB_SCOPED_BUFFER path = {0};
    const char *name;
    json_t *facts;
    if (edit->kind == CONFORM_ADD)
        return;
    json_object_foreach(context, name, facts) {
        path.size = 0;
        hub_buffer_append_format(&path, "@%s", name);
        walk(edit, facts, /* each= */ NULL, &path);
    }
}

void conform_map_edited(const struct conform *conform, size_t document, struct conform_edit *edit,
                        struct conform_told *told) {
    *told = (struct conform_told){0};
    struct hub_raw_document raw = conform->documents[document];
    struct edited_format edited = {conform->connector->format, conform->connector->format_options,
                                   raw.bytes, edit};
    struct hub_format format = *edited.format;
    struct hub_connector connector = *conform->connector;
    struct hub_pipeline pipeline = {.connector = &connector};
    format.parse = parse;
    connector.format = &format;
    connector.format_options = &edited;
    edit->arena = &told->arena;
    raw.context = json_deep_copy(raw.context);
    walk_facts(edit, raw.context);
    if (edit->kind == CONFORM_PLANT && !is_fact(edit))
        raw.bytes = plant_after(raw.bytes, edit->text, &told->arena);
    hub_pipeline_run(&pipeline, &raw, /* sequence= */ 1, &told->arena, &told->list);
    json_decref(raw.context);
}

const char *conform_place_name(const char *path) {
    return *path == '\0' ? "(the document itself)" : path;
}
