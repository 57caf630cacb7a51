/* hubctl dlq list, dlq show: dead letters, with their original bytes. */
#include "hub/ctl/read.h"

#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <stdio.h>
#include <string.h>

struct letters {
    struct hub_ctl *ctl;
    struct hub_ctl_table table;
    json_t *list;
    const char *wanted; /* topic/partition@offset, or NULL */
    bool found;
};

/* Keys are bytes, and nearly always text. */
static void show_key_as_text(const struct hub_ctl_record *record, json_t *value) {
    struct hub_bytes key;
    if (hub_slice_path(record->schema->root, record->body, "key", &key) == NULL)
        return;
    key = hub_slice_octets(key);
    json_t *text = json_stringn((const char *)key.data, key.size); /* NULL where it is not UTF-8 */
    if (text != NULL)
        json_object_set_new(value, "key", text);
}

/* As JSON the original is in it, in hexadecimal. */
static void show(const struct hub_ctl_record *record, json_t *value, bool as_json) {
    struct hub_bytes part;
    if (!as_json)
        json_object_del(value, "original");
    json_dumpf(value, stdout, JSON_INDENT(2));
    printf("\n");
    if (as_json ||
        hub_slice_path(record->schema->root, record->body, "original", &part) == NULL)
        return;
    part = hub_slice_octets(part);
    printf("--- original, %zu bytes\n", part.size);
    fwrite(part.data, 1, part.size, stdout);
    printf("\n");
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static bool take(void *context, const struct hub_ctl_record *record) {
    struct letters *letters = context;
    char place[320];
    json_t *value = hub_ctl_value(record);
    if (value == NULL || strcmp(record->schema->subject, "deadletter") != 0) {
        json_decref(value);
        return true;
    }
    show_key_as_text(record, value);
    snprintf(place, sizeof place, "%s/%d@%lld", record->topic, record->partition,
             (long long)record->offset);
    if (letters->wanted != NULL) {
        if (strcmp(place, letters->wanted) == 0) {
            show(record, value, letters->ctl->json);
            letters->found = true;
        }
        json_decref(value);
        return !letters->found;
    }
    hub_ctl_table_cell(&letters->table, "%s", place);
    hub_ctl_table_cell(&letters->table, "%s", text_of(value, "stage"));
    hub_ctl_table_cell(&letters->table, "%s", text_of(value, "code"));
    hub_ctl_table_cell(&letters->table, "%s", text_of(value, "document"));
    hub_ctl_table_cell(&letters->table, "%s", text_of(value, "path"));
    hub_ctl_table_cell(&letters->table, "%s", text_of(value, "reason"));
    json_object_del(value, "original");
    json_object_set_new(value, "place", json_string(place));
    json_array_append_new(letters->list, value);
    return (int64_t)json_array_size(letters->list) < letters->ctl->limit;
}

static enum hub_exit read_letters(struct letters *letters) {
    struct hub_ctl *ctl = letters->ctl;
    struct hub_arena arena = {0};
    char **topics = NULL;
    struct hub_error error;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    struct hub_reader *reader = hub_ctl_reader(ctl);
    bool good = reader != NULL && hub_reader_topics(reader, &arena, &topics, &error) == HUB_OK;
    for (size_t i = 0; good && topics[i] != NULL; i++)
        if (strncmp(topics[i], "deadletter.", 11) == 0)
            good = hub_ctl_read_topic(ctl, reader, topics[i], take, letters);
    hub_reader_free(reader);
    hub_arena_destroy(&arena);
    return good ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

enum hub_exit hub_ctl_dlq_list(struct hub_ctl *ctl) {
    static const char *const head[] = {"PLACE", "STAGE", "CODE", "DOCUMENT", "FIELD", "REASON"};
    struct letters letters = {
        .ctl = ctl, .table = {.head = head, .columns = 6}, .list = json_array()};
    enum hub_exit code = read_letters(&letters);
    if (code == HUB_EXIT_OK && ctl->json) {
        json_dumpf(letters.list, stdout, JSON_INDENT(1));
        printf("\n");
    } else if (code == HUB_EXIT_OK) {
        hub_ctl_table_print(&letters.table);
    }
    hub_ctl_table_free(&letters.table);
    json_decref(letters.list);
    return code;
}

enum hub_exit hub_ctl_dlq_show(struct hub_ctl *ctl) {
    struct letters letters = {.ctl = ctl, .wanted = ctl->arguments[0]};
    enum hub_exit code = read_letters(&letters);
    if (code == HUB_EXIT_OK && !letters.found) {
        fprintf(stderr, "hubctl: there is no dead letter at %s; a place such as "
                "deadletter.hub/0@12 would pass\n", ctl->arguments[0]);
        return HUB_EXIT_NOT_FOUND;
    }
    return code;
}
