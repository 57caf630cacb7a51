#include "hub/stages/fold_state.h"
#include "hub/stages/erasure_entry.h"
#include "hub/stages/rules_entry.h"

#include "schemas/lib/statement.h"

#include <assert.h>
#include <string.h>

struct hub_fold *hub_fold_new(const struct hub_catalogue *catalogue,
                              const struct hub_domain *domain, const struct hub_digester *digester,
                              int32_t partition) {
    struct hub_fold *fold = hub_allocate_zero(1, sizeof *fold);
    fold->catalogue = catalogue;
    fold->domain = domain;
    fold->digester = digester;
    fold->partition = partition;
    fold->rulings_in_force = 1;
    fold->conflict_schema = hub_catalogue_latest(catalogue, "conflict");
    fold->match_schema = hub_catalogue_latest(catalogue, "match");
    fold->listing_schema = hub_catalogue_latest(catalogue, "identifier");
    assert(fold->conflict_schema != NULL && fold->match_schema != NULL &&
           fold->listing_schema != NULL);
    fold->fact_schema = hub_catalogue_latest(catalogue, "fact");
    assert(fold->fact_schema != NULL);
    fold->type = hub_copy_text(hub_arena_format(&fold->scratch, "atmp.%s.", domain->name));
    hub_readers_init(&fold->readers, catalogue, domain);
    fold_load_init(fold);
    fold->waking = fold_waking_new();
    return fold;
}

#define FREE_ALL(type, head, release)                                                              \
    do {                                                                                           \
        type *item, *next;                                                                         \
        HASH_ITER(hh, head, item, next) {                                                          \
            HASH_DELETE(hh, head, item);                                                           \
            release(item);                                                                         \
        }                                                                                          \
    } while (0)

static void system_free(struct fold_system *system) {
    hub_release((void *)system->system.name);
    hub_release(system);
}

static void suite_free(struct fold_suite *suite) {
    hub_release(suite->key);
    hub_intervals_free(&suite->intervals);
    hub_release(suite);
}

static void likeness_free(struct fold_likeness *likeness) {
    hub_release(likeness->entities);
    hub_release(likeness);
}

static void free_awake(struct hub_fold *fold) {
    FREE_ALL(struct fold_identifier, fold->identifiers, fold_identifier_free);
    FREE_ALL(struct fold_statement, fold->statements, fold_statement_free);
    FREE_ALL(struct fold_fact, fold->facts, fold_fact_free);
    FREE_ALL(struct fold_entity, fold->entities, fold_entity_free);
    FREE_ALL(struct fold_conflict, fold->conflicts, fold_conflict_free);
    FREE_ALL(struct fold_match, fold->matches, fold_match_free);
    FREE_ALL(struct fold_suite, fold->suites, suite_free);
    FREE_ALL(struct fold_likeness, fold->likenesses, likeness_free);
}

void hub_fold_let_sleep(struct hub_fold *fold, const struct hub_store *store) {
    free_awake(fold);
    fold_load_clear(fold);
    fold_sieve_settle(&fold->sieve);
    fold->store = store;
    fold->is_ruled |= fold->rules != NULL;
    fold->has_dormant = true;
}

void hub_fold_free(struct hub_fold *fold) {
    if (fold == NULL)
        return;
    free_awake(fold);
    FREE_ALL(struct fold_system, fold->systems, system_free);
    for (size_t i = 0; i < fold->institution_count; i++)
        hub_release(fold->institutions[i]);
    hub_release(fold->institutions);
    fold_sieve_free(&fold->sieve);
    hub_hooks_free(&fold->hooks);
    fold_load_free(fold);
    fold_waking_free(fold->waking);
    fold_rules_free(fold);
    fold->catalogue->compiler->release(fold->rules);
    hub_release(fold->type);
    hub_release(fold->founder_id);
    hub_readers_free(&fold->readers);
    hub_arena_destroy(&fold->scratch);
    hub_release(fold);
}

const struct hub_fold_counts *hub_fold_counts(const struct hub_fold *fold) {
    return &fold->counts;
}

void hub_fold_set_counts(struct hub_fold *fold, const struct hub_fold_counts *counts) {
    fold->counts = *counts;
}

struct hub_fold_gauges hub_fold_gauges(const struct hub_fold *fold) {
    return fold->gauges;
}

void hub_fold_set_gauges(struct hub_fold *fold, const struct hub_fold_gauges *gauges) {
    fold->gauges = *gauges;
}

size_t hub_fold_awake(const struct hub_fold *fold) {
    return HASH_COUNT(fold->statements);
}

const char *hub_fold_rules(const struct hub_fold *fold) {
    return fold->domain->rules;
}

enum hub_status hub_fold_failure(const struct hub_fold *fold, struct hub_error *reterr) {
    if (fold->failed != HUB_OK)
        *reterr = fold->failure;
    return fold->failed;
}

/* --- one entry --- */

static bool is_late(const struct hub_input *entry) {
    static const char prefix[] = "late/";
    size_t size = sizeof prefix - 1;
    return entry->has_key && entry->key.size >= size &&
           memcmp(entry->key.data, prefix, size) == 0;
}

/* Keeps track of which statements are in force, and since when. */
static void note_force(struct fold_step *step, struct fold_statement *statement,
                       bool was_in_force) {
    if (statement->in_force && !was_in_force) {
        statement->first_offset = step->entry->offset;
        step->fold->gauges.statements++;
    } else if (!statement->in_force && was_in_force) {
        step->withdrawn = statement;
        step->withdrawn_first_offset = statement->first_offset;
        statement->first_offset = -1;
        step->fold->gauges.statements--;
    }
    if (!statement->in_force && hub_input_header(step->entry, "hub_moved_to").data != NULL)
        step->moved = statement; /* even if it was withdrawn before: its id moves with it */
}

