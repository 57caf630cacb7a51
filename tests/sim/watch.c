#include "tests/sim/watch.h"

#include "tests/lib/records.h"
#include "tests/sim/view.h"

#include <string.h>

struct entity {
    struct hub_bytes id, founder, into;
    const char *kind;
    int64_t founded_offset, revision;
    struct hub_bytes *members, *conflicts; /* keys and ids, sorted as published */
    size_t member_count, conflict_count;
};

struct statement {
    struct hub_bytes key;
    const struct entity *home; /* the entity that lists it; NULL for none */
    const struct entity *before;
};

struct conflict {
    struct hub_bytes id, values, owners, entities[2];
    int64_t events;
    const char *severity;
    bool open, was_open_ever;
    struct hub_bytes decision, proposal; /* encoded */
};

struct match {
    struct hub_bytes id, entities[2];
    int64_t events;
    bool open, proposed;
};

struct watch {
    struct hubs *hubs;
    struct churn *churn;
    struct hub_arena arena;
    const struct record *entry;
    struct entity **entities;
    size_t entity_count, entity_capacity;
    struct statement *statements;
    size_t statement_count, statement_capacity;
    struct conflict *conflicts;
    size_t conflict_count, conflict_capacity;
    struct match *matches;
    size_t match_count, match_capacity;
};

struct watch *watch_new(struct hubs *hubs, struct churn *churn) {
    struct watch *watch = hub_allocate_zero(1, sizeof *watch);
    watch->hubs = hubs;
    watch->churn = churn;
    return watch;
}

void watch_free(struct watch *watch) {
    hub_release(watch->entities);
    hub_release(watch->statements);
    hub_release(watch->conflicts);
    hub_release(watch->matches);
    hub_arena_destroy(&watch->arena);
    hub_release(watch);
}

