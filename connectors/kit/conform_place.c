/* What becomes of a document in which one place says something else. */
#include "connectors/kit/conform_state.h"

#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

/* A document as it is, and its places. */
struct looked_at {
    struct conform_told told;
    struct conform_edit edit;
};

static void look(const struct conform *conform, size_t document, struct looked_at *ret_looked) {
    ret_looked->edit = (struct conform_edit){.kind = CONFORM_LIST};
    conform_map_edited(conform, document, &ret_looked->edit, &ret_looked->told);
}

static void look_away(struct looked_at *looked) {
    HASH_CLEAR(hh, looked->edit.places);
    conform_free(&looked->told);
}

/* --- unknown fields --- */

/* The first record that is another one, or NULL; of lists of unequal sizes the longer one's. */
static const struct hub_outgoing *first_other(const struct hub_outgoing_list *a,
                                              const struct hub_outgoing_list *b) {
    size_t i = 0;
    while (i < a->count && i < b->count && conform_is_same(&a->items[i], &b->items[i]))
        i++;
    return i < a->count ? &a->items[i] : i < b->count ? &b->items[i] : NULL;
}

/* With members that nobody knows there, or everywhere. */
static bool changes(const struct conform *conform, size_t document, const struct looked_at *looked,
                    const char *place, struct conform_result *result) {
    struct conform_edit edit = {.kind = CONFORM_ADD, .place = place};
    struct conform_told told;
    conform_map_edited(conform, document, &edit, &told);
    const struct hub_outgoing *other = first_other(&looked->told.list, &told.list);
    if (other != NULL && place != NULL)
        conform_find(result, CONFORM_FAILED,
                     &(struct conform_where){conform->documents[document].name, other->key,
                                             conform_place_name(place)},
                     "one more member there makes another record; a path that names what it reads, "
                     "without '*', and a 'when' that names a part which is always filled, would pass");
    conform_free(&told);
    return other != NULL;
}

void conform_unknown_fields(const struct conform *conform, struct conform_result *result) {
    size_t objects = 0;
    for (size_t i = 0; i < conform->count; i++) {
        struct looked_at looked;
        bool found = false;
        look(conform, i, &looked);
        bool any = changes(conform, i, &looked, NULL, result);
        for (struct conform_place *place = looked.edit.places; place != NULL;
             place = place->hh.next) {
            objects += place->object;
            if (any && place->object)
                found |= changes(conform, i, &looked, place->path, result);
        }
        if (any && !found)
            conform_find(result, CONFORM_FAILED,
                         &(struct conform_where){conform->documents[i].name, NULL, NULL},
                         "with members that nobody knows the records are others; a filter that passes "
                         "over what it does not know would pass");
        look_away(&looked);
    }
    conform_tell(result, "a member that nobody knows in the objects at %zu places", objects);
}

/* --- clock --- */

static bool is_local_time(struct hub_bytes version) {
    size_t digits = 0;
    while (digits < version.size && version.data[digits] >= '0' && version.data[digits] <= '9')
        digits++;
    if (digits == version.size)
        return digits == 12 || digits == 14;
    bool clock = digits == 4 && version.size >= 16 && version.data[13] == ':';
    for (size_t i = 13; clock && i < version.size; i++)
        clock = strchr("Zz+-", version.data[i]) == NULL;
    return clock;
}

/* The moment of a part of the stamp, or false. */
static bool read_moment(const struct hub_connector *connector, struct hub_bytes body,
                        const char *path, int64_t *ret_ms) {
    struct hub_bytes time;
    const struct hub_type *type =
        hub_slice_path(connector->domain->schema->root, body, path, &time);
    if (type == NULL)
        return false;
    *ret_ms = hub_slice_long(hub_slice_field(type, time, 0));
    return true;
}

static void check_order_of_times(const struct conform *conform,
                                 const struct hub_raw_document *document,
                                 const struct hub_outgoing_list *list,
                                 struct conform_result *result) {
    for (size_t i = 0; i < list->count; i++) {
        struct conform_where where = {document->name, list->items[i].key, "statement.event_time"};
        struct hub_bytes body = list->items[i].body;
        int64_t event = 0, recorded = 0;
        if (!list->items[i].dead &&
            read_moment(conform->connector, body, "statement.event_time", &event) &&
            read_moment(conform->connector, body, "statement.recorded_time", &recorded) &&
            event > recorded)
            conform_find(result, CONFORM_FAILED, &where,
                         "the event is %lld s later than the source recorded it, and the hub refuses "
                         "what has not happened yet (FUTURE); the time at which it was said would pass",
                         (long long)((event - recorded) / 1000));
    }
}

