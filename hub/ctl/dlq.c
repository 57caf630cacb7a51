/* hubctl dlq list, dlq show: dead letters, with their original bytes and what has become of them. */
#include "hub/ctl/dlq.h"

#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <stdio.h>
#include <string.h>

/* --- reading --- */

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

static struct hub_bytes id_of(const struct hub_ctl_record *record) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, "ce_id") == 0)
            return record->headers[i].value;
    return hub_bytes(NULL, 0);
}

static void keep_wanted(struct hub_ctl_letters *letters, const struct hub_ctl_record *record,
                        const json_t *value) {
    struct hub_bytes part;
    letters->shown = json_copy((json_t *)value);
    letters->has_original =
        hub_slice_path(record->schema->root, record->body, "original", &part) != NULL;
    if (letters->has_original)
        hub_buffer_append_bytes(&letters->original, hub_slice_octets(part));
}

/* As it is told of: {outcome, because, by, time}, of what was refused again with why. */
static void keep_history(struct hub_ctl_letters *letters, const json_t *value,
                         const json_t *about) {
    static const char *const names[] = {"stage", "code", "reason", "path"};
    json_t *event = json_copy((json_t *)about);
    const char *outcome = json_string_value(json_object_get(about, "outcome"));
    json_object_del(event, "offset");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (outcome != NULL && strcmp(outcome, "REFUSED") == 0)
            json_object_set(event, names[i], json_object_get(value, names[i]));
    json_array_append_new(letters->history, event);
}

static bool take(void *context, const struct hub_ctl_record *record) {
    struct hub_ctl_letters *letters = context;
    json_t *value = hub_ctl_value(record);
    if (value == NULL || strcmp(record->schema->subject, "deadletter") != 0) {
        json_decref(value);
        return true;
    }
    show_key_as_text(record, value);
    const json_t *about = json_object_get(value, "about");
    bool own = !json_is_object(about);
    if (own)
        json_object_del(value, "about");
    hub_letters_take(&letters->letters, record->offset, record->schema->root, record->body,
                     id_of(record));
    if (own && record->offset == letters->wanted)
        keep_wanted(letters, record, value);
    if (!own && json_integer_value(json_object_get(about, "offset")) == letters->wanted)
        keep_history(letters, value, about);
    json_object_del(value, "original");
    if (own)
        json_array_append(letters->values, value);
    json_decref(value);
    return true;
}

bool hub_ctl_letters_read(struct hub_ctl *ctl, struct hub_source *source, const char *topic,
                          int64_t wanted, struct hub_ctl_letters *letters) {
    *letters = (struct hub_ctl_letters){.ctl = ctl,
                                        .topic = topic,
                                        .wanted = wanted,
                                        .values = json_array(),
                                        .history = json_array()};
    return hub_ctl_read_topic(ctl, source, topic, take, letters);
}

void hub_ctl_letters_free(struct hub_ctl_letters *letters) {
    hub_letters_free(&letters->letters);
    hub_buffer_free(&letters->original);
    json_decref(letters->values);
    json_decref(letters->shown);
    json_decref(letters->history);
}

const char *hub_ctl_letter_topic(const char *place, struct hub_arena *arena) {
    static const char start[] = "deadletter.";
    const char *slash = strchr(place, '/');
    if (slash == NULL || strncmp(place, start, strlen(start)) != 0)
        return NULL;
    return hub_arena_text(arena, place, (size_t)(slash - place));
}

/* --- dlq list --- */

struct listing {
    struct hub_ctl *ctl;
    struct hub_ctl_table table;
    json_t *list;
};

static const char *text_of(const char *text) {
    return text == NULL ? "" : text;
}

/* With what is known last. */
static void list_one(struct listing *listing, const struct hub_ctl_letters *letters, size_t i) {
    const struct hub_open_letter *letter = &letters->letters.items[i];
    json_t *value = json_array_get(letters->values, i);
    char place[320];
    snprintf(place, sizeof place, "%s/0@%lld", letters->topic, (long long)letter->offset);
    hub_ctl_table_cell(&listing->table, "%s", place);
    hub_ctl_table_cell(&listing->table, "%s", hub_letter_state(letter));
    hub_ctl_table_cell(&listing->table, "%s", letter->stage);
    hub_ctl_table_cell(&listing->table, "%s", letter->code);
    hub_ctl_table_cell(&listing->table, "%s", text_of(letter->document));
    hub_ctl_table_cell(&listing->table, "%s", text_of(letter->path));
    hub_ctl_table_cell(&listing->table, "%s", letter->reason);
    json_object_set_new(value, "place", json_string(place));
    json_object_set_new(value, "state", json_string(hub_letter_state(letter)));
    json_object_set_new(value, "stage", json_string(letter->stage));
    json_object_set_new(value, "code", json_string(letter->code));
    json_object_set_new(value, "reason", json_string(letter->reason));
    json_object_set_new(value, "path", letter->path == NULL ? json_null()
                                                            : json_string(letter->path));
    if (letter->has_outcome)
        json_object_set_new(value, "outcome",
                            json_pack("{s:s, s:s, s:s, s:I}", "outcome",
                                      hub_letter_outcome_name(letter->outcome), "because",
                                      letter->because, "by", letter->by, "time",
                                      (json_int_t)letter->time_ms));
    json_array_append(listing->list, value);
}

