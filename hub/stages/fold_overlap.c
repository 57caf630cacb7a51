/* Overlaps: two entities that claim one thing at one time (hub:exclusive). */
#include "hub/stages/fold_state.h"

#include "hub/base/text.h"
#include "hub/core/equal.h"
#include "hub/core/merge_order.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

static const int64_t DAY_MS = 86400000, NO_END_MS = 253402214400000; /* 9999-12-31 */

static struct fold_suite *need_suite(struct hub_fold *fold, const char *key) {
    struct fold_suite *suite = NULL;
    HASH_FIND_STR(fold->suites, key, suite);
    if (suite != NULL)
        return suite;
    suite = hub_allocate_zero(1, sizeof *suite);
    suite->key = hub_copy_text(key);
    HASH_ADD_KEYPTR(hh, fold->suites, suite->key, strlen(suite->key), suite);
    return suite;
}

static void drop_span(struct hub_fold *fold, struct fold_entity *entity) {
    struct fold_suite *suite = NULL;
    if (entity->exclusive_key == NULL)
        return;
    HASH_FIND_STR(fold->suites, entity->exclusive_key, suite);
    hub_intervals_remove(&suite->intervals, entity->span.start_ms, entity);
    if (suite->intervals.count == 0) {
        HASH_DELETE(hh, fold->suites, suite);
        hub_intervals_free(&suite->intervals);
        hub_release(suite->key);
        hub_release(suite);
    }
    entity->exclusive_key = hub_release(entity->exclusive_key);
}

/* The bound that the first of the interval's fields states; NULL for none. */
static const struct hub_type *find_bound(const struct hub_domain *domain, struct hub_bytes value,
                                         const char *name, struct hub_bytes *ret_bound) {
    const struct hub_exclusive *exclusive = domain->exclusive;
    const struct hub_type *record = domain->schema->root, *type = NULL;
    for (size_t i = 0; type == NULL && i < exclusive->interval_count; i++) {
        size_t index = (size_t)exclusive->interval_fields[i];
        type = hub_slice_path(record->fields[index].type, hub_slice_field(record, value, index),
                              name, ret_bound);
    }
    return type;
}

/* A Time's instant, or a Date's day; of a month or a year its first. */
static int64_t first_of(const struct hub_type *type, struct hub_bytes bound) {
    return hub_slice_long(hub_slice_field(type, bound, 0));
}

/* The last day that a Date may mean. */
static int64_t last_of(const struct hub_type *type, struct hub_bytes bound) {
    static const size_t known[] = {10, 7, 4}; /* characters of 2026-03-14 by precision */
    size_t precision = (size_t)hub_slice_long(hub_slice_field(type, bound, 1));
    int64_t day = first_of(type, bound);
    HUB_SCOPED_BUFFER text = {0};
    bool within = precision > 0 && precision < sizeof known / sizeof *known;
    while (within) {
        hub_buffer_clear(&text);
        hub_render_date(day, &text);
        hub_render_date(day + 1, &text);
        within = memcmp(text.data, text.data + text.size / 2, known[precision]) == 0;
        day += within;
    }
    return day;
}

static bool read_interval(const struct hub_domain *domain, struct hub_bytes value,
                          struct hub_span *span) {
    bool days = domain->exclusive->days;
    struct hub_bytes start, end;
    const struct hub_type *first = find_bound(domain, value, days ? "from" : "start", &start);
    const struct hub_type *last = find_bound(domain, value, days ? "to" : "end", &end);
    if (first == NULL)
        return false;
    span->start_ms = days ? last_of(first, start) * DAY_MS : first_of(first, start);
    span->end_ms = last == NULL ? NO_END_MS : first_of(last, end) * (days ? DAY_MS : 1);
    return days ? span->end_ms >= span->start_ms : span->end_ms > span->start_ms;
}

/* A partition holds several shards. Nothing is appended where the value is not stated. */
static void append_shard(const struct hub_domain *domain, struct hub_bytes value,
                         struct hub_buffer *key) {
    size_t index = (size_t)domain->shard_field;
    const struct hub_field_contract *contract = &domain->contract.fields[index];
    hub_value_key(contract, contract->field->type,
                  hub_slice_field(domain->schema->root, value, index), key);
}

bool fold_overlap_suite(const struct hub_domain *domain, struct hub_bytes value,
                        struct hub_buffer *key) {
    const struct hub_exclusive *exclusive = domain->exclusive;
    const struct hub_type *record = domain->schema->root;
    struct hub_bytes part;
    if (exclusive == NULL)
        return false;
#define FIELD(index)                                                                               \
    hub_slice_stated(record->fields[index].type, hub_slice_field(record, value, (size_t)(index)), \
                     &part)
    if (FIELD(exclusive->status_field) == NULL || !exclusive->active[hub_slice_long(part)])
        return false;
    if (domain->shard_field >= 0)
        append_shard(domain, value, key);
    hub_buffer_append_byte(key, '/');
    if (FIELD(exclusive->of_field) == NULL)
        return false;
    hub_text_fold(hub_slice_octets(part), key);
#undef FIELD
    return true;
}

