/* hubctl match list, match show: pairs of entities that wait for a person, compared field by field.
 *
 * What is shown is made as JSON first; the text is that, laid out. */
#include "hub/ctl/read.h"

#include "hub/core/equal.h"
#include "hub/stages/record.h"
#include "schemas/lib/slice.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_SIZE_MAX = 48, LIST_MAX = 256 };

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static const char *nth_text(const json_t *object, const char *name, size_t index) {
    const char *text = json_string_value(json_array_get(json_object_get(object, name), index));
    return text == NULL ? "" : text;
}

/* What a match says was decided, and what somebody wants decided. */
static const char *const decisions[] = {"decision", "proposal"};

/* --- list --- */

static void add_row(struct hub_ctl_table *table, const json_t *match) {
    HUB_SCOPED_BUFFER reasons = {0};
    const json_t *evidence;
    size_t i;
    json_array_foreach(json_object_get(match, "evidence"), i, evidence)
        hub_buffer_append_format(&reasons, "%s%s %s", i == 0 ? "" : "; ",
                                 text_of(evidence, "kind"), text_of(evidence, "detail"));
    for (size_t k = 0; k < 2; k++) {
        const json_t *decision = json_object_get(match, decisions[k]);
        if (json_is_object(decision))
            hub_buffer_append_format(&reasons, "%s%s %s by %s", reasons.size == 0 ? "" : "; ",
                                     text_of(decision, "kind"), text_of(decision, "state"),
                                     text_of(decision, "decided_by"));
    }
    hub_ctl_table_cell(table, "%s", text_of(match, "state"));
    hub_ctl_table_cell(table, "%s", text_of(match, "match_id"));
    hub_ctl_table_cell(table, "%lld",
                       (long long)json_integer_value(json_object_get(match, "events")));
    hub_ctl_table_cell(table, "%s", hub_buffer_text(&reasons));
}

enum hub_exit hub_ctl_match_list(struct hub_ctl *ctl) {
    static const char *const head[] = {"STATE", "MATCH", "EVENTS", "EVIDENCE"};
    struct hub_ctl_table table = {.head = head, .columns = 4};
    size_t i;
    json_t *record, *list = json_array();
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    json_t *latest = hub_ctl_latest(ctl, "match.");
    if (latest == NULL)
        return HUB_EXIT_UNREACHABLE;
    json_array_foreach(latest, i, record) {
        json_t *match = json_object_get(record, "value");
        bool open = strcmp(text_of(match, "state"), "OPEN") == 0;
        if ((!open && !ctl->all) || (int64_t)json_array_size(list) >= ctl->limit)
            continue;
        json_array_append(list, match);
        add_row(&table, match);
    }
    if (ctl->json) {
        json_dumpf(list, stdout, JSON_INDENT(1));
        printf("\n");
    } else {
        hub_ctl_table_print(&table);
    }
    hub_ctl_table_free(&table);
    json_decref(list);
    json_decref(latest);
    return HUB_EXIT_OK;
}

/* --- the two entities --- */

/* The latest unified record of one of them. */
struct side {
    const char *id;
    char *message;
    size_t message_size;
    json_t *unified;         /* rendered; NULL: there is none */
    struct hub_buffer scratch;
    struct hub_bytes value;  /* of the domain; of size 0 where it is null */
};

struct comparing {
    struct hub_ctl *ctl;
    const json_t *match;
    const struct hub_domain *domain;
    struct side sides[2];
};

static bool take_side(void *context, const struct hub_ctl_record *record) {
    struct comparing *comparing = context;
    for (size_t i = 0; i < 2; i++) {
        struct side *side = &comparing->sides[i];
        if (!hub_bytes_equal_text(record->key, side->id))
            continue;
        hub_release(side->message);
        json_decref(side->unified);
        side->message = hub_copy_bytes(record->value.data, record->value.size);
        side->message_size = record->value.size;
        side->unified = hub_ctl_value(record);
    }
    return true;
}

static void open_value(struct comparing *comparing, struct side *side) {
    struct hub_record record;
    struct hub_error ignored;
    struct hub_bytes message = hub_bytes(side->message, side->message_size), value;
    if (side->unified != NULL &&
        hub_record_open(comparing->ctl->catalogue, comparing->domain->unified, message,
                        &side->scratch, &record, &ignored) == HUB_OK &&
        hub_slice_stated(hub_record_type(&record, "value"), hub_record_field(&record, "value"),
                         &value) != NULL)
        side->value = value;
}

