#include "connectors/kit/explain.h"

#include "hub/io/json.h"

#include <string.h>

/* --- for people --- */

/* A transport, a format or a transform; ended by a NULL name. */
struct part {
    const char *name, *summary, *example;
    const struct hub_option *options;
};

static struct part nth_transport(size_t i) {
    const struct hub_transport *transport = hub_transports[i];
    return transport == NULL ? (struct part){0}
                             : (struct part){transport->name, transport->summary,
                                             transport->example, transport->options};
}

static struct part nth_outbound(size_t i) {
    const struct hub_outbound *outbound = hub_outbounds[i];
    return outbound == NULL ? (struct part){0}
                            : (struct part){outbound->name, outbound->summary, outbound->example,
                                            outbound->options};
}

static struct part nth_format(size_t i) {
    const struct hub_format *format = hub_formats[i];
    return format == NULL ? (struct part){0}
                          : (struct part){format->name, format->summary, NULL, format->options};
}

static struct part nth_transform(size_t i) {
    const struct hub_transform *transform = &hub_transforms[i];
    return (struct part){transform->name, transform->help, transform->example, NULL};
}

static const struct {
    const char *name;
    struct part (*nth)(size_t i);
} kinds[] = {
    {"transport", nth_transport}, {"transport", nth_outbound}, {"format", nth_format},
    {"transform", nth_transform}};

static void append_whole(const struct part *part, struct hub_buffer *text) {
    hub_buffer_append_format(text, "%s: %s\n", part->name, part->summary);
    if (part->options != NULL)
        hub_options_describe(part->options, text);
    if (part->example != NULL)
        hub_buffer_append_format(text, "  %s\n", part->example);
}

bool hub_explain(const char *kind, const char *name, struct hub_buffer *text) {
    struct part part = {0};
    bool found = false;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0;
             strcmp(kinds[k].name, kind) == 0 && (part = kinds[k].nth(i)).name != NULL; i++) {
            if (name == NULL)
                hub_buffer_append_format(text, "%-14s %s\n", part.name, part.summary);
            else if (strcmp(name, part.name) == 0)
                append_whole(&part, text);
            found |= name == NULL || strcmp(name, part.name) == 0;
        }
    return found;
}

/* --- for editors --- */

static json_t *text(const char *value) {
    return hub_need(json_string(value));
}

static json_t *object_of(const char *key, json_t *value) {
    json_t *object = hub_need(json_object());
    json_object_set_new(object, key, value);
    return object;
}

static json_t *of_type(const char *name) {
    return object_of("type", text(name));
}

static json_t *texts(const char *const *names) {
    json_t *list = hub_need(json_array());
    for (size_t i = 0; names[i] != NULL; i++)
        json_array_append_new(list, text(names[i]));
    return list;
}

static json_t *either(json_t *one, json_t *other) {
    json_t *list = hub_need(json_array());
    json_array_append_new(list, one);
    json_array_append_new(list, other);
    return object_of("anyOf", list);
}

/* What is not known before it is read: ${env:NAME}. */
static json_t *reference(void) {
    json_t *schema = of_type("string");
    json_object_set_new(schema, "pattern", text("\\$\\{"));
    return schema;
}

static json_t *number(const struct hub_option *option) {
    json_t *schema = of_type("integer");
    if (option->minimum < option->maximum) {
        json_object_set_new(schema, "minimum", hub_need(json_integer(option->minimum)));
        json_object_set_new(schema, "maximum", hub_need(json_integer(option->maximum)));
    }
    return schema;
}

static json_t *option_schema(const struct hub_option *option) {
    switch (option->kind) {
    case HUB_OPTION_TEXT:
        if (option->choices != NULL)
            return either(object_of("enum", texts(option->choices)), reference());
        return of_type("string");
    case HUB_OPTION_NUMBER:
        return either(number(option), reference());
    case HUB_OPTION_FLAG:
        return either(of_type("boolean"), reference());
    case HUB_OPTION_TEXTS: {
        json_t *list = of_type("array");
        json_object_set_new(list, "items", of_type("string"));
        return either(of_type("string"), list);
    }
    }
    return NULL;
}

