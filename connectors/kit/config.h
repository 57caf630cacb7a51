/* A connector's configuration: one YAML file. It reads a source, or is told of what it has subscribed to
 * (connectors/kit/subscription.h). Of a source:
 *
 *   connector: NAME
 *   institution: NAME
 *   system: NAME
 *   source: {transport: NAME, format: NAME, the options of both}
 *   target: {domain: NAME}
 *   filter: [PROGRAM, ARGUMENT...]  between parsing and mapping (connectors/kit/filter.h)
 *   journal: {days: N}            how long what was read is kept, to be mapped again (connectors/kit/journal.h)
 *   empty: accept | refuse        documents without any record (refuse)
 *   records, skip: the mapping (connectors/kit/mapping.h)
 *   tests: [{input: FILE, context: {...}, expect: [{...}], expect_error: {field: ..., stage: ...}}] */
#pragma once

#include "connectors/kit/filter.h"
#include "connectors/kit/journal.h"
#include "connectors/kit/mapping.h"
#include "connectors/kit/subscription.h"
#include "connectors/kit/transport.h"

/* The keys above, and `subscribe`; NULL-ended. */
extern const char *const hub_connector_keys[];

struct hub_connector {
    struct hub_arena arena;
    const char *name;
    const char *institution;
    struct hub_subscription *subscription; /* NULL where it reads a source; else what follows up to */
    const struct hub_system *system;       /* `keys`, `source` and `tests` are not there */
    const struct hub_domain *domain;
    const struct hub_catalogue *catalogue;
    const struct hub_transport *transport;
    void *transport_options;
    const struct hub_format *format;
    void *format_options;
    struct hub_filter *filter; /* or NULL */
    struct hub_mapping *mapping;
    struct hub_keys keys;
    struct hub_journal_options journal;
    bool asks_for_journal; /* the configuration says so */
    const char *file;   /* as given */
    const char *folder; /* of the file */
    const struct hub_node *source; /* transport, format and their options, as written */
    const struct hub_node *tests;  /* or NULL */
    struct hub_digest config_hash; /* of the file and of those that the filter is made of */
};

/* HUB_FATAL with file, line, column and what would pass. */
HUB_MUST_USE enum hub_status hub_connector_load(const char *file,
                                                const struct hub_catalogue *catalogue,
                                                const char *keys_folder,
                                                struct hub_connector **ret_connector,
                                                struct hub_error *reterr);
/* HUB_FATAL where it reads no source, and says that `what` is for those that do. */
HUB_MUST_USE enum hub_status hub_connector_need_source(const struct hub_connector *connector,
                                                       const char *what,
                                                       struct hub_error *reterr);
void hub_connector_free(struct hub_connector *connector); /* NULL is fine */
