/* Where each field of an entity is from: the statement and its place in the log, the place in the
 * source document, the rule that chose it, the losers, and what people decided.
 *
 * Everything is made as JSON first; the text is that, laid out. */
#include "hub/ctl/explain.h"

#include "connectors/kit/check.h"
#include "connectors/kit/lineage.h"
#include "hub/base/text.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_SIZE_MAX = 200 }; /* of what is printed of one */

struct fields {
    struct hub_ctl_explaining *explaining;
    const char *wanted; /* a field, or NULL for all */
    const json_t *unified;
    json_t *conflicts; /* latest of the domain */
    struct hub_ctl_voices voices;
    struct hub_ctl_configurations configurations;
    struct hub_arena *arena;
};

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static json_t *value_of(const struct hub_type *type, struct hub_bytes bytes) {
    HUB_SCOPED_BUFFER text = {0};
    json_error_t error;
    hub_render_json(type, bytes, &text);
    return json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY, &error);
}

static bool states(const struct fields *fields, size_t voice, size_t field,
                   struct hub_bytes *ret_bytes) {
    const struct hub_voice *own = &fields->voices.items[voice];
    *ret_bytes = hub_statement_field(own->body, own->starts, field);
    return !hub_slice_is_unstated(
        fields->explaining->domain->schema->root->fields[field].type, *ret_bytes);
}

/* --- the place in the source document --- */

/* Whether an entry of `records` may have made the statement: the key fits, and all that the
 * statement states is filled by it. */
static bool may_have_made(const struct fields *fields, const struct hub_mapping *mapping,
                          size_t record, size_t voice) {
    const char *source_id = strchr(fields->voices.items[voice].key, '/') + 1;
    struct hub_bytes bytes;
    if (!hub_lineage_may_make(mapping, record, source_id))
        return false;
    for (size_t i = 1; i < fields->explaining->domain->contract.count; i++)
        if (states(fields, voice, i, &bytes) && !hub_lineage_maps(mapping, record, i))
            return false;
    return true;
}

/* {name: csv, delimiter: ";"}: how the document is read. */
static json_t *tell_format(const struct hub_connector *connector) {
    json_t *format = json_pack("{s:s}", "name", connector->format->name);
    const struct hub_option *options = connector->format->options;
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        const struct hub_node *node = hub_node_get(connector->source, options[i].name);
        if (node != NULL)
            json_object_set_new(format, options[i].name, hub_check_node_to_json(node));
    }
    return format;
}

static json_t *tell_hash(bool has, const struct hub_digest *hash) {
    char text[HUB_DIGEST_TEXT_SIZE];
    hub_digest_text(hash, HUB_DIGEST_SIZE, text);
    return has ? json_string(text) : json_null();
}

static void add_lineage(struct fields *fields, size_t voice, size_t field, json_t *told) {
    const struct hub_ctl_origin *origin = &fields->voices.origins[voice];
    const struct hub_ctl_configuration *configuration =
        origin->has_mapping_hash
            ? hub_ctl_configurations_find(&fields->configurations, &origin->mapping_hash)
            : NULL;
    json_object_set_new(told, "raw_hash", tell_hash(origin->has_raw_hash, &origin->raw_hash));
    json_object_set_new(told, "mapping_hash",
                        tell_hash(origin->has_mapping_hash, &origin->mapping_hash));
    if (configuration == NULL || configuration->connector == NULL) {
        const char *why = configuration == NULL ? "no configuration with that hash is here"
                                                : configuration->unreadable;
        json_object_set_new(told, "unknown", json_string(why));
        return;
    }
    const struct hub_mapping *mapping = configuration->connector->mapping;
    json_t *records = json_array();
    for (size_t i = 0; i < hub_lineage_record_count(mapping); i++) {
        if (!may_have_made(fields, mapping, i, voice))
            continue;
        for (size_t way = 0; way < hub_lineage_way_count(mapping, i); way++) {
            json_t *record = hub_lineage_record(mapping, i, way, origin->place);
            json_object_set_new(record, "origins",
                                hub_lineage_field(mapping, i, way, field, origin->place));
            json_array_append_new(records, record);
        }
    }
    json_object_set_new(told, "configuration", json_string(configuration->file));
    json_object_set_new(told, "connector", json_string(configuration->connector->name));
    json_object_set_new(told, "format", tell_format(configuration->connector));
    json_object_set_new(told, "records", records);
}

/* --- what people decided --- */

static bool is_of_field(const char *path, const char *field) {
    size_t size = strcspn(path, "[.");
    return strlen(field) == size && strncmp(path, field, size) == 0;
}

