#include "connectors/transports/template.h"

#include "hub/base/memory.h"
#include "hub/io/http_client.h"

#include <string.h>
#include <strings.h>

static bool ends_with(const char *text, size_t size, const char *end) {
    size_t end_size = strlen(end);
    return size >= end_size && strncasecmp(text + size - end_size, end, end_size) == 0;
}

bool hub_template_kind_of(const char *content_type, enum hub_template_kind *ret_kind) {
    size_t size = strcspn(content_type, "; ");
    if (ends_with(content_type, size, "/json") || ends_with(content_type, size, "+json"))
        *ret_kind = HUB_TEMPLATE_JSON;
    else if (ends_with(content_type, size, "/xml") || ends_with(content_type, size, "+xml"))
        *ret_kind = HUB_TEMPLATE_XML;
    else if (ends_with(content_type, size, "application/x-www-form-urlencoded"))
        *ret_kind = HUB_TEMPLATE_ESCAPED;
    else
        return false;
    return true;
}

/* The size of a {name} that begins here, or 0. */
static size_t placeholder(const char *text) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t size = *text == '{' ? strspn(text + 1, letters) : 0;
    return size > 0 && text[size + 1] == '}' ? size + 2 : 0;
}

bool hub_template_has(const char *text, const char *name) {
    for (; *text != '\0'; text++) {
        size_t size = placeholder(text);
        if (size == strlen(name) + 2 && strncmp(text + 1, name, size - 2) == 0)
            return true;
    }
    return false;
}

static bool is_whole_number(const char *text) {
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    return digits > 0 && text[digits + (*text == '-')] == '\0';
}

static void append_json(const char *value, struct hub_buffer *buffer) {
    for (; *value != '\0'; value++)
        if (*value == '"' || *value == '\\')
            hub_buffer_append_format(buffer, "\\%c", *value);
        else if ((unsigned char)*value < ' ')
            hub_buffer_append_format(buffer, "\\u%04x", *value);
        else
            hub_buffer_append_byte(buffer, (uint8_t)*value);
}

static void append_xml(const char *value, struct hub_buffer *buffer) {
    for (; *value != '\0'; value++)
        if (strchr("<>&\"'", *value) != NULL)
            hub_buffer_append_format(buffer, "&#%d;", *value);
        else
            hub_buffer_append_byte(buffer, (uint8_t)*value);
}

static enum hub_status append_value(enum hub_template_kind kind, const char *name,
                                    const char *value, bool quoted, struct hub_buffer *buffer,
                                    struct hub_error *reterr) {
    switch (kind) {
    case HUB_TEMPLATE_ESCAPED:
        hub_http_append_escaped(value, buffer);
        return HUB_OK;
    case HUB_TEMPLATE_JSON:
        if (!quoted && !is_whole_number(value))
            return hub_fail(reterr, HUB_FATAL, "%s stands outside of quotes, where only a whole "
                            "number would pass", name);
        append_json(value, buffer);
        return HUB_OK;
    case HUB_TEMPLATE_XML:
        append_xml(value, buffer);
        return HUB_OK;
    }
    return HUB_FATAL;
}

static enum hub_status unknown(const char *name, const json_t *values, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER list = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)values, key, value)
        hub_buffer_append_format(&list, "%s{%s}", list.size == 0 ? "" : ", ", key);
    return hub_fail(reterr, HUB_FATAL, "%s has no value; there are: %s", name,
                    hub_buffer_text(&list));
}

enum hub_status hub_template_fill(enum hub_template_kind kind, const char *text,
                                  const json_t *values, struct hub_buffer *buffer,
                                  struct hub_error *reterr) {
    bool quoted = false;
    for (size_t size; *text != '\0'; text += size) {
        size = placeholder(text);
        if (size > 0) {
            char *name = hub_copy_bytes(text, size);
            char *key = hub_copy_bytes(text + 1, size - 2);
            const char *value = json_string_value(json_object_get(values, key));
            enum hub_status status =
                value == NULL ? unknown(name, values, reterr)
                              : append_value(kind, name, value, quoted, buffer, reterr);
            hub_release(key);
            hub_release(name);
            HUB_TRY(status);
            continue;
        }
        size = quoted && text[0] == '\\' && text[1] != '\0' ? 2 : 1;
        quoted ^= size == 1 && text[0] == '"';
        hub_buffer_append(buffer, text, size);
    }
    return HUB_OK;
}
