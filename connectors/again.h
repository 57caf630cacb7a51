/* What `connector remap` and `connector remap --letters` have in common: the journal of all that a connector has read,
 * what it has published, and its own transactions. */
#pragma once

#include "connectors/kit/journal_use.h"
#include "connectors/kit/position.h"
#include "connectors/kit/remap.h"
#include "connectors/operate.h"

struct again {
    const struct operation *operation;
    const struct hub_connector *connector;
    struct hub_journal_config journal;
    struct hub_journal_list list;
    struct hub_arena arena;
    struct hub_reader *reader;
    struct hub_producer *producer; /* NULL: nothing is written */
    struct hub_position position;
    struct hub_remap *remap;
    const char *topic;
    size_t damaged; /* places of the journal */
};

/* HUB_REJECT where it must not be done so. */
HUB_MUST_USE enum hub_status again_check(const struct again *again, struct hub_error *reterr);
/* Afterwards the remap knows what is published. The producer comes first: whoever runs elsewhere after all is fenced, and
 * what an earlier run left open is over. */
HUB_MUST_USE enum hub_status again_open(struct again *again, struct hub_error *reterr);
/* Says what is wrong where something is, and gives the program's exit code. */
int again_close(struct again *again, enum hub_status status, const struct hub_error *error);

/* Whether the entry counts: what was read, and was committed. */
bool again_has(const struct again *again, const struct hub_journal_entry *entry);

/* In the open transaction. */
HUB_MUST_USE enum hub_status again_write(struct again *again, const char *topic,
                                         const struct hub_outgoing *outgoing,
                                         struct hub_error *reterr);
/* The position as it was, under that sequence, with who did it and why. */
HUB_MUST_USE enum hub_status again_write_position(struct again *again, int64_t sequence,
                                                  const struct hub_connector_counts *counts,
                                                  struct hub_error *reterr);
