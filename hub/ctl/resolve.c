/* hubctl resolve: what a number is the number of, from unified.identifier. */
#include "hub/ctl/read.h"

#include "hub/engine/topics.h"

#include <stdio.h>
#include <string.h>

struct resolving {
    struct hub_bytes identifier;
    json_t *listings; /* by key: each shard of a domain with several has a key of its own */
};

static bool take(void *context, const struct hub_ctl_record *record) {
    struct resolving *resolving = context;
    size_t size = resolving->identifier.size;
    if (record->key.size < size ||
        !hub_bytes_equal(hub_bytes(record->key.data, size), resolving->identifier))
        return true;
    json_t *listing = hub_ctl_value(record);
    const char *identifier = json_string_value(json_object_get(listing, "identifier"));
    char *key = hub_copy_bytes(record->key.data, record->key.size);
    if (identifier != NULL && hub_bytes_equal_text(resolving->identifier, identifier))
        json_object_set(resolving->listings, key, listing);
    else /* dropped, or of another that begins alike */
        json_object_del(resolving->listings, key);
    json_decref(listing);
    hub_release(key);
    return true;
}

static json_t *list_entities(const struct resolving *resolving) {
    json_t *list = json_array(), *listing, *id;
    const char *key;
    size_t i;
    json_object_foreach(resolving->listings, key, listing)
        json_array_foreach(json_object_get(listing, "entities"), i, id)
            json_array_append_new(list, json_pack("{s:O, s:O, s:O}", "identifier",
                                                  json_object_get(listing, "identifier"), "domain",
                                                  json_object_get(listing, "domain"), "entity_id",
                                                  id));
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
    struct hub_source *source = hub_ctl_source(ctl);
    bool good = source != NULL &&
                hub_ctl_read_topic(ctl, source, HUB_IDENTIFIER_TOPIC, take, resolving);
    hub_source_free(source);
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
    struct resolving resolving = {hub_buffer_bytes(&identifier), json_object()};
    enum hub_exit code = resolve(ctl, &resolving);
    json_decref(resolving.listings);
    return code;
}