static void list_topic(struct listing *listing, const struct hub_ctl_letters *letters) {
    for (size_t i = 0; i < letters->letters.count; i++)
        if ((letters->letters.items[i].open || listing->ctl->all) &&
            (int64_t)json_array_size(listing->list) < listing->ctl->limit)
            list_one(listing, letters, i);
}

static bool read_all(struct listing *listing) {
    struct hub_arena arena = {0};
    struct hub_error error;
    char **topics = NULL;
    struct hub_source *source = hub_ctl_source(listing->ctl);
    bool good = source != NULL;
    if (good && hub_source_topics(source, &arena, &topics, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        good = false;
    }
    for (size_t i = 0; good && topics[i] != NULL; i++) {
        struct hub_ctl_letters letters;
        if (strncmp(topics[i], "deadletter.", 11) != 0)
            continue;
        good = hub_ctl_letters_read(listing->ctl, source, topics[i], /* wanted= */ -1, &letters);
        if (good)
            list_topic(listing, &letters);
        hub_ctl_letters_free(&letters);
    }
    hub_source_free(source);
    hub_arena_destroy(&arena);
    return good;
}

enum hub_exit hub_ctl_dlq_list(struct hub_ctl *ctl) {
    static const char *const head[] = {"PLACE",    "STATE", "STAGE", "CODE",
                                       "DOCUMENT", "FIELD", "REASON"};
    struct listing listing = {
        .ctl = ctl, .table = {.head = head, .columns = 7}, .list = json_array()};
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    bool good = read_all(&listing);
    if (good && ctl->json) {
        json_dumpf(listing.list, stdout, JSON_INDENT(1));
        printf("\n");
    } else if (good) {
        hub_ctl_table_print(&listing.table);
    }
    hub_ctl_table_free(&listing.table);
    json_decref(listing.list);
    return good ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

/* --- dlq show --- */

/* As JSON the original is in it, in hexadecimal. */
static void show(struct hub_ctl_letters *letters) {
    const struct hub_open_letter *letter = hub_letters_find(&letters->letters, letters->wanted);
    bool as_json = letters->ctl->json;
    json_object_set_new(letters->shown, "state", json_string(hub_letter_state(letter)));
    json_object_set(letters->shown, "history", letters->history);
    if (!as_json)
        json_object_del(letters->shown, "original");
    json_dumpf(letters->shown, stdout, JSON_INDENT(2));
    printf("\n");
    if (as_json || !letters->has_original)
        return;
    printf("--- original, %zu bytes\n", letters->original.size);
    fwrite(letters->original.data, 1, letters->original.size, stdout);
    printf("\n");
}

enum hub_exit hub_ctl_dlq_show(struct hub_ctl *ctl) {
    struct hub_ctl_letters letters = {0};
    struct hub_arena arena = {0};
    const char *place = ctl->arguments[0], *topic = hub_ctl_letter_topic(place, &arena);
    int64_t offset = 0;
    bool good = true;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    if (topic != NULL && hub_letter_place_read(place, strchr(topic, '.') + 1, &offset)) {
        struct hub_source *source = hub_ctl_source(ctl);
        good = source != NULL && hub_ctl_letters_read(ctl, source, topic, offset, &letters);
        hub_source_free(source);
    }
    enum hub_exit code = !good                   ? HUB_EXIT_UNREACHABLE
                         : letters.shown == NULL ? HUB_EXIT_NOT_FOUND
                                                 : HUB_EXIT_OK;
    if (code == HUB_EXIT_OK)
        show(&letters);
    if (code == HUB_EXIT_NOT_FOUND)
        fprintf(stderr, "hubctl: there is no dead letter at %s; a place such as "
                "deadletter.hub/0@12 would pass\n", place);
    hub_ctl_letters_free(&letters);
    hub_arena_destroy(&arena);
    return code;
}
