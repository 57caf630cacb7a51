#include "connectors/kit/check.h"

#include "connectors/kit/pipeline.h"
#include "hub/io/file.h"
#include "schemas/lib/deadletter.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

json_t *hub_check_node_to_json(const struct hub_node *node) {
    json_t *json = NULL;
    switch (node->kind) {
    case HUB_NODE_SCALAR:
        return hub_node_is_null(node) ? json_null() : json_stringn(node->text, node->text_size);
    case HUB_NODE_SEQUENCE:
        json = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_array_append_new(json, hub_check_node_to_json(node->items[i]));
        return json;
    case HUB_NODE_MAPPING:
        json = json_object();
        for (size_t i = 0; i < node->count; i++)
            json_object_set_new(json, node->keys[i]->text,
                                hub_check_node_to_json(node->items[i]));
        return json;
    }
    return NULL;
}

enum hub_status hub_check_read(const struct hub_connector *connector, const char *path,
                               struct hub_arena *arena, struct hub_raw_document *ret_document,
                               struct hub_error *reterr) {
    HUB_SCOPED_BUFFER bytes = {.size_max = HUB_DOCUMENT_SIZE_MAX};
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    HUB_TRY(hub_file_read(path, &bytes, reterr));
    *ret_document = (struct hub_raw_document){
        .name = hub_arena_text(arena, name, strlen(name)),
        .bytes = hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size),
                           bytes.size),
        .context = json_pack("{s:{s:s, s:{}}}", "file", "name", name, "match")};
    if (connector->transport->dress != NULL)
        connector->transport->dress(connector->transport_options, ret_document);
    return HUB_OK;
}

enum hub_status hub_check_context(const char *text, json_t **ret_context,
                                  struct hub_error *reterr) {
    const char *equals = text == NULL ? NULL : strchr(text, '=');
    const char *dot = equals == NULL ? NULL : memchr(text, '.', (size_t)(equals - text));
    if (text != NULL && (dot == NULL || dot == text || dot + 1 == equals))
        return hub_fail(reterr, HUB_FATAL,
                        "context '%s': A.B=C such as request.sending_hei_id=lu.se would pass", text);
    *ret_context = json_object();
    if (text == NULL)
        return HUB_OK;
    char *kind = hub_copy_bytes(text, (size_t)(dot - text));
    char *name = hub_copy_bytes(dot + 1, (size_t)(equals - dot - 1));
    json_object_set_new(*ret_context, kind, json_pack("{s:s}", name, equals + 1));
    hub_release(kind);
    hub_release(name);
    return HUB_OK;
}

/* --- expectations --- */

static bool scalar_equals(const struct hub_node *node, const json_t *value) {
    struct hub_arena arena = {0};
    const char *text = hub_tree_text(value, &arena);
    bool same = hub_node_is_null(node) ? json_is_null(value)
                                       : text != NULL && strcmp(text, node->text) == 0;
    hub_arena_destroy(&arena);
    return same;
}

/* Whether the value holds all that is expected of it; more is fine in objects. `ret_node` is the
 * first part that is not met. */
static bool meets(const struct hub_node *expected, const json_t *value,
                  const struct hub_node **ret_node) {
    *ret_node = expected;
    switch (expected->kind) {
    case HUB_NODE_SCALAR:
        return scalar_equals(expected, value);
    case HUB_NODE_SEQUENCE:
        if (json_array_size(value) != expected->count)
            return false;
        for (size_t i = 0; i < expected->count; i++)
            if (!meets(expected->items[i], json_array_get(value, i), ret_node))
                return false;
        return true;
    case HUB_NODE_MAPPING:
        for (size_t i = 0; i < expected->count; i++)
            if (!meets(expected->items[i], json_object_get(value, expected->keys[i]->text),
                       ret_node))
                return false;
        return true;
    }
    return false;
}

static json_t *render_record(const struct hub_domain *domain, struct hub_bytes body) {
    HUB_SCOPED_BUFFER text = {0};
    json_error_t error;
    hub_render_json(domain->schema->root, body, &text);
    return json_loadb((const char *)text.data, text.size, 0, &error);
}

struct check {
    struct hub_connector *connector;
    FILE *out;
    size_t findings;
    const char **names; /* in the samples, NULL-ended; NULL until needed */
    size_t name_count, name_capacity;
    struct hub_arena arena;
};

static void find(struct check *check, const struct hub_node *node, const char *what,
                 const char *more) {
    fprintf(check->out, "%s:%zu:%zu: %s%s\n", node->file, node->line, node->column, what, more);
    check->findings++;
}

static void check_records(struct check *check, const struct hub_node *test,
                          const struct hub_outgoing_list *list) {
    const struct hub_node *expect = hub_node_get(test, "expect");
    size_t at = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct hub_outgoing *outgoing = &list->items[i];
        const struct hub_node *unmet = NULL;
        if (outgoing->dead)
            continue;
        if (expect == NULL || at >= expect->count) {
            if (expect != NULL)
                find(check, expect, "more records came than are expected, the first of them ",
                     outgoing->key);
            return;
        }
        json_t *record = render_record(check->connector->domain, outgoing->body);
        if (!meets(expect->items[at++], record, &unmet)) {
            char *text = json_dumps(record, JSON_INDENT(1));
            find(check, unmet, "not so in the record: ", text);
            free(text);
        }
        json_decref(record);
    }
    if (expect != NULL && at < expect->count)
        find(check, expect->items[at], "no such record came", "");
}

