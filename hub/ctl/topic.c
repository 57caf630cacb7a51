/* hubctl topic create, topic list. */
#include "hub/ctl/rules.h"

#include "hub/engine/topics.h"

#include <stdio.h>

enum hub_exit hub_ctl_topic_create(struct hub_ctl *ctl) {
    struct hub_arena arena = {0};
    struct hub_topic_config *topics = NULL;
    struct hub_error error;
    size_t count = 0;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    hub_topics_list(ctl->catalogue, &arena, &topics, &count);
    enum hub_status status =
        hub_topics_create(ctl->bootstrap, topics, count, /* replication= */ 1, &error);
    hub_arena_destroy(&arena);
    if (status == HUB_OK) {
        printf("%zu topics are there\n", count);
        return hub_ctl_rules_name(ctl) ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
    }
    fprintf(stderr, "hubctl: %s\n", error.text);
    return status == HUB_RETRY ? HUB_EXIT_UNREACHABLE : HUB_EXIT_FINDINGS;
}

enum hub_exit hub_ctl_topic_list(struct hub_ctl *ctl) {
    static const char *const head[] = {"TOPIC", "PARTITIONS", "SUBJECT"};
    struct hub_arena arena = {0};
    struct hub_topic_config *topics = NULL;
    struct hub_ctl_table table = {.head = head, .columns = 3};
    size_t count = 0;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    hub_topics_list(ctl->catalogue, &arena, &topics, &count);
    for (size_t i = 0; i < count; i++) {
        const char *subject = hub_catalogue_topic_subject(ctl->catalogue, topics[i].name);
        hub_ctl_table_cell(&table, "%s", topics[i].name);
        hub_ctl_table_cell(&table, "%d", topics[i].partitions);
        hub_ctl_table_cell(&table, "%s", subject == NULL ? "" : subject);
    }
    hub_ctl_table_show(ctl, &table);
    hub_ctl_table_free(&table);
    hub_arena_destroy(&arena);
    return HUB_EXIT_OK;
}
