/* Listings: of each identifier the entities that claim it, for whoever has a number and wants to
 * know what it is the number of.
 *
 * A listing is a function of the statements in force and their entities. So nothing is kept of what
 * was published: a step looks at the identifiers in its reach before it changes anything, and again
 * after. */
#include "hub/stages/fold_state.h"

#include "hub/base/text.h"
#include "hub/core/identity.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"

#include <string.h>

struct fold_listing {
    const char *text;
    const char **before; /* entity ids */
    size_t before_count;
    size_t order; /* of being touched: of several with one text the first knows */
};

static int compare_ids(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The entities of all who claim it but one, sorted. */
static const char **list_entities(const struct fold_identifier *identifier,
                                  const struct fold_statement *but, struct hub_arena *arena,
                                  size_t *ret_count) {
    size_t room = identifier == NULL ? 0 : identifier->count;
    size_t count = 0, unique = 0;
    *ret_count = 0;
    if (room == 0 || room > HUB_IDENTIFIER_DEGREE_MAX + 1)
        return NULL;
    const char **ids = hub_arena_take(arena, room * sizeof *ids);
    for (size_t i = 0; i < identifier->count; i++)
        if (identifier->statements[i] != but)
            ids[count++] = identifier->statements[i]->entity->id;
    if (count > HUB_IDENTIFIER_DEGREE_MAX) /* set aside: it tells nothing */
        return NULL;
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (unique == 0 || strcmp(ids[unique - 1], ids[i]) != 0)
            ids[unique++] = ids[i];
    *ret_count = unique;
    return ids;
}

/* NULL where the running step has it already. */
static struct fold_listing *touch(struct fold_step *step, struct fold_identifier *identifier) {
    if (step->listing_mark == 0)
        step->listing_mark = ++step->fold->marks;
    if (identifier->listing_mark == step->listing_mark)
        return NULL;
    identifier->listing_mark = step->listing_mark;
    HUB_GROW_IN(step->arena, step->listings, step->listing_count, step->listing_capacity);
    struct fold_listing *listing = &step->listings[step->listing_count];
    *listing = (struct fold_listing){
        .text = hub_arena_text(step->arena, identifier->text, strlen(identifier->text)),
        .order = step->listing_count++};
    return listing;
}

void fold_listing_touch(struct fold_step *step, const struct fold_statement *statement,
                        const struct fold_statement *but) {
    for (size_t i = 0; i < statement->claim_count; i++) {
        struct fold_listing *listing = touch(step, statement->claims[i]);
        if (listing != NULL)
            listing->before =
                list_entities(statement->claims[i], but, step->arena, &listing->before_count);
    }
}

void fold_listing_touch_new(struct fold_step *step, const struct fold_statement *statement) {
    for (size_t i = 0; i < statement->claim_count; i++)
        touch(step, statement->claims[i]);
}

static int compare_listings(const void *a, const void *b) {
    const struct fold_listing *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* As in schemas/hub/identifier.avsc. */
static void encode(const struct fold_step *step, const char *text, const char *const *ids,
                   size_t count, struct hub_buffer *value) {
    hub_frame_append(value, step->fold->listing_schema->id);
    hub_encode_text(value, text);
    hub_encode_text(value, step->fold->domain->name);
    hub_encode_array_begin(value, count);
    for (size_t i = 0; i < count; i++)
        hub_encode_text(value, ids[i]);
    hub_encode_array_end(value);
    hub_encode_long(value, step->entry->offset);
    hub_encode_long(value, HUB_CORE_VERSION);
}

/* A key is of one shard. Partitions have no order between them: with a key that two shards share,
 * the null of the shard that a thing left could hide the listing of the one that it went to. */
static const char *key_of(const struct fold_step *step, const char *text) {
    const struct hub_fold *fold = step->fold;
    return fold->domain->shard_field < 0
               ? text
               : hub_arena_format(step->arena, "%s#%d", text, fold->partition);
}

static void publish(struct fold_step *step, const struct fold_listing *listing,
                    const char *const *ids, size_t count) {
    struct hub_buffer value = {.arena = step->arena};
    const char *key = key_of(step, listing->text);
    struct fold_label label = {
        '@', step->entry->offset,
        fold_publish_type(step, count > 0 ? "identifier.listed" : "identifier.dropped")};
    if (count > 0)
        encode(step, listing->text, ids, count, &value);
    fold_publish_record(step, HUB_OUTPUT_IDENTIFIER, key, &value, &label);
}

static bool same_ids(const struct fold_listing *listing, const char *const *ids, size_t count) {
    if (listing->before_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(listing->before[i], ids[i]) != 0)
            return false;
    return true;
}

static struct fold_identifier *find(struct hub_fold *fold, const char *text) {
    struct fold_identifier *identifier = NULL;
    fold_wake(fold, FOLD_BY_IDENTIFIER, hub_bytes_of_text(text));
    HASH_FIND_STR(fold->identifiers, text, identifier);
    return identifier;
}

void fold_listing_publish(struct fold_step *step) {
    if (step->listing_count > 1)
        qsort(step->listings, step->listing_count, sizeof *step->listings, compare_listings);
    for (size_t i = 0; i < step->listing_count; i++) {
        const struct fold_listing *listing = &step->listings[i];
        size_t count = 0;
        if (i > 0 && strcmp(listing->text, step->listings[i - 1].text) == 0)
            continue;
        const char **ids =
            list_entities(find(step->fold, listing->text), NULL, step->arena, &count);
        if (!same_ids(listing, ids, count))
            publish(step, listing, ids, count);
    }
}

/* --- for whoever asks now --- */

const char **hub_fold_resolve(struct hub_fold *fold, const char *identifier,
                              struct hub_arena *arena, size_t *ret_count) {
    return list_entities(find(fold, identifier), NULL, arena, ret_count);
}

static void append_members(const struct fold_entity *entity, struct hub_buffer *json) {
    for (size_t i = 0; i < entity->member_count; i++) {
        hub_buffer_append_text(json, i == 0 ? "" : ",");
        hub_text_append_json(hub_bytes_of_text(entity->members[i]->key), json);
    }
}

static void append_optional(const char *text, struct hub_buffer *json) {
    if (text == NULL)
        hub_buffer_append_text(json, "null");
    else
        hub_text_append_json(hub_bytes_of_text(text), json);
}

const char *hub_fold_render_entity(struct hub_fold *fold, const char *id,
                                   struct hub_buffer *json) {
    static const char *const kinds[] = {"ACTIVE", "MERGED", "WITHDRAWN", "MOVED"};
    const struct fold_entity *entity = fold_entity_find(fold, id);
    while (entity != NULL && entity->kind == FOLD_MERGED) /* redirects are acyclic */
        entity = fold_entity_find(fold, entity->into);
    if (entity == NULL)
        return NULL;
    hub_buffer_append_format(json, "{\"entity_id\":\"%s\",\"domain\":\"%s\",\"kind\":\"%s\"",
                             entity->id, fold->domain->name, kinds[entity->kind]);
    hub_buffer_append_text(json, ",\"into\":");
    append_optional(entity->into, json);
    hub_buffer_append_format(json, ",\"revision\":%lld,\"statements\":[",
                             (long long)entity->revision);
    append_members(entity, json);
    hub_buffer_append_text(json, "],\"value\":");
    if (entity->value == NULL)
        hub_buffer_append_text(json, "null");
    else
        hub_render_json(fold->domain->schema->root,
                        hub_bytes(entity->value, entity->value_size), json);
    hub_buffer_append_text(json, "}");
    return kinds[entity->kind];
}
