/* Why one statement is believed and not another, in words. */
#include "hub/core/equal.h"
#include "hub/core/merge_order.h"

#include <string.h>

static void append_authorities(const struct hub_rule *rule, struct hub_buffer *text) {
    static const char *const kinds[] = {"system", "institution", "role", "element"};
    const char *before = rule->kind == HUB_RULE_RESERVE ? " for " : " of ";
    for (size_t i = 0; i < rule->authority_count; i++)
        hub_buffer_append_format(text, "%s%s:%s", i == 0 ? before : ", then ",
                                 kinds[rule->authorities[i].kind], rule->authorities[i].name);
    if (rule->only)
        hub_buffer_append_text(text, ", and nobody else");
}

/* The symbols that are listed, best first. Those that are not share the last rank. */
static void append_symbols(const struct hub_rule *rule, const struct hub_type *type,
                           struct hub_buffer *text) {
    type = hub_type_stated(type);
    if (rule->of != NULL) {
        hub_buffer_append_format(text, " of %s", rule->of);
        type = hub_type_stated(type->fields[hub_type_field(type, rule->of)].type);
    }
    for (size_t rank = 0; rank < type->count; rank++) {
        const char *name = NULL;
        size_t sharing = 0;
        for (size_t i = 0; i < type->count; i++)
            if (rule->symbol_ranks[i] == rank) {
                name = type->symbols[i];
                sharing++;
            }
        if (sharing != 1)
            return;
        hub_buffer_append_format(text, "%s%s", rank == 0 ? ": " : ", then ", name);
    }
}

static void append_reserved(const struct hub_rule *rule, const struct hub_type *type,
                            struct hub_buffer *text) {
    type = hub_type_stated(type);
    bool any = false;
    for (size_t i = 0; i < type->count; i++) {
        if (rule->symbol_ranks[i] != 0)
            continue;
        hub_buffer_append_format(text, "%s%s", any ? ", " : " ", type->symbols[i]);
        any = true;
    }
}

void hub_merge_rule_append(const struct hub_field_contract *contract, size_t rule,
                           struct hub_buffer *text) {
    static const char *const names[] = {"authority", "precedence", "latest", "earliest",
                                        "max",       "min",        "agree",  "reserve"};
    const struct hub_rule *own = &contract->rules[rule];
    hub_buffer_append_text(text, names[own->kind]);
    if (own->kind == HUB_RULE_RESERVE)
        append_reserved(own, contract->field->type, text);
    if (own->kind == HUB_RULE_AUTHORITY || own->kind == HUB_RULE_RESERVE)
        append_authorities(own, text);
    if (own->kind == HUB_RULE_PRECEDENCE)
        append_symbols(own, contract->field->type, text);
}

const char *hub_merge_reason(const struct hub_domain *domain, const struct hub_voice *voices,
                             size_t voice_count, size_t field, size_t winner, size_t loser,
                             struct hub_arena *arena) {
    const struct hub_field_contract *contract = &domain->contract.fields[field];
    struct hub_merge_scope scope = {
        .domain = domain, .voices = voices, .voice_count = voice_count, .arena = arena};
    struct hub_candidate pair[2];
    size_t indexes[2] = {winner, loser}, rule = 0;
    HUB_SCOPED_BUFFER text = {0};
    hub_merge_bind_roles(&scope);
    for (size_t i = 0; i < 2; i++)
        pair[i] = (struct hub_candidate){
            indexes[i], hub_bytes_part(voices[indexes[i]].body, voices[indexes[i]].starts[field],
                                       voices[indexes[i]].starts[field + 1])};
    const struct hub_rule *shut = hub_merge_shut_out(&scope, contract, &pair[1]);
    if (shut != NULL)
        return shut->kind == HUB_RULE_RESERVE ? "shut out: this value is another's to say (reserve)"
                                              : "shut out: the field is another's to say (only)";
    if (hub_value_yields(contract, contract->field->type, pair[1].bytes, pair[0].bytes))
        return "the more exact of two dates that agree";
    int order = hub_merge_compare(&scope, contract, contract->field->type, &pair[0], &pair[1],
                                  &rule);
    if (rule >= contract->rule_count)
        return rule == contract->rule_count ? "rank of the system" : "smaller statement key";
    hub_buffer_append_format(&text, "rule %zu of %zu: ", rule + 1, contract->rule_count);
    hub_merge_rule_append(contract, rule, &text);
    hub_buffer_append_text(&text, order > 0 ? " (loses)" : "");
    return hub_arena_text(arena, (const char *)text.data, text.size);
}
