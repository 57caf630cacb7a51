/* What a statement must be beyond well-formed. */
#pragma once

#include "hub/stages/readers.h"
#include "schemas/lib/statement.h"

/* Why a record is refused: a code from a closed list, and a place in it. */
struct hub_refusal_facts {
    const char *code;
    const char *path; /* in the arena, or NULL */
    bool security;
};

/* `key` is <system>/<source id>; finds the system and checks that the institution may carry it. */
HUB_MUST_USE enum hub_status hub_admit_check_key(const struct hub_domain *domain,
                                                 const char *institution, struct hub_bytes key,
                                                 const struct hub_system **ret_system,
                                                 struct hub_refusal_facts *refusal,
                                                 struct hub_error *reterr);

/* The stamp: its state known, a version there, no event after `appended_ms`. */
HUB_MUST_USE enum hub_status hub_admit_check_stamp(const struct hub_domain *domain,
                                                   const struct hub_opened *opened,
                                                   int64_t appended_ms,
                                                   struct hub_stamp *ret_stamp,
                                                   struct hub_refusal_facts *refusal,
                                                   struct hub_error *reterr);

/* Every text plain (no control characters but tabs and line breaks: what is kept and compared as a
 * C string must not end early), the stamp as above, the identifiers (SELF ones in normal form, valid
 * and no placeholder), and an exclusive interval that does not end before it starts. `ret_stamp` is the
 * stamp. */
HUB_MUST_USE enum hub_status hub_admit_check_statement(const struct hub_domain *domain,
                                                       const struct hub_opened *opened,
                                                       int64_t appended_ms, struct hub_arena *arena,
                                                       struct hub_stamp *ret_stamp,
                                                       struct hub_refusal_facts *refusal,
                                                       struct hub_error *reterr);
