#include "schemas/lib/unified.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void release_json(json_t **json) {
    json_decref(*json);
}
/* What any decimal of so many digits keeps when a double has held it: 0.05 stays 0.05. */
enum { REAL_DIGITS = 15 };

#define SCOPED_JSON __attribute__((cleanup(release_json))) json_t

static json_t *load(struct hub_bytes text, const char *what, struct hub_error *reterr) {
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json != NULL && json_is_array(json_object_get(json, "fields")) &&
        json_is_string(json_object_get(json, "name")))
        return json;
    hub_fail(reterr, HUB_FATAL, "%s:%d:%d: %s", what, json == NULL ? error.line : 1,
             json == NULL ? error.column : 1,
             json == NULL ? error.text : "a record schema would pass");
    json_decref(json);
    return NULL;
}

/* A record of ints with the same field names as the domain's. */
static json_t *make_sources(const char *name, const json_t *fields) {
    json_t *list = json_array();
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field) {
        const char *field_name = json_string_value(json_object_get(field, "name"));
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s}", "name", field_name, "type",
                                              "int", "default", -1, "doc",
                                              "Index in statements."));
    }
    return json_pack("{s:s, s:s+, s:s, s:o}", "type", "record", "name", name, "Sources", "doc",
                     "Which statement each field comes from.", "fields", list);
}

/* Names of types that the domain's record has already defined, so that the pattern's copies of
 * them become references. */
static bool defines(const json_t *schema, const char *name) {
    if (json_is_array(schema)) {
        size_t i;
        json_t *branch;
        json_array_foreach(schema, i, branch) {
            if (defines(branch, name))
                return true;
        }
        return false;
    }
    if (!json_is_object(schema))
        return false;
    const char *own = json_string_value(json_object_get(schema, "name"));
    const char *type = json_string_value(json_object_get(schema, "type"));
    bool named = type != NULL && (strcmp(type, "record") == 0 || strcmp(type, "enum") == 0 ||
                                  strcmp(type, "fixed") == 0);
    if (named && own != NULL && strcmp(own, name) == 0)
        return true;
    return defines(json_object_get(schema, "type"), name) ||
           defines(json_object_get(schema, "items"), name) ||
           defines(json_object_get(schema, "fields"), name);
}

static void refer_to_defined(json_t *schema, const json_t *domain) {
    size_t i;
    json_t *item;
    const char *key;
    void *next;
    json_array_foreach(schema, i, item)
        refer_to_defined(item, domain);
    json_object_foreach_safe(schema, next, key, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        bool inner = json_is_object(item) && name != NULL &&
                     (strcmp(key, "type") == 0 || strcmp(key, "items") == 0);
        if (inner && defines(domain, name))
            json_object_set_new(schema, key, json_string(name));
        else
            refer_to_defined(item, domain);
    }
}

static json_t *find_field(json_t *schema, const char *name) {
    size_t i;
    json_t *field;
    json_array_foreach(json_object_get(schema, "fields"), i, field) {
        const char *own = json_string_value(json_object_get(field, "name"));
        if (own != NULL && strcmp(own, name) == 0)
            return field;
    }
    return NULL;
}

enum hub_status hub_unified_generate(struct hub_bytes pattern, struct hub_bytes domain,
                                     struct hub_buffer *ret_text, struct hub_error *reterr) {
    SCOPED_JSON *unified = load(pattern, "hub/unified.avsc", reterr);
    SCOPED_JSON *value = load(domain, "the domain's schema", reterr);
    if (unified == NULL || value == NULL)
        return HUB_FATAL;
    json_t *value_field = find_field(unified, "value");
    json_t *sources_field = find_field(unified, "sources");
    if (value_field == NULL || sources_field == NULL)
        return hub_fail(reterr, HUB_FATAL, "hub/unified.avsc:1:1: the fields 'value' and "
                        "'sources' are missing");
    refer_to_defined(json_object_get(unified, "fields"), value);
    const char *name = json_string_value(json_object_get(value, "name"));
    json_object_set_new(unified, "name", json_pack("s+", "Unified", name));
    json_object_set_new(unified, "doc",
                        json_string("The hub's view of one entity. Generated; do not edit."));
    json_object_set_new(sources_field, "type",
                        make_sources(name, json_object_get(value, "fields")));
    json_object_set_new(value_field, "type", json_pack("[s, O]", "null", value));
    char *text = json_dumps(unified, JSON_INDENT(1) | JSON_REAL_PRECISION(REAL_DIGITS));
    hub_buffer_append_text(ret_text, text);
    hub_buffer_append_text(ret_text, "\n");
    free(text);
    return HUB_OK;
}
