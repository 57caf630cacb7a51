/* Compiling rules from their texts alone; no file is read. */
#include "schemas/lib/rules.h"

#include "schemas/lib/node.h"

static enum hub_status keep(struct hub_rules *rules, struct hub_bytes text, const char *name,
                            struct hub_bytes *ret_copy, struct hub_error *reterr) {
    if (text.size > HUB_RULES_TEXT_SIZE_MAX)
        return hub_fail(reterr, HUB_FATAL, "%s: %zu bytes; at most %d would pass", name, text.size,
                        HUB_RULES_TEXT_SIZE_MAX);
    *ret_copy =
        hub_bytes(hub_arena_text(&rules->arena, (const char *)text.data, text.size), text.size);
    return HUB_OK;
}

static enum hub_status compile_into(struct hub_rules *rules, const struct hub_rules_texts *given,
                                    const struct hub_digester *digester,
                                    struct hub_error *reterr) {
    struct hub_rules_texts texts;
    struct hub_node *schemes = NULL, *systems = NULL;
    char hash[HUB_RULES_HASH_SIZE + 1];
    HUB_TRY(keep(rules, given->schema, "rules: schema", &texts.schema, reterr));
    HUB_TRY(keep(rules, given->schemes, "rules: schemes", &texts.schemes, reterr));
    HUB_TRY(keep(rules, given->systems, "rules: systems", &texts.systems, reterr));
    HUB_TRY(keep(rules, given->organisations, "rules: organisations", &texts.organisations,
                 reterr));
    HUB_TRY(hub_node_parse(texts.schemes, "rules: schemes", &rules->arena, &schemes, reterr));
    HUB_TRY(hub_node_parse(texts.systems, "rules: systems", &rules->arena, &systems, reterr));
    HUB_TRY(hub_schemes_load(schemes, &rules->arena, &rules->schemes, reterr));
    HUB_TRY(hub_parties_load(systems, texts.organisations, "rules: organisations", &rules->arena,
                             &rules->parties, reterr));
    HUB_TRY(hub_schema_load(texts.schema, "rules: schema", &rules->schema, reterr));
    HUB_TRY(hub_domain_load(rules->schema, &rules->schemes, &rules->parties, &rules->arena,
                            &rules->domain, reterr));
    hub_rules_hash(&texts, digester, hash);
    rules->schema->subject = rules->domain.name;
    rules->domain.rules = hub_arena_text(&rules->arena, hash, HUB_RULES_HASH_SIZE);
    return HUB_OK;
}

static void release(struct hub_rules *rules) {
    if (rules == NULL)
        return;
    hub_schema_free(rules->schema);
    struct hub_arena arena = rules->arena;
    hub_arena_destroy(&arena);
    hub_release(rules);
}

static enum hub_status compile(const struct hub_rules_texts *texts,
                               const struct hub_digester *digester, struct hub_rules **ret_rules,
                               struct hub_error *reterr) {
    struct hub_rules *rules = hub_allocate_zero(1, sizeof *rules);
    enum hub_status status = compile_into(rules, texts, digester, reterr);
    if (status == HUB_OK)
        *ret_rules = rules;
    else
        release(rules);
    return status;
}

const struct hub_rules_compiler hub_rules_compiler = {compile, release};