/* {if: {properties: {KEY: {const: NAME}}}, then: THEN}, appended to allOf. */
static void append_case(json_t *all, const char *key, const char *name, json_t *then) {
    json_t *named = object_of(key, object_of("const", text(name)));
    json_t *one = object_of("if", object_of("properties", named));
    json_object_set_new(one, "then", then);
    json_array_append_new(all, one);
}

static json_t *options_schema(const struct hub_option *options) {
    json_t *properties = hub_need(json_object()), *required = hub_need(json_array());
    for (size_t i = 0; options[i].name != NULL; i++) {
        json_t *schema = option_schema(&options[i]);
        json_object_set_new(schema, "description", text(options[i].help));
        if (options[i].initial != NULL)
            json_object_set_new(schema, "default", text(options[i].initial));
        json_object_set_new(properties, options[i].name, schema);
        if (options[i].required)
            json_array_append_new(required, text(options[i].name));
    }
    json_t *schema = object_of("properties", properties);
    json_object_set_new(schema, "required", required);
    return schema;
}

static json_t *source_schema(void) {
    static const char *const required[] = {"transport", "format", NULL};
    json_t *transports = hub_need(json_array()), *formats = hub_need(json_array());
    json_t *all = hub_need(json_array()), *properties = hub_need(json_object());
    for (size_t i = 0; hub_transports[i] != NULL; i++) {
        json_array_append_new(transports, text(hub_transports[i]->name));
        append_case(all, "transport", hub_transports[i]->name,
                    options_schema(hub_transports[i]->options));
    }
    for (size_t i = 0; hub_formats[i] != NULL; i++) {
        json_array_append_new(formats, text(hub_formats[i]->name));
        append_case(all, "format", hub_formats[i]->name, options_schema(hub_formats[i]->options));
    }
    json_object_set_new(properties, "transport", object_of("enum", transports));
    json_object_set_new(properties, "format", object_of("enum", formats));
    json_t *schema = of_type("object");
    json_object_set_new(schema, "required", texts(required));
    json_object_set_new(schema, "properties", properties);
    json_object_set_new(schema, "allOf", all);
    json_object_set_new(schema, "unevaluatedProperties", hub_need(json_false()));
    return schema;
}

/* Only these keys; `special` replaces what is said of one of them, and is taken over. */
static json_t *closed(const char *const *keys, const char *key, json_t *special) {
    json_t *properties = hub_need(json_object()), *schema = of_type("object");
    for (size_t i = 0; keys[i] != NULL; i++)
        json_object_set_new(properties, keys[i], hub_need(json_object()));
    if (key != NULL)
        json_object_set_new(properties, key, special);
    json_object_set_new(schema, "properties", properties);
    json_object_set_new(schema, "additionalProperties", hub_need(json_false()));
    return schema;
}

/* The fields that there are in a domain, with what their schema says of them. */
static json_t *fields_schema(const struct hub_domain *domain) {
    const struct hub_type *root = domain->schema->root;
    const char *names[HUB_FIELDS_MAX + 1];
    for (size_t i = 0; i < root->count; i++)
        names[i] = root->fields[i].name;
    names[root->count] = NULL;
    return closed(names, NULL, NULL);
}

static json_t *records_schema(json_t *fields) {
    static const char *const whole[] = {"key", "version", "fields", NULL};
    static const char *const in_parts[] = {"variants", NULL};
    json_t *item = closed(hub_mapping_record_keys, "fields", fields), *list = of_type("array");
    json_t *any = either(object_of("required", texts(whole)), object_of("required", texts(in_parts)));
    json_object_update_new(item, any);
    json_object_set_new(list, "items", item);
    return list;
}

