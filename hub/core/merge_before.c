#include "hub/core/merge_before.h"

/* A field comes to what it came to before where each voice says in it what it said, and the voices stand to each
 * other as they did for its rules. One voice has spoken since: its event is another one, so it may have passed others,
 * or been passed by them, which matters to the rules that ask for the latest or the earliest and have nothing else
 * that tells the two apart. */
struct again {
    const struct hub_merge_scope *scope;
    const struct hub_merge_before *before;
    size_t *passed; /* voices whose events stand to that of the one that spoke otherwise than before */
    size_t passed_count;
    uint8_t *known; /* enum standing, by the chain of rules */
};

enum standing { NOT_ASKED = 0, AS_BEFORE, OTHERWISE };

static void list_passed(struct again *again) {
    const struct hub_merge_scope *scope = again->scope;
    const struct hub_merge_before *before = again->before;
    const struct hub_voice *now = &scope->voices[before->voice];
    struct hub_voice then = {.has_event_time = before->had_event_time,
                             .event_time_ms = before->event_time_ms};
    again->passed = hub_arena_take(scope->arena, scope->voice_count * sizeof *again->passed);
    for (size_t i = 0; i < scope->voice_count; i++)
        if (i != before->voice && hub_merge_compare_events(&then, &scope->voices[i]) !=
                                      hub_merge_compare_events(now, &scope->voices[i]))
            again->passed[again->passed_count++] = i;
}

static bool asks_elements(const struct hub_rule *rule) {
    for (size_t i = 0; i < rule->authority_count; i++)
        if (rule->authorities[i].kind == HUB_AUTHORITY_ELEMENT)
            return true;
    return false;
}

/* Whether no event's time is asked for before something else tells the two voices apart. */
static bool are_told_apart(const struct again *again, const struct hub_field_contract *contract,
                           size_t other) {
    for (size_t i = 0; i < contract->rule_count; i++) {
        const struct hub_rule *rule = &contract->rules[i];
        if (rule->kind == HUB_RULE_LATEST || rule->kind == HUB_RULE_EARLIEST)
            return false;
        if (rule->kind == HUB_RULE_AUTHORITY && !asks_elements(rule) &&
            hub_merge_authority_rank(again->scope, rule, again->before->voice) !=
                hub_merge_authority_rank(again->scope, rule, other))
            return true;
    }
    return true;
}

static bool stand_as_before(const struct again *again, const struct hub_field_contract *contract) {
    uint8_t *known = &again->known[contract->chain];
    if (again->passed_count == 0 || *known != NOT_ASKED)
        return *known != OTHERWISE;
    *known = AS_BEFORE;
    for (size_t i = 0; i < again->passed_count; i++)
        if (!are_told_apart(again, contract, again->passed[i]))
            *known = OTHERWISE;
    return *known == AS_BEFORE;
}

/* Whom roles name, one after the other: a role's own rules may name those before it. */
static bool roles_stand(const struct again *again) {
    const struct hub_contract *contract = &again->scope->domain->contract;
    for (size_t i = 0; i < contract->count; i++)
        if (contract->fields[i].is_role &&
            !(again->before->same[i] && stand_as_before(again, &contract->fields[i])))
            return false;
    return true;
}

const bool *hub_merge_find_kept(const struct hub_merge_scope *scope,
                                const struct hub_merge_before *before) {
    const struct hub_contract *contract = &scope->domain->contract;
    struct again again = {.scope = scope, .before = before};
    bool *kept = hub_arena_take_zero(scope->arena, contract->count, sizeof *kept);
    again.known = hub_arena_take_zero(scope->arena, contract->count, sizeof *again.known);
    list_passed(&again);
    bool roles = roles_stand(&again);
    for (size_t i = 0; i < contract->count; i++) {
        const struct hub_field_contract *field = &contract->fields[i];
        /* A volatile field may have changed without a merge. */
        if (i == HUB_FIELD_STATEMENT || !before->same[i] || field->is_volatile)
            continue;
        kept[i] = before->settled[i] ||
                  (!field->shuts_out && (roles || !field->asks_roles) && stand_as_before(&again, field));
    }
    return kept;
}
