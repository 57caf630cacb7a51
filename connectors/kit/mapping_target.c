/* Running targets: filling avro-c values of the domain's schema. */
#include "connectors/kit/mapping_plan.h"

#include "schemas/lib/slice.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum hub_status avro_refuses(struct map_run *run) {
    return hub_fail(run->reterr, HUB_FATAL, "avro-c refuses a value: %s", avro_strerror());
}

void map_enter_branch(avro_value_t *slot, int branch, avro_value_t *ret_inner) {
    if (branch < 0) {
        *ret_inner = *slot;
        return;
    }
    int failed = avro_value_set_branch(slot, branch, ret_inner);
    assert(failed == 0);
}

/* Only defaults that a missing field can have in the schemas: null, no elements, a symbol, a
 * number, a text. */
void map_set_default(const struct hub_field *field, avro_value_t *slot) {
    int null_branch = hub_type_null_branch(field->type);
    avro_value_t inner;
    int failed = 0;
    if (null_branch >= 0) {
        map_enter_branch(slot, null_branch, &inner);
        failed = avro_value_set_null(&inner);
    } else if (field->type->kind == HUB_ENUM) {
        failed = avro_value_set_enum(slot, (int)hub_slice_long(field->default_value));
    } else if (field->type->kind == HUB_INT) {
        failed = avro_value_set_int(slot, (int32_t)hub_slice_long(field->default_value));
    } else if (field->type->kind == HUB_LONG) {
        failed = avro_value_set_long(slot, hub_slice_long(field->default_value));
    } else if (field->type->kind == HUB_BOOLEAN) {
        failed = avro_value_set_boolean(slot, field->default_value.data[0]);
    } else if (field->type->kind == HUB_STRING) {
        struct hub_bytes text = hub_slice_octets(field->default_value);
        failed = avro_value_set_string_len(slot, (char *)text.data, text.size + 1);
    }
    assert(failed == 0);
}

/* --- scalars --- */

static bool to_whole_number(const char *text, int64_t *ret_number) {
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || errno != 0)
        return false;
    if (*end == '.') /* 19.0 is 19, exactly */
        end += 1 + strspn(end + 1, "0");
    *ret_number = number;
    return *end == '\0';
}

bool map_is_whole_number(const struct hub_type *type, const char *text) {
    int64_t number = 0;
    return to_whole_number(text, &number) &&
           (type->kind != HUB_INT || (number >= INT32_MIN && number <= INT32_MAX));
}

static enum hub_status refuse_type(struct map_run *run, const char *what) {
    run->code = "TYPE";
    return hub_fail(run->reterr, HUB_REJECT, "%s would pass", what);
}

static enum hub_status set_number(struct map_run *run, const struct hub_type *type,
                                  const char *text, avro_value_t *slot) {
    int64_t number = 0;
    char *end = NULL;
    if (type->kind == HUB_DOUBLE || type->kind == HUB_FLOAT) {
        errno = 0;
        double real = strtod(text, &end);
        if (end == text || *end != '\0' || errno != 0)
            return refuse_type(run, "a number");
        int failed = type->kind == HUB_DOUBLE ? avro_value_set_double(slot, real)
                                              : avro_value_set_float(slot, (float)real);
        return failed == 0 ? HUB_OK : avro_refuses(run);
    }
    if (!map_is_whole_number(type, text) || !to_whole_number(text, &number))
        return refuse_type(run, "a whole number");
    int failed = type->kind == HUB_INT ? avro_value_set_int(slot, (int32_t)number)
                                       : avro_value_set_long(slot, number);
    return failed == 0 ? HUB_OK : avro_refuses(run);
}

enum hub_status map_set_text(struct map_run *run, const struct hub_type *type, const char *text,
                             avro_value_t *slot) {
    int symbol = -1;
    switch (type->kind) {
    case HUB_STRING:
        return avro_value_set_string(slot, text) == 0 ? HUB_OK : avro_refuses(run);
    case HUB_INT:
    case HUB_LONG:
    case HUB_FLOAT:
    case HUB_DOUBLE:
        return set_number(run, type, text, slot);
    case HUB_ENUM:
        symbol = hub_type_symbol(type, text);
        run->code = "CODE";
        if (symbol < 0)
            return hub_fail(run->reterr, HUB_REJECT,
                            "no symbol of %s; a table that translates it would pass", type->name);
        return avro_value_set_enum(slot, symbol) == 0 ? HUB_OK : avro_refuses(run);
    case HUB_BOOLEAN:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return refuse_type(run, "true or false");
        return avro_value_set_boolean(slot, text[0] == 't') == 0 ? HUB_OK : avro_refuses(run);
    default:
        return refuse_type(run, "a field of another type");
    }
}

