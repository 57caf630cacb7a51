/* Values of all registered schemas: whatever the walker accepts can be sliced, rendered, written
 * anew and, of a domain, read as a statement. The first byte picks the schema. */
#include "hub/base/text.h"
#include "hub/core/claims.h"
#include "schemas/lib/render.h"
#include "schemas/lib/resolve.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"
#include "schemas/lib/walk.h"
#include "tests/fuzz/fuzz.h"

struct value {
    const struct hub_type *type;
    struct hub_bytes bytes;
    bool canonical;
    uint32_t starts[HUB_FIELDS_MAX + 1]; /* as the walker tells them */
};

static void check_slices(const struct value *value) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    struct hub_cursor cursor = hub_cursor(value->bytes);
    hub_slice_skip(value->type, &cursor);
    fuzz_must(hub_cursor_left(&cursor) == 0);
    hub_slice_fields(value->type, value->bytes, starts);
    fuzz_must(memcmp(starts, value->starts, (value->type->count + 1) * sizeof *starts) == 0);
    for (size_t i = 0; i < value->type->count; i++) {
        struct hub_bytes part, field = hub_slice_field(value->type, value->bytes, i);
        fuzz_must(field.size == starts[i + 1] - starts[i]);
        hub_slice_is_unstated(value->type->fields[i].type, field);
        hub_slice_path(value->type, value->bytes, value->type->fields[i].name, &part);
    }
}

static void check_text(struct hub_bytes text) {
    json_error_t error;
    fuzz_must(hub_text_is_utf8(text));
    json_t *tree = json_loadb((const char *)text.data, text.size,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    fuzz_must(tree != NULL);
    json_decref(tree);
}

/* Written anew it is canonical, says the same, and is the same where it was canonical. */
static void check_rewriting(const struct value *value) {
    struct hub_resolver *resolver = NULL;
    struct hub_error error;
    bool canonical = false;
    HUB_SCOPED_BUFFER again = {0};
    HUB_SCOPED_BUFFER text = {0};
    HUB_SCOPED_BUFFER text_again = {0};
    fuzz_must(hub_resolver_new(value->type, value->type, &resolver, &error) == HUB_OK);
    fuzz_must(hub_resolve(resolver, value->bytes, /* canonical= */ true, &again, &error) == HUB_OK);
    hub_resolver_free(resolver);
    struct hub_bytes bytes = hub_buffer_bytes(&again);
    fuzz_must(fuzz_accepts(value->type, bytes, &canonical) && canonical);
    fuzz_must(hub_bytes_equal(bytes, value->bytes) == value->canonical);
    hub_render_json(value->type, value->bytes, &text);
    hub_render_json(value->type, bytes, &text_again);
    fuzz_must(hub_bytes_equal(hub_buffer_bytes(&text), hub_buffer_bytes(&text_again)));
    check_text(hub_buffer_bytes(&text));
}

static void check_claims(const struct hub_domain *domain, const struct value *value) {
    struct hub_arena arena = {0};
    struct hub_claim *claims = NULL;
    size_t count = 0;
    hub_claims_read(domain,
                    hub_statement_field(value->bytes, value->starts, HUB_FIELD_IDENTIFIERS),
                    &arena, &claims, &count);
    for (size_t i = 0; i < count; i++) {
        fuzz_must(i == 0 || hub_bytes_compare(claims[i - 1].text, claims[i].text) < 0);
        fuzz_must(claims[i].strength >= 0 && claims[i].text.size >= claims[i].group.size);
    }
    hub_arena_destroy(&arena);
}

static void check_statement(const struct hub_domain *domain, const struct value *value) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    bool canonical = false;
    HUB_SCOPED_BUFFER content = {0};
    HUB_SCOPED_BUFFER withdrawn = {0};
    struct hub_stamp stamp = hub_statement_stamp(domain, value->bytes, value->starts);
    hub_version_of_source(stamp.version);
    hub_statement_content(domain, value->bytes, value->starts, &content);
    hub_statement_append_withdrawn(domain, value->bytes, value->starts, hub_bytes_of_text("9"),
                                   "vanished", &withdrawn);
    struct hub_bytes bytes = hub_buffer_bytes(&withdrawn);
    fuzz_must(fuzz_accepts(value->type, bytes, &canonical));
    hub_slice_fields(value->type, bytes, starts);
    stamp = hub_statement_stamp(domain, bytes, starts);
    fuzz_must(stamp.withdrawn && hub_bytes_equal_text(stamp.version, "9"));
    check_claims(domain, value);
}

