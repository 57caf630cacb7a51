/* Statements: whose copy speaks, and whether it stands. */
#include "hub/stages/fold_state.h"

#include "hub/base/text.h"
#include "schemas/lib/statement.h"

#include <stdio.h>
#include <string.h>

struct fold_statement *fold_statement_find(struct hub_fold *fold, const char *key) {
    struct fold_statement *statement = NULL;
    fold_wake(fold, FOLD_BY_STATEMENT, hub_bytes_of_text(key));
    HASH_FIND_STR(fold->statements, key, statement);
    return statement;
}

const struct fold_copy *fold_statement_speaker(const struct fold_statement *statement) {
    return &statement->copies[statement->speaker];
}

int fold_statement_compare(const void *a, const void *b) {
    const struct fold_statement *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static void empty_copy(struct fold_copy *copy) {
    copy->starts = hub_release(copy->starts);
    copy->body = NULL;
    copy->version = copy->replaced_status = NULL;
}

void fold_statement_free(struct fold_statement *statement) {
    for (size_t i = 0; i < statement->copy_count; i++)
        empty_copy(&statement->copies[i]);
    if (statement->copies != &statement->only)
        hub_release(statement->copies);
    hub_release(statement->pairs);
    hub_release(statement->claims);
    hub_release(statement->facts);
    hub_release(statement->founds);
    hub_release(statement);
}

static const char *institution_of(struct hub_fold *fold, struct hub_bytes name) {
    for (size_t i = 0; i < fold->institution_count; i++)
        if (hub_bytes_equal_text(name, fold->institutions[i]))
            return fold->institutions[i];
    HUB_GROW(fold->institutions, fold->institution_count, fold->institution_capacity);
    return fold->institutions[fold->institution_count++] = hub_copy_bytes(name.data, name.size);
}

static void make_room(struct fold_statement *statement) {
    if (statement->copy_count == 0) {
        statement->copies = &statement->only;
    } else if (statement->copies == &statement->only) {
        statement->copies = hub_copy_bytes(&statement->only, sizeof statement->only);
        statement->copy_capacity = 1;
        HUB_GROW(statement->copies, statement->copy_count, statement->copy_capacity);
    } else {
        HUB_GROW(statement->copies, statement->copy_count, statement->copy_capacity);
    }
}

static struct fold_copy *copy_of(struct hub_fold *fold, struct fold_statement *statement,
                                 struct hub_bytes institution) {
    for (size_t i = 0; i < statement->copy_count; i++)
        if (hub_bytes_equal_text(institution, statement->copies[i].institution))
            return &statement->copies[i];
    make_room(statement);
    struct fold_copy *copy = &statement->copies[statement->copy_count++];
    *copy = (struct fold_copy){.institution = institution_of(fold, institution)};
    return copy;
}

/* Which fields count is the rules' to say. Asked for where two are compared, which is not when a
 * shard is loaded. */
static const struct hub_digest *content_of(const struct hub_fold *fold, struct fold_copy *copy) {
    HUB_SCOPED_BUFFER content = {0};
    if (copy->digested)
        return &copy->content;
    hub_statement_content(fold->domain, hub_bytes(copy->body, copy->body_size), copy->starts,
                          &content);
    copy->content = fold->digester->digest(hub_buffer_bytes(&content));
    copy->digested = true;
    return &copy->content;
}

/* The highest version of the source speaks; then the later event; then whoever still sees it; then
 * the content, so that the order of arrival plays no part. */
static int compare_copies(const struct hub_fold *fold, struct fold_copy *a, struct fold_copy *b) {
    int order = hub_text_natural_compare(hub_version_of_source(hub_bytes_of_text(a->version)),
                                         hub_version_of_source(hub_bytes_of_text(b->version)));
    if (order != 0)
        return order;
    if (a->has_event_time != b->has_event_time)
        return a->has_event_time ? 1 : -1;
    if (a->has_event_time && a->event_time_ms != b->event_time_ms)
        return a->event_time_ms > b->event_time_ms ? 1 : -1;
    if (a->withdrawn != b->withdrawn)
        return a->withdrawn ? -1 : 1;
    order = memcmp(content_of(fold, a)->bytes, content_of(fold, b)->bytes, HUB_DIGEST_SIZE);
    return order != 0 ? order : strcmp(b->institution, a->institution);
}

static size_t find_speaker(const struct hub_fold *fold, const struct fold_statement *statement) {
    size_t speaker = 0;
    for (size_t i = 1; i < statement->copy_count; i++)
        if (compare_copies(fold, &statement->copies[i], &statement->copies[speaker]) > 0)
            speaker = i;
    return speaker;
}

/* --- systems --- */

static const struct hub_system *system_of(struct hub_fold *fold, struct hub_bytes name) {
    const struct hub_system *declared = hub_parties_system(fold->domain->parties, name);
    struct fold_system *other = NULL;
    if (declared != NULL)
        return declared;
    HASH_FIND(hh, fold->systems, name.data, name.size, other);
    if (other == NULL) {
        other = hub_allocate_zero(1, sizeof *other);
        other->system.name = hub_copy_bytes(name.data, name.size);
        HASH_ADD_KEYPTR(hh, fold->systems, other->system.name, name.size, other);
        other->number = other->hh.tbl->num_items;
    }
    return &other->system;
}

uint32_t fold_statement_system(const struct hub_fold *fold,
                               const struct fold_statement *statement) {
    const struct hub_parties *parties = fold->domain->parties;
    struct fold_system *other = NULL;
    HASH_FIND_STR(fold->systems, statement->system->name, other);
    if (other != NULL && &other->system == statement->system)
        return (uint32_t)parties->system_count + other->number;
    return (uint32_t)(statement->system - parties->systems);
}

/* <institution>/<system>/<source id> */
static enum hub_status split_key(struct hub_fold *fold, const struct hub_input *entry,
                                 struct hub_bytes *ret_institution, struct hub_bytes *ret_key,
                                 const struct hub_system **ret_system, struct hub_error *reterr) {
    struct hub_bytes name, source_id;
    bool whole = entry->has_key && hub_text_is_utf8(entry->key) &&
                 hub_bytes_cut(entry->key, '/', ret_institution, ret_key) &&
                 hub_bytes_cut(*ret_key, '/', &name, &source_id);
    if (!whole || !entry->has_value)
        return hub_fail(reterr, HUB_FATAL,
                        "log.%s/%d@%lld: no statement that admit could have written",
                        fold->domain->name, entry->partition, (long long)entry->offset);
    *ret_system = system_of(fold, name);
    return HUB_OK;
}

static struct fold_statement *need(struct hub_fold *fold, struct hub_bytes key,
                                   const struct hub_system *system) {
    struct fold_statement *statement = NULL;
    fold_wake(fold, FOLD_BY_STATEMENT, key);
    HASH_FIND(hh, fold->statements, key.data, key.size, statement);
    if (statement != NULL)
        return statement;
    char *text = NULL;
    statement = hub_allocate_named(sizeof *statement, key.data, key.size, &text);
    statement->key = text;
    statement->hook = hub_hook_hash(FOLD_BY_STATEMENT, key);
    statement->system = system;
    statement->first_offset = -1;
    HASH_ADD_KEYPTR(hh, fold->statements, statement->key, key.size, statement);
    fold_wake_statement(fold, statement);
    return statement;
}

const char *fold_statement_founds(const struct hub_fold *fold, struct fold_statement *statement) {
    if (statement->founds == NULL)
        statement->founds = fold_entity_id_of(fold, statement->key);
    return statement->founds;
}

struct fold_statement *fold_statement_need(struct hub_fold *fold, const char *key) {
    struct hub_bytes name, rest, text = hub_bytes_of_text(key);
    if (!hub_bytes_cut(text, '/', &name, &rest))
        return NULL;
    return need(fold, text, system_of(fold, name));
}

void fold_statement_refresh(struct hub_fold *fold, struct fold_statement *statement) {
    struct hub_bytes name, source_id;
    hub_bytes_cut(hub_bytes_of_text(statement->key), '/', &name, &source_id);
    statement->system = system_of(fold, name);
    for (size_t i = 0; i < statement->copy_count; i++)
        statement->copies[i].digested = statement->copies[i].withdrawn;
    statement->speaker = find_speaker(fold, statement);
}

/* The text, ended by a zero byte, and what comes behind it. */
static const char *place_text(char **at, struct hub_bytes text) {
    char *placed = *at;
    if (text.size > 0)
        memcpy(placed, text.data, text.size);
    placed[text.size] = '\0';
    *at = placed + text.size + 1;
    return placed;
}

static void fill_copy(struct hub_fold *fold, struct fold_copy *copy,
                      const struct hub_opened *opened, const struct hub_input *entry) {
    size_t starts_size = (fold->domain->contract.count + 1) * sizeof *copy->starts;
    struct hub_stamp stamp = hub_statement_stamp(fold->domain, opened->body, opened->starts);
    struct hub_bytes replaced = hub_input_header(entry, "hub_replaced_status");
    struct hub_bytes body = stamp.withdrawn ? hub_bytes(NULL, 0) : opened->body;
    empty_copy(copy);
    copy->starts = hub_allocate(starts_size + body.size + stamp.version.size + replaced.size + 3);
    memcpy(copy->starts, opened->starts, starts_size);
    char *at = (char *)copy->starts + starts_size;
    copy->version = place_text(&at, stamp.version);
    copy->has_event_time = stamp.has_event_time;
    copy->event_time_ms = stamp.event_time_ms;
    copy->withdrawn = stamp.withdrawn;
    copy->content = (struct hub_digest){{0}};
    copy->digested = stamp.withdrawn; /* it says nothing */
    copy->offset = entry->offset;
    if (stamp.withdrawn)
        return;
    copy->body = (const uint8_t *)place_text(&at, body);
    copy->body_size = body.size;
    if (replaced.data != NULL)
        copy->replaced_status = place_text(&at, replaced);
}

/* Institutions that still see the statement. */
static size_t count_carriers(const struct fold_statement *statement) {
    size_t count = 0;
    for (size_t i = 0; i < statement->copy_count; i++)
        count += !statement->copies[i].withdrawn;
    return count;
}

/* What makes it another statement where it changes. */
struct saying {
    bool in_force;
    size_t carriers;
    struct hub_digest content; /* while in force */
};

static struct saying saying_of(const struct hub_fold *fold,
                               const struct fold_statement *statement) {
    struct saying saying = {.in_force = statement->in_force,
                            .carriers = count_carriers(statement)};
    if (saying.in_force)
        saying.content = *content_of(fold, &statement->copies[statement->speaker]);
    return saying;
}

static bool says_the_same(const struct hub_fold *fold, const struct fold_statement *statement,
                          const struct saying *before) {
    if (statement->in_force != before->in_force ||
        count_carriers(statement) != before->carriers)
        return false;
    struct saying now = saying_of(fold, statement);
    return memcmp(now.content.bytes, before->content.bytes, HUB_DIGEST_SIZE) == 0;
}

static struct fold_copy take_body(struct fold_copy *copy) {
    struct fold_copy taken = {
        .body = copy->body, .body_size = copy->body_size, .starts = copy->starts};
    copy->starts = NULL;
    empty_copy(copy);
    return taken;
}

/* Of a statement in force that one institution carries: what it says is compared as it is. */
static struct fold_news news_of(const struct hub_fold *fold, const struct fold_statement *statement,
                                const struct fold_copy *old, struct hub_arena *arena) {
    const struct fold_copy *copy = fold_statement_speaker(statement);
    if (!statement->in_force)
        return (struct fold_news){.content_changed = true};
    bool *same = hub_arena_take(arena, fold->domain->contract.count * sizeof *same);
    bool all = hub_statement_says_the_same(fold->domain, hub_bytes(old->body, old->body_size),
                                           old->starts, hub_bytes(copy->body, copy->body_size),
                                           copy->starts, same);
    return (struct fold_news){.content_changed = !all, .same = same};
}

enum hub_status fold_statement_take(struct hub_fold *fold, const struct hub_input *entry,
                                    struct hub_arena *arena, struct fold_statement **ret_statement,
                                    struct fold_news *ret_news, struct hub_error *reterr) {
    struct hub_bytes institution, key;
    const struct hub_system *system = NULL;
    struct hub_opened opened;
    HUB_TRY(split_key(fold, entry, &institution, &key, &system, reterr));
    if (hub_readers_open(&fold->readers, entry->value, arena, &opened, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "log.%s/%d@%lld: damaged", fold->domain->name,
                           entry->partition, (long long)entry->offset);
    struct fold_statement *statement = need(fold, key, system);
    struct fold_copy old = {0};
    struct saying before = {0};
    bool alone = statement->in_force && statement->copy_count == 1 &&
                 hub_bytes_equal_text(institution, statement->copies[0].institution);
    if (ret_news != NULL && alone)
        old = take_body(&statement->copies[0]);
    else if (ret_news != NULL)
        before = saying_of(fold, statement);
    fill_copy(fold, copy_of(fold, statement, institution), &opened, entry);
    statement->speaker = find_speaker(fold, statement);
    statement->in_force = !fold_statement_speaker(statement)->withdrawn;
    *ret_statement = statement;
    if (ret_news != NULL)
        *ret_news = alone ? news_of(fold, statement, &old, arena)
                          : (struct fold_news){!says_the_same(fold, statement, &before), NULL};
    empty_copy(&old);
    return HUB_OK;
}
