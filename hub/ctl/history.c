/* hubctl entity history, entity diff: what was published of an entity, and when. Of Kafka's own topics
 * compaction takes what was replaced more than 30 days ago; an archive has all of it. */
#include "hub/ctl/read.h"
#include "hub/ctl/when.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_SIZE_MAX = 60 };

/* Its records as {topic, partition, offset, time, time_ms, value}, in the order of their revisions. */
struct history {
    const char *id;
    json_t *list;
};

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static json_int_t number_of(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

static bool take(void *context, const struct hub_ctl_record *record) {
    struct history *history = context;
    HUB_SCOPED_BUFFER time = {0};
    if (record->schema == NULL || !hub_bytes_equal_text(record->key, history->id))
        return true;
    hub_render_time(record->timestamp_ms, &time);
    json_array_append_new(
        history->list,
        json_pack("{s:s, s:i, s:I, s:s, s:I, s:o}", "topic", record->topic, "partition",
                  (int)record->partition, "offset", (json_int_t)record->offset, "time",
                  hub_buffer_text(&time), "time_ms", (json_int_t)record->timestamp_ms, "value",
                  hub_ctl_value(record)));
    return true;
}

/* Of the one domain that has the entity. */
static enum hub_exit read_history(struct hub_ctl *ctl, struct history *history) {
    struct hub_source *source = NULL;
    struct hub_arena arena = {0};
    *history = (struct history){ctl->arguments[0], json_array()};
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    bool good = (source = hub_ctl_source(ctl)) != NULL;
    for (size_t i = 0; good && i < ctl->catalogue->domain_count; i++) {
        const char *domain = ctl->catalogue->domains[i].name;
        if (ctl->domain == NULL || strcmp(ctl->domain, domain) == 0)
            good = hub_ctl_read_topic(ctl, source, hub_arena_format(&arena, "unified.%s", domain),
                                      take, history);
    }
    hub_source_free(source);
    hub_arena_destroy(&arena);
    if (!good)
        return HUB_EXIT_UNREACHABLE;
    if (json_array_size(history->list) > 0)
        return HUB_EXIT_OK;
    fprintf(stderr, "hubctl: there is no entity %s\n", history->id);
    return HUB_EXIT_NOT_FOUND;
}

/* --- entity history --- */

static void append_names(const json_t *names, struct hub_buffer *text) {
    size_t i;
    const json_t *name;
    json_array_foreach((json_t *)names, i, name)
        hub_buffer_append_format(text, "%s%s", i == 0 ? "" : " ", json_string_value(name));
}

static void add_row(struct hub_ctl_table *table, const json_t *record) {
    const json_t *unified = json_object_get(record, "value");
    HUB_SCOPED_BUFFER changed = {0};
    append_names(json_object_get(unified, "changed"), &changed);
    if (*text_of(unified, "into") != '\0')
        hub_buffer_append_format(&changed, "-> %s", text_of(unified, "into"));
    hub_ctl_table_cell(table, "%lld", (long long)number_of(unified, "revision"));
    hub_ctl_table_cell(table, "%s", text_of(record, "time"));
    hub_ctl_table_cell(table, "%s", text_of(unified, "kind"));
    hub_ctl_table_cell(table, "%zu", json_array_size(json_object_get(unified, "statements")));
    hub_ctl_table_cell(table, "%zu", json_array_size(json_object_get(unified, "conflicts")));
    hub_ctl_table_cell(table, "%s/%lld@%lld", text_of(record, "topic"),
                       (long long)number_of(record, "partition"),
                       (long long)number_of(record, "offset"));
    hub_ctl_table_cell(table, "%s", hub_buffer_text(&changed));
}

enum hub_exit hub_ctl_entity_history(struct hub_ctl *ctl) {
    static const char *const head[] = {"REVISION",  "TIME",  "KIND",   "STATEMENTS",
                                       "CONFLICTS", "PLACE", "CHANGED"};
    struct hub_ctl_table table = {.head = head, .columns = 7};
    struct history history;
    size_t i;
    json_t *record;
    enum hub_exit code = read_history(ctl, &history);
    if (code == HUB_EXIT_OK && ctl->json) {
        json_dumpf(history.list, stdout, JSON_INDENT(1));
        printf("\n");
    } else if (code == HUB_EXIT_OK) {
        json_array_foreach(history.list, i, record)
            add_row(&table, record);
        hub_ctl_table_print(&table);
    }
    hub_ctl_table_free(&table);
    json_decref(history.list);
    return code;
}

/* --- entity diff --- */

/* The record of that revision, or the last one of that time; NULL where there is none. `text` NULL:
 * the last but `back`. */
static json_t *find(const json_t *list, const char *text, size_t back) {
    size_t count = json_array_size(list), i;
    json_t *record, *found = NULL;
    char *end = NULL;
    int64_t until_ms = 0;
    if (text == NULL)
        return count > back ? json_array_get(list, count - 1 - back) : NULL;
    long long revision = strtoll(text, &end, 10);
    bool is_revision = *text != '\0' && *end == '\0';
    if (!is_revision && !hub_ctl_when(text, &until_ms))
        return NULL;
    json_array_foreach((json_t *)list, i, record) {
        if (is_revision
                ? number_of(json_object_get(record, "value"), "revision") == revision
                : number_of(record, "time_ms") <= until_ms)
            found = record;
    }
    return found;
}

/* The key of the statement that a field's value is of; "" where it is stated nowhere. */
static const char *voice_of(const json_t *unified, const char *field) {
    const json_t *index = json_object_get(json_object_get(unified, "sources"), field);
    const json_t *statement = json_array_get(json_object_get(unified, "statements"),
                                             (size_t)json_integer_value(index));
    return json_is_integer(index) && json_integer_value(index) >= 0 ? text_of(statement, "key") : "";
}

static void add_value(struct hub_ctl_table *table, const json_t *value) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    size_t size = text == NULL ? 0 : strlen(text);
    bool cut = size > VALUE_SIZE_MAX;
    while (cut && size > 0 && (size > VALUE_SIZE_MAX || ((unsigned char)text[size] & 0xc0) == 0x80))
        size--; /* not within a character */
    hub_ctl_table_cell(table, "%.*s%s", (int)size, text == NULL ? "" : text, cut ? " ..." : "");
    free(text);
}

