/* JSON (RFC 8259), read by yyjson, which says what a number was written as: one with more digits than a
 * double or 64 bits keep becomes the text that the source wrote, so that none is lost. Duplicate members
 * are refused. */
#include "connectors/formats/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

enum { DEPTH_MAX = 64, WHOLE_DIGITS_MAX = 18, REAL_DIGITS_MAX = 15 };

static const struct hub_option options[] = {{0}};

/* What is read, and where it is refused: strings stay where they stood, so that each has its place. */
struct reading {
    struct hub_bytes document;
    const char *copy;
    struct hub_error *reterr;
};

static void *take(void *unused, size_t size) {
    (void)unused;
    return hub_allocate(size);
}

static void *widen(void *unused, void *memory, size_t old_size, size_t size) {
    (void)unused;
    (void)old_size;
    return hub_reallocate(memory, size);
}

static void give_back(void *unused, void *memory) {
    (void)unused;
    hub_release(memory);
}

static const yyjson_alc memory = {take, widen, give_back, NULL};

static enum hub_status refuse_at(const struct reading *reading, size_t place, const char *what) {
    size_t line = 0, column = 0, character = 0;
    yyjson_locate_pos((const char *)reading->document.data, reading->document.size, place, &line,
                      &column, &character);
    return hub_fail(reading->reterr, HUB_REJECT, "line %zu column %zu: %s", line, column, what);
}

static enum hub_status refuse(const struct reading *reading, yyjson_val *string, const char *what) {
    return refuse_at(reading, (size_t)(yyjson_get_str(string) - reading->copy), what);
}

/* --- numbers --- */

/* Significant digits: without the zeros before, and after a point, behind. */
static size_t significant(const char *token, bool whole) {
    size_t count = 0, behind = 0;
    for (; *token != '\0' && *token != 'e' && *token != 'E'; token++) {
        if (*token < '0' || *token > '9' || (count == 0 && *token == '0'))
            continue;
        count++;
        behind = *token == '0' ? behind + 1 : 0;
    }
    return whole ? count : count - behind;
}

static json_t *convert_number(const char *token) {
    bool whole = strpbrk(token, ".eE") == NULL;
    size_t digits = significant(token, whole);
    if (digits > (size_t)(whole ? WHOLE_DIGITS_MAX : REAL_DIGITS_MAX))
        return json_string_nocheck(token);
    if (whole)
        return json_integer(strtoll(token, NULL, 10));
    double real = strtod(token, NULL);
    bool lost = !isfinite(real) || (real == 0 && digits > 0);
    return lost ? json_string_nocheck(token) : json_real(real);
}

/* --- values --- */

static enum hub_status convert(const struct reading *reading, yyjson_val *value, unsigned depth,
                               json_t **ret_value);

static enum hub_status check_text(const struct reading *reading, yyjson_val *string) {
    if (memchr(yyjson_get_str(string), '\0', yyjson_get_len(string)) == NULL)
        return HUB_OK;
    return refuse(reading, string, "a text with a zero character");
}

static enum hub_status convert_array(const struct reading *reading, yyjson_val *array,
                                     unsigned depth, json_t *ret_array) {
    yyjson_arr_iter items = yyjson_arr_iter_with(array);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&items)) != NULL;) {
        json_t *converted = NULL;
        HUB_TRY(convert(reading, item, depth, &converted));
        json_array_append_new(ret_array, converted);
    }
    return HUB_OK;
}

static enum hub_status convert_object(const struct reading *reading, yyjson_val *object,
                                      unsigned depth, json_t *ret_object) {
    yyjson_obj_iter members = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&members)) != NULL;) {
        json_t *converted = NULL;
        size_t before = json_object_size(ret_object);
        HUB_TRY(check_text(reading, name));
        HUB_TRY(convert(reading, yyjson_obj_iter_get_val(name), depth, &converted));
        json_object_set_new_nocheck(ret_object, yyjson_get_str(name), converted);
        if (json_object_size(ret_object) == before)
            return refuse(reading, name, "a member of that name stands there before");
    }
    return HUB_OK;
}

static enum hub_status convert(const struct reading *reading, yyjson_val *value, unsigned depth,
                               json_t **ret_value) {
    enum hub_status status = HUB_OK;
    if (depth > DEPTH_MAX)
        return hub_fail(reading->reterr, HUB_REJECT, "nested deeper than %d levels", DEPTH_MAX);
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_RAW:
        *ret_value = convert_number(yyjson_get_raw(value));
        break;
    case YYJSON_TYPE_STR:
        HUB_TRY(check_text(reading, value));
        *ret_value = json_stringn_nocheck(yyjson_get_str(value), yyjson_get_len(value));
        break;
    case YYJSON_TYPE_BOOL:
        *ret_value = json_boolean(yyjson_get_bool(value));
        break;
    case YYJSON_TYPE_ARR:
        *ret_value = json_array();
        status = convert_array(reading, value, depth + 1, *ret_value);
        break;
    case YYJSON_TYPE_OBJ:
        *ret_value = json_object();
        status = convert_object(reading, value, depth + 1, *ret_value);
        break;
    default:
        *ret_value = json_null();
        break;
    }
    if (status == HUB_OK)
        return HUB_OK;
    json_decref(*ret_value);
    *ret_value = NULL;
    return status;
}

static enum hub_status parse(const void *unused, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    yyjson_read_err error;
    json_t *tree = NULL;
    (void)unused;
    if (document.size == 0)
        return hub_fail(reterr, HUB_REJECT, "nothing is in it; a JSON document would pass");
    char *copy = hub_arena_take(arena, document.size + YYJSON_PADDING_SIZE);
    struct reading reading = {document, copy, reterr};
    memset(copy + document.size, 0, YYJSON_PADDING_SIZE);
    memcpy(copy, document.data, document.size);
    yyjson_doc *read = yyjson_read_opts(copy, document.size,
                                        YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW, &memory,
                                        &error);
    if (read == NULL)
        return refuse_at(&reading, error.pos, error.msg);
    enum hub_status status = convert(&reading, yyjson_doc_get_root(read), 0, &tree);
    yyjson_doc_free(read);
    *ret_parsed = (struct hub_parsed){.tree = tree};
    return status;
}

const struct hub_format hub_format_json = {
    .name = "json",
    .summary = "One JSON document.",
    .options = options,
    .options_size = 1,
    .parse = parse,
};
