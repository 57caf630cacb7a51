/* Rules: all that decides how a domain is folded, as texts that stand for themselves. They ride in
 * the log, so that what was in force is what the log says and not what some folder says now. */
#pragma once

#include "hub/base/digest.h"
#include "schemas/lib/domain.h"

enum { HUB_RULES_HASH_SIZE = 16, HUB_RULES_TEXT_SIZE_MAX = 1024 * 1024 }; /* of each text */

struct hub_rules_texts {
    struct hub_bytes schema;        /* the domain's annotated .avsc */
    struct hub_bytes schemes;       /* schemes.json */
    struct hub_bytes systems;       /* systems.json */
    struct hub_bytes organisations; /* organisations.csv */
};

/* Texts, compiled. The domain's `unified` is whoever binds it to say. */
struct hub_rules {
    struct hub_arena arena;
    struct hub_schema *schema;
    struct hub_schemes schemes;
    struct hub_parties parties;
    struct hub_domain domain;
};

/* Compiling needs a parser of documents, which the stages do not link: they are given this. */
struct hub_rules_compiler {
    /* HUB_FATAL with text, line and column where the texts are not rules. They are copied. */
    HUB_MUST_USE enum hub_status (*compile)(const struct hub_rules_texts *texts,
                                            const struct hub_digester *digester,
                                            struct hub_rules **ret_rules,
                                            struct hub_error *reterr);
    void (*release)(struct hub_rules *rules); /* NULL is fine */
};

extern const struct hub_rules_compiler hub_rules_compiler;

/* The texts' hash as rules are named by: 16 hexadecimal digits. */
void hub_rules_hash(const struct hub_rules_texts *texts, const struct hub_digester *digester,
                    char ret_hash[HUB_RULES_HASH_SIZE + 1]);

/* Why rules cannot follow on others without a new generation of the topics, in the arena: records
 * of another shape, or spread over shards by another field. NULL where they can. */
const char *hub_rules_refusal(const struct hub_domain *before, const struct hub_domain *after,
                              struct hub_arena *arena);