/* A walk in two steps is the walk in one, word for word. */
static void check_steps(const struct hub_type *type, struct hub_bytes bytes, const struct hub_walk *whole,
                        enum hub_status status, const struct hub_error *why) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    uint32_t starts[HUB_FIELDS_MAX + 1], parts[HUB_FIELDS_MAX + 1];
    struct hub_walk walk = {.starts = starts};
    struct hub_error error;
    if (type->kind != HUB_RECORD || type->count == 0 || type->fields[0].type->kind != HUB_RECORD)
        return;
    enum hub_status found = hub_walk_first(type, bytes, &limits, &walk, parts, &error);
    if (found == HUB_OK)
        found = hub_walk_others(type, bytes, &limits, &walk, &error);
    fuzz_must(found == status);
    if (status != HUB_OK) {
        fuzz_must(strcmp(error.text, why->text) == 0);
        return;
    }
    fuzz_must(walk.canonical == whole->canonical && walk.plain == whole->plain);
    fuzz_must(memcmp(starts, whole->starts, (type->count + 1) * sizeof *starts) == 0);
}

/* Beside an earlier value, the bytes are accepted or refused as without. */
static void check_since(const struct value *value, struct hub_bytes bytes) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    uint32_t starts[HUB_FIELDS_MAX + 1], wanted[HUB_FIELDS_MAX + 1], parts[HUB_FIELDS_MAX + 1];
    struct hub_walk walk = {.starts = starts}, whole = {.starts = wanted};
    struct hub_walked before = {value->bytes, value->starts};
    struct hub_error error, why;
    bool same[HUB_FIELDS_MAX];
    enum hub_status status = hub_walk(value->type, bytes, &limits, &whole, &why);
    enum hub_status found = hub_walk_first(value->type, bytes, &limits, &walk, parts, &error);
    if (found == HUB_OK)
        found = hub_walk_others_since(value->type, bytes, &limits, &before, &walk, same, &error);
    fuzz_must(found == status);
    if (status != HUB_OK)
        return;
    fuzz_must(walk.canonical == whole.canonical);
    fuzz_must(memcmp(starts, wanted, (value->type->count + 1) * sizeof *starts) == 0);
    for (size_t i = 0; i < value->type->count; i++)
        fuzz_must(same[i] == hub_bytes_parts_equal(bytes, starts + i, value->bytes,
                                                   value->starts + i));
}

/* The value itself, and with single bits turned. */
static void check_changes(const struct value *value) {
    enum { CHANGES_MAX = 64 };
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    size_t size = value->bytes.size, step = size / CHANGES_MAX + 1;
    if (!value->canonical || value->type->count == 0 || size > limits.elements_max ||
        value->type->fields[0].type->kind != HUB_RECORD ||
        !hub_walk_elements_take_bytes(value->type))
        return;
    check_since(value, value->bytes);
    uint8_t *changed = hub_copy_bytes(value->bytes.data, size);
    for (size_t at = 0; at < size; at += step) {
        changed[at] ^= (uint8_t)(1 << at % 8);
        check_since(value, hub_bytes(changed, size));
        changed[at] = value->bytes.data[at];
    }
    hub_release(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct hub_catalogue *catalogue = fuzz_catalogue();
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_error error;
    struct fuzz_input input = fuzz_input(data, size);
    struct value value;
    const struct hub_schema *schema = catalogue->schemas[fuzz_byte(&input) %
                                                         catalogue->schema_count];
    value.type = schema->root;
    value.bytes = fuzz_rest(&input);
    struct hub_walk walk = {.starts = value.starts};
    enum hub_status status = hub_walk(value.type, value.bytes, &limits, &walk, &error);
    value.canonical = walk.canonical;
    check_steps(value.type, value.bytes, &walk, status, &error);
    if (status == HUB_OK) {
        check_slices(&value);
        check_rewriting(&value);
        check_changes(&value);
        for (size_t i = 0; i < catalogue->domain_count; i++)
            if (catalogue->domains[i].schema == schema)
                check_statement(&catalogue->domains[i], &value);
    } else {
        fuzz_must(status == HUB_REJECT && hub_text_is_utf8(hub_bytes_of_text(error.text)));
    }
    fuzz_input_free(&input);
    return 0;
}