struct shifted {
    bool version, event, local;
};

/* What the source's clock, read at a place, is to a record. */
static void compare_shifted(const struct conform *conform, const struct conform_where *where,
                            const struct hub_outgoing *as_it_is, const struct hub_outgoing *later,
                            struct shifted *shifted, struct conform_result *result) {
    if (as_it_is->dead || later->dead)
        return;
    struct hub_stamp a = conform_read(conform->connector, as_it_is->body).stamp;
    struct hub_stamp b = conform_read(conform->connector, later->body).stamp;
    struct hub_bytes version = hub_version_of_source(a.version);
    bool moved = !hub_bytes_equal(version, hub_version_of_source(b.version));
    shifted->version |= moved;
    shifted->local |= moved && is_local_time(version);
    shifted->event |= a.has_event_time && b.has_event_time && a.event_time_ms != b.event_time_ms;
    if (moved && strcmp(as_it_is->key, later->key) != 0 && version.size == a.version.size)
        conform_find(result, CONFORM_FAILED, where,
                     "its key and its version are made of the same time: whatever is said of it later "
                     "is said of another record, or under no higher version; a key without that time, "
                     "or 'tie: position', would pass");
}

static void remark_on(const struct shifted *shifted, const struct conform_where *where,
                      struct conform_result *result) {
    if (shifted->local)
        conform_find(result, CONFORM_REMARK, where,
                     "versions are this time without an offset: if it is local, it goes back an hour every "
                     "autumn; 'time: {formats: [...], zone: ...}' would say which it is");
    if (shifted->version)
        conform_find(result, CONFORM_REMARK, where,
                     "versions are of this clock: what is told while it is set back is late, and changes "
                     "nothing");
    if (shifted->event)
        conform_find(result, CONFORM_REMARK, where,
                     "event times are of this clock: while it is ahead of the hub's, what is told is "
                     "refused (FUTURE)");
}

static void shift_clock(const struct conform *conform, size_t document,
                        const struct looked_at *looked, const char *place, json_t *told_of,
                        struct conform_result *result) {
    struct conform_edit edit = {.kind = CONFORM_SHIFT, .place = place};
    struct shifted shifted = {0};
    struct conform_told told;
    const struct hub_outgoing_list *as_it_is = &looked->told.list;
    struct conform_where where = {conform->documents[document].name, NULL, place};
    conform_map_edited(conform, document, &edit, &told);
    for (size_t i = 0; told.list.count == as_it_is->count && i < as_it_is->count; i++) {
        where.key = as_it_is->items[i].key;
        compare_shifted(conform, &where, &as_it_is->items[i], &told.list.items[i], &shifted, result);
    }
    where.key = NULL;
    if (json_object_get(told_of, place) == NULL && (shifted.version || shifted.event)) {
        json_object_set_new(told_of, place, json_true());
        remark_on(&shifted, &where, result);
    }
    conform_free(&told);
}

void conform_clock(const struct conform *conform, struct conform_result *result) {
    json_t *told_of = json_object(); /* places */
    size_t dates = 0;
    for (size_t i = 0; i < conform->count; i++) {
        struct looked_at looked;
        look(conform, i, &looked);
        check_order_of_times(conform, &conform->documents[i], &looked.told.list, result);
        for (struct conform_place *place = looked.edit.places; place != NULL;
             place = place->hh.next) {
            dates += place->date;
            if (place->date)
                shift_clock(conform, i, &looked, place->path, told_of, result);
        }
        look_away(&looked);
    }
    json_decref(told_of);
    if (dates == 0 && result->outcome == CONFORM_OK) {
        result->outcome = CONFORM_NOT_TRIED;
        conform_tell(result, "no sample tells a date");
    } else {
        conform_tell(result, "dates a day later, one of %zu places at a time; a filter's own clock is "
                     "not tried", dates);
    }
}