static json_t *domains_schema(const struct hub_catalogue *catalogue, json_t *names) {
    json_t *all = hub_need(json_array());
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const struct hub_domain *domain = &catalogue->domains[i];
        json_t *named = object_of("domain", object_of("const", text(domain->name)));
        json_t *target = object_of("target", object_of("properties", named));
        json_t *one = object_of("if", object_of("properties", target));
        json_object_set_new(one, "then",
                            object_of("properties", object_of("records", records_schema(
                                                                             fields_schema(domain)))));
        json_array_append_new(all, one);
        json_array_append_new(names, text(domain->name));
    }
    return all;
}

static json_t *filter_schema(void) {
    json_t *list = of_type("array"), *full = options_schema(hub_filter_options);
    json_object_set_new(list, "items", of_type("string"));
    json_object_set_new(full, "type", text("object"));
    json_object_set_new(full, "additionalProperties", hub_need(json_false()));
    return either(list, full);
}

static json_t *journal_schema(void) {
    json_t *schema = options_schema(hub_journal_option_table);
    json_object_set_new(schema, "type", text("object"));
    json_object_set_new(schema, "additionalProperties", hub_need(json_false()));
    return schema;
}

/* Of a configuration that subscribes. */
static json_t *subscription_schema(void) {
    static const char *const which[] = {"transport", NULL};
    json_t *names = hub_need(json_array()), *all = hub_need(json_array());
    for (size_t i = 0; hub_outbounds[i] != NULL; i++) {
        json_array_append_new(names, text(hub_outbounds[i]->name));
        append_case(all, "transport", hub_outbounds[i]->name,
                    options_schema(hub_outbounds[i]->options));
    }
    json_t *target = of_type("object"), *subscribe = options_schema(hub_subscribe_options);
    json_object_set_new(target, "required", texts(which));
    json_object_set_new(target, "properties", object_of("transport", object_of("enum", names)));
    json_object_set_new(target, "allOf", all);
    json_object_set_new(target, "unevaluatedProperties", hub_need(json_false()));
    json_object_set_new(subscribe, "type", text("object"));
    json_object_set_new(subscribe, "additionalProperties", hub_need(json_false()));
    json_t *schema = closed(hub_subscription_keys, "subscribe", subscribe);
    json_t *properties = json_object_get(schema, "properties");
    json_object_set_new(properties, "target", target);
    json_object_set_new(properties, "connector", of_type("string"));
    json_object_set_new(properties, "institution", of_type("string"));
    json_object_set_new(schema, "required", texts(hub_subscription_keys));
    return schema;
}

static json_t *source_configuration_schema(const struct hub_catalogue *catalogue) {
    static const char *const required[] = {"connector", "institution", "system", "source", "target",
                                           "records", NULL};
    static const char *const domain[] = {"domain", NULL}, *const empty[] = {"accept", "refuse", NULL};
    json_t *schema = closed(hub_connector_keys, "source", source_schema());
    json_t *properties = json_object_get(schema, "properties"), *names = hub_need(json_array());
    json_object_set_new(schema, "required", texts(required));
    json_object_set_new(schema, "allOf", domains_schema(catalogue, names));
    json_object_set_new(properties, "target", closed(domain, "domain", object_of("enum", names)));
    json_object_set_new(properties, "records", records_schema(hub_need(json_object())));
    json_object_set_new(properties, "empty", object_of("enum", texts(empty)));
    json_object_set_new(properties, "filter", filter_schema());
    json_object_set_new(properties, "journal", journal_schema());
    for (size_t i = 0; i < 3; i++)
        json_object_set_new(properties, required[i], of_type("string"));
    json_object_del(properties, "subscribe");
    return schema;
}

json_t *hub_explain_schema(const struct hub_catalogue *catalogue) {
    static const char *const subscribes[] = {"subscribe", NULL};
    json_t *schema = object_of("if", object_of("required", texts(subscribes)));
    json_object_set_new(schema, "then", subscription_schema());
    json_object_set_new(schema, "else", source_configuration_schema(catalogue));
    json_object_set_new(schema, "$schema", text("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", text("A connector of ATMP Hub"));
    return schema;
}
