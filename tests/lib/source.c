#include "tests/lib/source.h"

#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "tests/lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

static const char file_name[] = "connector.yaml";

/* --- configurations --- */

void source_make(struct source *source) {
    *source = (struct source){.kept = json_array()};
    folder_make(&source->folder);
}

static enum hub_status try_to_load(struct source *source, const char *configuration,
                                   struct hub_error *reterr) {
    folder_write(&source->folder, file_name, configuration);
    hub_connector_free(source->connector);
    source->connector = NULL;
    return hub_connector_load(folder_path(&source->folder, file_name), test_catalogue(),
                              source->keys_folder, &source->connector, reterr);
}

void source_load(struct source *source, const char *configuration) {
    struct hub_error error;
    if (try_to_load(source, configuration, &error) != HUB_OK)
        fail_msg("the configuration is refused: %s", error.text);
    source->pipeline.connector = source->connector;
}

const char *source_refusal(struct source *source, const char *configuration) {
    struct hub_error error;
    enum hub_status status = try_to_load(source, configuration, &error);
    if (status != HUB_FATAL)
        fail_msg("FATAL is expected, it is %s", hub_status_name(status));
    const char *name = strstr(error.text, file_name);
    const char *text = name == NULL ? error.text : name + sizeof file_name;
    return hub_arena_text(&source->arena, text, strlen(text));
}

void source_open(struct source *source, const char *configuration) {
    source_make(source);
    source_load(source, configuration);
}

void source_close(struct source *source) {
    hub_known_free(source->pipeline.known);
    hub_connector_free(source->connector);
    hub_arena_destroy(&source->arena);
    json_decref(source->kept);
    folder_remove(&source->folder);
}

void source_remember(struct source *source) {
    const struct hub_connector *connector = source->connector;
    source->pipeline.known = hub_known_new(connector->catalogue, connector->domain,
                                           connector->system, &hub_sha256);
}

void source_commit(struct source *source) {
    hub_pipeline_take(&source->pipeline, &source->list);
}

/* --- documents --- */

static void account(const struct hub_outgoing_list *list) {
    const struct hub_connector_counts *counts = &list->counts;
    int64_t dead = 0;
    for (size_t i = 0; i < list->count; i++)
        dead += list->items[i].dead;
    assert_int_equal(counts->read, counts->published + counts->withdrawn + counts->unchanged +
                                       counts->skipped + counts->dead);
    assert_int_equal(dead, counts->dead);
    assert_int_equal(list->count, counts->published + counts->withdrawn + counts->vanished +
                                      counts->dead);
}

void source_feed_document(struct source *source, const struct hub_raw_document *document) {
    hub_pipeline_run(&source->pipeline, document, ++source->sequence, &source->arena,
                     &source->list);
    account(&source->list);
}

void source_feed(struct source *source, const char *name, const char *text) {
    source_feed_document(source, &(struct hub_raw_document){.name = name,
                                                            .bytes = hub_bytes_of_text(text)});
}