static bool fetch_sides(struct comparing *comparing) {
    HUB_SCOPED_BUFFER topic = {0};
    struct hub_source *source = hub_ctl_source(comparing->ctl);
    hub_buffer_append_format(&topic, "unified.%s", comparing->domain->name);
    for (size_t i = 0; i < 2; i++)
        comparing->sides[i].id = nth_text(comparing->match, "entities", i);
    bool good = source != NULL && hub_ctl_read_topic(comparing->ctl, source,
                                                     hub_buffer_text(&topic), take_side, comparing);
    hub_source_free(source);
    for (size_t i = 0; i < 2; i++)
        open_value(comparing, &comparing->sides[i]);
    return good;
}

/* --- one field --- */

struct element {
    struct hub_bytes bytes;
    struct hub_buffer key;
};

struct elements {
    struct element items[LIST_MAX];
    size_t count;
};

static void read_elements(const struct hub_field_contract *contract, const struct hub_type *array,
                          struct hub_bytes bytes, struct elements *list) {
    struct hub_elements elements = hub_slice_elements(array, bytes);
    struct hub_bytes element;
    while (list->count < LIST_MAX && hub_slice_next(&elements, &element)) {
        struct element *item = &list->items[list->count++];
        *item = (struct element){.bytes = element};
        for (size_t i = 0; i < contract->key_count; i++) {
            const struct hub_field_contract *part =
                &contract->parts->fields[contract->key_fields[i]];
            hub_value_key_part(part, part->field->type,
                               hub_slice_field(array->items, element,
                                               (size_t)contract->key_fields[i]),
                               &item->key);
        }
        if (contract->key_count == 0)
            hub_value_key(contract, array->items, element, &item->key);
    }
}

/* "yes": the same keys, and what is under each agrees; "partly": that is so of those in common. */
static const char *compare_lists(const struct hub_field_contract *contract,
                                 const struct hub_type *array, struct hub_bytes a,
                                 struct hub_bytes b) {
    struct elements *lists = hub_allocate_zero(2, sizeof *lists);
    size_t common = 0, agreeing = 0;
    read_elements(contract, array, a, &lists[0]);
    read_elements(contract, array, b, &lists[1]);
    for (size_t i = 0; i < lists[0].count; i++)
        for (size_t k = 0; k < lists[1].count; k++) {
            struct element *x = &lists[0].items[i], *y = &lists[1].items[k];
            if (!hub_bytes_equal(hub_buffer_bytes(&x->key), hub_buffer_bytes(&y->key)))
                continue;
            common++;
            agreeing += hub_values_agree(contract, array->items, x->bytes, y->bytes);
        }
    bool whole = common == lists[0].count && common == lists[1].count;
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < lists[side].count; i++)
            hub_buffer_free(&lists[side].items[i].key);
    hub_release(lists);
    return common == 0 || agreeing < common ? "no" : whole ? "yes" : "partly";
}

/* By the field's hub:equal; "one" where only one of the two states it, NULL where neither does. */
static const char *compare_field(const struct comparing *comparing, size_t index) {
    const struct hub_type *root = comparing->domain->schema->root;
    const struct hub_field_contract *contract = &comparing->domain->contract.fields[index];
    const struct hub_type *type = contract->field->type;
    struct hub_bytes values[2];
    size_t stated = 0;
    for (size_t i = 0; i < 2; i++) {
        values[i] = hub_slice_field(root, comparing->sides[i].value, index);
        stated += !hub_slice_is_unstated(type, values[i]);
    }
    if (stated < 2)
        return stated == 0 ? NULL : "one";
    if (contract->is_union)
        return compare_lists(contract, type, values[0], values[1]);
    return hub_values_agree(contract, type, values[0], values[1]) ? "yes" : "no";
}

/* The statement that the value is from, with its place in the log. */
static json_t *tell_source(const json_t *unified, const char *field) {
    json_int_t index =
        json_integer_value(json_object_get(json_object_get(unified, "sources"), field));
    const json_t *statement =
        index < 0 ? NULL
                  : json_array_get(json_object_get(unified, "statements"), (size_t)index);
    if (statement == NULL)
        return json_string(index == -2 ? "several" : "");
    return json_sprintf("%s@%lld", text_of(statement, "key"),
                        (long long)json_integer_value(json_object_get(statement, "offset")));
}

