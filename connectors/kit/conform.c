#include "connectors/kit/conform_state.h"

#include "connectors/kit/check.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "schemas/lib/slice.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 10 /* of a check */, DOCUMENTS_MAX = 1000 };

static const struct {
    const char *name;
    void (*run)(const struct conform *conform, struct conform_result *result);
} checks[] = {{"duplicates", conform_duplicates}, {"reordering", conform_reordering},
              {"unknown fields", conform_unknown_fields}, {"kill", conform_kill},
              {"clock", conform_clock}, {"canary", conform_canary}};

enum { CHECKS = sizeof checks / sizeof *checks };

static const char *const outcomes[] = {"ok", "not tried", "remark", "failed"};

/* --- what the checks use --- */

HUB_PRINTF(2, 0)
static const char *format_text(struct hub_arena *arena, const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        hub_memory_end();
    const char *kept = hub_arena_text(arena, text, strlen(text));
    free(text); /* as the C library made it */
    return kept;
}

void conform_find(struct conform_result *result, enum conform_outcome outcome,
                  const struct conform_where *where, const char *format, ...) {
    va_list arguments;
    if (outcome > result->outcome)
        result->outcome = outcome;
    if (json_array_size(result->findings) == FINDINGS_MAX) {
        result->left_out++;
        return;
    }
    va_start(arguments, format);
    const char *what = format_text(result->arena, format, arguments);
    va_end(arguments);
    json_array_append_new(result->findings,
                          json_pack("{s:s, s:s?, s:s?, s:s?, s:s}", "outcome", outcomes[outcome],
                                    "document", where->document, "key", where->key, "field",
                                    where->field, "what", what));
}

void conform_tell(struct conform_result *result, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    result->tried = format_text(result->arena, format, arguments);
    va_end(arguments);
}

void conform_free(struct conform_told *told) {
    hub_arena_destroy(&told->arena);
    *told = (struct conform_told){0};
}

void conform_map(const struct conform *conform, size_t document, struct conform_told *told) {
    struct hub_pipeline pipeline = {.connector = conform->connector};
    *told = (struct conform_told){0};
    hub_pipeline_run(&pipeline, &conform->documents[document], /* sequence= */ 1, &told->arena,
                     &told->list);
}

bool conform_is_same(const struct hub_outgoing *a, const struct hub_outgoing *b) {
    bool same = a->dead == b->dead && strcmp(a->key, b->key) == 0 &&
                hub_bytes_equal(a->value, b->value) && a->header_count == b->header_count;
    for (size_t i = 0; same && i < a->header_count; i++)
        same = strcmp(a->headers[i].name, b->headers[i].name) == 0 &&
               hub_bytes_equal(a->headers[i].value, b->headers[i].value);
    return same;
}

struct conform_statement conform_read(const struct hub_connector *connector,
                                      struct hub_bytes body) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(connector->domain->schema->root, body, starts);
    return (struct conform_statement){
        hub_statement_stamp(connector->domain, body, starts),
        hub_statement_digest(connector->domain, connector->system, &hub_sha256, body, starts)};
}

/* --- documents --- */

/* `own`: the context that a test gives, which this takes; or NULL. */
static enum hub_status add_document(struct conform *conform, const char *path, json_t *own,
                                    struct hub_error *reterr) {
    struct hub_raw_document document = {0};
    enum hub_status status =
        conform->count == DOCUMENTS_MAX
            ? hub_fail(reterr, HUB_REJECT, "more than %d documents; a folder with fewer would pass",
                       DOCUMENTS_MAX)
            : hub_check_read(conform->connector, path, &conform->arena, &document, reterr);
    if (status == HUB_OK) {
        json_object_update(document.context, own);
        HUB_GROW(conform->documents, conform->count, conform->capacity);
        conform->documents[conform->count++] = document;
    }
    json_decref(own);
    return status;
}

static enum hub_status read_folder(struct conform *conform, const char *folder,
                                   struct hub_error *reterr) {
    char **names = NULL;
    size_t count = 0;
    HUB_TRY(hub_file_list(folder, "", &conform->arena, &names, &count, reterr));
    for (size_t i = 0; i < count; i++)
        HUB_TRY(add_document(conform, hub_file_resolve(folder, names[i], &conform->arena), NULL,
                             reterr));
    return HUB_OK;
}

/* Several tests may be of one document. */
static bool is_there(const struct conform *conform) {
    const struct hub_raw_document *last = &conform->documents[conform->count - 1];
    for (const struct hub_raw_document *other = conform->documents; other != last; other++)
        if (strcmp(other->name, last->name) == 0 && hub_bytes_equal(other->bytes, last->bytes) &&
            json_equal(other->context, last->context))
            return true;
    return false;
}

