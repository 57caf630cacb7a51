/* Acts that are recorded with a connector's position: it was set by hand, what it had read was mapped again, or
 * another configuration went on from there. */
#include "hub/ctl/audit.h"

#include "hub/base/table.h"

#include <string.h>

/* The last position of a connector. */
struct last_position {
    UT_hash_handle hh;
    char *connector;
    json_t *value; /* {position, sequence, config_hash} */
};

struct positions {
    struct hub_ctl_audit *audit;
    struct last_position *all;
};

static json_t *header_of(const struct hub_ctl_record *record, const char *name) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return hub_ctl_text(record->headers[i].value);
    return NULL;
}

static struct last_position *find(struct positions *positions, struct hub_bytes key) {
    struct last_position *last = NULL;
    HASH_FIND(hh, positions->all, key.data, key.size, last);
    if (last != NULL)
        return last;
    last = hub_allocate_zero(1, sizeof *last);
    last->connector = hub_copy_bytes(key.data, key.size);
    HASH_ADD_KEYPTR(hh, positions->all, last->connector, key.size, last);
    return last;
}

static json_t *shown(const json_t *value) {
    static const char *const names[] = {"position", "sequence", "config_hash"};
    json_t *shown = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_object_set(shown, names[i], json_object_get(value, names[i]));
    return shown;
}

static bool is_same(const json_t *before, const json_t *now, const char *name) {
    return json_equal(json_object_get(before, name), json_object_get(now, name)) != 0;
}

/* Mapping again leaves the position where it is; so does setting it to what it was. */
static void look_for_act(struct hub_ctl_audit *audit, const struct hub_ctl_record *record,
                         const json_t *value, const json_t *before, const json_t *now) {
    json_t *by = header_of(record, "hub_by"), *reason = header_of(record, "hub_reason");
    bool is_reconfigured = before != NULL && !is_same(before, now, "config_hash");
    bool is_moved = before == NULL || !is_same(before, now, "position");
    if (by != NULL || is_reconfigured)
        hub_ctl_audit_add(audit, record,
                          by == NULL ? "configuration changed"
                          : is_moved ? "position set"
                                     : "mapped again, or set as it was",
                          json_string_value(by), json_string_value(reason),
                          json_pack("{s:O, s:O, s:O}", "connector",
                                    json_object_get(value, "connector"), "institution",
                                    json_object_get(value, "institution"), "domain",
                                    json_object_get(value, "domain")),
                          json_incref((json_t *)before), json_incref((json_t *)now));
    json_decref(by);
    json_decref(reason);
}

static bool take(void *context, const struct hub_ctl_record *record) {
    struct positions *positions = context;
    positions->audit->counts.records++;
    if (record->schema == NULL || strcmp(record->schema->subject, "position") != 0)
        return true;
    positions->audit->counts.legible++;
    json_t *value = hub_ctl_value(record), *now = shown(value);
    struct last_position *last = find(positions, record->key);
    look_for_act(positions->audit, record, value, last->value, now);
    json_decref(last->value);
    last->value = now;
    json_decref(value);
    return true;
}

bool hub_ctl_audit_positions(struct hub_ctl_audit *audit) {
    struct positions positions = {.audit = audit};
    struct last_position *last, *next;
    bool good = hub_ctl_read_topic(audit->ctl, audit->source, "position", take, &positions);
    HASH_ITER(hh, positions.all, last, next) {
        HASH_DELETE(hh, positions.all, last);
        json_decref(last->value);
        hub_release(last->connector);
        hub_release(last);
    }
    return good;
}
