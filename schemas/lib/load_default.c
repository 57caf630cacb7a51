#include "schemas/lib/load_default.h"

#include <math.h>
#include <string.h>

static enum hub_status wrong(const struct hub_type *type, const struct hub_node *value,
                             struct hub_error *reterr) {
    return hub_node_fail(value, reterr, "the default does not fit; a value of type %s would pass",
                         type->name != NULL ? type->name : hub_kind_name(type->kind));
}

static enum hub_status encode_number(const struct hub_type *type, const struct hub_node *value,
                                     struct hub_buffer *encoded, struct hub_error *reterr) {
    int64_t number = 0;
    double real = 0;
    if (type->kind == HUB_INT || type->kind == HUB_LONG) {
        if (!hub_node_to_long(value, &number) ||
            (type->kind == HUB_INT && (number < INT32_MIN || number > INT32_MAX)))
            return wrong(type, value, reterr);
        hub_buffer_append_long(encoded, number);
        return HUB_OK;
    }
    if (!hub_node_to_double(value, &real))
        return wrong(type, value, reterr);
    float single = (float)real;
    if (type->kind == HUB_FLOAT && !isfinite(single))
        return wrong(type, value, reterr);
    if (type->kind == HUB_FLOAT)
        hub_buffer_append(encoded, &single, sizeof single);
    else
        hub_buffer_append(encoded, &real, sizeof real);
    return HUB_OK;
}

/* Code points 0 to 255 become one byte each. */
static enum hub_status encode_octets(const struct hub_type *type, const struct hub_node *value,
                                     struct hub_buffer *encoded, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER octets = {0};
    for (size_t i = 0; i < value->text_size; i++) {
        uint8_t lead = (uint8_t)value->text[i];
        if (lead >= 0x80) {
            if ((lead & 0xfe) != 0xc2 || i + 1 == value->text_size)
                return wrong(type, value, reterr);
            lead = (uint8_t)((lead & 3) << 6 | ((uint8_t)value->text[++i] & 0x3f));
        }
        hub_buffer_append_byte(&octets, lead);
    }
    if (type->kind == HUB_FIXED && octets.size != type->fixed_size)
        return wrong(type, value, reterr);
    if (type->kind == HUB_BYTES)
        hub_buffer_append_long(encoded, (int64_t)octets.size);
    hub_buffer_append_bytes(encoded, hub_buffer_bytes(&octets));
    return HUB_OK;
}

static enum hub_status encode_container(const struct hub_type *type, const struct hub_node *value,
                                        struct hub_buffer *encoded, struct hub_error *reterr) {
    if (value->kind != (type->kind == HUB_ARRAY ? HUB_NODE_SEQUENCE : HUB_NODE_MAPPING))
        return wrong(type, value, reterr);
    if (value->count > 0)
        hub_buffer_append_long(encoded, (int64_t)value->count);
    for (size_t i = 0; i < value->count; i++) {
        if (type->kind == HUB_MAP) {
            hub_buffer_append_long(encoded, (int64_t)value->keys[i]->text_size);
            hub_buffer_append(encoded, value->keys[i]->text, value->keys[i]->text_size);
        }
        HUB_TRY(hub_load_default(type->items, value->items[i], encoded, reterr));
    }
    hub_buffer_append_long(encoded, 0);
    return HUB_OK;
}

static enum hub_status encode_record(const struct hub_type *type, const struct hub_node *value,
                                     struct hub_buffer *encoded, struct hub_error *reterr) {
    if (value->kind != HUB_NODE_MAPPING)
        return wrong(type, value, reterr);
    for (size_t i = 0; i < value->count; i++)
        if (hub_type_field(type, value->keys[i]->text) < 0)
            return hub_node_fail(value->keys[i], reterr, "%s has no field '%s'", type->name,
                                 value->keys[i]->text);
    for (size_t i = 0; i < type->count; i++) {
        const struct hub_field *field = &type->fields[i];
        const struct hub_node *part = hub_node_get(value, field->name);
        if (part != NULL)
            HUB_TRY(hub_load_default(field->type, part, encoded, reterr));
        else if (field->has_default)
            hub_buffer_append_bytes(encoded, field->default_value);
        else
            return hub_node_fail(value, reterr, "the default has no value for field '%s'",
                                 field->name);
    }
    return HUB_OK;
}

enum hub_status hub_load_default(const struct hub_type *type, const struct hub_node *value,
                                 struct hub_buffer *encoded, struct hub_error *reterr) {
    bool text = value->kind == HUB_NODE_SCALAR && value->quoted;
    bool truth = false;
    int symbol = -1;
    switch (type->kind) {
    case HUB_NULL:
        return hub_node_is_text(value, "null") && !value->quoted ? HUB_OK
                                                                 : wrong(type, value, reterr);
    case HUB_BOOLEAN:
        if (!hub_node_to_bool(value, &truth))
            return wrong(type, value, reterr);
        hub_buffer_append_byte(encoded, truth);
        return HUB_OK;
    case HUB_INT:
    case HUB_LONG:
    case HUB_FLOAT:
    case HUB_DOUBLE:
        return encode_number(type, value, encoded, reterr);
    case HUB_STRING:
        if (!text)
            return wrong(type, value, reterr);
        hub_buffer_append_long(encoded, (int64_t)value->text_size);
        hub_buffer_append(encoded, value->text, value->text_size);
        return HUB_OK;
    case HUB_BYTES:
    case HUB_FIXED:
        return text ? encode_octets(type, value, encoded, reterr) : wrong(type, value, reterr);
    case HUB_ENUM:
        symbol = text ? hub_type_symbol(type, value->text) : -1;
        if (symbol < 0)
            return wrong(type, value, reterr);
        hub_buffer_append_long(encoded, symbol);
        return HUB_OK;
    case HUB_ARRAY:
    case HUB_MAP:
        return encode_container(type, value, encoded, reterr);
    case HUB_UNION:
        hub_buffer_append_long(encoded, 0);
        return hub_load_default(type->branches[0], value, encoded, reterr);
    case HUB_RECORD:
        return encode_record(type, value, encoded, reterr);
    }
    return HUB_FATAL;
}