static char *with_double_quotes(struct source *source, const char *text) {
    char *copy = hub_arena_text(&source->arena, text, strlen(text));
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

void source_feed_json(struct source *source, const char *text) {
    source_feed(source, "document.json", with_double_quotes(source, text));
}

void source_feed_snapshot(struct source *source, const char *text, int64_t withdraw_max_percent) {
    source_feed_document(
        source, &(struct hub_raw_document){.name = "snapshot.csv",
                                           .bytes = hub_bytes_of_text(text),
                                           .snapshot = true,
                                           .withdraw_max_percent = withdraw_max_percent});
}

/* --- what came out --- */

static const struct hub_outgoing *outgoing_at(const struct source *source, size_t index) {
    if (index >= source->list.count)
        fail_msg("%zu records went out; number %zu is asked for", source->list.count, index);
    return &source->list.items[index];
}

const json_t *source_record(struct source *source, size_t index) {
    json_t *record = test_render(outgoing_at(source, index)->value);
    json_array_append_new(source->kept, record);
    return record;
}

struct hub_bytes source_original(struct source *source, size_t index) {
    struct hub_bytes body, original = {0};
    struct hub_error error;
    int32_t id = 0;
    assert_int_equal(hub_frame_open(outgoing_at(source, index)->value, &id, &body, &error), HUB_OK);
    const struct hub_type *root = hub_catalogue_by_id(test_catalogue(), id)->root;
    if (hub_slice_path(root, body, "original", &original) == NULL)
        return hub_bytes(NULL, 0);
    return hub_slice_octets(original);
}

const char *source_text(struct source *source, size_t index, const char *path) {
    const json_t *value = source_record(source, index);
    char *copy = hub_arena_text(&source->arena, path, strlen(path));
    for (char *rest = copy, *name; (name = strsep(&rest, ".")) != NULL;)
        value = json_object_get(value, name);
    return json_string_value(value);
}

static bool holds(struct hub_bytes bytes, const char *text) {
    return bytes.size > 0 && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

bool source_tells(const struct source *source, const char *text) {
    for (size_t i = 0; i < source->list.count; i++) {
        const struct hub_outgoing *outgoing = &source->list.items[i];
        if (strstr(outgoing->key, text) != NULL || holds(outgoing->value, text))
            return true;
        for (size_t k = 0; k < outgoing->header_count; k++)
            if (holds(outgoing->headers[k].value, text))
                return true;
    }
    return false;
}

bool source_has(const json_t *value, const json_t *expected) {
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_object(expected)) {
        json_object_foreach((json_t *)expected, key, member) {
            if (!source_has(json_object_get(value, key), member))
                return false;
        }
        return json_is_object(value);
    }
    if (json_is_array(expected)) {
        json_array_foreach((json_t *)expected, i, member) {
            if (!source_has(json_array_get(value, i), member))
                return false;
        }
        return json_is_array(value) && json_array_size(value) == json_array_size(expected);
    }
    return value != NULL && json_equal(value, expected);
}

/* --- one field of one document --- */

const char *source_configuration(const char *domain, const char *fields,
                                 struct hub_arena *arena) {
    static const struct {
        const char *domain, *institution, *system;
    } systems[] = {{"trial", "sus", "sus-trials"},
                   {"exchange", "lu", "lu-guests"},
                   {"gmp-slot", "lumc", "lumc-mes"}};
    size_t i = 0;
    while (strcmp(systems[i].domain, domain) != 0)
        i++;
    return hub_arena_format(arena,
                            "connector: trying\n"
                            "institution: %s\n"
                            "system: %s\n"
                            "source: {transport: file-drop, format: json, folder: .}\n"
                            "target: {domain: %s}\n"
                            "records:\n"
                            "  - key: {value: one}\n"
                            "    version: {tie: position}\n"
                            "    fields: {%s}\n",
                            systems[i].institution, systems[i].system, domain, fields);
}

static void show_last(struct source *source, const char *what) {
    print_error("%s\n", what);
    for (size_t i = 0; i < source->list.count; i++) {
        char *text = json_dumps(source_record(source, i), JSON_INDENT(1));
        print_error("%s\n", text);
        free(text);
    }
}

static void open_and_feed(struct source *source, const char *domain, const char *fields,
                          const char *document) {
    source_make(source);
    source_load(source, source_configuration(domain, fields, &source->arena));
    source_feed_json(source, document);
}

void source_assert_maps(const char *domain, const char *fields, const char *document,
                        const char *expected, const char *file, int line) {
    struct source source;
    open_and_feed(&source, domain, fields, document);
    json_t *wanted = test_json(expected);
    bool same = source.list.count == 1 && !source.list.items[0].dead &&
                source_has(source_record(&source, 0), wanted);
    if (!same)
        show_last(&source, expected);
    json_decref(wanted);
    source_close(&source);
    if (!same)
        _fail(file, line);
}

void source_assert_refuses(const char *domain, const char *fields, const char *document,
                           const char *code, const char *path, const char *file, int line) {
    struct source source;
    open_and_feed(&source, domain, fields, document);
    bool dead = source.list.count == 1 && source.list.items[0].dead;
    const char *told = dead ? source_text(&source, 0, "path") : NULL;
    bool same = dead && strcmp(source.list.items[0].code, code) == 0 &&
                (path == NULL ? told == NULL : told != NULL && strcmp(told, path) == 0);
    if (!same)
        show_last(&source, code);
    source_close(&source);
    if (!same)
        _fail(file, line);
}

void source_assert_misconfigured(const char *domain, const char *fields, const char *error,
                                 const char *file, int line) {
    struct source source;
    source_make(&source);
    const char *told =
        source_refusal(&source, source_configuration(domain, fields, &source.arena));
    source_assert_says(told, error, file, line);
    source_close(&source);
}

void source_assert_says(const char *text, const char *part, const char *file, int line) {
    if (strstr(text, part) != NULL)
        return;
    print_error("'%s' is not in '%s'\n", part, text);
    _fail(file, line);
}
