/* Rules for people: which are in force, and which others there could be. */
#pragma once

#include "hub/ctl/read.h"
#include "hub/stages/rules_entry.h"

/* What the log of one shard says of rules. */
struct hub_ctl_ruled {
    const char *in_force;         /* their hash; the folder's where the log names none */
    bool named;                   /* by the log */
    struct hub_rules_entry entry; /* that put them in force; empty where the log names none */
    json_t *history;              /* [{offset, rules, replaces, effect, report, decided_by, reason, time_ms}] */
    int64_t next;                 /* where reading ended */
};

/* One for each shard, in the arena; the histories are released with hub_ctl_ruled_free. False where
 * Kafka could not be read, which has been said. */
bool hub_ctl_rules_read(struct hub_ctl *ctl, struct hub_source *source,
                        const struct hub_domain *domain, struct hub_arena *arena,
                        struct hub_ctl_ruled **ret_shards, int32_t *ret_count);
void hub_ctl_ruled_free(struct hub_ctl_ruled *shards, int32_t count);

/* Rules by name: `active` (what the log's shards say), `file` (the schemas folder in use), the path of
 * a schemas folder, or of a domain's .avsc beside the other texts of the folder in use. The texts are
 * in the arena; the rules are the caller's (hub_rules_compiler). What is wrong has been said. */
enum hub_exit hub_ctl_rules_find(struct hub_ctl *ctl, const struct hub_domain *domain,
                                 const char *name, struct hub_arena *arena,
                                 struct hub_rules_texts *ret_texts, struct hub_rules **ret_rules);

/* Folds the log's history by both rules in memory, and compares. The report is canonical JSON (sorted
 * keys, no spaces); the caller frees it. `ret_differs`: whether anything does. */
enum hub_exit hub_ctl_rules_rehearse(struct hub_ctl *ctl, const struct hub_domain *domain,
                                     struct hub_rules *from, struct hub_rules *to,
                                     char **ret_report, bool *ret_differs);

/* All or nothing, in one transaction. */
struct hub_kafka_write;
HUB_MUST_USE enum hub_status hub_ctl_write(struct hub_ctl *ctl, const struct hub_kafka_write *writes,
                                           size_t count, struct hub_error *reterr);

/* The first rules of every log that is empty. False, which has been said, where it cannot be. */
bool hub_ctl_rules_name(struct hub_ctl *ctl);
