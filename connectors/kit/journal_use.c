#include "connectors/kit/journal_use.h"

#include "hub/io/log.h"

struct hub_journal_config hub_journal_config_of(const struct hub_connector *connector,
                                                const char *state_folder) {
    return (struct hub_journal_config){.state_folder = state_folder,
                                       .name = connector->name,
                                       .keys = &connector->keys,
                                       .days = connector->journal.days};
}

static const char way_out[] =
    "a file of 32 random bytes in the part 'journal' of the keys folder (--keys) would pass";

enum hub_status hub_journal_decide(const struct hub_connector *connector, const char *state_folder,
                                   int64_t now_ms, bool *ret_wanted, struct hub_error *reterr) {
    struct hub_journal_config config = hub_journal_config_of(connector, state_folder);
    bool has_key = connector->keys.journal.id != NULL;
    *ret_wanted = has_key && config.days > 0;
    if (config.days == 0)
        return hub_journal_expire(&config, now_ms, reterr);
    if (!has_key && connector->asks_for_journal)
        return hub_fail(reterr, HUB_FATAL, "%s: 'journal' needs a key: %s", connector->file,
                        way_out);
    if (!has_key)
        hub_log(HUB_LOG_WARNING, "no_journal", "what is read is not kept to be mapped again: %s; "
                "'journal: {days: 0}' says that it is not wanted", way_out);
    return HUB_OK;
}