void fold_overlap_index(struct hub_fold *fold, struct fold_entity *entity) {
    HUB_SCOPED_BUFFER key = {0};
    struct hub_span span;
    struct hub_bytes value = hub_bytes(entity->value, entity->value_size);
    drop_span(fold, entity);
    if (fold->domain->exclusive == NULL) /* the common case */
        return;
    if (entity->kind != FOLD_ACTIVE || !fold_overlap_suite(fold->domain, value, &key) ||
        !read_interval(fold->domain, value, &span))
        return;
    span.owner = entity;
    entity->exclusive_key = hub_copy_text(hub_buffer_text(&key));
    entity->span = span;
    hub_intervals_add(&need_suite(fold, entity->exclusive_key)->intervals, span);
}

static void append_bound(const struct hub_exclusive *exclusive, const char *name, int64_t bound_ms,
                         struct hub_buffer *text) {
    hub_buffer_append_format(text, ",\"%s\":%s", name, bound_ms == NO_END_MS ? "null" : "\"");
    if (bound_ms == NO_END_MS)
        return;
    if (exclusive->days)
        hub_render_date(bound_ms / DAY_MS, text);
    else
        hub_render_time(bound_ms, text);
    hub_buffer_append_byte(text, '"');
}

static void encode_claim(const struct hub_exclusive *exclusive, const struct fold_entity *entity,
                         struct hub_buffer *values) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "{\"entity\":\"%s\"", entity->id);
    append_bound(exclusive, "start", entity->span.start_ms, &text);
    append_bound(exclusive, "end", entity->span.end_ms, &text);
    hub_buffer_append_byte(&text, '}');
    hub_encode_octets(values, hub_buffer_bytes(&text));
    hub_encode_array_begin(values, entity->member_count);
    for (size_t i = 0; i < entity->member_count; i++)
        hub_encode_text(values, entity->members[i]->key);
    hub_encode_array_end(values);
    hub_buffer_append_byte(values, false);
}

/* Of each entity by the interval's rules, else whoever speaks of it. */
static void add_owners(const struct fold_step *step, const struct fold_entity *entity,
                       struct fold_owners *owners) {
    const struct hub_domain *domain = step->fold->domain;
    struct hub_voice *voices = NULL;
    fold_publish_voices(entity, domain, step->arena, &voices);
    struct hub_merge_scope scope = {.domain = domain,
                                    .voices = voices,
                                    .voice_count = entity->member_count,
                                    .arena = step->arena};
    hub_merge_bind_roles(&scope);
    const char *owner = hub_merge_owner(
        &scope, &domain->contract.fields[domain->exclusive->interval_fields[0]]);
    if (owner != NULL)
        fold_owners_add(owners, owner);
    for (size_t i = 0; owner == NULL && i < entity->member_count; i++)
        fold_owners_add_speakers(owners, entity->members[i]);
}

struct overlap_search {
    struct fold_step *step;
    struct fold_entity *entity;
};

static void on_overlap(void *context, void *owner) {
    const struct overlap_search *search = context;
    struct fold_step *step = search->step;
    const struct fold_entity *a = search->entity, *b = owner;
    if (strcmp(a->id, b->id) > 0) {
        a = owner;
        b = search->entity;
    }
    const struct hub_exclusive *exclusive = step->fold->domain->exclusive;
    const char *field =
        step->fold->domain->schema->root->fields[exclusive->interval_fields[0]].name;
    HUB_SCOPED_BUFFER values = {0};
    struct fold_finding finding = {
        .id = hub_arena_format(step->arena, "%s+%s/%s", a->id, b->id, field),
        .kind = HUB_CONFLICT_OVERLAP,
        .entities = {a->id, b->id},
        .field = field,
        .severity = exclusive->severity,
        .owners = fold_owners_new(step)};
    add_owners(step, a, &finding.owners);
    add_owners(step, b, &finding.owners);
    hub_encode_array_begin(&values, 2);
    encode_claim(exclusive, a, &values);
    encode_claim(exclusive, b, &values);
    hub_encode_array_end(&values);
    fold_conflict_hold(step, &finding, &values);
}

void fold_overlap_find(struct fold_step *step, struct fold_change *change) {
    struct fold_entity *entity = change->entity;
    struct overlap_search search = {step, entity};
    struct fold_suite *suite = NULL;
    if (entity->exclusive_key != NULL) {
        fold_wake(step->fold, FOLD_BY_SUITE, hub_bytes_of_text(entity->exclusive_key));
        HASH_FIND_STR(step->fold->suites, entity->exclusive_key, suite);
        hub_intervals_overlaps(&suite->intervals, entity->span, on_overlap, &search);
    }
    fold_conflict_resolve_unseen(step, entity, FOLD_CONFLICTS_OF_OVERLAPS);
}