/* --- dates and times --- */

static int64_t floor_days(int64_t milliseconds) {
    int64_t days = milliseconds / 86400000;
    return days - (milliseconds % 86400000 < 0);
}

static bool set_part(avro_value_t *record, const char *name, int64_t number) {
    avro_value_t slot;
    if (avro_value_get_by_name(record, name, &slot, NULL) != 0)
        return false;
    switch (avro_value_get_type(&slot)) {
    case AVRO_INT32:
        return avro_value_set_int(&slot, (int32_t)number) == 0;
    case AVRO_INT64:
        return avro_value_set_long(&slot, number) == 0;
    default:
        return avro_value_set_enum(&slot, (int)number) == 0;
    }
}

static enum hub_status fill_instant(struct map_run *run, const struct map_target *target,
                                    const char *text, avro_value_t *record) {
    const struct map_time *time = target->value->time;
    struct map_instant instant;
    run->code = "TIME";
    if (!map_time_read(time, text, target->kind == MAP_TIME, &instant))
        return hub_fail(run->reterr, HUB_REJECT, "%s", map_time_refusal(time, run->arena));
    if (target->kind == MAP_DATE) {
        int64_t local = instant.milliseconds + (int64_t)instant.offset_minutes * 60000;
        return set_part(record, "value", floor_days(local)) &&
                       set_part(record, "precision", instant.precision)
                   ? HUB_OK
                   : avro_refuses(run);
    }
    avro_value_t zone, null_value;
    bool set = set_part(record, "time", instant.milliseconds) &&
               set_part(record, "offset_minutes", instant.offset_minutes) &&
               avro_value_get_by_name(record, "zone", &zone, NULL) == 0 &&
               avro_value_set_branch(&zone, 0, &null_value) == 0 &&
               avro_value_set_null(&null_value) == 0;
    return set ? HUB_OK : avro_refuses(run);
}

/* {org, text}: the identifier where the spelling is known, and always the source's words. */
static enum hub_status fill_organisation(struct map_run *run, const struct map_value *value,
                                         const char *text, avro_value_t *record) {
    const char *org =
        hub_parties_org(run->mapping->config.domain->parties, hub_bytes_of_text(text));
    avro_value_t slot, inner;
    run->code = "CODE";
    if (org == NULL && value->otherwise == MAP_ELSE_REJECT)
        return hub_fail(run->reterr, HUB_REJECT,
                        "organisations.csv knows no such spelling; adding it there would pass");
    bool set = avro_value_get_by_name(record, "org", &slot, NULL) == 0 &&
               avro_value_set_branch(&slot, org == NULL ? 0 : 1, &inner) == 0 &&
               (org == NULL ? avro_value_set_null(&inner) : avro_value_set_string(&inner, org)) ==
                   0 &&
               avro_value_get_by_name(record, "text", &slot, NULL) == 0 &&
               avro_value_set_string(&slot, text) == 0;
    return set ? HUB_OK : avro_refuses(run);
}

static enum hub_status fill_single(struct map_run *run, const struct map_target *target,
                                   const struct hub_scope *scope, avro_value_t *slot,
                                   bool *ret_stated) {
    const char *text = NULL;
    avro_value_t inner;
    HUB_TRY(map_value_text(run, target->value, scope, &text));
    *ret_stated = text != NULL;
    if (text == NULL)
        return HUB_OK;
    map_enter_branch(slot, target->branch, &inner);
    switch (target->kind) {
    case MAP_DATE:
    case MAP_TIME:
        return fill_instant(run, target, text, &inner);
    case MAP_ORGANISATION:
        return fill_organisation(run, target->value, text, &inner);
    default:
        return map_set_text(run, target->type, text, &inner);
    }
}

/* --- arrays --- */

static enum hub_status append_scalars(struct map_run *run, const struct map_target *element,
                                      const struct hub_scope *scope, avro_value_t *array,
                                      size_t *ret_count) {
    struct map_texts texts = {0};
    HUB_TRY(map_value_texts(run, element->value, scope, &texts));
    for (size_t i = 0; i < texts.count; i++) {
        avro_value_t slot;
        if (avro_value_append(array, &slot, NULL) != 0)
            return avro_refuses(run);
        HUB_TRY(map_set_text(run, element->type, texts.items[i], &slot));
        (*ret_count)++;
    }
    return HUB_OK;
}

