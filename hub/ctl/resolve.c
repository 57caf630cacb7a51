/* hubctl resolve: what a number is the number of, from unified.identifier. */
#include "hub/ctl/read.h"

#include "hub/engine/topics.h"

#include <stdio.h>
#include <string.h>

struct resolving {
    struct hub_bytes identifier;
    json_t *by_partition; /* the latest listing of each, or null */
};

/* Each partition is of other shards: of one key each has a record of its own. */
static bool take(void *context, const struct hub_ctl_record *record) {
    struct resolving *resolving = context;
    if (!hub_bytes_equal(record->key, resolving->identifier))
        return true;
    json_t *listing = hub_ctl_value(record);
    json_array_set_new(resolving->by_partition, (size_t)record->partition,
                       listing == NULL ? json_null() : listing);
    return true;
}

static json_t *list_entities(const struct resolving *resolving) {
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(resolving->by_partition); i++) {
        const json_t *listing = json_array_get(resolving->by_partition, i);
        const json_t *ids = json_object_get(listing, "entities");
        for (size_t k = 0; k < json_array_size(ids); k++)
            json_array_append_new(list, json_pack("{s:O, s:O, s:O}", "identifier",
                                                  json_object_get(listing, "identifier"), "domain",
                                                  json_object_get(listing, "domain"), "entity_id",
                                                  json_array_get(ids, k)));
    }
    return list;
}

static void print(const json_t *list) {
    static const char *const head[] = {"IDENTIFIER", "DOMAIN", "ENTITY"};
    static const char *const names[] = {"identifier", "domain", "entity_id"};
    struct hub_ctl_table table = {.head = head, .columns = 3};
    for (size_t i = 0; i < json_array_size(list); i++)
        for (size_t k = 0; k < 3; k++)
            hub_ctl_table_cell(&table, "%s", json_string_value(json_object_get(
                                                 json_array_get(list, i), names[k])));
    hub_ctl_table_print(&table);
    hub_ctl_table_free(&table);
}

static enum hub_exit resolve(struct hub_ctl *ctl, struct resolving *resolving) {
    struct hub_reader *reader = hub_ctl_reader(ctl);
    for (int i = 0; i < HUB_SHARDS; i++)
        json_array_append_new(resolving->by_partition, json_null());
    bool good = reader != NULL &&
                hub_ctl_read_topic(ctl, reader, HUB_IDENTIFIER_TOPIC, take, resolving);
    hub_reader_free(reader);
    if (!good)
        return HUB_EXIT_UNREACHABLE;
    json_t *list = list_entities(resolving);
    enum hub_exit code = json_array_size(list) > 0 ? HUB_EXIT_OK : HUB_EXIT_NOT_FOUND;
    if (code == HUB_EXIT_NOT_FOUND) {
        fprintf(stderr, "hubctl: no entity claims %s\n", ctl->arguments[0]);
    } else if (ctl->json) {
        json_dumpf(list, stdout, JSON_INDENT(1));
        printf("\n");
    } else {
        print(list);
    }
    json_decref(list);
    return code;
}

enum hub_exit hub_ctl_resolve(struct hub_ctl *ctl) {
    HUB_SCOPED_BUFFER identifier = {0};
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    hub_identifier_normalise(&ctl->catalogue->schemes, hub_bytes_of_text(ctl->arguments[0]),
                             &identifier);
    struct resolving resolving = {hub_buffer_bytes(&identifier), json_array()};
    enum hub_exit code = resolve(ctl, &resolving);
    json_decref(resolving.by_partition);
    return code;
}
