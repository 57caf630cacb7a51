#include "tests/sim/decide.h"

#include "schemas/lib/frame.h"
#include "tests/sim/view.h"

#include <string.h>

enum { MEMBERS_MAX = 32 };

/* One person, looking at one shard. */
struct person {
    struct hubs *hubs;
    struct test_random *random;
    int32_t shard;
    size_t seen; /* per mille of what was published: all, or as it was a while ago */
};

static size_t below(struct person *person, size_t bound) {
    return test_random_below(person->random, bound);
}

static bool chance(struct person *person, size_t one_in) {
    return below(person, one_in) == 0;
}

/* --- what is seen --- */

static size_t seen_of(const struct person *person, enum hub_output_kind kind) {
    return person->hubs->outputs[person->shard][kind].history.count * person->seen / 1000;
}

static const struct record *last_of(const struct person *person, enum hub_output_kind kind,
                                    struct hub_bytes key) {
    const struct records *history = &person->hubs->outputs[person->shard][kind].history;
    for (size_t i = seen_of(person, kind); i > 0; i--)
        if (hub_bytes_equal(history->items[i - 1]->key, key))
            return history->items[i - 1];
    return NULL;
}

/* Any record, as it was last seen; those published last are looked at more. */
static bool pick(struct person *person, enum hub_output_kind kind,
                 const struct hub_schema *schema, struct view *ret_view) {
    const struct records *history = &person->hubs->outputs[person->shard][kind].history;
    size_t count = seen_of(person, kind);
    if (count == 0)
        return false;
    size_t at = count - 1 - below(person, chance(person, 2) && count > 4 ? 4 : count);
    return view_open(ret_view, schema,
                     last_of(person, kind, history->items[at]->key)->value);
}

/* -1 where it was never seen. */
static int64_t revision_of(const struct person *person, struct hub_bytes entity) {
    struct view view;
    const struct record *record = last_of(person, HUB_OUTPUT_UNIFIED, entity);
    if (record == NULL ||
        !view_open(&view, person->hubs->domain->unified, record->value))
        return -1;
    return view_long(&view, "revision");
}

/* --- what is said --- */

static void say(struct person *person, const char *kind, struct hub_bytes subject,
                int64_t revision, const char *more) {
    static const char *const people[] = {"anna", "bo", "cleo"};
    struct hubs *hubs = person->hubs;
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "decision");
    HUB_SCOPED_BUFFER message = {0};
    HUB_SCOPED_BUFFER json = {0};
    const char *by = people[below(person, 3)];
    hub_buffer_append_format(
        &json,
        "{'decision_id': 'd-%zu', 'domain': '%s', 'subject': '%.*s', 'kind': '%s', 'shard': %d, "
        "'revision': %lld, 'decided_by': '%s', 'reason': '%s', "
        "'decided_time': '2026-05-01T10:00:00.000Z'%s}",
        hubs->slots[0].own.history.count, hubs->domain->name, (int)subject.size,
        (const char *)subject.data, kind, person->shard, (long long)revision, by,
        chance(person, 40) ? " " : "as it is", more);
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message,
                            test_value(schema->root, hub_buffer_text(&json), &hubs->scratch));
    hubs_tell(hubs, "decide   %s %s %.*s at revision %lld%s", by, kind, (int)subject.size,
              (const char *)subject.data, (long long)revision, more);
    char *value = hub_arena_text(&hubs->arena, (const char *)message.data, message.size);
    char *key = hub_arena_text(&hubs->arena, (const char *)subject.data, subject.size);
    hubs_decide(hubs, hub_bytes(key, subject.size), hub_bytes(value, message.size));
}

/* --- about conflicts --- */

/* One of the statements that give the values, or nothing. */
static struct hub_bytes pick_statement(struct person *person, const struct view *conflict) {
    struct hub_bytes found[MEMBERS_MAX], value, element;
    size_t count = 0;
    struct hub_elements values = view_elements(conflict, "values");
    while (hub_slice_next(&values, &value)) {
        const struct hub_type *record = values.type;
        int index = hub_type_field(record, "statements");
        struct hub_elements keys = hub_slice_elements(
            record->fields[index].type, hub_slice_field(record, value, (size_t)index));
        while (count < MEMBERS_MAX && hub_slice_next(&keys, &element))
            found[count++] = hub_slice_octets(element);
    }
    return count == 0 ? hub_bytes("", 0) : found[below(person, count)];
}

/* Mostly one that is open. */
static bool pick_conflict(struct person *person, struct view *ret_view) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "conflict");
    bool found = pick(person, HUB_OUTPUT_CONFLICT, schema, ret_view);
    for (size_t tries = 0; found && tries < 4; tries++)
        if (strcmp(view_symbol(ret_view, "state"), "OPEN") != 0)
            found = pick(person, HUB_OUTPUT_CONFLICT, schema, ret_view);
    return found;
}

static void decide_conflict(struct person *person) {
    static const char *const kinds[] = {"CHOOSE", "CHOOSE", "CHOOSE", "DEFER", "REOPEN"};
    struct view view;
    struct hub_bytes entity = {0};
    char more[256] = "";
    if (!pick_conflict(person, &view))
        return;
    struct hub_elements entities = view_elements(&view, "entities");
    if (!hub_slice_next(&entities, &entity))
        return;
    const char *kind = kinds[below(person, 5)];
    struct hub_bytes chosen = pick_statement(person, &view);
    if (strcmp(kind, "CHOOSE") == 0)
        snprintf(more, sizeof more, ", 'statements': ['%.*s']", (int)chosen.size,
                 (const char *)chosen.data);
    say(person, kind, view_text(&view, "conflict_id"),
        revision_of(person, hub_slice_octets(entity)), more);
}