static json_t *tell_field(const struct comparing *comparing, size_t index) {
    const char *name = comparing->domain->contract.fields[index].field->name;
    const char *equal = compare_field(comparing, index);
    json_t *values = json_array(), *sources = json_array();
    for (size_t i = 0; equal != NULL && i < 2; i++) {
        const json_t *unified = comparing->sides[i].unified;
        json_array_append(values, json_object_get(json_object_get(unified, "value"), name));
        json_array_append_new(sources, tell_source(unified, name));
    }
    json_t *told = equal == NULL ? NULL
                                 : json_pack("{s:s, s:s, s:O, s:O}", "field", name, "equal", equal,
                                             "values", values, "from", sources);
    json_decref(values);
    json_decref(sources);
    return told;
}

/* --- the evidence in words --- */

/* "x ~ y, same fields" */
static json_t *near_miss_in_words(const char *detail) {
    const char *second = strstr(detail, " ~ "), *same = strstr(detail, ", same ");
    int first_size = second == NULL ? 0 : (int)(second - detail);
    int second_size = second == NULL || same == NULL ? 0 : (int)(same - second - 3);
    if (second == NULL || same == NULL)
        return json_string(detail);
    return json_sprintf("%.*s and %.*s are %s, and both have the same %s", first_size, detail,
                        second_size, second + 3,
                        strncmp(detail, second + 3, (size_t)first_size) == 0 ||
                                strncmp(detail, second + 3, (size_t)second_size) == 0
                            ? "one number, which only one of them is sure of"
                            : "one slip of the hand apart",
                        same + 7);
}

static json_t *in_words(const json_t *evidence) {
    const char *kind = text_of(evidence, "kind"), *detail = text_of(evidence, "detail");
    const char *a = nth_text(evidence, "statements", 0), *b = nth_text(evidence, "statements", 1);
    if (strcmp(kind, "EXCLUSIVE") == 0)
        return json_sprintf("%s would join %s and %s, and give one entity two values of a scheme "
                            "that allows one", detail, a, b);
    if (strcmp(kind, "TIE") == 0)
        return json_sprintf("%s would join %s and %s, and others as good would join what "
                            "contradicts them: an equal tie joins neither", detail, a, b);
    if (strcmp(kind, "TOO_MANY") == 0)
        return json_sprintf("%s would join %s and %s, and make an entity of more statements than "
                            "one may have", detail, a, b);
    if (strcmp(kind, "RESEMBLANCE") == 0)
        return json_sprintf("they are alike where hub:possible looks: %s", detail);
    if (strcmp(kind, "NEAR_MISS") == 0)
        return near_miss_in_words(detail);
    return json_sprintf("%s: %s", kind, detail);
}

/* --- show --- */

static json_t *tell_side(const struct comparing *comparing, const struct side *side) {
    HUB_SCOPED_BUFFER label = {0};
    json_t *keys = json_array(), *statement;
    size_t i;
    json_array_foreach(json_object_get(side->unified, "statements"), i, statement)
        json_array_append(keys, json_object_get(statement, "key"));
    if (json_is_object(json_object_get(side->unified, "value")))
        hub_ctl_label(comparing->domain, json_object_get(side->unified, "value"), &label);
    return json_pack("{s:s, s:s, s:s, s:o}", "entity_id", side->id, "kind",
                     text_of(side->unified, "kind"), "label", hub_buffer_text(&label), "statements",
                     keys);
}

static json_t *tell(const struct comparing *comparing) {
    const struct side *sides = comparing->sides;
    json_t *told = json_object(), *fields = json_array(), *words = json_array(), *evidence;
    bool both = sides[0].value.size > 0 && sides[1].value.size > 0;
    size_t i;
    json_array_foreach(json_object_get(comparing->match, "evidence"), i, evidence)
        json_array_append_new(words, in_words(evidence));
    for (size_t index = HUB_FIELD_IDENTIFIERS; both && index < comparing->domain->contract.count;
         index++) {
        json_t *field = tell_field(comparing, index);
        if (field != NULL)
            json_array_append_new(fields, field);
    }
    json_object_set(told, "match", (json_t *)comparing->match);
    json_object_set_new(told, "entities", json_pack("[o, o]", tell_side(comparing, &sides[0]),
                                                    tell_side(comparing, &sides[1])));
    json_object_set_new(told, "why", words);
    json_object_set_new(told, "fields", fields);
    for (i = 0; both && i < 2; i++)
        json_object_set_new(told, i == 0 ? "join" : "separate",
                            json_sprintf("hubctl entity %s %s %s --reason TEXT",
                                         i == 0 ? "join" : "separate", sides[0].id, sides[1].id));
    return told;
}