#define FAIL(watch, subject, format, ...)                                                          \
    hubs_fail((watch)->hubs, "entry %lld, %.*s: " format, (long long)(watch)->entry->offset, \
              (int)(subject).size, (const char *)(subject).data, ##__VA_ARGS__)

static bool is(const char *symbol, const char *wanted) {
    return strcmp(symbol, wanted) == 0;
}

/* --- entities --- */

static struct entity *find_entity(const struct watch *watch, struct hub_bytes id) {
    for (size_t i = 0; i < watch->entity_count; i++)
        if (hub_bytes_equal(watch->entities[i]->id, id))
            return watch->entities[i];
    return NULL;
}

/* A text of each element: of a record its field, else the element itself. */
static struct hub_bytes *list_texts(struct watch *watch, const struct view *view,
                                    const char *name, const char *field, size_t *ret_count) {
    size_t count = view_count(view, name);
    struct hub_bytes *texts = hub_arena_take(&watch->arena, (count + 1) * sizeof *texts);
    struct hub_elements elements = view_elements(view, name);
    struct hub_bytes element;
    for (size_t i = 0; hub_slice_next(&elements, &element); i++)
        texts[i] = hub_slice_octets(field == NULL ? element
                                                  : element_field(&elements, element, field));
    *ret_count = count;
    return texts;
}

static struct entity *add_entity(struct watch *watch, const struct view *view) {
    struct entity *entity = hub_arena_take_zero(&watch->arena, 1, sizeof *entity);
    struct hub_bytes founder = view_text(view, "founder");
    for (size_t i = 0; i < watch->entity_count; i++)
        if (hub_bytes_equal(watch->entities[i]->founder, founder))
            FAIL(watch, founder, "it founded two ids");
    entity->id = view_text(view, "entity_id");
    entity->founder = founder;
    entity->founded_offset = view_long(view, "founded_offset");
    HUB_GROW(watch->entities, watch->entity_count, watch->entity_capacity);
    watch->entities[watch->entity_count++] = entity;
    return entity;
}

static void see_unified(struct watch *watch, struct hub_bytes key, struct hub_bytes value) {
    struct view view;
    if (!view_open(&view, watch->hubs->domain->unified, value)) {
        FAIL(watch, key, "no unified record");
        return;
    }
    struct entity *entity = find_entity(watch, key);
    if (entity == NULL)
        entity = add_entity(watch, &view);
    int64_t revision = view_long(&view, "revision");
    if (revision != entity->revision + 1)
        FAIL(watch, key, "revision %lld follows %lld", (long long)revision,
             (long long)entity->revision);
    if (!hub_bytes_equal(view_text(&view, "entity_id"), key))
        FAIL(watch, key, "the record is of another entity");
    if (!hub_bytes_equal(view_text(&view, "founder"), entity->founder) ||
        view_long(&view, "founded_offset") != entity->founded_offset)
        FAIL(watch, key, "the id names two founders");
    entity->revision = revision;
    entity->kind = view_symbol(&view, "kind");
    entity->into = view_text(&view, "into");
    entity->member_count = entity->conflict_count = 0;
    if (is(entity->kind, "ACTIVE"))
        entity->members =
            list_texts(watch, &view, "statements", "key", &entity->member_count);
    entity->conflicts =
        list_texts(watch, &view, "conflicts", "conflict_id", &entity->conflict_count);
}

static void check_redirect(struct watch *watch, const struct entity *entity) {
    const struct entity *end = entity;
    for (size_t i = 0; end != NULL && is(end->kind, "MERGED"); i++) {
        if (i > watch->entity_count) {
            FAIL(watch, entity->id, "its redirect goes in a circle");
            return;
        }
        end = find_entity(watch, end->into);
    }
    if (end == NULL)
        FAIL(watch, entity->id, "its redirect ends nowhere");
}

/* --- statements --- */

static struct statement *need_statement(struct watch *watch, struct hub_bytes key) {
    for (size_t i = 0; i < watch->statement_count; i++)
        if (hub_bytes_equal(watch->statements[i].key, key))
            return &watch->statements[i];
    HUB_GROW(watch->statements, watch->statement_count, watch->statement_capacity);
    struct statement *statement = &watch->statements[watch->statement_count++];
    *statement = (struct statement){.key = key};
    return statement;
}

static void place_statements(struct watch *watch) {
    for (size_t i = 0; i < watch->statement_count; i++) {
        watch->statements[i].before = watch->statements[i].home;
        watch->statements[i].home = NULL;
    }
    for (size_t i = 0; i < watch->entity_count; i++) {
        const struct entity *entity = watch->entities[i];
        for (size_t k = 0; k < entity->member_count; k++) {
            struct statement *statement = need_statement(watch, entity->members[k]);
            if (statement->home != NULL)
                FAIL(watch, statement->key, "two entities list it");
            statement->home = entity;
        }
    }
}

/* An id is where its founding statement is, and there only an older id may stand before it. */
static void check_founders(struct watch *watch) {
    for (size_t i = 0; i < watch->entity_count; i++) {
        const struct entity *entity = watch->entities[i];
        const struct entity *home = need_statement(watch, entity->founder)->home;
        if (home == NULL || home == entity)
            continue;
        if (!is(entity->kind, "MERGED") || !hub_bytes_equal(entity->into, home->id))
            FAIL(watch, entity->id, "its founder is in %.*s, and it is %s", (int)home->id.size,
                 (const char *)home->id.data, entity->kind);
        if (home->founded_offset > entity->founded_offset)
            FAIL(watch, entity->id, "the younger %.*s stands before it", (int)home->id.size,
                 (const char *)home->id.data);
    }
}

static void add_once(const struct entity **list, size_t *count, const struct entity *entity) {
    for (size_t i = 0; i < *count; i++)
        if (list[i] == entity)
            return;
    list[(*count)++] = entity;
}

static void count_churn(struct watch *watch) {
    struct hub_bytes institution, own, key = watch->entry->key;
    const struct entity **touched =
        hub_arena_take(&watch->arena, (2 * watch->statement_count + 1) * sizeof *touched);
    size_t ids = 0, clusters = 0;
    if (!hub_bytes_cut(key, '/', &institution, &own) ||
        hub_bytes_equal_text(institution, "late") ||
        hub_bytes_equal_text(institution, "decision") ||
        hub_bytes_equal_text(institution, "rules") ||
        hub_bytes_equal_text(institution, "remerge") || hub_bytes_equal_text(institution, "ref"))
        return;
    for (size_t i = 0; i < watch->statement_count; i++) {
        const struct statement *statement = &watch->statements[i];
        if (statement->before == statement->home || statement->before == NULL ||
            statement->home == NULL || hub_bytes_equal(statement->key, own))
            continue;
        ids++;
        add_once(touched, &clusters, statement->before);
        add_once(touched, &clusters, statement->home);
    }
    struct churn *churn = watch->churn;
    churn->records++;
    churn->ids += ids;
    churn->clusters += clusters;
    churn->ids_max = ids > churn->ids_max ? ids : churn->ids_max;
    churn->clusters_max = clusters > churn->clusters_max ? clusters : churn->clusters_max;
}

/* --- conflicts --- */

static struct conflict *need_conflict(struct watch *watch, struct hub_bytes id) {
    for (size_t i = 0; i < watch->conflict_count; i++)
        if (hub_bytes_equal(watch->conflicts[i].id, id))
            return &watch->conflicts[i];
    HUB_GROW(watch->conflicts, watch->conflict_count, watch->conflict_capacity);
    struct conflict *conflict = &watch->conflicts[watch->conflict_count++];
    *conflict = (struct conflict){.id = id};
    return conflict;
}

/* Whether an optional part is there: its branch is the second. */
static bool is_stated(struct hub_bytes part) {
    return part.size > 1;
}

/* What an event may say, by what the conflict was. */
static bool is_legal(const struct conflict *before, const char *transition, bool open,
                     struct hub_bytes values, bool same_rest, const struct view *view) {
    struct view decision;
    const char *kind = view_part(view, "decision", &decision) ? view_symbol(&decision, "kind") : "";
    bool same_decision = hub_bytes_equal(before->decision, view_field(view, "decision"));
    bool proposed = is_stated(view_field(view, "proposal"));
    bool had_values = before->values.size > 1, has_values = values.size > 1;
    bool same_values = hub_bytes_equal(before->values, values);
    if (is(transition, "OPENED"))
        return open && has_values && !before->was_open_ever;
    if (is(transition, "CHANGED"))
        return open && before->open && has_values && !(same_values && same_rest);
    if (is(transition, "RESOLVED"))
        return !open && !has_values && (before->open || had_values);
    if (is(transition, "REOPENED"))
        return open && before->was_open_ever &&
               (!before->open || is_stated(before->decision) || is_stated(before->proposal));
    if (is(transition, "DECIDED"))
        return !open && has_values && is(kind, "CHOOSE");
    if (is(transition, "PROPOSED")) /* one person alone changes nothing */
        return open == before->open && same_values && same_decision && proposed;
    if (is(transition, "DEFERRED"))
        return open && is(kind, "DEFER");
    if (is(transition, "REFUSED"))
        return open == before->open && same_values;
    return false;
}

static void see_conflict(struct watch *watch, struct hub_bytes key, struct hub_bytes value) {
    struct view view;
    if (!view_open(&view, hub_catalogue_latest(test_catalogue(), "conflict"), value)) {
        FAIL(watch, key, "no conflict record");
        return;
    }
    struct conflict *conflict = need_conflict(watch, key);
    size_t entity_count = 0;
    const char *transition = view_symbol(&view, "transition");
    bool open = is(view_symbol(&view, "state"), "OPEN");
    bool refused = is(transition, "REFUSED");
    struct hub_bytes values = view_field(&view, "values"), owners = view_field(&view, "owners");
    bool same_owners = hub_bytes_equal(conflict->owners, owners);
    if (conflict->events == 0) {
        conflict->values = hub_bytes("", 1);   /* an empty array */
        conflict->decision = hub_bytes("", 1); /* null */
        conflict->proposal = hub_bytes("", 1);
    }
    if (view_long(&view, "events") != conflict->events + 1)
        FAIL(watch, key, "event %lld follows %lld", (long long)view_long(&view, "events"),
             (long long)conflict->events);
    const char *severity = view_symbol(&view, "severity");
    bool same_rest = same_owners && conflict->severity != NULL && is(severity, conflict->severity);
    if (!is_legal(conflict, transition, open, values, same_rest, &view))
        FAIL(watch, key, "%s (%s now, %zu values) after it was %s", transition,
             open ? "open" : "closed", view_count(&view, "values"),
             conflict->open            ? "open"
             : conflict->was_open_ever ? "closed"
                                       : "never open");
    if (refused != (view_text(&view, "refused").data != NULL))
        FAIL(watch, key, "%s, and refused does not say so", transition);
    if (view_long(&view, "offset") != watch->entry->offset)
        FAIL(watch, key, "the event names another entry");
    struct hub_bytes *entities = list_texts(watch, &view, "entities", NULL, &entity_count);
    for (size_t i = 0; i < 2; i++)
        conflict->entities[i] = i < entity_count ? entities[i] : hub_bytes(NULL, 0);
    conflict->events++;
    conflict->open = open;
    conflict->was_open_ever |= open;
    conflict->decision = view_field(&view, "decision");
    conflict->proposal = view_field(&view, "proposal");
    conflict->values = values;
    conflict->owners = owners;
    conflict->severity = severity;
}

static bool lists(const struct entity *entity, struct hub_bytes conflict_id) {
    for (size_t i = 0; entity != NULL && i < entity->conflict_count; i++)
        if (hub_bytes_equal(entity->conflicts[i], conflict_id))
            return true;
    return false;
}

/* What is open is told by its entities, which are there; and they tell nothing else. */
static void check_conflicts(struct watch *watch) {
    size_t told = 0, stand = 0;
    for (size_t i = 0; i < watch->entity_count; i++)
        told += watch->entities[i]->conflict_count;
    for (size_t i = 0; i < watch->conflict_count; i++) {
        const struct conflict *conflict = &watch->conflicts[i];
        for (size_t k = 0; conflict->open && k < 2 && conflict->entities[k].data != NULL; k++) {
            const struct entity *entity = find_entity(watch, conflict->entities[k]);
            stand++;
            if (entity == NULL || !is(entity->kind, "ACTIVE") || !lists(entity, conflict->id))
                FAIL(watch, conflict->id, "it is open, and its entity does not say so");
        }
    }
    if (told != stand)
        hubs_fail(watch->hubs, "entry %lld: entities list %zu conflicts, %zu are open",
                  (long long)watch->entry->offset, told, stand);
}

/* --- matches --- */

static struct match *need_match(struct watch *watch, struct hub_bytes id) {
    for (size_t i = 0; i < watch->match_count; i++)
        if (hub_bytes_equal(watch->matches[i].id, id))
            return &watch->matches[i];
    HUB_GROW(watch->matches, watch->match_count, watch->match_capacity);
    struct match *match = &watch->matches[watch->match_count++];
    *match = (struct match){.id = id};
    return match;
}

static void see_match(struct watch *watch, struct hub_bytes key, struct hub_bytes value) {
    struct view view;
    size_t count = 0;
    if (!view_open(&view, hub_catalogue_latest(test_catalogue(), "match"), value)) {
        FAIL(watch, key, "no match record");
        return;
    }
    struct match *match = need_match(watch, key);
    struct hub_bytes *entities = list_texts(watch, &view, "entities", NULL, &count);
    if (view_long(&view, "events") != match->events + 1)
        FAIL(watch, key, "event %lld follows %lld", (long long)view_long(&view, "events"),
             (long long)match->events);
    if (view_long(&view, "offset") != watch->entry->offset)
        FAIL(watch, key, "the event names another entry");
    match->events++;
    match->open = is(view_symbol(&view, "state"), "OPEN");
    match->proposed = is_stated(view_field(&view, "proposal"));
    for (size_t i = 0; i < 2 && i < count; i++)
        match->entities[i] = entities[i];
    if (match->open && !match->proposed && view_count(&view, "evidence") == 0)
        FAIL(watch, key, "it is open without evidence");
}

static void check_matches(struct watch *watch) {
    for (size_t i = 0; i < watch->match_count; i++)
        for (size_t k = 0; watch->matches[i].open && !watch->matches[i].proposed && k < 2; k++) {
            const struct entity *entity = find_entity(watch, watch->matches[i].entities[k]);
            if (entity == NULL || !is(entity->kind, "ACTIVE"))
                FAIL(watch, watch->matches[i].id, "it is open about an entity that is no more");
        }
}

/* --- one entry --- */

void watch_entry(struct watch *watch, const struct record *entry,
                 const struct record *const *outputs, size_t count) {
    watch->entry = entry;
    for (size_t i = 0; i < count; i++) {
        if (outputs[i]->kind == HUB_OUTPUT_UNIFIED)
            see_unified(watch, outputs[i]->key, outputs[i]->value);
        if (outputs[i]->kind == HUB_OUTPUT_CONFLICT)
            see_conflict(watch, outputs[i]->key, outputs[i]->value);
        if (outputs[i]->kind == HUB_OUTPUT_MATCH)
            see_match(watch, outputs[i]->key, outputs[i]->value);
    }
    place_statements(watch);
    check_founders(watch);
    check_conflicts(watch);
    check_matches(watch);
    for (size_t i = 0; i < watch->entity_count; i++)
        check_redirect(watch, watch->entities[i]);
    count_churn(watch);
}

struct hub_fold_gauges watch_gauges(const struct watch *watch) {
    struct hub_fold_gauges gauges = {0};
    for (size_t i = 0; i < watch->entity_count; i++) {
        gauges.entities += is(watch->entities[i]->kind, "ACTIVE");
        gauges.statements += watch->entities[i]->member_count;
    }
    for (size_t i = 0; i < watch->conflict_count; i++)
        gauges.conflicts_open += watch->conflicts[i].open;
    for (size_t i = 0; i < watch->match_count; i++)
        gauges.matches_open += watch->matches[i].open;
    return gauges;
}