/* About a conflict that may never be, or will be later. */
static void decide_what_is_not_there(struct person *person) {
    static const char *const fields[] = {"enrolment", "status", "start", "suite", "interval",
                                         "sponsor", "titles[en].text"};
    struct view view;
    char subject[256];
    if (!pick(person, HUB_OUTPUT_UNIFIED, person->hubs->domain->unified, &view))
        return;
    struct hub_bytes id = view_text(&view, "entity_id");
    snprintf(subject, sizeof subject, "%.*s/%s", (int)id.size, (const char *)id.data,
             fields[below(person, 7)]);
    say(person, "DEFER", hub_bytes_of_text(subject), view_long(&view, "revision"), "");
}

/* --- about statements --- */

struct side {
    struct hub_bytes keys[MEMBERS_MAX], entity;
    size_t count;
    int64_t revision;
};

static bool pick_side(struct person *person, struct side *side) {
    struct view view;
    struct hub_bytes element;
    if (!pick(person, HUB_OUTPUT_UNIFIED, person->hubs->domain->unified, &view))
        return false;
    struct hub_elements statements = view_elements(&view, "statements");
    side->count = 0;
    while (side->count < MEMBERS_MAX && hub_slice_next(&statements, &element))
        side->keys[side->count++] =
            hub_slice_octets(element_field(&statements, element, "key"));
    side->entity = view_text(&view, "entity_id");
    side->revision = view_long(&view, "revision");
    return side->count > 0;
}

/* Mostly the same sides have the same subject, as with hubctl; but a subject is any text. */
static void name_pair(struct person *person, struct hub_bytes a, struct hub_bytes b, char *subject,
                      size_t size) {
    if (chance(person, 4)) {
        snprintf(subject, size, "pair/%zu", below(person, 3));
        return;
    }
    bool ordered = hub_bytes_compare(a, b) < 0;
    struct hub_bytes first = ordered ? a : b, second = ordered ? b : a;
    snprintf(subject, size, "%.*s=%.*s", (int)first.size, (const char *)first.data,
             (int)second.size, (const char *)second.data);
}

static void decide_pair(struct person *person) {
    struct side a, b;
    char subject[256], more[512];
    bool within = chance(person, 2);
    if (!pick_side(person, &a) || !pick_side(person, &b))
        return;
    if (within)
        b = a;
    size_t at = below(person, a.count);
    struct hub_bytes one = a.keys[at], other = b.keys[below(person, b.count)];
    if (within && !chance(person, 16)) /* else on both sides */
        other = a.keys[(at + 1) % a.count];
    if (within && a.count == 1)
        return;
    bool apart = within ? !chance(person, 6) : chance(person, 6);
    name_pair(person, one, other, subject, sizeof subject);
    snprintf(more, sizeof more,
             ", 'statements': ['%.*s'], 'others': ['%.*s'], 'other_revision': %lld",
             (int)one.size, (const char *)one.data, (int)other.size, (const char *)other.data,
             (long long)b.revision);
    say(person, apart ? "SEPARATE" : "JOIN", hub_bytes_of_text(subject), a.revision, more);
}

/* --- second persons --- */

/* Somebody says again what was said before, on what is published now. */
static void decide_again(struct person *person) {
    const struct records *said = &person->hubs->slots[0].own.history;
    struct view view;
    struct hub_bytes element, first = {0}, second = {0};
    char more[512] = "";
    if (said->count == 0)
        return;
    const struct record *before = said->items[said->count - 1 - below(person, said->count > 3
                                                                                  ? 3
                                                                                  : said->count)];
    if (!view_open(&view, hub_catalogue_latest(test_catalogue(), "decision"), before->value))
        return;
    struct hub_elements statements = view_elements(&view, "statements");
    struct hub_elements others = view_elements(&view, "others");
    if (hub_slice_next(&statements, &element))
        first = hub_slice_octets(element);
    if (hub_slice_next(&others, &element))
        second = hub_slice_octets(element);
    person->shard = (int32_t)view_long(&view, "shard");
    struct hub_bytes subject = view_text(&view, "subject"), entity = subject, rest;
    int64_t revision = view_long(&view, "revision");
    if (second.size == 0 && hub_bytes_cut(subject, '/', &entity, &rest) &&
        revision_of(person, entity) > 0)
        revision = revision_of(person, entity);
    if (first.size > 0 && second.size == 0)
        snprintf(more, sizeof more, ", 'statements': ['%.*s']", (int)first.size,
                 (const char *)first.data);
    if (second.size > 0)
        snprintf(more, sizeof more,
                 ", 'statements': ['%.*s'], 'others': ['%.*s'], 'other_revision': %lld",
                 (int)first.size, (const char *)first.data, (int)second.size,
                 (const char *)second.data,
                 (long long)hub_slice_long(hub_bytes_part(view_field(&view, "other_revision"), 1,
                                                          view_field(&view, "other_revision")
                                                              .size)));
    say(person, view_symbol(&view, "kind"), subject, revision, more);
}

void decide_something(struct hubs *hubs, struct test_random *random) {
    struct person person = {.hubs = hubs, .random = random};
    person.shard = (int32_t)below(&person, (size_t)hubs->shard_count);
    for (int32_t i = 0; seen_of(&person, HUB_OUTPUT_UNIFIED) == 0 && i < hubs->shard_count; i++) {
        person.seen = 1000;
        person.shard = (person.shard + 1) % hubs->shard_count;
    }
    person.seen = chance(&person, 5) ? 500 + below(&person, 500) : 1000;
    switch (below(&person, 8)) {
    case 0:
        decide_what_is_not_there(&person);
        return;
    case 1:
    case 2:
        decide_again(&person);
        return;
    case 3:
    case 4:
        decide_pair(&person);
        return;
    default:
        decide_conflict(&person);
    }
}