/* A choice holds while the conflict is not open, and there is one. */
static bool is_choice_in_force(const json_t *conflict) {
    const json_t *decision = json_object_get(conflict, "decision");
    return strcmp(text_of(decision, "kind"), "CHOOSE") == 0 &&
           strcmp(text_of(conflict, "state"), "OPEN") != 0 &&
           json_array_size(json_object_get(conflict, "values")) > 0;
}

static json_t *list_conflicts(const struct fields *fields, const char *field) {
    json_t *list = json_array(), *record;
    const char *id = text_of(fields->unified, "entity_id");
    size_t i;
    json_array_foreach(fields->conflicts, i, record) {
        const json_t *conflict = json_object_get(record, "value");
        const json_t *entities = json_object_get(conflict, "entities");
        json_t *decision = json_object_get(conflict, "decision");
        json_t *proposal = json_object_get(conflict, "proposal");
        bool concerns = false;
        for (size_t k = 0; k < json_array_size(entities); k++)
            concerns |= strcmp(json_string_value(json_array_get(entities, k)), id) == 0;
        if (!concerns || !is_of_field(text_of(conflict, "field"), field))
            continue;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:b, s:O?, s:O?}", "conflict",
                            text_of(conflict, "conflict_id"), "path", text_of(conflict, "field"),
                            "state", text_of(conflict, "state"), "severity",
                            text_of(conflict, "severity"), "choice_holds",
                            is_choice_in_force(conflict), "decision",
                            json_is_object(decision) ? decision : NULL, "proposal",
                            json_is_object(proposal) ? proposal : NULL));
    }
    return list;
}

/* The person's choice of the field as a whole; NULL where the rules chose. */
static const json_t *choice_of(const json_t *conflicts, const char *field) {
    size_t i;
    const json_t *conflict;
    json_array_foreach((json_t *)conflicts, i, conflict) {
        if (json_is_true(json_object_get(conflict, "choice_holds")) &&
            strcmp(text_of(conflict, "path"), field) == 0)
            return json_object_get(conflict, "decision");
    }
    return NULL;
}

/* --- one field --- */

static const char *why_chosen(const struct fields *fields, size_t field, size_t voice,
                              const json_t *choice) {
    size_t others = 0;
    struct hub_bytes bytes;
    for (size_t i = 0; i < fields->voices.count; i++)
        others += i != voice && states(fields, i, field, &bytes);
    if (choice != NULL)
        return hub_arena_format(fields->arena, "chosen by %s: %s", text_of(choice, "decided_by"),
                                text_of(choice, "reason"));
    return others == 0 ? "the only one that states it" : "chosen by the rules";
}

static const char *why(const struct fields *fields, size_t field, size_t voice, int source,
                       const json_t *choice) {
    const struct hub_domain *domain = fields->explaining->domain;
    bool is_union = domain->contract.fields[field].is_union;
    if (source == (int)voice)
        return why_chosen(fields, field, voice, choice);
    if (source == HUB_SOURCE_SEVERAL || (is_union && source >= 0))
        return "has a share: what several state is put together";
    if (source < 0)
        return "not chosen";
    if (choice != NULL)
        return "not chosen by the person who decided";
    return hub_merge_reason(domain, fields->voices.items, fields->voices.count, field,
                            (size_t)source, voice, fields->arena);
}

static json_t *explain_voice(struct fields *fields, size_t field, size_t voice, int source,
                             const json_t *choice) {
    const struct hub_field *own = &fields->explaining->domain->schema->root->fields[field];
    const struct hub_voice *speaker = &fields->voices.items[voice];
    const struct hub_ctl_origin *origin = &fields->voices.origins[voice];
    struct hub_bytes bytes;
    if (!states(fields, voice, field, &bytes))
        return NULL;
    bool shares = source == HUB_SOURCE_SEVERAL;
    json_t *told = json_pack(
        "{s:s, s:s, s:b, s:b, s:s, s:o?, s:{s:s, s:I, s:I}, s:s, s:s}", "statement", speaker->key,
        "institution", speaker->institution, "chosen", source == (int)voice, "shares", shares,
        "why", why(fields, field, voice, source, choice), "value", value_of(own->type, bytes),
        "log", "topic", hub_arena_format(fields->arena, "log.%s", fields->explaining->domain->name),
        "partition", json_integer_value(json_object_get(fields->explaining->record, "partition")),
        "offset", (json_int_t)origin->offset, "document", origin->document, "place", origin->place);
    add_lineage(fields, voice, field, told);
    return told;
}

