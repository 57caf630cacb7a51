/* What is known of the things of one domain, for those that refer to them: fed with its unified
 * records, asked for an identifier's Fact. Pure. */
#pragma once

#include "hub/base/memory.h"
#include "schemas/lib/catalogue.h"

struct hub_facts;

/* `domain` is the one that others refer to; what they ask of it is in their references. */
struct hub_facts *hub_facts_new(const struct hub_catalogue *catalogue,
                                const struct hub_domain *domain);
void hub_facts_free(struct hub_facts *facts); /* NULL is fine */

/* Takes a unified record in, in the order of its topic. `changed` is given every identifier whose
 * fact may be another one now. HUB_FATAL or HUB_REJECT where it is no such record. */
HUB_MUST_USE enum hub_status
hub_facts_take(struct hub_facts *facts, struct hub_bytes value,
               void (*changed)(void *context, const char *identifier), void *context,
               struct hub_error *reterr);

/* Appends the framed Fact of an identifier: also that nothing is known by it. */
void hub_facts_append(const struct hub_facts *facts, const char *identifier,
                      struct hub_buffer *message);
