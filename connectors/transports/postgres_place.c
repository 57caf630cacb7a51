#include "connectors/transports/postgres_place.h"

#include "hub/base/bytes.h"

#include <stdlib.h>
#include <string.h>

/* So that a position, which may name them twice, is a record that Kafka takes. */
enum { TRANSACTIONS_MAX = 10000 };

static char *copy_or_null(const char *text) {
    return text == NULL ? NULL : hub_copy_text(text);
}

struct postgres_place postgres_place_copy(const struct postgres_place *place) {
    struct postgres_place copy = *place;
    copy.database = copy_or_null(place->database);
    copy.table = copy_or_null(place->table);
    copy.open = copy_or_null(place->open);
    copy.until = copy_or_null(place->until);
    return copy;
}

void postgres_place_free(struct postgres_place *place) {
    hub_release(place->database);
    hub_release(place->table);
    hub_release(place->open);
    hub_release(place->until);
    *place = (struct postgres_place){0};
}

/* --- snapshots: XMIN:XMAX:OPEN,OPEN,... --- */

static bool take_number(const char **at, int64_t *ret_number) {
    char *end = NULL;
    if (**at < '0' || **at > '9')
        return false;
    *ret_number = strtoll(*at, &end, 10);
    *at = end;
    return true;
}

/* Those of the snapshot's open transactions that are below, as "{1230,1231}"; false where it is no
 * snapshot. */
static bool list_open(const char *snapshot, int64_t below, struct hub_buffer *list) {
    const char *at = snapshot;
    int64_t number = 0;
    if (!take_number(&at, &number) || *at++ != ':' || !take_number(&at, &number) || *at++ != ':')
        return false;
    hub_buffer_append_byte(list, '{');
    for (size_t count = 0; count < TRANSACTIONS_MAX && take_number(&at, &number); count++) {
        if (number < below)
            hub_buffer_append_format(list, "%s%lld", list->size > 1 ? "," : "",
                                     (long long)number);
        at += *at == ',';
    }
    hub_buffer_append_byte(list, '}');
    return *at == '\0';
}

/* --- positions --- */

static bool read_open(const json_t *array, struct hub_buffer *list) {
    const json_t *each = NULL;
    size_t i = 0;
    hub_buffer_append_byte(list, '{');
    json_array_foreach((json_t *)array, i, each) {
        if (!json_is_integer(each) || json_integer_value(each) < 0)
            return false;
        hub_buffer_append_format(list, "%s%lld", i == 0 ? "" : ",",
                                 (long long)json_integer_value(each));
    }
    hub_buffer_append_byte(list, '}');
    return json_is_array(array) && json_array_size(array) <= TRANSACTIONS_MAX;
}

static bool read_place(struct postgres_place *place, const json_t *position) {
    HUB_SCOPED_BUFFER open = {0}, ignored = {0};
    const json_t *xid = json_object_get(position, "xid"), *id = json_object_get(position, "id");
    const json_t *most = json_object_get(position, "most");
    place->database = copy_or_null(json_string_value(json_object_get(position, "database")));
    place->table = copy_or_null(json_string_value(json_object_get(position, "table")));
    place->until = copy_or_null(json_string_value(json_object_get(position, "until")));
    place->xid = place->most = json_integer_value(xid);
    if (place->until != NULL) {
        place->most = json_integer_value(most);
        place->id = json_integer_value(id);
        if (!json_is_integer(most) || !json_is_integer(id) || place->most < place->xid ||
            !list_open(place->until, /* below= */ 0, &ignored))
            return false;
    }
    if (!read_open(json_object_get(position, "open"), &open))
        return false;
    place->open = hub_copy_text(hub_buffer_text(&open));
    return place->database != NULL && place->table != NULL && json_is_integer(xid) &&
           place->xid >= 0;
}

enum hub_status postgres_place_load(struct postgres_place *place, const char *position,
                                    const char *table, struct hub_error *reterr) {
    json_error_t error;
    if (position == NULL) {
        *place = (struct postgres_place){.table = hub_copy_text(table),
                                         .open = hub_copy_text("{}")};
        return HUB_OK;
    }
    json_t *tree = json_loads(position, 0, &error);
    bool good = read_place(place, tree);
    json_decref(tree);
    if (!good)
        return hub_fail(reterr, HUB_FATAL,
                        "the position is not one of postgres: {\"database\": ..., \"table\": ..., "
                        "\"xid\": ..., \"open\": [...]} would pass");
    if (strcmp(place->table, table) != 0)
        return hub_fail(reterr, HUB_FATAL,
                        "the position is one in table %s; a connector of another name would read "
                        "%s, from its beginning", place->table, table);
    return HUB_OK;
}

enum hub_status postgres_place_check(struct postgres_place *place, const char *database,
                                     int64_t next_xid, struct hub_error *reterr) {
    if (place->database == NULL)
        place->database = hub_copy_text(database);
    if (strcmp(place->database, database) != 0)
        return hub_fail(reterr, HUB_FATAL,
                        "the database is %s, and the position is one in %s: what was read of this "
                        "one cannot be known; a connector of another name would read it from its "
                        "beginning", database, place->database);
    if (next_xid <= place->most)
        return hub_fail(reterr, HUB_FATAL,
                        "the database has gone back, as after a restore: its next transaction is "
                        "%lld, and %lld was read; what has been written since cannot be told from "
                        "what was read, and a connector of another name would read all of it",
                        (long long)next_xid, (long long)place->most);
    return HUB_OK;
}

const char *postgres_place_render(const struct postgres_place *place, struct hub_arena *arena) {
    HUB_SCOPED_BUFFER open = {0};
    hub_buffer_append_format(&open, "[%.*s]", (int)strlen(place->open) - 2, place->open + 1);
    json_t *position = json_pack("{s:s, s:s, s:I, s:o}", "database", place->database, "table",
                                 place->table, "xid", (json_int_t)place->xid, "open",
                                 json_loads(hub_buffer_text(&open), 0, NULL));
    if (place->until != NULL) {
        json_object_set_new(position, "until", json_string(place->until));
        json_object_set_new(position, "most", json_integer(place->most));
        json_object_set_new(position, "id", json_integer(place->id));
    }
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = hub_arena_text(arena, text, strlen(text));
    free(text);
    json_decref(position);
    return copy;
}

/* --- a look --- */

enum hub_status postgres_place_begin(struct postgres_place *place, const char *snapshot,
                                     struct hub_error *reterr) {
    HUB_SCOPED_BUFFER open = {0};
    if (!list_open(snapshot, INT64_MAX, &open))
        return hub_fail(reterr, HUB_RETRY,
                        "a snapshot of %zu bytes; one with at most %d open transactions would pass",
                        strlen(snapshot), TRANSACTIONS_MAX);
    place->until = hub_copy_text(snapshot);
    place->most = place->xid;
    place->id = INT64_MIN;
    return HUB_OK;
}

void postgres_place_pass(struct postgres_place *place, int64_t xid, int64_t id) {
    place->most = xid > place->most ? xid : place->most;
    place->id = id;
}

void postgres_place_end(struct postgres_place *place) {
    HUB_SCOPED_BUFFER open = {0};
    list_open(place->until, /* below= */ place->most, &open);
    hub_release(place->open);
    place->open = hub_copy_text(hub_buffer_text(&open));
    place->until = hub_release(place->until);
    place->xid = place->most;
}