/* Clusters change only where the identifiers do, or where a statement comes or goes. */
static void place(struct fold_step *step, struct fold_statement *statement,
                  const struct fold_news *news) {
    bool stays = news->was_in_force && statement->in_force &&
                 ((news->same != NULL && news->same[HUB_FIELD_IDENTIFIERS]) ||
                  fold_identifier_claims_stand(step->fold, statement, step->arena));
    if (!stays) {
        fold_bucket_recluster(step, statement);
        if (statement->entity == NULL)
            return;
    }
    struct fold_change *change = fold_change_of(step, statement->entity);
    change->remerge = change->publish = true;
    change->news = stays && news->same != NULL ? news : NULL;
}

/* Merges what changed, then lets conflicts and matches follow from the merged values. */
static void follow(struct fold_step *step) {
    for (size_t i = 0; i < step->change_count; i++)
        if (step->changes[i]->remerge)
            fold_publish_merge(step, step->changes[i]);
    size_t touched = step->change_count; /* overlaps may touch more entities */
    for (size_t i = 0; i < touched; i++) {
        fold_conflict_of_values(step, step->changes[i]);
        fold_reference_find(step, step->changes[i]);
        fold_likeness_of_change(step, step->changes[i]);
        fold_near_find(step, step->changes[i]);
        fold_overlap_index(step->fold, step->changes[i]->entity);
    }
    for (size_t i = 0; i < touched; i++)
        fold_overlap_find(step, step->changes[i]);
    fold_publish_unified(step);
    fold_conflict_publish(step);
    fold_match_publish(step);
    fold_listing_publish(step);
}

static void end_step(struct fold_step *step) {
    for (size_t i = 0; i < step->change_count; i++)
        step->changes[i]->entity->change = NULL;
}

static void count_entry(struct fold_step *step, size_t unified_before) {
    struct hub_fold_counts *counts = &step->fold->counts;
    bool published = step->outputs->count > unified_before;
    if (step->withdrawn != NULL)
        counts->withdrawn++;
    else if (published)
        counts->published++;
    else
        counts->unchanged++;
}

static enum hub_status fold_decision(struct fold_step *step, struct hub_error *reterr) {
    HUB_TRY(fold_decision_take(step, reterr));
    step->fold->counts.read++;
    follow(step);
    end_step(step);
    return HUB_OK;
}

/* `end` has no data for rules themselves. */
static enum hub_status fold_rules(struct fold_step *step, struct hub_bytes end,
                                  struct hub_error *reterr) {
    HUB_TRY(end.data == NULL ? fold_rules_take(step, reterr)
                             : fold_rules_remerge(step, end, reterr));
    step->fold->counts.read++;
    follow(step);
    end_step(step);
    return HUB_OK;
}

static enum hub_status fold_fact(struct fold_step *step, struct hub_error *reterr) {
    struct fold_fact *fact = NULL;
    HUB_TRY(fold_reference_take(step->fold, step->entry, &fact, reterr));
    step->fold->counts.read++;
    step->fold->counts.facts++;
    fold_reference_touch(step, fact);
    follow(step);
    end_step(step);
    return HUB_OK;
}

static enum hub_status fold_entry(struct hub_fold *fold, const struct hub_input *entry,
                                  struct hub_outputs *outputs, struct hub_error *reterr) {
    struct fold_step step = {
        .fold = fold, .entry = entry, .outputs = outputs, .arena = &fold->scratch};
    size_t outputs_before = outputs->count;
    struct hub_bytes end = hub_bytes(NULL, 0);
    if (is_late(entry)) {
        fold->counts.read++;
        fold->counts.superseded++;
        return HUB_OK;
    }
    if (hub_erasure_entry_is(entry)) { /* for who audits the log: it changes no record */
        fold->counts.read++;
        fold->counts.decided++;
        return HUB_OK;
    }
    if (fold_decision_is(entry))
        return fold_decision(&step, reterr);
    if (hub_rules_entry_is(entry) || hub_remerge_entry_is(entry, &end))
        return fold_rules(&step, end, reterr);
    if (fold_reference_is(entry))
        return fold_fact(&step, reterr);
    struct fold_statement *statement = NULL;
    struct fold_news news = {0};
    HUB_TRY(fold_statement_take(fold, entry, step.arena, &statement, &news, reterr));
    fold->counts.read++;
    note_force(&step, statement, news.was_in_force);
    if (news.content_changed && (news.same == NULL || !news.same[HUB_FIELD_LINKS]))
        fold_reference_index(fold, statement, step.arena);
    if (step.moved != NULL || (news.content_changed && (statement->in_force || news.was_in_force))) {
        place(&step, statement, &news);
        follow(&step);
    }
    count_entry(&step, outputs_before);
    end_step(&step);
    return HUB_OK;
}

enum hub_status hub_fold_entry(struct hub_fold *fold, const struct hub_input *entry,
                               struct hub_outputs *outputs, struct hub_error *reterr) {
    enum hub_status status = HUB_OK;
    hub_arena_reset_small(&fold->scratch);
    fold->founder = NULL;
    if (fold->failed == HUB_OK)
        status = fold_entry(fold, entry, outputs, reterr);
    return fold->failed == HUB_OK ? status : hub_fold_failure(fold, reterr);
}
