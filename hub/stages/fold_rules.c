/* Rules that change: an entry of the log puts them in force, others merge again by them.
 *
 * At a `rules` entry what is known of the statements is read anew, and nothing is published but the
 * listings of numbers that count otherwise now. From then on whatever is touched is merged by the new
 * rules. `remerge` entries touch everything, a part
 * at a time. Loading comes to the same: the rules in force are those of the log, and the rest is
 * read from what was published, by whichever rules it was made. */
#include "hub/stages/fold_state.h"
#include "hub/stages/rules_entry.h"

#include "hub/core/identity.h"

#include <string.h>

/* An entry that has been read while loading. */
struct fold_ruling {
    int64_t offset;
    char *message;
    size_t size;
};

void fold_rules_free(struct hub_fold *fold) {
    for (size_t i = 0; i < fold->ruling_count; i++)
        hub_release(fold->rulings[i].message);
    fold->rulings = hub_release(fold->rulings);
    fold->ruling_count = fold->ruling_capacity = 0;
}

static enum hub_status cannot_be_taken(const struct hub_fold *fold, int64_t offset,
                                       struct hub_error *reterr) {
    return hub_fail_at(reterr, HUB_FATAL, "log.%s/%d@%lld: rules that cannot be taken",
                       fold->domain->name, fold->partition, (long long)offset);
}

static enum hub_status open(const struct hub_fold *fold, struct hub_bytes message, int64_t offset,
                            struct hub_arena *arena, struct hub_rules_entry *ret_entry,
                            struct hub_error *reterr) {
    enum hub_status status =
        hub_rules_entry_open(fold->catalogue, message, arena, ret_entry, reterr);
    if (status == HUB_OK && ret_entry->core > HUB_CORE_VERSION)
        status = hub_fail(reterr, HUB_FATAL, "made for core %lld, this one is %d",
                          (long long)ret_entry->core, HUB_CORE_VERSION);
    return status == HUB_OK ? HUB_OK : cannot_be_taken(fold, offset, reterr);
}

/* Whether an entry has effect where these rules are in force, which the log has named or not. */
static bool follows(const struct hub_rules_entry *entry, const char *in_force, bool named) {
    return entry->replaces == NULL ? !named : strcmp(entry->replaces, in_force) == 0;
}

static enum hub_status put_in_force(struct hub_fold *fold, const struct hub_rules_entry *entry,
                                    int64_t offset, struct hub_error *reterr) {
    struct hub_rules *rules = NULL;
    if (hub_rules_entry_compile(fold->catalogue, entry, fold->digester, &rules, reterr) != HUB_OK)
        return cannot_be_taken(fold, offset, reterr);
    fold->catalogue->compiler->release(fold->rules);
    fold->rules = rules;
    fold->domain = &rules->domain;
    fold->rulings_in_force++;
    return HUB_OK;
}

/* --- in its turn --- */

/* What was derived from statements and values is derived again; what was published stands. */
static void derive(struct fold_step *step) {
    struct hub_fold *fold = step->fold;
    struct hub_arena arena = {0};
    struct fold_statement *statement, *next_statement;
    struct fold_entity *entity, *next_entity;
    HASH_ITER(hh, fold->statements, statement, next_statement)
        fold_listing_touch(step, statement, NULL);
    HASH_ITER(hh, fold->statements, statement, next_statement)
        fold_identifier_drop(fold, statement);
    fold_sieve_clear(&fold->sieve);
    HASH_ITER(hh, fold->statements, statement, next_statement) {
        fold_statement_refresh(fold, statement);
        if (statement->in_force)
            fold_identifier_index(fold, statement, &arena);
        fold_reference_index(fold, statement, &arena);
        fold_listing_touch_new(step, statement);
        hub_arena_reset(&arena);
    }
    HASH_ITER(hh, fold->entities, entity, next_entity) {
        fold_overlap_index(fold, entity);
        fold_likeness_index(fold, entity, &arena);
        hub_arena_reset(&arena);
    }
    hub_arena_destroy(&arena);
}