/* avro-c cannot take an element back, so whether there is anything to say is asked before one is
 * added. A value that cannot be read counts: filling it tells why. */
static bool states_anything(struct map_run *run, const struct map_target *target,
                            const struct hub_scope *scope) {
    const char *text = NULL;
    switch (target->kind) {
    case MAP_SCALAR:
    case MAP_DATE:
    case MAP_TIME:
    case MAP_ORGANISATION:
    case MAP_SEALED:
        return map_value_text(run, target->value, scope, &text) != HUB_OK ||
               (text != NULL && !run->constant);
    case MAP_RECORD:
        for (size_t i = 0; i < target->part_count; i++)
            if (states_anything(run, target->parts[i].target, scope))
                return true;
        return false;
    case MAP_ARRAY:
        return false;
    case MAP_IDENTIFIER:
        return map_identifier_states(run, target, scope);
    }
    return false;
}

static enum hub_status append_record(struct map_run *run, const struct map_target *element,
                                     const struct hub_scope *scope, avro_value_t *array,
                                     size_t *ret_count) {
    avro_value_t slot;
    bool stated = false;
    if (!states_anything(run, element, scope))
        return HUB_OK;
    if (avro_value_append(array, &slot, NULL) != 0)
        return avro_refuses(run);
    HUB_TRY(map_target_fill(run, element, scope, &slot, &stated));
    (*ret_count)++;
    return HUB_OK;
}

/* The identifier of a link, or NULL. */
static const struct map_target *identifier_of_link(const struct map_target *element) {
    for (size_t i = 0; i < element->part_count; i++)
        if (element->parts[i].target->kind == MAP_IDENTIFIER &&
            strcmp(element->type->name, "atmp.Link") == 0)
            return element->parts[i].target;
    return NULL;
}

/* A link by a pseudonym leads to the same thing under each of the shared keys. */
static enum hub_status append_records(struct map_run *run, const struct map_target *element,
                                      const struct hub_scope *scope, avro_value_t *array,
                                      size_t *ret_count) {
    const struct map_target *identifier = identifier_of_link(element);
    HUB_TRY(append_record(run, element, scope, array, ret_count));
    while (identifier != NULL && map_identifier_next_key(run, identifier, scope))
        HUB_TRY(append_record(run, element, scope, array, ret_count));
    return HUB_OK;
}

static enum hub_status append_element(struct map_run *run, const struct map_item *item,
                                      const struct hub_scope *scope, avro_value_t *array,
                                      size_t *ret_count) {
    if (!map_condition_holds(run, item->when, scope))
        return HUB_OK;
    if (item->target->kind == MAP_IDENTIFIER)
        return map_identifiers_append(run, item->target, scope, array, ret_count);
    if (item->target->kind == MAP_SCALAR)
        return append_scalars(run, item->target, scope, array, ret_count);
    return append_records(run, item->target, scope, array, ret_count);
}

/* The elements an item is made for: nodes of the document, or the parts of a split text. */
static enum hub_status find_elements(struct map_run *run, struct map_value *each,
                                     const struct hub_scope *scope, const json_t ***ret_values,
                                     size_t *ret_count) {
    struct map_texts texts = {0};
    if (each->split == NULL) {
        hub_path_find(each->path, scope, run->arena, ret_values, ret_count);
        each->filled |= *ret_count > 0;
        return HUB_OK;
    }
    HUB_TRY(map_value_texts(run, each, scope, &texts));
    const json_t **values = hub_arena_take(run->arena, (texts.count + 1) * sizeof *values);
    for (size_t i = 0; i < texts.count; i++) {
        json_t *text = json_string(texts.items[i]);
        json_array_append_new(run->scratch, text);
        values[i] = text;
    }
    *ret_values = values;
    *ret_count = texts.count;
    return HUB_OK;
}