static enum hub_status read_tests(struct conform *conform, struct hub_error *reterr) {
    const struct hub_node *tests = conform->connector->tests;
    for (size_t i = 0; tests != NULL && i < tests->count; i++) {
        const struct hub_node *input = hub_node_get(tests->items[i], "input");
        const struct hub_node *context = hub_node_get(tests->items[i], "context");
        if (input == NULL || input->text == NULL)
            return hub_node_fail(tests->items[i], reterr,
                                 "a test needs an 'input': a sample file");
        HUB_TRY(add_document(
            conform, hub_file_resolve(conform->connector->folder, input->text, &conform->arena),
            context == NULL ? json_object() : hub_check_node_to_json(context), reterr));
        if (is_there(conform))
            json_decref(conform->documents[--conform->count].context);
    }
    return HUB_OK;
}

/* --- the report --- */

struct tally {
    size_t records, refused;
};

static struct tally count_records(const struct conform *conform) {
    struct tally tally = {0};
    for (size_t i = 0; i < conform->count; i++) {
        struct conform_told told;
        conform_map(conform, i, &told);
        tally.refused += (size_t)told.list.counts.dead;
        tally.records += told.list.count - (size_t)told.list.counts.dead;
        conform_free(&told);
    }
    return tally;
}

static void print_finding(const char *check, const json_t *finding, FILE *out) {
    static const char *const parts[] = {"document", "key", "field"};
    fprintf(out, "%s: %s: ", check, json_string_value(json_object_get(finding, "outcome")));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *text = json_string_value(json_object_get(finding, parts[i]));
        if (text != NULL)
            fprintf(out, "%s %s: ", parts[i], text);
    }
    fprintf(out, "%s\n", json_string_value(json_object_get(finding, "what")));
}

static void print_findings(const struct conform_result results[CHECKS], FILE *out) {
    size_t i;
    json_t *finding;
    for (size_t k = 0; k < CHECKS; k++) {
        if (json_array_size(results[k].findings) > 0)
            fputc('\n', out);
        json_array_foreach(results[k].findings, i, finding)
            print_finding(checks[k].name, finding, out);
        if (results[k].left_out > 0)
            fprintf(out, "%s: and %zu more\n", checks[k].name, results[k].left_out);
    }
}

static void print_json(const struct conform *conform, const struct tally *tally,
                       const struct conform_result results[CHECKS], FILE *out) {
    json_t *list = json_array();
    for (size_t k = 0; k < CHECKS; k++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:O, s:I}", "check", checks[k].name, "outcome",
                            outcomes[results[k].outcome], "tried", results[k].tried, "findings",
                            results[k].findings, "left_out", (json_int_t)results[k].left_out));
    json_t *report = json_pack(
        "{s:s, s:I, s:I, s:I, s:o}", "connector", conform->connector->name, "documents",
        (json_int_t)conform->count, "records", (json_int_t)tally->records, "refused",
        (json_int_t)tally->refused, "checks", list);
    json_dumpf(report, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(report);
}

static size_t run_checks(struct conform *conform, const struct tally *tally, bool as_json,
                         FILE *out) {
    struct conform_result results[CHECKS];
    size_t failed = 0;
    for (size_t k = 0; k < CHECKS; k++) {
        results[k] = (struct conform_result){
            .tried = "", .findings = json_array(), .arena = &conform->arena};
        checks[k].run(conform, &results[k]);
        failed += results[k].outcome == CONFORM_FAILED;
    }
    if (as_json) {
        print_json(conform, tally, results, out);
    } else {
        fprintf(out, "%s: %zu documents, %zu records, %zu refused\n", conform->connector->name,
                conform->count, tally->records, tally->refused);
        for (size_t k = 0; k < CHECKS; k++)
            fprintf(out, "%-9s  %-14s  %s\n", outcomes[results[k].outcome], checks[k].name,
                    results[k].tried);
        print_findings(results, out);
    }
    for (size_t k = 0; k < CHECKS; k++)
        json_decref(results[k].findings);
    return failed;
}

size_t hub_conform(struct hub_connector *connector, const char *samples, bool as_json, FILE *out) {
    struct conform conform = {.connector = connector};
    struct hub_error error;
    size_t failed = 1;
    enum hub_status status = samples != NULL ? read_folder(&conform, samples, &error)
                                             : read_tests(&conform, &error);
    struct tally tally = {0};
    if (status == HUB_OK) {
        tally = count_records(&conform);
        if (tally.records == 0)
            status = hub_fail(&error, HUB_REJECT,
                              "%s: nothing can be tried: of its %zu documents none gives a record; "
                              "'tests' with good samples, or --samples FOLDER, would pass",
                              connector->file, conform.count);
    }
    if (status == HUB_OK)
        failed = run_checks(&conform, &tally, as_json, out);
    else
        fprintf(out, "%s\n", error.text);
    for (size_t i = 0; i < conform.count; i++)
        json_decref(conform.documents[i].context);
    hub_release(conform.documents);
    hub_arena_destroy(&conform.arena);
    return failed;
}
