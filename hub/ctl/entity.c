/* hubctl entity list, entity show. */
#include "hub/ctl/erase.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_PART_SIZE_MAX = 70 };

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static bool has_text(const json_t *element, const char *text, size_t size) {
    const char *key;
    const json_t *part;
    json_object_foreach((json_t *)element, key, part) {
        const char *own = json_string_value(part);
        if (own != NULL && strlen(own) == size && strncmp(own, text, size) == 0)
            return true;
    }
    return false;
}

/* A path of hub:label in a rendered record; NULL where nothing is stated there. */
static const char *follow(const json_t *value, const char *path) {
    while (value != NULL && *path != '\0') {
        size_t size = strcspn(path, ".["), i;
        const json_t *list = NULL, *element;
        value = json_object_getn(value, path, size);
        path += size;
        list = json_is_array(value) ? value : NULL;
        value = list == NULL ? value : json_array_get(list, 0);
        if (*path == '[') {
            const char *close = strchr(path, ']');
            value = NULL;
            json_array_foreach((json_t *)list, i, element) {
                if (value == NULL && has_text(element, path + 1, (size_t)(close - path) - 1))
                    value = element;
            }
            path = close + 1;
        }
        path += *path == '.';
    }
    return json_string_value(value);
}

void hub_ctl_label(const struct hub_domain *domain, const json_t *value,
                   struct hub_buffer *label) {
    for (size_t i = 0; domain->label[i] != NULL; i++) {
        const char *text = NULL;
        for (size_t k = 0; text == NULL && domain->label[i][k] != NULL; k++)
            text = follow(value, domain->label[i][k]);
        size_t size = text == NULL ? 0 : strnlen(text, LABEL_PART_SIZE_MAX);
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--; /* not within a character */
        if (size > 0)
            hub_buffer_append_format(label, "%s%.*s", label->size == 0 ? "" : "  ", (int)size,
                                     text);
    }
}

/* What follows "unified." in its topic. */
static const char *domain_name_of(const json_t *record) {
    const char *dot = strchr(text_of(record, "topic"), '.');
    return dot == NULL ? "" : dot + 1;
}

static void add_row(struct hub_ctl *ctl, struct hub_ctl_table *table, const json_t *record) {
    HUB_SCOPED_BUFFER label = {0};
    const json_t *unified = json_object_get(record, "value");
    const char *domain = domain_name_of(record);
    if (json_is_object(json_object_get(unified, "value")))
        hub_ctl_label(hub_catalogue_domain(ctl->catalogue, hub_bytes_of_text(domain)),
                      json_object_get(unified, "value"), &label);
    else
        hub_buffer_append_format(&label, "-> %s", text_of(unified, "into"));
    hub_ctl_table_cell(table, "%s", text_of(unified, "entity_id"));
    hub_ctl_table_cell(table, "%s", text_of(unified, "kind"));
    hub_ctl_table_cell(table, "%lld",
                       (long long)json_integer_value(json_object_get(unified, "revision")));
    hub_ctl_table_cell(table, "%zu", json_array_size(json_object_get(unified, "statements")));
    hub_ctl_table_cell(table, "%zu", json_array_size(json_object_get(unified, "conflicts")));
    hub_ctl_table_cell(table, "%s", hub_buffer_text(&label));
}

enum hub_exit hub_ctl_entity_list(struct hub_ctl *ctl) {
    static const char *const head[] = {"ENTITY",     "KIND",      "REVISION",
                                       "STATEMENTS", "CONFLICTS", "WHAT"};
    struct hub_ctl_table table = {.head = head, .columns = 6};
    size_t i;
    json_t *record;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    json_t *latest = hub_ctl_latest(ctl, "unified.");
    if (latest == NULL)
        return HUB_EXIT_UNREACHABLE;
    json_t *list = json_array();
    json_array_foreach(latest, i, record) {
        json_t *unified = json_object_get(record, "value");
        bool active = strcmp(text_of(unified, "kind"), "ACTIVE") == 0;
        if ((!active && !ctl->all) || (int64_t)json_array_size(list) >= ctl->limit)
            continue;
        json_array_append(list, unified);
        add_row(ctl, &table, record);
    }
    if (ctl->json) {
        json_dumpf(list, stdout, JSON_INDENT(1));
        printf("\n");
    } else {
        hub_ctl_table_print(&table);
    }
    hub_ctl_table_free(&table);
    json_decref(list);
    json_decref(latest);
    return HUB_EXIT_OK;
}

json_t *hub_ctl_entity_find(struct hub_ctl *ctl, const char *id, bool *ret_reached) {
    size_t i;
    json_t *record, *found = NULL;
    json_t *latest = hub_ctl_latest(ctl, "unified.");
    *ret_reached = latest != NULL;
    json_array_foreach(latest, i, record) {
        if (strcmp(text_of(record, "key"), id) == 0)
            found = json_incref(record);
    }
    json_decref(latest);
    return found;
}

static enum hub_exit unseal(struct hub_ctl *ctl, json_t *record) {
    struct hub_arena arena = {0};
    struct hub_keys keys;
    const struct hub_domain *domain =
        hub_catalogue_domain(ctl->catalogue, hub_bytes_of_text(domain_name_of(record)));
    enum hub_exit code = hub_ctl_keys(ctl, &arena, &keys) ? HUB_EXIT_OK : HUB_EXIT_USAGE;
    if (code == HUB_EXIT_OK && !hub_ctl_unseal(&keys, domain, json_object_get(record, "value")))
        code = HUB_EXIT_FINDINGS;
    hub_arena_destroy(&arena);
    return code;
}

enum hub_exit hub_ctl_entity_show(struct hub_ctl *ctl) {
    bool reached = false;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    json_t *record = hub_ctl_entity_find(ctl, ctl->arguments[0], &reached);
    if (!reached)
        return HUB_EXIT_UNREACHABLE;
    if (record == NULL) {
        fprintf(stderr, "hubctl: there is no entity %s\n", ctl->arguments[0]);
        return HUB_EXIT_NOT_FOUND;
    }
    enum hub_exit code = ctl->unseal ? unseal(ctl, record) : HUB_EXIT_OK;
    if (code == HUB_EXIT_OK) {
        json_dumpf(json_object_get(record, "value"), stdout, JSON_INDENT(2));
        printf("\n");
    }
    json_decref(record);
    return code;
}
