/* Rules as entries of the log, as in schemas/hub/rules.avsc.
 *
 * rules/<rules>/<origin>  the rules, with every text that is needed to fold by them for ever. Each
 *                         has a key of its own: compaction keeps them all, so whoever loads sees
 *                         which of them had effect.
 * remerge/<end of ids>    the entities whose id ends so are looked at again. One letter each, as
 *                         ids end in any of 32 letters: a change of rules is spread over many
 *                         entries, and other ones stand between them. */
#pragma once

#include "hub/stages/entry.h"
#include "schemas/lib/catalogue.h"

#define HUB_RULES_PREFIX "rules/"
#define HUB_REMERGE_PREFIX "remerge/"
#define HUB_REMERGE_RANGES "0123456789abcdefghjkmnpqrstvwxyz"

enum { HUB_RULES_REPORT_SIZE_MAX = 512 * 1024 };

struct hub_rules_entry {
    const char *domain;
    const char *rules;
    const char *replaces; /* NULL for the first of a log */
    int64_t core;
    int64_t unified_schema;
    struct hub_rules_texts texts;
    const char *report, *report_hash; /* NULL where nothing was rehearsed */
    const char *reason, *decided_by;
    int64_t decided_time_ms;
};

/* Appends the entry as a framed message. */
void hub_rules_entry_encode(const struct hub_rules_entry *entry,
                            const struct hub_catalogue *catalogue, struct hub_buffer *message);

/* Reads a framed message; all of it is copied into the arena. Errors as of hub_record_open. */
HUB_MUST_USE enum hub_status hub_rules_entry_open(const struct hub_catalogue *catalogue,
                                                  struct hub_bytes message,
                                                  struct hub_arena *arena,
                                                  struct hub_rules_entry *ret_entry,
                                                  struct hub_error *reterr);

/* Compiles the entry's rules and checks that they are what it says, that they may follow on the
 * catalogue's, and binds the schema of their unified records. HUB_REJECT where not. */
HUB_MUST_USE enum hub_status hub_rules_entry_compile(const struct hub_catalogue *catalogue,
                                                     const struct hub_rules_entry *entry,
                                                     const struct hub_digester *digester,
                                                     struct hub_rules **ret_rules,
                                                     struct hub_error *reterr);

bool hub_rules_entry_is(const struct hub_input *entry);
/* The end of the ids that are to be looked at again; false for any other entry. */
bool hub_remerge_entry_is(const struct hub_input *entry, struct hub_bytes *ret_end);