static const char *reason_of(const struct hub_outgoing *dead, struct hub_arena *arena) {
    return hub_arena_format(arena, "refused at %s: %s: %s", dead->stage,
                            dead->path == NULL ? "record" : dead->path, dead->reason);
}

static bool is_expected(const struct hub_node *expect, const struct hub_outgoing *dead) {
    const struct hub_node *field = hub_node_get(expect, "field");
    const struct hub_node *stage = hub_node_get(expect, "stage");
    return (field == NULL || hub_node_is_text(field, dead->path == NULL ? "" : dead->path)) &&
           (stage == NULL || hub_node_is_text(stage, dead->stage));
}

/* Every refusal is the one that is expected, and there is one. */
static void check_errors(struct check *check, const struct hub_node *test,
                         const struct hub_outgoing_list *list, struct hub_arena *arena) {
    const struct hub_node *expect = hub_node_get(test, "expect_error");
    bool any = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct hub_outgoing *outgoing = &list->items[i];
        any |= outgoing->dead;
        if (outgoing->dead && expect == NULL)
            find(check, test, reason_of(outgoing, arena), "");
        else if (outgoing->dead && !is_expected(expect, outgoing))
            find(check, expect, "it was another error: ", reason_of(outgoing, arena));
    }
    if (!any && expect != NULL)
        find(check, expect, "nothing was refused", "");
}

