#include "connectors/kit/subscription.h"

#include <string.h>

struct subscribe {
    const char *const *topics;
    const char *since;
};

static const char *const beginnings[] = {"beginning", "now", NULL};

const struct hub_option hub_subscribe_options[] = {
    {.name = "topics",
     HUB_TEXTS_OPTION(struct subscribe, topics),
     .required = true,
     .help = "What is told of: unified.DOMAIN, unified.identifier, conflict.DOMAIN or match.DOMAIN, one "
             "or a list."},
    {.name = "since",
     HUB_TEXT_OPTION(struct subscribe, since),
     .initial = "beginning",
     .choices = beginnings,
     .help = "Where a topic begins that was not subscribed to before: with all that it holds, or with "
             "what is written from now on."},
    {0},
};

const char *const hub_subscription_keys[] = {"connector", "institution", "subscribe", "target",
                                             NULL};

bool hub_subscription_begins_now(const struct hub_subscription *subscription) {
    return strcmp(subscription->since, "now") == 0;
}

static bool is_topic(const struct hub_catalogue *catalogue, const char *topic) {
    static const char *const kinds[] = {"unified.", "conflict.", "match.", NULL};
    if (strcmp(topic, "unified.identifier") == 0)
        return true;
    for (size_t i = 0; kinds[i] != NULL; i++)
        if (strncmp(topic, kinds[i], strlen(kinds[i])) == 0)
            return hub_catalogue_domain(catalogue,
                                        hub_bytes_of_text(topic + strlen(kinds[i]))) != NULL;
    return false;
}

static enum hub_status check_topics(const struct hub_node *node,
                                    const struct hub_catalogue *catalogue,
                                    const char *const *topics, struct hub_error *reterr) {
    if (topics[0] == NULL)
        return hub_node_fail(node, reterr, "'topics' is empty; one topic would pass");
    for (size_t i = 0; topics[i] != NULL; i++) {
        if (!is_topic(catalogue, topics[i]))
            return hub_node_fail(node, reterr, "'%s' is no topic to subscribe to; unified.DOMAIN, "
                                 "unified.identifier, conflict.DOMAIN or match.DOMAIN would pass, of "
                                 "a domain in schemas/domains", topics[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(topics[i], topics[k]) == 0)
                return hub_node_fail(node, reterr, "'%s' stands here twice; once would pass",
                                     topics[i]);
    }
    return HUB_OK;
}

static enum hub_status load_topics(const struct hub_node *node,
                                   const struct hub_catalogue *catalogue, struct hub_arena *arena,
                                   struct hub_subscription *subscription,
                                   struct hub_error *reterr) {
    struct subscribe subscribe = {0};
    HUB_TRY(hub_options_read(node, hub_subscribe_options, NULL, arena, &subscribe, reterr));
    subscription->topics = subscribe.topics;
    subscription->since = subscribe.since;
    const struct hub_node *topics = hub_node_get(node, "topics");
    return check_topics(topics, catalogue, subscribe.topics, reterr);
}

static enum hub_status no_outbound(const struct hub_node *node, const struct hub_node *transport,
                                   struct hub_error *reterr) {
    const char *said = transport == NULL || transport->text == NULL ? "" : transport->text;
    HUB_SCOPED_BUFFER list = {0};
    for (size_t i = 0; hub_outbounds[i] != NULL; i++)
        hub_buffer_append_format(&list, "%s%s", i == 0 ? "" : ", ", hub_outbounds[i]->name);
    if (hub_transport_find(said) != NULL)
        return hub_node_fail(transport, reterr, "'%s' reads a source and delivers nothing; one of %s "
                             "would pass", said, hub_buffer_text(&list));
    return hub_node_fail(transport == NULL ? node : transport, reterr,
                         "'transport' must be one of %s", hub_buffer_text(&list));
}

static enum hub_status load_target(const struct hub_node *node, struct hub_arena *arena,
                                   struct hub_subscription *subscription,
                                   struct hub_error *reterr) {
    static const char *const also[] = {"transport", NULL};
    const struct hub_node *transport = hub_node_get(node, "transport");
    struct hub_error inner;
    for (size_t i = 0; hub_outbounds[i] != NULL; i++)
        if (hub_node_is_text(transport, hub_outbounds[i]->name))
            subscription->outbound = hub_outbounds[i];
    const struct hub_outbound *outbound = subscription->outbound;
    subscription->target = node;
    if (outbound == NULL)
        return no_outbound(node, transport, reterr);
    subscription->outbound_options = hub_arena_take_zero(arena, 1, outbound->options_size);
    HUB_TRY(hub_options_read(node, outbound->options, also, arena, subscription->outbound_options,
                             reterr));
    if (outbound->check != NULL &&
        outbound->check(subscription->outbound_options, &inner) != HUB_OK)
        return hub_node_fail(node, reterr, "%s", inner.text);
    return HUB_OK;
}

enum hub_status hub_subscription_load(const struct hub_node *root,
                                      const struct hub_catalogue *catalogue,
                                      struct hub_arena *arena,
                                      struct hub_subscription **ret_subscription,
                                      struct hub_error *reterr) {
    struct hub_subscription *subscription = hub_arena_take_zero(arena, 1, sizeof *subscription);
    const struct hub_node *subscribe = hub_node_get(root, "subscribe");
    const struct hub_node *target = hub_node_get(root, "target");
    const struct hub_node *institution = hub_node_get(root, "institution");
    if (hub_node_get(root, "source") != NULL)
        return hub_node_fail(hub_node_key(root, "subscribe"), reterr,
                             "a connector reads a 'source' or is told of what it has subscribed to; "
                             "one of 'source' and 'subscribe' would pass");
    HUB_TRY(hub_node_check_keys(root, hub_subscription_keys, reterr));
    if (hub_parties_institution(&catalogue->parties, hub_bytes_of_text(institution->text)) == NULL)
        return hub_node_fail(institution, reterr, "'%s' is no institution of systems.json",
                             institution->text);
    HUB_TRY(load_topics(subscribe, catalogue, arena, subscription, reterr));
    if (target == NULL || target->kind != HUB_NODE_MAPPING)
        return hub_node_fail(root, reterr, "'target: {transport: NAME, ...}' is missing");
    HUB_TRY(load_target(target, arena, subscription, reterr));
    *ret_subscription = subscription;
    return HUB_OK;
}
