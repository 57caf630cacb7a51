#include "tests/lib/records.h"

#include "hub/io/crypto.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void stop(const char *what, const char *detail) {
    fprintf(stderr, "test record: %s: %s\n", what, detail);
    abort();
}

const struct hub_catalogue *test_catalogue(void) {
    static struct hub_catalogue *catalogue;
    const char *folder = getenv("HUB_SCHEMAS");
    struct hub_error error;
    if (catalogue == NULL && hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256,
                                                &catalogue, &error) != HUB_OK)
        stop("schemas", error.text);
    return catalogue;
}

const struct hub_domain *test_domain(const char *name) {
    const struct hub_domain *domain =
        hub_catalogue_domain(test_catalogue(), hub_bytes_of_text(name));
    if (domain == NULL)
        stop("no domain", name);
    return domain;
}

/* --- encoding --- */

static int64_t read_instant(const char *text, const char *format) {
    struct tm parts = {0};
    char *end = strptime(text, format, &parts);
    if (end == NULL)
        stop("neither a date nor a time", text);
    return (int64_t)timegm(&parts);
}

static int64_t read_long(const struct hub_type *type, const json_t *value) {
    const char *text = json_string_value(value);
    if (json_is_integer(value))
        return json_integer_value(value);
    if (text == NULL || type->logical == NULL)
        stop("not a number", text == NULL ? hub_kind_name(type->kind) : text);
    if (strcmp(type->logical, "date") == 0)
        return read_instant(text, "%Y-%m-%d") / 86400;
    return read_instant(text, "%Y-%m-%dT%H:%M:%S") * 1000;
}

static void append_hexadecimal(const char *text, struct hub_buffer *buffer) {
    for (unsigned byte = 0; sscanf(text, "%2x", &byte) == 1; text += 2)
        hub_buffer_append_byte(buffer, (uint8_t)byte);
}

static void encode_octets(const struct hub_type *type, const json_t *value,
                          struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER octets = {0};
    const char *text = json_string_value(value);
    if (text == NULL)
        stop("not a text", hub_kind_name(type->kind));
    if (type->kind == HUB_STRING)
        hub_buffer_append(&octets, text, json_string_length(value));
    else
        append_hexadecimal(text, &octets);
    if (type->kind != HUB_FIXED)
        hub_buffer_append_long(buffer, (int64_t)octets.size);
    hub_buffer_append_bytes(buffer, hub_buffer_bytes(&octets));
}

static bool fits(const struct hub_type *type, const json_t *value) {
    switch (type->kind) {
    case HUB_NULL:
        return json_is_null(value);
    case HUB_BOOLEAN:
        return json_is_boolean(value);
    case HUB_RECORD:
    case HUB_MAP:
        return json_is_object(value);
    case HUB_ARRAY:
        return json_is_array(value);
    case HUB_INT:
    case HUB_LONG:
        return json_is_integer(value) || (json_is_string(value) && type->logical != NULL);
    case HUB_FLOAT:
    case HUB_DOUBLE:
        return json_is_number(value);
    default:
        return json_is_string(value);
    }
}

static void encode_union(const struct hub_type *type, const json_t *value,
                         struct hub_buffer *buffer) {
    for (size_t i = 0; i < type->count; i++)
        if (fits(type->branches[i], value)) {
            hub_buffer_append_long(buffer, (int64_t)i);
            test_encode(type->branches[i], value, buffer);
            return;
        }
    stop("no branch of the union fits", json_dumps(value, JSON_ENCODE_ANY));
}

static void encode_record(const struct hub_type *type, const json_t *value,
                          struct hub_buffer *buffer) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member) {
        if (hub_type_field(type, key) < 0)
            stop("no such field", key);
    }
    for (size_t i = 0; i < type->count; i++) {
        const struct hub_field *field = &type->fields[i];
        const json_t *own = json_object_get(value, field->name);
        if (own != NULL)
            test_encode(field->type, own, buffer);
        else if (field->has_default)
            hub_buffer_append_bytes(buffer, field->default_value);
        else if (field->type->kind == HUB_ARRAY)
            hub_buffer_append_long(buffer, 0);
        else
            stop("a field without default is missing", field->name);
    }
}

