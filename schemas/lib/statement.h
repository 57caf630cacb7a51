/* Reading a statement's stamp, and what it says beside its stamp.
 *
 * Pure; for admit, the fold and the connectors alike. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/memory.h"
#include "schemas/lib/domain.h"
#include "schemas/lib/parties.h"

struct hub_stamp {
    struct hub_bytes version;
    bool has_event_time;
    int64_t event_time_ms; /* since 1970-01-01T00:00:00Z */
    int64_t state;         /* index of its symbol */
    bool withdrawn;
};

/* Reads the stamp of an accepted record of the domain; `starts` are its fields' starts. */
struct hub_stamp hub_statement_stamp(const struct hub_domain *domain, struct hub_bytes body,
                                     const uint32_t *starts);

/* The same of a stamp alone; `parts` is where each of its fields begins. */
struct hub_stamp hub_statement_stamp_of(const struct hub_domain *domain, struct hub_bytes stamp,
                                        const uint32_t *parts);

/* One field of an accepted record. */
static inline struct hub_bytes hub_statement_field(struct hub_bytes body, const uint32_t *starts,
                                                   size_t index) {
    return hub_bytes_part(body, starts[index], starts[index + 1]);
}

/* Appends what the record says: all fields but the volatile ones, and of the stamp the event's
 * time, the state and the reason. Two records that append the same bytes say the same, however
 * often and by whatever version their source repeats it. */
void hub_statement_content(const struct hub_domain *domain, struct hub_bytes body,
                           const uint32_t *starts, struct hub_buffer *buffer);

/* Whether two records say the same, as above, of which it is known in which fields they have the same bytes; `stamp`
 * and `other` are the first field of each. */
bool hub_statement_says_the_same(const struct hub_domain *domain, const bool *same,
                                 struct hub_bytes stamp, struct hub_bytes other);

/* The digest of that. Where several institutions carry a system, the source's version is part of
 * what is said: the carriers' copies are told apart by it. */
struct hub_digest hub_statement_digest(const struct hub_domain *domain,
                                       const struct hub_system *system,
                                       const struct hub_digester *digester, struct hub_bytes body,
                                       const uint32_t *starts);

/* Whether all that follows the stamp is part of what a record says: no field but the stamp is volatile. */
bool hub_statement_rest_is_said(const struct hub_domain *domain);
/* The same digest where that is so, of a record of which only the stamp needs to have been walked: `rest_at` is
 * where it ends, `parts` where its fields begin. Some of the arena is used. */
struct hub_digest hub_statement_digest_of_rest(const struct hub_domain *domain,
                                               const struct hub_system *system,
                                               const struct hub_digester *digester,
                                               struct hub_bytes body, size_t rest_at,
                                               const uint32_t *parts, struct hub_arena *arena);

/* Which of two statements of one source record is the later one: version, then event time, then
 * digest. 0: they are one. */
int hub_statement_compare(const struct hub_stamp *a, const struct hub_digest *a_digest,
                          const struct hub_stamp *b, const struct hub_digest *b_digest);

/* A version without the part after '~' that a connector added to break ties. */
struct hub_bytes hub_version_of_source(struct hub_bytes version);
/* Without what a connector added to tell apart several records of one document. */
struct hub_bytes hub_version_of_document(struct hub_bytes version);

/* Appends the record as taken back: the same but for its stamp, whose state becomes WITHDRAWN with
 * this reason, and whose version becomes `version` (kept where it has no data). */
void hub_statement_append_withdrawn(const struct hub_domain *domain, struct hub_bytes body,
                                    const uint32_t *starts, struct hub_bytes version,
                                    const char *reason, struct hub_buffer *buffer);

/* Appends the record under another version. */
void hub_statement_append_version(const struct hub_domain *domain, struct hub_bytes body,
                                  const uint32_t *starts, struct hub_bytes version,
                                  struct hub_buffer *buffer);
