/* What rules are named by, and whether they may follow on one another. */
#include "schemas/lib/rules.h"

#include <string.h>

void hub_rules_hash(const struct hub_rules_texts *texts, const struct hub_digester *digester,
                    char ret_hash[HUB_RULES_HASH_SIZE + 1]) {
    HUB_SCOPED_BUFFER all = {0};
    hub_buffer_append_bytes(&all, texts->schema);
    hub_buffer_append_bytes(&all, texts->schemes);
    hub_buffer_append_bytes(&all, texts->systems);
    hub_buffer_append_bytes(&all, texts->organisations);
    struct hub_digest digest = digester->digest(hub_buffer_bytes(&all));
    hub_digest_text(&digest, HUB_RULES_HASH_SIZE / 2, ret_hash);
}

const char *hub_rules_refusal(const struct hub_domain *before, const struct hub_domain *after,
                              struct hub_arena *arena) {
    if (strcmp(before->name, after->name) != 0)
        return hub_arena_format(arena, "they are of '%s', not of '%s'", after->name, before->name);
    const char *part = hub_type_difference(before->schema->root, after->schema->root, arena);
    if (part != NULL)
        return hub_arena_format(arena, "%s has another shape: rules change annotations only; a "
                                "new shape is a new version of the schema", part);
    if (before->shard_field != after->shard_field)
        return "hub:shard names another field: that takes a new generation of the topics";
    return NULL;
}