enum hub_status fold_rules_take(struct fold_step *step, struct hub_error *reterr) {
    struct hub_fold *fold = step->fold;
    int64_t offset = step->entry->offset;
    struct hub_rules_entry entry;
    HUB_TRY(open(fold, step->entry->value, offset, step->arena, &entry, reterr));
    if (!follows(&entry, fold->domain->rules, fold->rules != NULL)) {
        fold->counts.overruled++;
        return HUB_OK;
    }
    HUB_TRY(hub_fold_wake_all(fold, reterr)); /* by the rules that it sleeps by */
    HUB_TRY(put_in_force(fold, &entry, offset, reterr));
    derive(step);
    fold->counts.ruled++;
    return HUB_OK;
}

/* --- while loading --- */

void fold_rules_remember(struct hub_fold *fold, const struct hub_input *entry) {
    HUB_GROW(fold->rulings, fold->ruling_count, fold->ruling_capacity);
    fold->rulings[fold->ruling_count++] =
        (struct fold_ruling){entry->offset, hub_copy_bytes(entry->value.data, entry->value.size),
                             entry->value.size};
}

static int compare_rulings(const void *a, const void *b) {
    const struct fold_ruling *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The last of those that had effect, each in its turn. */
static enum hub_status put_last_in_force(struct hub_fold *fold, struct hub_arena *arena,
                                         struct hub_error *reterr) {
    struct hub_rules_entry last = {.rules = fold->domain->rules};
    int64_t offset = -1;
    for (size_t i = 0; i < fold->ruling_count; i++) {
        const struct fold_ruling *ruling = &fold->rulings[i];
        struct hub_rules_entry entry;
        HUB_TRY(open(fold, hub_bytes(ruling->message, ruling->size), ruling->offset, arena, &entry,
                     reterr));
        if (!follows(&entry, last.rules, offset >= 0))
            continue;
        last = entry;
        offset = ruling->offset;
    }
    return offset < 0 ? HUB_OK : put_in_force(fold, &last, offset, reterr);
}

enum hub_status fold_rules_loaded(struct hub_fold *fold, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    if (fold->ruling_count == 0)
        return HUB_OK;
    qsort(fold->rulings, fold->ruling_count, sizeof *fold->rulings, compare_rulings);
    enum hub_status status = put_last_in_force(fold, &arena, reterr);
    hub_arena_destroy(&arena);
    fold_rules_free(fold);
    return status;
}

/* --- merging again --- */

static int compare_ids(const void *a, const void *b) {
    const struct fold_entity *const *x = a, *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

static bool ends_in(const char *id, struct hub_bytes end) {
    size_t size = strlen(id);
    return size >= end.size && memcmp(id + size - end.size, end.data, end.size) == 0;
}

/* By id, so that one entry gives one defined list. */
static struct fold_entity **list_range(struct fold_step *step, struct hub_bytes end,
                                       size_t *ret_count) {
    struct hub_fold *fold = step->fold;
    struct fold_entity *entity, *next;
    struct fold_entity **list =
        hub_arena_take(step->arena, (HASH_COUNT(fold->entities) + 1) * sizeof(struct fold_entity *));
    size_t count = 0;
    HASH_ITER(hh, fold->entities, entity, next)
        if (entity->kind == FOLD_ACTIVE && ends_in(entity->id, end))
            list[count++] = entity;
    qsort(list, count, sizeof(struct fold_entity *), compare_ids);
    *ret_count = count;
    return list;
}

enum hub_status fold_rules_remerge(struct fold_step *step, struct hub_bytes end,
                                   struct hub_error *reterr) {
    size_t count = 0;
    HUB_TRY(hub_fold_wake_all(step->fold, reterr));
    struct fold_entity **list = list_range(step, end, &count);
    for (size_t i = 0; i < count; i++) {
        struct fold_entity *entity = list[i];
        struct fold_statement *members[HUB_CLUSTER_SIZE_MAX];
        size_t member_count = entity->member_count; /* none: one before it has taken them all */
        for (size_t k = 0; k < member_count; k++)
            members[k] = entity->members[k];
        fold_bucket_recluster_all(step, members, member_count);
        struct fold_change *change = fold_change_of(step, entity);
        change->remerge = change->by_rules = true;
    }
    step->fold->counts.ruled++;
    return HUB_OK;
}
