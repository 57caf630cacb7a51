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
static enum hub_status split_key(const struct hub_fold *fold, const struct hub_input *entry,
                                 struct hub_bytes *ret_institution, struct hub_bytes *ret_key,
                                 struct hub_bytes *ret_system, struct hub_error *reterr) {
    struct hub_bytes source_id;
    bool whole = entry->has_key && hub_text_is_utf8(entry->key) &&
                 hub_bytes_cut(entry->key, '/', ret_institution, ret_key) &&
                 hub_bytes_cut(*ret_key, '/', ret_system, &source_id);
    if (!whole || !entry->has_value)
        return hub_fail(reterr, HUB_FATAL,
                        "log.%s/%d@%lld: no statement that admit could have written",
                        fold->domain->name, entry->partition, (long long)entry->offset);
    return HUB_OK;
}

static struct fold_statement *need(struct hub_fold *fold, struct hub_bytes key,
                                   struct hub_bytes system) {
    struct fold_statement *statement = NULL;
    fold_wake(fold, FOLD_BY_STATEMENT, key);
    HASH_FIND(hh, fold->statements, key.data, key.size, statement);
    if (statement != NULL)
        return statement;
    char *text = NULL;
    statement = hub_allocate_named(sizeof *statement, key.data, key.size, &text);
    statement->key = text;
    statement->hook = hub_hook_hash(FOLD_BY_STATEMENT, key);
    statement->system = system_of(fold, system);
    statement->first_offset = -1;
    HASH_ADD_KEYPTR(hh, fold->statements, statement->key, key.size, statement);
    fold_wake_statement(fold, statement);
    return statement;
}

const char *fold_statement_founds(struct hub_fold *fold, const struct fold_statement *statement) {
    if (fold->founder != statement) {
        hub_release(fold->founder_id);
        fold->founder_id = fold_entity_id_of(fold, statement->key);
        fold->founder = statement;
    }
    return fold->founder_id;
}

/* Looked for once: where there is none, whoever makes it says so. */
struct fold_entity *fold_statement_founded(struct hub_fold *fold,
                                           struct fold_statement *statement) {
    const struct fold_entity *own = statement->entity;
    if (statement->looked_up)
        return statement->founded;
    statement->looked_up = true;
    bool is_own = own != NULL && strcmp(own->founder, statement->key) == 0;
    statement->founded = is_own ? statement->entity
                                : fold_entity_find(fold, fold_statement_founds(fold, statement));
    return statement->founded;
}

struct fold_statement *fold_statement_need(struct hub_fold *fold, const char *key) {
    struct hub_bytes name, rest, text = hub_bytes_of_text(key);
    if (!hub_bytes_cut(text, '/', &name, &rest))
        return NULL;
    return need(fold, text, name);
}

void fold_statement_refresh(struct hub_fold *fold, struct fold_statement *statement) {
    struct hub_bytes name, source_id;
    hub_bytes_cut(hub_bytes_of_text(statement->key), '/', &name, &source_id);
    statement->system = system_of(fold, name);
    for (size_t i = 0; i < statement->copy_count; i++)
        statement->copies[i].digested = statement->copies[i].withdrawn;
    statement->speaker = find_speaker(fold, statement);
}

static struct hub_bytes stamp_of(struct hub_bytes body, const uint32_t *starts) {
    return hub_statement_field(body, starts, HUB_FIELD_STATEMENT);
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
    struct hub_stamp stamp =
        hub_statement_stamp_of(fold->domain, stamp_of(opened->body, opened->starts), opened->parts);
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

/* Of a statement in force that this institution alone carries. */
static const struct fold_copy *said_before(const struct fold_statement *statement,
                                           struct hub_bytes institution) {
    bool alone = statement->in_force && statement->copy_count == 1 &&
                 hub_bytes_equal_text(institution, statement->copies[0].institution);
    return alone ? &statement->copies[0] : NULL;
}

static enum hub_status open_entry(struct hub_fold *fold, const struct hub_input *entry,
                                  const struct fold_copy *said, struct hub_arena *arena,
                                  struct hub_opened *ret_opened, struct hub_error *reterr) {
    struct hub_walked before = {{NULL, 0}, NULL};
    if (said != NULL)
        before = (struct hub_walked){hub_bytes(said->body, said->body_size), said->starts};
    if (hub_readers_open_since(&fold->readers, entry->value, arena, said == NULL ? NULL : &before,
                               ret_opened, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "log.%s/%d@%lld: damaged", fold->domain->name,
                           entry->partition, (long long)entry->offset);
    return HUB_OK;
}

static void take_opened(struct hub_fold *fold, struct fold_statement *statement,
                        struct hub_bytes institution, const struct hub_opened *opened,
                        const struct hub_input *entry) {
    fill_copy(fold, copy_of(fold, statement, institution), opened, entry);
    statement->speaker = find_speaker(fold, statement);
    statement->in_force = !fold_statement_speaker(statement)->withdrawn;
}

/* What a statement says that one institution carries is compared as it is. */
static struct fold_news take_new(struct hub_fold *fold, struct fold_statement *statement,
                                 const struct fold_copy *said, struct hub_bytes institution,
                                 const struct hub_opened *opened, const struct hub_input *entry) {
    struct fold_news news = {.was_in_force = statement->in_force};
    if (said == NULL) {
        struct saying before = saying_of(fold, statement);
        take_opened(fold, statement, institution, opened, entry);
        news.content_changed = !says_the_same(fold, statement, &before);
        return news;
    }
    bool same = hub_statement_says_the_same(
        fold->domain, opened->same, stamp_of(hub_bytes(said->body, said->body_size), said->starts),
        stamp_of(opened->body, opened->starts));
    news.statement = statement;
    news.had_event_time = said->has_event_time;
    news.event_time_ms = said->event_time_ms;
    take_opened(fold, statement, institution, opened, entry);
    news.content_changed = !same || !statement->in_force;
    news.same = statement->in_force ? opened->same : NULL;
    return news;
}

enum hub_status fold_statement_take(struct hub_fold *fold, const struct hub_input *entry,
                                    struct hub_arena *arena, struct fold_statement **ret_statement,
                                    struct fold_news *ret_news, struct hub_error *reterr) {
    struct hub_bytes institution, key, system;
    HUB_NOT_ZEROED struct hub_opened opened;
    HUB_TRY(split_key(fold, entry, &institution, &key, &system, reterr));
    struct fold_statement *statement = need(fold, key, system);
    HUB_TRY(hub_fold_failure(fold, reterr));
    const struct fold_copy *said = ret_news == NULL ? NULL : said_before(statement, institution);
    HUB_TRY(open_entry(fold, entry, said, arena, &opened, reterr));
    *ret_statement = statement;
    if (ret_news != NULL)
        *ret_news = take_new(fold, statement, said, institution, &opened, entry);
    else
        take_opened(fold, statement, institution, &opened, entry);
    return HUB_OK;
}
