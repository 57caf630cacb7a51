/* What the records that a fold is loaded from can be reached by (hub/stages/store.h). It follows from
 * a record and the rules in force alone, so whoever copies records can say it without a fold. */
#pragma once

#include "hub/stages/store.h"
#include "schemas/lib/catalogue.h"

/* The topics of a fold's state. */
enum hub_fold_topic {
    HUB_FOLD_LOG = 0,
    HUB_FOLD_UNIFIED,
    HUB_FOLD_CONFLICT,
    HUB_FOLD_MATCH,
    HUB_FOLD_TOPICS,
};

struct hub_fold_hooks;

/* `domain` by the rules in force. */
struct hub_fold_hooks *hub_fold_hooks_new(const struct hub_catalogue *catalogue,
                                          const struct hub_domain *domain);
void hub_fold_hooks_free(struct hub_fold_hooks *hooks); /* NULL is fine */

/* The hooks of a record, the key's own first; valid until the next call. None where the record is no
 * part of the state: late statements, decisions, null values. HUB_FATAL where it is damaged. */
HUB_MUST_USE enum hub_status hub_fold_hooks_of(struct hub_fold_hooks *hooks,
                                               enum hub_fold_topic topic,
                                               const struct hub_input *record,
                                               const struct hub_hook **ret_hooks,
                                               size_t *ret_count, struct hub_error *reterr);
/* The first of them, from the key alone. */
uint64_t hub_fold_own_hook(enum hub_fold_topic topic, struct hub_bytes key);
