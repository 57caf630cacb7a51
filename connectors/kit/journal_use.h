/* Whether a connector has a journal, and which. */
#pragma once

#include "connectors/kit/config.h"
#include "connectors/kit/journal.h"

struct hub_journal_config hub_journal_config_of(const struct hub_connector *connector,
                                                const char *state_folder);

/* Without a key there is none: the log says so, and where the configuration asks for one that is HUB_FATAL. Where
 * the configuration wants none, what there was is removed. */
HUB_MUST_USE enum hub_status hub_journal_decide(const struct hub_connector *connector,
                                                const char *state_folder, int64_t now_ms,
                                                bool *ret_wanted, struct hub_error *reterr);