static void compare_field(const json_t *from, const json_t *to, const char *field, json_t *list,
                          struct hub_ctl_table *table) {
    const json_t *was = json_object_get(json_object_get(from, "value"), field);
    const json_t *is = json_object_get(json_object_get(to, "value"), field);
    json_t *null = json_null();
    was = was == NULL ? null : was;
    is = is == NULL ? null : is;
    if (json_equal(was, is))
        return;
    json_array_append_new(list, json_pack("{s:s, s:O, s:O, s:s}", "field", field, "from", was, "to",
                                          is, "statement", voice_of(to, field)));
    hub_ctl_table_cell(table, "%s", field);
    add_value(table, was);
    add_value(table, is);
    hub_ctl_table_cell(table, "%s", voice_of(to, field));
}

/* Every field that either has. */
static void compare(const json_t *from, const json_t *to, json_t *list,
                    struct hub_ctl_table *table) {
    const char *field;
    const json_t *value;
    const json_t *before = json_object_get(from, "value"), *after = json_object_get(to, "value");
    json_object_foreach((json_t *)after, field, value)
        compare_field(from, to, field, list, table);
    json_object_foreach((json_t *)before, field, value)
        if (json_object_get(after, field) == NULL)
            compare_field(from, to, field, list, table);
}

static enum hub_exit show_diff(struct hub_ctl *ctl, const json_t *from, const json_t *to) {
    static const char *const head[] = {"FIELD", "FROM", "TO", "STATEMENT"};
    struct hub_ctl_table table = {.head = head, .columns = 4};
    json_t *list = json_array();
    compare(json_object_get(from, "value"), json_object_get(to, "value"), list, &table);
    if (ctl->json) {
        json_dumpf(list, stdout, JSON_INDENT(1));
        printf("\n");
    } else {
        printf("revision %lld of %s, and %lld of %s\n",
               (long long)number_of(json_object_get(from, "value"), "revision"),
               text_of(from, "time"),
               (long long)number_of(json_object_get(to, "value"), "revision"), text_of(to, "time"));
        hub_ctl_table_print(&table);
    }
    hub_ctl_table_free(&table);
    json_decref(list);
    return HUB_EXIT_OK;
}

enum hub_exit hub_ctl_entity_diff(struct hub_ctl *ctl) {
    struct history history;
    enum hub_exit code = read_history(ctl, &history);
    if (code == HUB_EXIT_OK) {
        const json_t *from = find(history.list, ctl->from, 1);
        const json_t *to = find(history.list, ctl->to, 0);
        if (from != NULL && to != NULL) {
            code = show_diff(ctl, from, to);
        } else {
            fprintf(stderr, "hubctl: of %s there is no record '%s'; a revision that `hubctl entity "
                    "history` lists, or a time after the first of them, would pass\n", history.id,
                    from == NULL ? ctl->from == NULL ? "before the last" : ctl->from : ctl->to);
            code = HUB_EXIT_NOT_FOUND;
        }
    }
    json_decref(history.list);
    return code;
}