/* At most so many bytes of a value, not cut within a character. */
static void add_value(struct hub_ctl_table *table, const json_t *value) {
    bool stated = value != NULL && !json_is_null(value) &&
                  !(json_is_array(value) && json_array_size(value) == 0);
    char *text = stated ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : hub_copy_text("");
    size_t size = strlen(text);
    bool cut = size > VALUE_SIZE_MAX;
    for (size = cut ? VALUE_SIZE_MAX : size; cut && ((unsigned char)text[size] & 0xc0) == 0x80;)
        size--;
    hub_ctl_table_cell(table, "%.*s%s", (int)size, text, cut ? "..." : "");
    free(text);
}

static void print_fields(const json_t *told) {
    static const char *const head[] = {"FIELD", "EQUAL", "FIRST", "FROM", "SECOND", "FROM"};
    struct hub_ctl_table table = {.head = head, .columns = 6};
    const json_t *field;
    size_t i;
    json_array_foreach(json_object_get(told, "fields"), i, field) {
        hub_ctl_table_cell(&table, "%s", text_of(field, "field"));
        hub_ctl_table_cell(&table, "%s", text_of(field, "equal"));
        for (size_t side = 0; side < 2; side++) {
            add_value(&table, json_array_get(json_object_get(field, "values"), side));
            hub_ctl_table_cell(&table, "%s", nth_text(field, "from", side));
        }
    }
    hub_ctl_table_print(&table);
    hub_ctl_table_free(&table);
}

static void print(const json_t *told) {
    const json_t *match = json_object_get(told, "match"), *item;
    size_t i;
    printf("%s is %s\n", text_of(match, "match_id"), text_of(match, "state"));
    json_array_foreach(json_object_get(told, "entities"), i, item) {
        printf("%s: %s %s %s\n", i == 0 ? "first" : "second", text_of(item, "entity_id"),
               text_of(item, "kind"), text_of(item, "label"));
    }
    json_array_foreach(json_object_get(told, "why"), i, item)
        printf("  %s\n", json_string_value(item));
    for (size_t k = 0; k < 2; k++) {
        const json_t *decision = json_object_get(match, decisions[k]);
        if (json_is_object(decision))
            printf("  %s %s by %s: %s\n", text_of(decision, "kind"), text_of(decision, "state"),
                   text_of(decision, "decided_by"), text_of(decision, "reason"));
    }
    if (json_array_size(json_object_get(told, "fields")) == 0)
        return;
    print_fields(told);
    printf("one thing:   %s\ntwo things:  %s\n", text_of(told, "join"), text_of(told, "separate"));
}

static void compare(struct comparing *comparing) {
    json_t *told = tell(comparing);
    if (comparing->ctl->json) {
        json_dumpf(told, stdout, JSON_INDENT(1));
        printf("\n");
    } else {
        print(told);
    }
    json_decref(told);
}

static const json_t *find_match(const json_t *latest, const char *id) {
    const json_t *record;
    size_t i;
    json_array_foreach((json_t *)latest, i, record)
        if (strcmp(text_of(record, "key"), id) == 0)
            return json_object_get(record, "value");
    return NULL;
}

enum hub_exit hub_ctl_match_show(struct hub_ctl *ctl) {
    enum hub_exit code = HUB_EXIT_NOT_FOUND;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    json_t *latest = hub_ctl_latest(ctl, "match.");
    if (latest == NULL)
        return HUB_EXIT_UNREACHABLE;
    struct comparing comparing = {.ctl = ctl, .match = find_match(latest, ctl->arguments[0])};
    if (comparing.match == NULL) {
        fprintf(stderr, "hubctl: there is no match %s\n", ctl->arguments[0]);
    } else {
        comparing.domain = hub_catalogue_domain(
            ctl->catalogue, hub_bytes_of_text(text_of(comparing.match, "domain")));
        code = fetch_sides(&comparing) ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
    }
    if (code == HUB_EXIT_OK)
        compare(&comparing);
    for (size_t i = 0; i < 2; i++) {
        hub_release(comparing.sides[i].message);
        hub_buffer_free(&comparing.sides[i].scratch);
        json_decref(comparing.sides[i].unified);
    }
    json_decref(latest);
    return code;
}