static enum hub_status check_shape(const struct hub_node *test, struct hub_error *reterr) {
    static const char *const keys[] = {"input", "context", "expect", "expect_error", NULL};
    static const char *const error_keys[] = {"field", "stage", NULL};
    const struct hub_node *input = hub_node_get(test, "input");
    const struct hub_node *context = hub_node_get(test, "context");
    const struct hub_node *expect = hub_node_get(test, "expect");
    const struct hub_node *expect_error = hub_node_get(test, "expect_error");
    if (test->kind != HUB_NODE_MAPPING || input == NULL || input->text == NULL)
        return hub_node_fail(test, reterr, "a test needs an 'input': a sample file");
    HUB_TRY(hub_node_check_keys(test, keys, reterr));
    if (context != NULL && context->kind != HUB_NODE_MAPPING)
        return hub_node_fail(context, reterr, "{request: {...}, file: {...}} would pass");
    if (expect != NULL && expect->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(expect, reterr, "a list with one entry a record would pass");
    if (expect_error == NULL)
        return HUB_OK;
    if (expect_error->kind != HUB_NODE_MAPPING)
        return hub_node_fail(expect_error, reterr, "{field: NAME, stage: NAME} would pass");
    return hub_node_check_keys(expect_error, error_keys, reterr);
}

static void run_test(struct check *check, const struct hub_node *test) {
    struct hub_arena arena = {0};
    struct hub_raw_document document = {0};
    struct hub_outgoing_list list;
    struct hub_error error;
    struct hub_pipeline pipeline = {.connector = check->connector};
    const struct hub_node *input = hub_node_get(test, "input");
    const struct hub_node *context = hub_node_get(test, "context");
    if (check_shape(test, &error) != HUB_OK) {
        fprintf(check->out, "%s\n", error.text);
        check->findings++;
        return;
    }
    const char *path = hub_file_resolve(check->connector->folder, input->text, &arena);
    if (hub_check_read(check->connector, path, &arena, &document, &error) != HUB_OK) {
        find(check, input, error.text, "");
    } else {
        json_t *own = context == NULL ? json_object() : hub_check_node_to_json(context);
        json_object_update(document.context, own);
        json_decref(own);
        hub_pipeline_run(&pipeline, &document, /* sequence= */ 1, &arena, &list);
        check_records(check, test, &list);
        check_errors(check, test, &list, &arena);
    }
    json_decref(document.context);
    hub_arena_destroy(&arena);
}

/* --- paths that give nothing --- */

static void add_names(struct check *check, const json_t *value) {
    const char *name;
    size_t index;
    json_t *part;
    if (json_is_array(value))
        json_array_foreach((json_t *)value, index, part)
            add_names(check, part);
    json_object_foreach((json_t *)value, name, part) {
        HUB_GROW(check->names, check->name_count, check->name_capacity);
        check->names[check->name_count++] =
            hub_arena_text(&check->arena, name, strlen(name));
        add_names(check, part);
    }
}

/* The names of everything in the samples. */
static void gather_names(struct check *check) {
    const struct hub_connector *connector = check->connector;
    for (size_t i = 0; i < connector->tests->count; i++) {
        const struct hub_node *input = hub_node_get(connector->tests->items[i], "input");
        struct hub_raw_document document = {0};
        struct hub_parsed parsed = {0};
        struct hub_error error;
        if (input == NULL || input->text == NULL ||
            hub_check_read(connector,
                           hub_file_resolve(connector->folder, input->text, &check->arena),
                           &check->arena, &document, &error) != HUB_OK)
            continue;
        if (connector->format->parse(connector->format_options, document.bytes, &check->arena,
                                     &parsed, &error) == HUB_OK) {
            add_names(check, parsed.tree);
            json_decref(parsed.tree);
        }
        json_decref(document.context);
    }
    HUB_GROW(check->names, check->name_count, check->name_capacity);
    check->names[check->name_count++] = NULL;
}

/* The path with its last name replaced by the nearest one that the samples have. */
static void on_unfilled(void *context, const struct hub_node *node) {
    static const char nothing[] = "this fills nothing in any of the file's own samples";
    struct check *check = context;
    if (check->names == NULL)
        gather_names(check);
    const char *dot = node->text == NULL ? NULL : strrchr(node->text, '.');
    const char *last = dot == NULL ? node->text : dot + 1;
    const char *nearest = last == NULL ? NULL : hub_node_nearest(last, check->names);
    if (nearest == NULL || strcmp(nearest, last) == 0)
        find(check, node, nothing, "");
    else
        find(check, node, nothing,
             hub_arena_format(&check->arena, "; did you mean '%.*s%s'?", (int)(last - node->text),
                              node->text, nearest));
}

size_t hub_check_tests(struct hub_connector *connector, FILE *out) {
    struct check check = {.connector = connector, .out = out};
    const struct hub_node *tests = connector->tests;
    connector->keys.earlier_count = 0; /* what tests expect is the same while keys are rotated */
    if (tests == NULL || tests->kind != HUB_NODE_SEQUENCE || tests->count == 0) {
        fprintf(out, "%s:1:1: no 'tests': [{input: SAMPLE, expect: [...]}] would show that the "
                "mapping does what it says\n", connector->file);
        return 1;
    }
    for (size_t i = 0; i < tests->count; i++)
        run_test(&check, tests->items[i]);
    hub_mapping_unfilled(connector->mapping, on_unfilled, &check);
    hub_release(check.names);
    hub_arena_destroy(&check.arena);
    return check.findings;
}

/* --- dry run --- */

static void show_fields(const struct hub_domain *domain, struct hub_bytes body, FILE *out) {
    const struct hub_type *record = domain->schema->root;
    for (size_t i = 0; i < record->count; i++) {
        struct hub_bytes field = hub_slice_field(record, body, i);
        HUB_SCOPED_BUFFER text = {0};
        bool unstated = hub_slice_is_unstated(record->fields[i].type, field);
        if (!unstated)
            hub_render_json(record->fields[i].type, field, &text);
        fprintf(out, "  %-16s %-7s %s\n", record->fields[i].name, unstated ? "absent" : "ok",
                unstated ? "" : hub_buffer_text(&text));
    }
}

static void show_record(const struct hub_connector *connector, const struct hub_outgoing *outgoing,
                        struct hub_arena *arena, bool as_json, FILE *out) {
    const struct hub_mapped *mapped = outgoing->mapped;
    if (as_json) {
        json_t *record = outgoing->dead ? json_null()
                                        : render_record(connector->domain, outgoing->body);
        json_t *line = json_pack("{s:s, s:s?, s:s?, s:s?, s:o}", "key", outgoing->key, "place",
                                 mapped == NULL ? NULL : mapped->place, "path",
                                 outgoing->path, "refused",
                                 outgoing->dead ? reason_of(outgoing, arena) : NULL, "record",
                                 record);
        json_dumpf(line, out, JSON_COMPACT);
        fputc('\n', out);
        json_decref(line);
        return;
    }
    fprintf(out, "%s%s%s\n", outgoing->key, mapped != NULL && *mapped->place != '\0' ? "  " : "",
            mapped == NULL ? "" : mapped->place);
    if (outgoing->dead)
        fprintf(out, "  %s\n", reason_of(outgoing, arena));
    else
        show_fields(connector->domain, outgoing->body, out);
}

size_t hub_dry_run(struct hub_connector *connector, const char *input, const json_t *context,
                   bool as_json, FILE *out) {
    struct hub_arena arena = {0};
    struct hub_raw_document document = {0};
    struct hub_outgoing_list list = {0};
    struct hub_error error;
    struct hub_pipeline pipeline = {.connector = connector};
    size_t refused = 0;
    if (hub_check_read(connector, input, &arena, &document, &error) != HUB_OK) {
        fprintf(out, "%s\n", error.text);
        return 1;
    }
    json_object_update(document.context, (json_t *)context);
    hub_pipeline_run(&pipeline, &document, /* sequence= */ 1, &arena, &list);
    for (size_t i = 0; i < list.count; i++) {
        refused += list.items[i].dead;
        show_record(connector, &list.items[i], &arena, as_json, out);
    }
    if (!as_json)
        fprintf(out, "%zu records, %zu refused, %lld skipped; nothing was published\n",
                list.count - refused, refused, (long long)list.counts.skipped);
    json_decref(document.context);
    hub_arena_destroy(&arena);
    return refused;
}