static json_t *list_rules(const struct hub_field_contract *contract) {
    json_t *rules = json_array();
    for (size_t i = 0; i < contract->rule_count; i++) {
        HUB_SCOPED_BUFFER text = {0};
        hub_merge_rule_append(contract, i, &text);
        json_array_append_new(rules, json_string(hub_buffer_text(&text)));
    }
    json_array_append_new(rules, json_string("rank of the system"));
    json_array_append_new(rules, json_string("smaller statement key"));
    return rules;
}

static json_t *explain_field(struct fields *fields, size_t field) {
    const struct hub_field_contract *contract =
        &fields->explaining->domain->contract.fields[field];
    const char *name = contract->field->name;
    const json_t *sources = json_object_get(fields->unified, "sources");
    int source = (int)json_integer_value(json_object_get(sources, name));
    json_t *conflicts = list_conflicts(fields, name);
    const json_t *choice = choice_of(conflicts, name);
    json_t *statements = json_array();
    for (size_t voice = 0; voice < fields->voices.count; voice++) {
        json_t *told = explain_voice(fields, field, voice, source, choice);
        if (told != NULL)
            json_array_append_new(statements, told);
    }
    json_t *value = json_object_get(json_object_get(fields->unified, "value"), name);
    return json_pack("{s:s, s:O?, s:b, s:o, s:o, s:o}", "field", name, "value", value, "union",
                     contract->is_union, "rules", list_rules(contract), "conflicts", conflicts,
                     "statements", statements);
}

/* --- as text --- */

static void print_origin(const json_t *origin) {
    HUB_SCOPED_BUFFER text = {0};
    const json_t *when = json_object_get(origin, "when");
    hub_lineage_append_source(json_object_get(origin, "source"), &text);
    if (when != NULL) {
        hub_buffer_append_text(&text, ", where ");
        hub_lineage_append_conditions(when, &text);
    }
    printf("        %s: %s\n", text_of(origin, "target"), hub_buffer_text(&text));
}

static void print_lineage(const json_t *statement) {
    const json_t *records = json_object_get(statement, "records"), *record, *origin;
    const json_t *log = json_object_get(statement, "log");
    const char *place = text_of(statement, "place");
    size_t i, k;
    printf("      %s%s%s, %s/%lld@%lld\n", text_of(statement, "document"),
           *place == '\0' ? "" : " ", place, text_of(log, "topic"),
           (long long)json_integer_value(json_object_get(log, "partition")),
           (long long)json_integer_value(json_object_get(log, "offset")));
    if (records == NULL) {
        printf("      from where in it is not known: %s\n", text_of(statement, "unknown"));
        return;
    }
    json_array_foreach((json_t *)records, i, record) {
        HUB_SCOPED_BUFFER text = {0};
        const json_t *when = json_object_get(record, "when");
        hub_lineage_append_conditions(when, &text);
        printf("      by %s:%lld%s%s%s\n", text_of(statement, "configuration"),
               (long long)json_integer_value(json_object_get(record, "line")),
               text.size == 0 ? "" : ", where ", text.size == 0 ? "" : hub_buffer_text(&text),
               json_object_get(record, "update") == NULL ? "" : ", laid over what was said before");
        json_array_foreach(json_object_get(record, "origins"), k, origin)
            print_origin(origin);
    }
}

static void print_decision(const json_t *conflict) {
    const json_t *decision = json_object_get(conflict, "decision");
    const json_t *proposal = json_object_get(conflict, "proposal");
    printf("  conflict %s is %s", text_of(conflict, "conflict"), text_of(conflict, "state"));
    if (decision != NULL && json_is_object(decision)) {
        const char *second = text_of(decision, "confirmed_by");
        printf("; %s by %s%s%s%s: %s", text_of(decision, "kind"), text_of(decision, "decided_by"),
               *second == '\0' ? "" : " and ", second,
               json_is_true(json_object_get(conflict, "choice_holds")) ? ", which holds" : "",
               text_of(decision, "reason"));
    }
    if (json_is_object(proposal))
        printf("; %s proposed by %s: %s", text_of(proposal, "kind"),
               text_of(proposal, "decided_by"), text_of(proposal, "reason"));
    printf("\n");
}

static void print_value(const char *text) {
    text = text == NULL ? "null" : text;
    printf("%.*s\n", (int)hub_text_cut(hub_bytes_of_text(text), VALUE_SIZE_MAX), text);
}

