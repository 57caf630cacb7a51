/* The index of identifiers: who claims which, and which are one slip of the hand apart. */
#include "hub/stages/fold_state.h"

#include "hub/core/identity.h"
#include "hub/core/near.h"
#include "schemas/lib/statement.h"

#include <string.h>

void fold_identifier_free(struct fold_identifier *identifier) {
    hub_release(identifier->statements);
    hub_release(identifier->doubters);
    hub_release(identifier->near);
    hub_release(identifier);
}

/* --- one slip apart --- */

struct seeking {
    struct hub_fold *fold;
    struct fold_identifier *identifier;
    char *text; /* the identifier's, with each slip in turn */
    size_t size;
    bool found; /* one that the sieve may hold */
};

static void link_one(struct fold_identifier *from, struct fold_identifier *to) {
    HUB_GROW(from->near, from->near_count, from->near_capacity);
    from->near[from->near_count++] = to;
}

static __attribute__((noinline)) void link_known(struct seeking *seeking) {
    struct fold_identifier *known = NULL;
    seeking->found = true;
    HASH_FIND(hh, seeking->fold->identifiers, seeking->text, seeking->size, known);
    if (known == NULL)
        return;
    link_one(seeking->identifier, known);
    link_one(known, seeking->identifier);
}

/* Nearly all slips end here. */
static void link_if_known(void *context, uint64_t hash) {
    struct seeking *seeking = context;
    if (fold_sieve_may_hold(&seeking->fold->sieve, hash))
        link_known(seeking);
}

/* Every slip is looked up, rather than every value kept under all of its slips: about ninety
 * look-ups when a number is first heard of, whatever else is known, and no memory. Returns whether the
 * visitor found one. */
static bool each_near(struct hub_fold *fold, struct fold_identifier *identifier,
                      void (*visit)(void *context, uint64_t hash)) {
    const char *pattern = fold->domain->schemes->schemes[identifier->scheme].pattern;
    size_t size = strlen(identifier->text);
    if (pattern == NULL)
        return false;
    struct seeking seeking = {fold, identifier, hub_copy_bytes(identifier->text, size), size, false};
    hub_near_each(pattern, seeking.text + identifier->group_size, visit, &seeking);
    hub_release(seeking.text);
    return seeking.found;
}

/* What wakes links itself. */
static void wake_if_known(void *context, uint64_t hash) {
    const struct seeking *seeking = context;
    if (fold_sieve_may_hold(&seeking->fold->sieve, hash))
        fold_wake(seeking->fold, FOLD_BY_IDENTIFIER, hub_bytes(seeking->text, seeking->size));
}

void fold_identifier_wake_near(struct hub_fold *fold, struct fold_identifier *identifier) {
    if (!fold->has_dormant || identifier->near_awake)
        return;
    identifier->near_awake = true;
    each_near(fold, identifier, wake_if_known);
}

void fold_identifier_wake_holders(struct hub_fold *fold,
                                  const struct fold_identifier *identifier) {
    fold_wake(fold, FOLD_BY_IDENTIFIER, hub_bytes_of_text(identifier->text));
}

static void unlink_near(struct fold_identifier *identifier) {
    for (size_t i = 0; i < identifier->near_count; i++) {
        struct fold_identifier *other = identifier->near[i];
        size_t at = 0;
        while (other->near[at] != identifier)
            at++;
        other->near[at] = other->near[--other->near_count];
    }
}

/* --- who claims what --- */

/* Of a number that nobody who sleeps has, nobody is asked. */
static void sieve(struct hub_fold *fold, const struct fold_identifier *identifier) {
    if (!fold_sieve_may_hold(&fold->sieve, identifier->hook.near_hash))
        fold_wake_nobody(fold, FOLD_BY_IDENTIFIER, hub_bytes_of_text(identifier->text));
    fold_sieve_add(&fold->sieve, identifier->hook.near_hash);
}

static struct fold_identifier *need_identifier(struct hub_fold *fold,
                                               const struct hub_claim *claim) {
    struct fold_identifier *identifier = NULL;
    HASH_FIND(hh, fold->identifiers, claim->text.data, claim->text.size, identifier);
    if (identifier != NULL)
        return identifier;
    char *text = NULL;
    identifier = hub_allocate_named(sizeof *identifier, claim->text.data, claim->text.size, &text);
    identifier->text = text;
    identifier->group_size = (uint32_t)claim->group.size;
    identifier->hook =
        fold_hook_of_identifier(fold->domain, claim->scheme, claim->text, claim->group.size);
    identifier->strength = (uint16_t)claim->strength;
    identifier->scheme = (uint16_t)claim->scheme;
    identifier->exclusive = claim->exclusive;
    /* Where the sieve holds no slip of it nobody sleeps, and who comes later is awake. */
    identifier->near_awake = !each_near(fold, identifier, link_if_known);
    HASH_ADD_KEYPTR(hh, fold->identifiers, identifier->text, claim->text.size, identifier);
    if (!fold->is_waking && fold->domain->schemes->schemes[claim->scheme].pattern != NULL)
        sieve(fold, identifier);
    return identifier;
}

