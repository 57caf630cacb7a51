/* Everything under schemas/, loaded and checked: the registered schemas with their ids, the
 * domains' contracts, the schemes and the parties. Immutable once loaded. */
#pragma once

#include "hub/base/digest.h"
#include "schemas/lib/rules.h"

enum { HUB_SCHEMA_ID_FIRST = 100001 };

struct hub_catalogue {
    struct hub_arena arena;
    struct hub_schema **schemas; /* by id, ascending; as in registry.lock.json */
    size_t schema_count;
    struct hub_domain *domains;
    size_t domain_count;
    struct hub_schemes schemes;
    struct hub_parties parties;
    struct hub_rules_texts shared; /* the texts that decide beside a schema; its own is empty */
    const struct hub_rules_compiler *compiler; /* for rules that are not the folder's */
};

/* Loads the folder. HUB_FATAL, with file, line and column, where anything is wrong in it, where a
 * registered text is not the one that was locked, or where a schema differs from what is
 * registered for it. */
HUB_MUST_USE enum hub_status hub_catalogue_load(const char *folder,
                                                const struct hub_digester *digester,
                                                struct hub_catalogue **ret_catalogue,
                                                struct hub_error *reterr);
/* Checks the files that people edit, whether they are locked or not; errors name those files. */
HUB_MUST_USE enum hub_status hub_catalogue_check(const char *folder,
                                                 const struct hub_digester *digester,
                                                 struct hub_error *reterr);
void hub_catalogue_free(struct hub_catalogue *catalogue);

/* NULL where there is none. */
const struct hub_schema *hub_catalogue_by_id(const struct hub_catalogue *catalogue, int32_t id);
const struct hub_schema *hub_catalogue_latest(const struct hub_catalogue *catalogue,
                                              const char *subject);
const struct hub_schema *hub_catalogue_version(const struct hub_catalogue *catalogue,
                                               const char *subject, int32_t version);
const struct hub_domain *hub_catalogue_domain(const struct hub_catalogue *catalogue,
                                              struct hub_bytes name);

/* What the lock says, as a word: "ID:HASH", its last id and a hash of everything up to it. The lock is
 * append-only, so of two that agree the shorter is the beginning of the longer. */
void hub_catalogue_stamp(const struct hub_catalogue *catalogue, const struct hub_digester *digester,
                         struct hub_buffer *buffer);
/* Whether this lock has all that one of this stamp has. */
bool hub_catalogue_continues(const struct hub_catalogue *catalogue,
                             const struct hub_digester *digester, const char *stamp);

/* The texts of the domain's rules as the folder has them. */
struct hub_rules_texts hub_catalogue_rules(const struct hub_catalogue *catalogue,
                                           const struct hub_domain *domain);

/* The lock's subject for a topic's values (ingest.sus.trial -> trial, unified.trial ->
 * unified.trial, conflict.trial -> conflict), or NULL for a topic that is not ours. */
const char *hub_catalogue_topic_subject(const struct hub_catalogue *catalogue, const char *topic);

/* One file of schemas/ that has to be in the lock under a subject: the domains, the hub's own
 * records, and the unified schemas, whose text is generated. */
struct hub_contract_file {
    const char *subject;
    const char *file; /* within the folder; for generated ones where they would stand */
    struct hub_bytes text;
};

/* Lists them, sorted by subject; everything in the arena. */
HUB_MUST_USE enum hub_status hub_catalogue_files(const char *folder, struct hub_arena *arena,
                                                 struct hub_contract_file **ret_files,
                                                 size_t *ret_count, struct hub_error *reterr);
