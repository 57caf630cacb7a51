/* Groups: records that a source tells of together, such as the rooms of an appointment. What an earlier
 * document told of a group, and the latest does not, is no longer in it. A message of several in a file
 * is a document of its own. */
#pragma once

#include "connectors/kit/known.h"
#include "connectors/kit/mapping.h"

struct hub_group;

/* Of one document. Zero but for the first two. */
struct hub_groups {
    struct hub_arena *arena;
    const struct hub_domain *domain;
    struct hub_group *items;
    const char *doubted; /* a group of which a record is refused, or NULL: what is missing from it
                          * cannot be said, and nothing of it is withdrawn */
};

/* Takes a record that was mapped; one without a group is passed over. */
void hub_groups_tell(struct hub_groups *groups, const struct hub_mapped *mapped);
/* Takes one that was refused. */
void hub_groups_doubt(struct hub_groups *groups, const struct hub_mapped *mapped);
/* Calls `missing`, in an order that depends on nothing but what was told, for each record in force that
 * is no longer in its group: one that is known, or one of this document itself. A document that comes
 * late, by the versions that are known, takes nothing away, and of what it tells only stays what is in
 * force. `missing` must not change what is known. */
void hub_groups_compare(struct hub_groups *groups, struct hub_known *known,
                        void (*missing)(void *context, const char *key, struct hub_bytes body),
                        void *context);
void hub_groups_end(struct hub_groups *groups);