static void encode_items(const struct hub_type *type, const json_t *value,
                         struct hub_buffer *buffer) {
    const json_t *item;
    const char *key;
    size_t i, count = json_is_array(value) ? json_array_size(value) : json_object_size(value);
    hub_encode_array_begin(buffer, count);
    json_array_foreach((json_t *)value, i, item) {
        test_encode(type->items, item, buffer);
    }
    json_object_foreach((json_t *)value, key, item) {
        hub_encode_text(buffer, key);
        test_encode(type->items, item, buffer);
    }
    hub_encode_array_end(buffer);
}

void test_encode(const struct hub_type *type, const json_t *value, struct hub_buffer *buffer) {
    int symbol;
    float single = (float)json_number_value(value);
    double real = json_number_value(value);
    switch (type->kind) {
    case HUB_NULL:
        return;
    case HUB_BOOLEAN:
        hub_buffer_append_byte(buffer, json_is_true(value));
        return;
    case HUB_INT:
    case HUB_LONG:
        hub_buffer_append_long(buffer, read_long(type, value));
        return;
    case HUB_FLOAT:
        hub_buffer_append(buffer, &single, sizeof single);
        return;
    case HUB_DOUBLE:
        hub_buffer_append(buffer, &real, sizeof real);
        return;
    case HUB_BYTES:
    case HUB_STRING:
    case HUB_FIXED:
        encode_octets(type, value, buffer);
        return;
    case HUB_ENUM:
        symbol = json_is_string(value) ? hub_type_symbol(type, json_string_value(value)) : -1;
        if (symbol < 0)
            stop("no such symbol", json_is_string(value) ? json_string_value(value) : type->name);
        hub_buffer_append_long(buffer, symbol);
        return;
    case HUB_ARRAY:
    case HUB_MAP:
        encode_items(type, value, buffer);
        return;
    case HUB_UNION:
        encode_union(type, value, buffer);
        return;
    case HUB_RECORD:
        encode_record(type, value, buffer);
        return;
    }
}

json_t *test_json(const char *text) {
    char *copy = hub_copy_text(text);
    json_error_t error;
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    json_t *value = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value == NULL)
        stop(error.text, text);
    hub_release(copy);
    return value;
}

struct hub_bytes test_value(const struct hub_type *type, const char *json,
                            struct hub_arena *arena) {
    HUB_SCOPED_BUFFER buffer = {0};
    json_t *value = test_json(json);
    test_encode(type, value, &buffer);
    json_decref(value);
    return hub_bytes(hub_arena_text(arena, (const char *)buffer.data, buffer.size), buffer.size);
}

json_t *test_render(struct hub_bytes message) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_bytes body;
    struct hub_error error;
    json_error_t json_error;
    int32_t id = 0;
    if (hub_frame_open(message, &id, &body, &error) != HUB_OK)
        stop("frame", error.text);
    hub_render_json(hub_catalogue_by_id(test_catalogue(), id)->root, body, &text);
    json_t *value = json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY, &json_error);
    if (value == NULL)
        stop("not JSON", hub_buffer_text(&text));
    return value;
}

/* --- chance --- */

uint64_t test_random_next(struct test_random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

size_t test_random_below(struct test_random *random, size_t bound) {
    return bound == 0 ? 0 : (size_t)(test_random_next(random) % bound);
}

uint64_t test_seed(uint64_t otherwise) {
    const char *text = getenv("HUB_TEST_SEED");
    return text == NULL || *text == '\0' ? otherwise : strtoull(text, NULL, 10);
}

size_t test_cases(size_t usual) {
    const char *scale = getenv("HUB_TEST_SCALE");
    if (scale != NULL && strcmp(scale, "long") == 0)
        return usual * 40;
    return scale != NULL && strcmp(scale, "short") == 0 ? usual / 20 : usual;
}