static enum hub_status fill_array(struct map_run *run, const struct map_target *target,
                                  const struct hub_scope *scope, avro_value_t *array,
                                  bool *ret_stated) {
    size_t filled = 0;
    for (size_t i = 0; i < target->item_count; i++) {
        const struct map_item *item = &target->items[i];
        const json_t **values = NULL;
        size_t count = 0;
        if (item->each == NULL) {
            HUB_TRY(append_element(run, item, scope, array, &filled));
            continue;
        }
        HUB_TRY(find_elements(run, item->each, scope, &values, &count));
        for (size_t k = 0; k < count; k++) {
            struct hub_scope inner = {values[k], scope, scope->context, scope->read,
                                      scope->met_null};
            HUB_TRY(append_element(run, item, &inner, array, &filled));
        }
    }
    *ret_stated = filled > 0;
    return HUB_OK;
}

/* --- records --- */

/* What the last document said holds where this one says nothing: by `update: patch`, unless it takes
 * it back, and by `blank`. */
static enum hub_status keep_earlier(struct map_run *run, const struct map_target *target,
                                    const struct hub_field *field, size_t index,
                                    avro_value_t *slot, bool *ret_kept) {
    avro_value_t earlier;
    if (run->earlier == NULL)
        return HUB_OK;
    if (avro_value_get_by_index(run->earlier, index, &earlier, NULL) != 0)
        return avro_refuses(run);
    if (run->patches ? *run->met_null : !map_blank_keeps(run, target, field, &earlier))
        return HUB_OK;
    if (avro_value_copy(slot, &earlier) != 0)
        return avro_refuses(run);
    *ret_kept = true;
    return HUB_OK;
}

static enum hub_status fill_part(struct map_run *run, const struct map_target *target,
                                 const struct hub_field *field, const struct hub_scope *scope,
                                 avro_value_t *slot, bool *ret_stated) {
    size_t from = run->path.size;
    hub_buffer_append_format(&run->path, "%s%s", from == 0 ? "" : ".", field->name);
    if (from == 0)
        *run->met_null = false;
    HUB_TRY(map_target_fill(run, target, scope, slot, ret_stated));
    run->path.size = from;
    return HUB_OK;
}

enum hub_status map_record_fill(struct map_run *run, const struct map_target *target,
                                const struct hub_scope *scope, avro_value_t *record,
                                bool *ret_stated) {
    const struct hub_type *type = target->type;
    const struct hub_field *missing = NULL;
    bool any = false, whole = type == run->mapping->config.domain->schema->root;
    for (size_t i = 0; i < type->count; i++) {
        const struct hub_field *field = &type->fields[i];
        const struct map_target *part = NULL;
        avro_value_t slot;
        bool stated = false;
        for (size_t k = 0; k < target->part_count; k++)
            if (target->parts[k].field == i)
                part = target->parts[k].target;
        if (avro_value_get_by_index(record, i, &slot, NULL) != 0)
            return avro_refuses(run);
        if (part != NULL)
            HUB_TRY(fill_part(run, part, field, scope, &slot, &stated));
        any |= stated && (part->value == NULL || !run->constant);
        if (!stated && whole && part != NULL)
            HUB_TRY(keep_earlier(run, part, field, i, &slot, &stated));
        if (stated)
            continue;
        if (field->has_default || hub_type_null_branch(field->type) >= 0)
            map_set_default(field, &slot);
        else if (part != NULL)
            missing = field;
    }
    *ret_stated = any && missing == NULL;
    if (missing == NULL || (!any && !whole))
        return HUB_OK;
    run->code = "MISSING";
    hub_buffer_append_format(&run->path, "%s%s", run->path.size == 0 ? "" : ".", missing->name);
    return hub_fail(run->reterr, HUB_REJECT, "it is required, and the source states none");
}

enum hub_status map_target_fill(struct map_run *run, const struct map_target *target,
                                const struct hub_scope *scope, avro_value_t *slot,
                                bool *ret_stated) {
    avro_value_t inner;
    *ret_stated = false;
    switch (target->kind) {
    case MAP_SCALAR:
    case MAP_DATE:
    case MAP_TIME:
    case MAP_ORGANISATION:
        return fill_single(run, target, scope, slot, ret_stated);
    case MAP_ARRAY:
        return fill_array(run, target, scope, slot, ret_stated);
    case MAP_RECORD:
        map_enter_branch(slot, target->branch, &inner);
        return map_record_fill(run, target, scope, &inner, ret_stated);
    case MAP_SEALED:
        return map_sealed_fill(run, target, scope, slot, ret_stated);
    case MAP_IDENTIFIER:
        map_enter_branch(slot, target->branch, &inner);
        return map_identifier_fill(run, target, scope, &inner, ret_stated);
    }
    return HUB_FATAL;
}
