#include "connectors/kit/config.h"

#include "hub/io/crypto.h"
#include "hub/io/file.h"

#include <string.h>

enum { CONFIG_SIZE_MAX = 1024 * 1024, NAMES_MAX = 64 };

struct loader {
    struct hub_connector *connector;
    const char *keys_folder;
    struct hub_error *reterr;
};

static enum hub_status need_word(struct loader *loader, const struct hub_node *node,
                                 const char *key, const struct hub_node **ret_node) {
    const struct hub_node *item = hub_node_get(node, key);
    if (item == NULL)
        return hub_node_fail(node, loader->reterr, "'%s' is missing", key);
    size_t size =
        item->text == NULL ? 0 : strspn(item->text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (size == 0 || size > NAMES_MAX || item->text[size] != '\0')
        return hub_node_fail(item, loader->reterr,
                             "'%s' is small letters, digits and hyphens, at most %d", key,
                             NAMES_MAX);
    *ret_node = item;
    return HUB_OK;
}

/* The names in a table of pointers to structures that begin with their name. */
static enum hub_status unknown_name(struct loader *loader, const struct hub_node *node,
                                    const char *const *names) {
    const char *nearest = hub_node_nearest(node->text, names);
    HUB_SCOPED_BUFFER list = {0};
    for (size_t i = 0; names[i] != NULL; i++)
        hub_buffer_append_format(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    return hub_node_fail(node, loader->reterr, "'%s' is not known%s%s%s; there are: %s",
                         node->text, nearest == NULL ? "" : ", did you mean '",
                         nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'",
                         hub_buffer_text(&list));
}

static enum hub_status no_system(struct loader *loader, const struct hub_node *node) {
    const struct hub_parties *parties = &loader->connector->catalogue->parties;
    const char **names = hub_arena_take_zero(&loader->connector->arena, parties->system_count + 1,
                                             sizeof *names);
    for (size_t i = 0; i < parties->system_count; i++)
        names[i] = parties->systems[i].name;
    const char *nearest = hub_node_nearest(node->text, names);
    return hub_node_fail(node, loader->reterr,
                         "'%s' is not in systems.json, where every source is declared once%s%s%s",
                         node->text, nearest == NULL ? "" : "; did you mean '",
                         nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
}

static enum hub_status load_system(struct loader *loader, const struct hub_node *root) {
    struct hub_connector *connector = loader->connector;
    const struct hub_parties *parties = &connector->catalogue->parties;
    const struct hub_node *institution = NULL, *system = NULL;
    HUB_TRY(need_word(loader, root, "institution", &institution));
    HUB_TRY(need_word(loader, root, "system", &system));
    connector->institution = institution->text;
    connector->system = hub_parties_system(parties, hub_bytes_of_text(system->text));
    if (connector->system == NULL)
        return no_system(loader, system);
    if (!hub_system_has_carrier(connector->system, hub_bytes_of_text(institution->text)))
        return hub_node_fail(institution, loader->reterr,
                             "systems.json does not let '%s' carry '%s'; %s may",
                             institution->text, system->text, connector->system->carriers[0]);
    return HUB_OK;
}

static enum hub_status load_target(struct loader *loader, const struct hub_node *root) {
    static const char *const keys[] = {"domain", NULL};
    const struct hub_catalogue *catalogue = loader->connector->catalogue;
    const struct hub_node *target = hub_node_get(root, "target"), *domain = NULL;
    const char *names[NAMES_MAX + 1];
    size_t count = 0;
    if (target == NULL || target->kind != HUB_NODE_MAPPING)
        return hub_node_fail(root, loader->reterr, "'target: {domain: NAME}' is missing");
    HUB_TRY(hub_node_check_keys(target, keys, loader->reterr));
    HUB_TRY(need_word(loader, target, "domain", &domain));
    loader->connector->domain =
        hub_catalogue_domain(catalogue, hub_bytes_of_text(domain->text));
    if (loader->connector->domain != NULL)
        return HUB_OK;
    for (size_t i = 0; i < catalogue->domain_count && count < NAMES_MAX; i++)
        names[count++] = catalogue->domains[i].name;
    names[count] = NULL;
    return unknown_name(loader, domain, names);
}

static size_t option_names(const struct hub_option *options, const char **names, size_t count) {
    for (size_t i = 0; options[i].name != NULL && count < NAMES_MAX; i++)
        names[count++] = options[i].name;
    return count;
}

static enum hub_status find_parts(struct loader *loader, const struct hub_node *source) {
    struct hub_connector *connector = loader->connector;
    const struct hub_node *transport = NULL, *format = NULL;
    const char *names[NAMES_MAX + 1] = {0};
    HUB_TRY(need_word(loader, source, "transport", &transport));
    HUB_TRY(need_word(loader, source, "format", &format));
    connector->transport = hub_transport_find(transport->text);
    connector->format = hub_format_find(format->text);
    for (size_t i = 0; connector->transport == NULL && hub_transports[i] != NULL; i++)
        names[i] = hub_transports[i]->name;
    if (connector->transport == NULL)
        return unknown_name(loader, transport, names);
    for (size_t i = 0; connector->format == NULL && hub_formats[i] != NULL; i++)
        names[i] = hub_formats[i]->name;
    return connector->format == NULL ? unknown_name(loader, format, names) : HUB_OK;
}

static enum hub_status check_parts(struct loader *loader, const struct hub_node *source) {
    const struct hub_connector *connector = loader->connector;
    struct hub_error inner;
    enum hub_status status = HUB_OK;
    if (connector->transport->check != NULL)
        status = connector->transport->check(connector->transport_options, &inner);
    if (status == HUB_OK && connector->format->check != NULL)
        status = connector->format->check(connector->format_options, &inner);
    return status == HUB_OK ? HUB_OK : hub_node_fail(source, loader->reterr, "%s", inner.text);
}

static enum hub_status load_source(struct loader *loader, const struct hub_node *root) {
    struct hub_connector *connector = loader->connector;
    const struct hub_node *source = hub_node_get(root, "source");
    const char *for_transport[NAMES_MAX + 1] = {"transport", "format"};
    const char *for_format[NAMES_MAX + 1] = {"transport", "format"};
    if (source == NULL || source->kind != HUB_NODE_MAPPING)
        return hub_node_fail(root, loader->reterr,
                             "'source: {transport: NAME, format: NAME, ...}' is missing");
    connector->source = source;
    HUB_TRY(find_parts(loader, source));
    for_transport[option_names(connector->format->options, for_transport, 2)] = NULL;
    for_format[option_names(connector->transport->options, for_format, 2)] = NULL;
    connector->transport_options =
        hub_arena_take_zero(&connector->arena, 1, connector->transport->options_size);
    connector->format_options =
        hub_arena_take_zero(&connector->arena, 1, connector->format->options_size);
    HUB_TRY(hub_options_read(source, connector->transport->options, for_transport,
                             &connector->arena, connector->transport_options, loader->reterr));
    HUB_TRY(hub_options_read(source, connector->format->options, for_format, &connector->arena,
                             connector->format_options, loader->reterr));
    return check_parts(loader, source);
}

static enum hub_status load_mapping(struct loader *loader, const struct hub_node *root) {
    struct hub_connector *connector = loader->connector;
    const struct hub_node *records = hub_node_get(root, "records");
    if (records == NULL)
        return hub_node_fail(root, loader->reterr, "'records' is missing: the mapping");
    struct hub_mapping_config config = {.records = records,
                                        .skip = hub_node_get(root, "skip"),
                                        .folder = connector->folder,
                                        .domain = connector->domain,
                                        .system = connector->system,
                                        .keys = &connector->keys,
                                        .format = connector->format,
                                        .format_options = connector->format_options,
                                        .each = connector->format->each,
                                        .each_is_whole = connector->format->each_is_whole};
    const struct hub_node *empty = hub_node_get(root, "empty");
    config.accepts_empty = hub_node_is_text(empty, "accept");
    if (empty != NULL && !config.accepts_empty && !hub_node_is_text(empty, "refuse"))
        return hub_node_fail(empty, loader->reterr, "accept or refuse would pass");
    return hub_mapping_load(&config, &connector->arena, &connector->mapping, loader->reterr);
}

const char *const hub_connector_keys[] = {"connector", "institution", "system", "source", "target",
                                          "filter",    "records",     "tests",  "empty",  "skip",
                                          "journal",   "subscribe", NULL};

/* What maps is the file and the filter: where one of them changes, so does the hash. */
static enum hub_status load_filter(struct loader *loader, const struct hub_node *root,
                                   struct hub_buffer *text) {
    struct hub_connector *connector = loader->connector;
    const struct hub_node *filter = hub_node_get(root, "filter");
    HUB_TRY(hub_filter_load(filter, connector->folder, &connector->arena, &connector->filter,
                            loader->reterr));
    text->size_max = HUB_BUFFER_SIZE_MAX_DEFAULT;
    for (size_t i = 0; filter != NULL && hub_filter_files(connector->filter)[i] != NULL; i++)
        if (hub_file_read(hub_filter_files(connector->filter)[i], text, loader->reterr) != HUB_OK)
            return HUB_FATAL;
    connector->config_hash = hub_sha256.digest(hub_buffer_bytes(text));
    return HUB_OK;
}

static enum hub_status load_journal(struct loader *loader, const struct hub_node *root) {
    struct hub_connector *connector = loader->connector;
    const struct hub_node *journal = hub_node_get(root, "journal");
    const struct hub_node none = {.kind = HUB_NODE_MAPPING};
    if (journal != NULL && journal->kind != HUB_NODE_MAPPING)
        return hub_node_fail(journal, loader->reterr, "'journal: {days: N}' would pass");
    HUB_TRY(hub_options_read(journal == NULL ? &none : journal, hub_journal_option_table, NULL,
                             &connector->arena, &connector->journal, loader->reterr));
    connector->asks_for_journal = journal != NULL && connector->journal.days > 0;
    return HUB_OK;
}

static enum hub_status load_subscription(struct loader *loader, const struct hub_node *root,
                                         const struct hub_buffer *text) {
    struct hub_connector *connector = loader->connector;
    const struct hub_node *institution = NULL;
    HUB_TRY(need_word(loader, root, "institution", &institution));
    connector->institution = institution->text;
    connector->config_hash = hub_sha256.digest(hub_buffer_bytes(text));
    return hub_subscription_load(root, connector->catalogue, &connector->arena,
                                 &connector->subscription, loader->reterr);
}

static enum hub_status load(struct loader *loader) {
    struct hub_connector *connector = loader->connector;
    HUB_SCOPED_BUFFER text = {.size_max = CONFIG_SIZE_MAX};
    struct hub_node *root = NULL;
    const struct hub_node *name = NULL;
    if (hub_file_read(connector->file, &text, loader->reterr) != HUB_OK)
        return HUB_FATAL; /* a file that is too large is for a person, too */
    HUB_TRY(hub_node_parse(hub_buffer_bytes(&text), connector->file, &connector->arena, &root,
                           loader->reterr));
    if (root->kind != HUB_NODE_MAPPING)
        return hub_node_fail(root, loader->reterr, "a mapping of 'connector', 'institution' ... "
                             "would pass");
    HUB_TRY(hub_node_check_keys(root, hub_connector_keys, loader->reterr));
    HUB_TRY(need_word(loader, root, "connector", &name));
    connector->name = name->text;
    connector->tests = hub_node_get(root, "tests");
    if (hub_node_get(root, "subscribe") != NULL)
        return load_subscription(loader, root, &text);
    HUB_TRY(load_system(loader, root));
    HUB_TRY(load_target(loader, root));
    HUB_TRY(load_source(loader, root));
    HUB_TRY(load_journal(loader, root));
    HUB_TRY(load_filter(loader, root, &text));
    HUB_TRY(hub_keys_load(loader->keys_folder, &connector->arena, &connector->keys,
                          loader->reterr));
    return load_mapping(loader, root);
}

enum hub_status hub_connector_load(const char *file, const struct hub_catalogue *catalogue,
                                   const char *keys_folder, struct hub_connector **ret_connector,
                                   struct hub_error *reterr) {
    struct hub_connector *connector = hub_allocate_zero(1, sizeof *connector);
    const char *slash = strrchr(file, '/');
    connector->catalogue = catalogue;
    connector->file = hub_arena_text(&connector->arena, file, strlen(file));
    connector->folder = slash == NULL ? "."
                                      : hub_arena_text(&connector->arena, file,
                                                       (size_t)(slash - file));
    struct loader loader = {connector, keys_folder, reterr};
    enum hub_status status = load(&loader);
    if (status != HUB_OK)
        hub_connector_free(connector);
    else
        *ret_connector = connector;
    return status;
}

enum hub_status hub_connector_need_source(const struct hub_connector *connector, const char *what,
                                          struct hub_error *reterr) {
    if (connector->subscription == NULL)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL, "%s: it subscribes and has no mapping; %s is for "
                    "configurations with a 'source'", connector->file, what);
}

void hub_connector_free(struct hub_connector *connector) {
    if (connector == NULL)
        return;
    hub_filter_free(connector->filter);
    hub_mapping_free(connector->mapping);
    struct hub_arena arena = connector->arena;
    hub_arena_destroy(&arena);
    hub_release(connector);
}
