/* hubctl entity list, entity show. */
#include "hub/ctl/read.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* Something people recognise: a title, an interval, the parties, or the first identifier. */
static void append_label(const json_t *value, struct hub_buffer *label) {
    const json_t *title = json_array_get(json_object_get(value, "titles"), 0);
    const json_t *interval = json_object_get(value, "interval");
    const json_t *sending = json_object_get(value, "sending");
    const json_t *receiving = json_object_get(value, "receiving");
    const json_t *identifier = json_array_get(json_object_get(value, "identifiers"), 0);
    hub_buffer_append_format(label, "%s ", text_of(value, "status"));
    if (title != NULL)
        hub_buffer_append_format(label, "%.70s", text_of(title, "text"));
    else if (json_is_object(interval))
        hub_buffer_append_format(label, "%s %.16s - %.16s", text_of(value, "suite"),
                                 text_of(json_object_get(interval, "start"), "time"),
                                 text_of(json_object_get(interval, "end"), "time"));
    else if (json_is_object(sending) || json_is_object(receiving))
        hub_buffer_append_format(label, "%s -> %s", text_of(sending, "text"),
                                 text_of(receiving, "text"));
    else
        hub_buffer_append_format(label, "%s", text_of(identifier, "value"));
}

static void add_row(struct hub_ctl_table *table, const json_t *unified) {
    HUB_SCOPED_BUFFER label = {0};
    if (json_is_object(json_object_get(unified, "value")))
        append_label(json_object_get(unified, "value"), &label);
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
        add_row(&table, unified);
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
    json_dumpf(json_object_get(record, "value"), stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(record);
    return HUB_EXIT_OK;
}