static void print_field(const json_t *field) {
    const json_t *statements = json_object_get(field, "statements"), *item;
    char *value = json_dumps(json_object_get(field, "value"), JSON_ENCODE_ANY | JSON_COMPACT);
    size_t i;
    printf("\n%s: ", text_of(field, "field"));
    print_value(value);
    free(value);
    if (json_array_size(statements) == 0)
        printf("  nobody states it\n");
    if (json_array_size(statements) > 1) {
        bool is_union = json_is_true(json_object_get(field, "union"));
        printf("  %s by", is_union ? "put together" : "chosen");
        json_array_foreach(json_object_get(field, "rules"), i, item)
            printf("%s %zu %s", i == 0 ? "" : ";", i + 1, json_string_value(item));
        printf("\n");
    }
    json_array_foreach(json_object_get(field, "conflicts"), i, item)
        print_decision(item);
    json_array_foreach((json_t *)statements, i, item) {
        char *own = json_dumps(json_object_get(item, "value"), JSON_ENCODE_ANY | JSON_COMPACT);
        bool counts = json_is_true(json_object_get(item, "chosen")) ||
                      json_is_true(json_object_get(item, "shares"));
        printf("  %s %s (%s): %s\n", counts ? "*" : "-", text_of(item, "statement"),
               text_of(item, "institution"), text_of(item, "why"));
        printf("      ");
        print_value(own);
        free(own);
        print_lineage(item);
    }
}

static void print_all(const json_t *told) {
    const char *rules = text_of(told, "rules"), *now = text_of(told, "rules_now");
    size_t i;
    const json_t *field;
    printf("%s, revision %lld, by rules %s and core %lld; founded by %s\n",
           text_of(told, "entity_id"),
           (long long)json_integer_value(json_object_get(told, "revision")), rules,
           (long long)json_integer_value(json_object_get(told, "core")), text_of(told, "founder"));
    if (strcmp(rules, now) != 0)
        printf("the rules here are %s: why one came before another is told by these\n", now);
    json_array_foreach(json_object_get(told, "fields"), i, field)
        print_field(field);
}

/* --- all of it --- */

static json_t *explain_all(struct fields *fields, const char *wanted) {
    const struct hub_domain *domain = fields->explaining->domain;
    json_t *list = json_array();
    for (size_t field = 1; field < domain->contract.count; field++)
        if (wanted == NULL ||
            strcmp(domain->contract.fields[field].field->name, wanted) == 0)
            json_array_append_new(list, explain_field(fields, field));
    if (json_array_size(list) == 0) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:s, s:O, s:s, s:s, s:O, s:s, s:o}", "entity_id",
                     text_of(fields->unified, "entity_id"), "revision",
                     json_object_get(fields->unified, "revision"), "rules",
                     text_of(fields->unified, "rules"), "rules_now", domain->rules, "core",
                     json_object_get(fields->unified, "core"), "founder",
                     text_of(fields->unified, "founder"), "fields", list);
}

static enum hub_exit show(struct fields *fields) {
    json_t *told = explain_all(fields, fields->wanted);
    if (told == NULL) {
        fprintf(stderr, "hubctl: the domain has no field %s\n", fields->wanted);
        return HUB_EXIT_NOT_FOUND;
    }
    if (fields->explaining->ctl->json)
        hub_ctl_explain_json(fields->explaining->ctl, told);
    else
        print_all(told);
    json_decref(told);
    return HUB_EXIT_OK;
}

static enum hub_exit explain_one(void *context) {
    struct fields *fields = context;
    hub_ctl_voices_clear(&fields->voices);
    fields->unified = json_object_get(fields->explaining->record, "value");
    if (!hub_ctl_voices_add(&fields->voices, fields->explaining->record))
        return HUB_EXIT_UNREACHABLE;
    return show(fields);
}

enum hub_exit hub_ctl_explain_fields(struct hub_ctl_explaining *explaining, const char *field) {
    struct hub_ctl *ctl = explaining->ctl;
    struct fields fields = {.explaining = explaining, .wanted = field};
    enum hub_exit code = HUB_EXIT_UNREACHABLE;
    fields.arena = &fields.voices.arena;
    hub_ctl_configurations_open(ctl->catalogue, ctl->connectors, &fields.configurations);
    fields.conflicts = hub_ctl_latest(ctl, "conflict.");
    if (fields.conflicts != NULL && hub_ctl_voices_open(ctl, explaining->domain, &fields.voices)) {
        code = hub_ctl_explain_each(explaining, explain_one, &fields);
        hub_ctl_voices_close(&fields.voices);
    }
    json_decref(fields.conflicts);
    hub_ctl_configurations_close(&fields.configurations);
    return code;
}