/* --- canary --- */

/* Numbers that are valid and nobody's: the tax agency's own examples, and the eleven-test's. */
static const struct canary {
    const char *kind, *text;
    int64_t number;
    const char *clear[3]; /* NULL-ended */
} canaries[] = {
    {"a personnummer", "198112189876", 198112189876, {"8112189876", "811218-9876"}},
    {"a samordningsnummer", "701063-2391", 0, {"7010632391", "701063-2391"}},
    {"a burgerservicenummer", "BSN 111222333", 0, {"111222333"}},
};

static bool is_in(const struct canary *canary, struct hub_bytes bytes) {
    for (size_t i = 0; canary->clear[i] != NULL; i++)
        if (memmem(bytes.data, bytes.size, canary->clear[i], strlen(canary->clear[i])) != NULL)
            return true;
    return false;
}

/* The field of the record that has it, or NULL. */
static const char *field_with(const struct canary *canary, const struct hub_connector *connector,
                              struct hub_bytes body) {
    const struct hub_type *record = connector->domain->schema->root;
    for (size_t i = 0; i < record->count; i++) {
        HUB_SCOPED_BUFFER text = {0};
        hub_render_json(record->fields[i].type, hub_slice_field(record, body, i), &text);
        if (is_in(canary, hub_buffer_bytes(&text)))
            return record->fields[i].name;
    }
    return NULL;
}

/* Where it goes out, in words; NULL: nowhere. */
static const char *where_out(const struct canary *canary, const struct hub_connector *connector,
                             const struct hub_outgoing *outgoing, struct hub_arena *arena) {
    const char *field =
        outgoing->dead ? NULL : field_with(canary, connector, outgoing->body);
    if (field != NULL)
        return hub_arena_format(arena, "the field %s", field);
    if (is_in(canary, hub_bytes_of_text(outgoing->key)))
        return "the key";
    if (is_in(canary, outgoing->value))
        return outgoing->dead ? "the dead letter" : "the record";
    for (size_t i = 0; i < outgoing->header_count; i++)
        if (is_in(canary, outgoing->headers[i].value))
            return hub_arena_format(arena, "the header %s", outgoing->headers[i].name);
    return NULL;
}

struct planted {
    size_t times, held;
};

static void plant(const struct conform *conform, size_t document, const char *place,
                  const struct canary *canary, struct planted *planted,
                  struct conform_result *result) {
    struct conform_edit edit = {.kind = CONFORM_PLANT,
                                .place = place,
                                .text = canary->text,
                                .number = canary->number};
    struct conform_told told;
    bool held = false, out = false;
    conform_map_edited(conform, document, &edit, &told);
    for (size_t i = 0; i < told.list.count && !out; i++) {
        const struct hub_outgoing *outgoing = &told.list.items[i];
        const char *in = where_out(canary, conform->connector, outgoing, &told.arena);
        held |= outgoing->dead && strcmp(outgoing->stage, "guard") == 0;
        out = in != NULL;
        if (out)
            conform_find(result, CONFORM_FAILED,
                         &(struct conform_where){conform->documents[document].name, NULL, place},
                         "%s planted there goes out in %s in clear: what the mapping makes of it the "
                         "guard does not know; a value that is left out, a pseudonym, or 'with' a text "
                         "that is neither letter nor digit, would pass", canary->kind, in);
    }
    planted->times++;
    planted->held += held;
    conform_free(&told);
}

void conform_canary(const struct conform *conform, struct conform_result *result) {
    struct planted planted = {0};
    size_t places = 0;
    for (size_t i = 0; i < conform->count; i++) {
        struct looked_at looked;
        look(conform, i, &looked);
        for (struct conform_place *place = looked.edit.places; place != NULL;
             place = place->hh.next) {
            places += !place->object;
            for (size_t k = 0; !place->object && k < sizeof canaries / sizeof *canaries; k++)
                plant(conform, i, place->path, &canaries[k], &planted, result);
        }
        look_away(&looked);
    }
    conform_tell(result, "three kinds of number in each of %zu places, %zu in all: %zu times a record was "
                 "held back for it", places, planted.times, planted.held);
}