static void drop_if_unclaimed(struct hub_fold *fold, struct fold_identifier *identifier) {
    if (identifier->count > 0 || identifier->doubter_count > 0)
        return;
    unlink_near(identifier);
    HASH_DELETE(hh, fold->identifiers, identifier);
    fold_identifier_free(identifier);
}

static void count_set_aside(struct hub_fold *fold, size_t before, size_t after) {
    fold->gauges.identifiers_set_aside += after > HUB_IDENTIFIER_DEGREE_MAX;
    fold->gauges.identifiers_set_aside -= before > HUB_IDENTIFIER_DEGREE_MAX;
}

/* Those that may join first, then those that only raise the question. */
static void read_claims(struct hub_fold *fold, const struct fold_statement *statement,
                        struct hub_arena *arena, struct hub_claim **ret_claims,
                        size_t *ret_joining, size_t *ret_count) {
    const struct fold_copy *speaker = fold_statement_speaker(statement);
    struct hub_bytes body = hub_bytes(speaker->body, speaker->body_size);
    struct hub_claim *all = NULL;
    size_t count = 0, filled = 0;
    hub_claims_read(fold->domain,
                    hub_statement_field(body, speaker->starts, HUB_FIELD_IDENTIFIERS), arena, &all,
                    &count);
    struct hub_claim *claims = hub_arena_take(arena, (count + 1) * sizeof *claims);
    for (size_t i = 0; i < count; i++)
        if (!all[i].ambiguous && !all[i].doubtful)
            claims[filled++] = all[i];
    *ret_joining = filled;
    for (size_t i = 0; i < count; i++)
        if (all[i].ambiguous || all[i].doubtful)
            claims[filled++] = all[i];
    *ret_claims = claims;
    *ret_count = filled;
}

void fold_identifier_index(struct hub_fold *fold, struct fold_statement *statement,
                           struct hub_arena *arena) {
    struct hub_claim *claims = NULL;
    size_t joining = 0, count = 0;
    read_claims(fold, statement, arena, &claims, &joining, &count);
    statement->claims = hub_allocate_zero(count, sizeof *statement->claims);
    statement->claim_count = joining;
    statement->doubt_count = count - joining;
    for (size_t i = 0; i < count; i++) {
        struct fold_identifier *identifier = need_identifier(fold, &claims[i]);
        if (!fold->is_waking)
            fold_identifier_wake_holders(fold, identifier);
        statement->claims[i] = identifier;
        if (i >= joining) {
            HUB_GROW(identifier->doubters, identifier->doubter_count,
                     identifier->doubter_capacity);
            identifier->doubters[identifier->doubter_count++] = statement;
            continue;
        }
        HUB_GROW(identifier->statements, identifier->count, identifier->capacity);
        identifier->statements[identifier->count++] = statement;
        count_set_aside(fold, identifier->count - 1, identifier->count);
    }
}

size_t fold_identifier_count_set_aside(const struct hub_fold *fold) {
    const struct fold_identifier *identifier, *next;
    size_t count = 0;
    HASH_ITER(hh, fold->identifiers, identifier, next)
        count += identifier->count > HUB_IDENTIFIER_DEGREE_MAX;
    return count;
}

static void strike(struct fold_statement **list, size_t *count,
                   const struct fold_statement *statement) {
    size_t at = 0;
    while (list[at] != statement)
        at++;
    list[at] = list[--*count];
}

void fold_identifier_drop(struct hub_fold *fold, struct fold_statement *statement) {
    for (size_t i = 0; i < statement->claim_count + statement->doubt_count; i++) {
        struct fold_identifier *identifier = statement->claims[i];
        if (i < statement->claim_count) {
            strike(identifier->statements, &identifier->count, statement);
            count_set_aside(fold, identifier->count + 1, identifier->count);
        } else {
            strike(identifier->doubters, &identifier->doubter_count, statement);
        }
        drop_if_unclaimed(fold, identifier);
    }
    statement->claims = hub_release(statement->claims);
    statement->claim_count = statement->doubt_count = 0;
}

bool fold_identifier_claims_stand(struct hub_fold *fold, struct fold_statement *statement,
                                  struct hub_arena *arena) {
    struct hub_claim *claims = NULL;
    size_t joining = 0, count = 0;
    read_claims(fold, statement, arena, &claims, &joining, &count);
    if (joining != statement->claim_count || count - joining != statement->doubt_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!hub_bytes_equal_text(claims[i].text, statement->claims[i]->text))
            return false;
    return true;
}
