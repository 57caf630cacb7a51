/* hubctl conflict list, conflict show. */
#include "hub/ctl/read.h"

#include "hub/base/text.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_SIZE_MAX = 60 }; /* of what a line of the list shows of one */

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static bool is_owned_by(const json_t *conflict, const char *institution) {
    const json_t *owners = json_object_get(conflict, "owners");
    for (size_t i = 0; i < json_array_size(owners); i++)
        if (strcmp(json_string_value(json_array_get(owners, i)), institution) == 0)
            return true;
    return false;
}

static void add_row(struct hub_ctl_table *table, const json_t *conflict) {
    const json_t *values = json_object_get(conflict, "values");
    const json_t *proposal = json_object_get(conflict, "proposal");
    HUB_SCOPED_BUFFER shown = {0};
    HUB_SCOPED_BUFFER owners = {0};
    size_t i;
    json_t *value, *owner;
    json_array_foreach(json_object_get(conflict, "owners"), i, owner)
        hub_buffer_append_format(&owners, "%s%s", i == 0 ? "" : ",", json_string_value(owner));
    json_array_foreach((json_t *)values, i, value) {
        const char *text = text_of(value, "value");
        int size = (int)hub_text_cut(hub_bytes_of_text(text), VALUE_SIZE_MAX);
        hub_buffer_append_format(&shown, "%s%.*s%s", i == 0 ? "" : "  |  ", size, text,
                                 json_is_true(json_object_get(value, "chosen")) ? " *" : "");
    }
    if (json_is_object(proposal))
        hub_buffer_append_format(&shown, "%s%s proposed by %s", shown.size == 0 ? "" : "  |  ",
                                 text_of(proposal, "kind"), text_of(proposal, "decided_by"));
    hub_ctl_table_cell(table, "%s", text_of(conflict, "state"));
    hub_ctl_table_cell(table, "%s", text_of(conflict, "severity"));
    hub_ctl_table_cell(table, "%s", text_of(conflict, "kind"));
    hub_ctl_table_cell(table, "%s", hub_buffer_text(&owners));
    hub_ctl_table_cell(table, "%s", text_of(conflict, "conflict_id"));
    hub_ctl_table_cell(table, "%lld",
                       (long long)json_integer_value(json_object_get(conflict, "events")));
    hub_ctl_table_cell(table, "%s", hub_buffer_text(&shown));
}

enum hub_exit hub_ctl_conflict_list(struct hub_ctl *ctl) {
    static const char *const head[] = {"STATE",    "SEVERITY", "KIND",             "OWNER",
                                       "CONFLICT", "EVENTS",   "VALUES (* chosen)"};
    struct hub_ctl_table table = {.head = head, .columns = 7};
    size_t i, shown = 0;
    json_t *record;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    json_t *latest = hub_ctl_latest(ctl, "conflict.");
    if (latest == NULL)
        return HUB_EXIT_UNREACHABLE;
    json_t *list = json_array();
    json_array_foreach(latest, i, record) {
        json_t *conflict = json_object_get(record, "value");
        bool deferred = strcmp(text_of(json_object_get(conflict, "decision"), "kind"), "DEFER") == 0;
        if (ctl->owner != NULL && !is_owned_by(conflict, ctl->owner))
            continue;
        bool waits = json_is_object(json_object_get(conflict, "proposal"));
        bool stands = strcmp(text_of(conflict, "state"), "OPEN") == 0 && !deferred;
        if (!ctl->all && !stands && !waits)
            continue;
        if ((int64_t)shown++ >= ctl->limit)
            break;
        json_array_append(list, conflict);
        add_row(&table, conflict);
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

enum hub_exit hub_ctl_conflict_show(struct hub_ctl *ctl) {
    size_t i;
    json_t *record;
    enum hub_exit code = HUB_EXIT_NOT_FOUND;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    json_t *latest = hub_ctl_latest(ctl, "conflict.");
    if (latest == NULL)
        return HUB_EXIT_UNREACHABLE;
    json_array_foreach(latest, i, record) {
        if (strcmp(text_of(record, "key"), ctl->arguments[0]) != 0)
            continue;
        json_dumpf(json_object_get(record, "value"), stdout, JSON_INDENT(2));
        printf("\n");
        code = HUB_EXIT_OK;
    }
    if (code == HUB_EXIT_NOT_FOUND)
        fprintf(stderr, "hubctl: there is no conflict %s\n", ctl->arguments[0]);
    json_decref(latest);
    return code;
}
