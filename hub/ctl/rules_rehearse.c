/* hubctl rules diff, its heart: the log's history folded by two rules in memory, and what differs. */
#include "hub/ctl/rules.h"

#include "hub/base/table.h"
#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "hub/stages/fold.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 3, SAMPLES_DEFAULT = 5 };

/* The last record of a key. */
struct kept {
    UT_hash_handle hh;
    char *key;
    uint8_t *value;
    size_t size;
};

/* The history by one of the rules. */
struct side {
    struct hub_rules *rules;
    struct hub_fold *fold;
    struct kept *kept[KINDS];
    json_t *records[KINDS]; /* {key: record}: ACTIVE entities, OPEN conflicts and matches */
    json_t *homes;          /* {statement key: entity id} */
};

/* Of what differs: how many, and a few of them. */
struct finding {
    const char *name;
    size_t count;
    json_t *samples;
};

enum { MERGED = 0, SPLIT, VALUES, SOURCES, OPENED, CLOSED, CHANGED, MATCHED, UNMATCHED, FINDINGS };

struct rehearsal {
    struct hub_ctl *ctl;
    const struct hub_domain *domain;
    struct side sides[2]; /* from, to */
    size_t samples_max;
    size_t entries;
    json_t *offsets; /* where reading ended, by shard */
    json_t *fields;  /* {field: values that changed} */
    struct finding findings[FINDINGS];
};

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* --- folding --- */

static void keep(struct side *side, const struct hub_output *output) {
    size_t kind = output->kind == HUB_OUTPUT_UNIFIED    ? 0
                  : output->kind == HUB_OUTPUT_CONFLICT ? 1
                                                        : 2;
    struct kept *kept = NULL;
    if (output->kind == HUB_OUTPUT_IDENTIFIER) /* follows from the others */
        return;
    HASH_FIND(hh, side->kept[kind], output->key.data, output->key.size, kept);
    if (kept == NULL) {
        kept = hub_allocate_zero(1, sizeof *kept);
        kept->key = hub_copy_bytes(output->key.data, output->key.size);
        HASH_ADD_KEYPTR(hh, side->kept[kind], kept->key, output->key.size, kept);
    }
    hub_release(kept->value);
    kept->value = hub_copy_bytes(output->value.data, output->value.size);
    kept->size = output->value.size;
}

static enum hub_status fold_record(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    struct rehearsal *rehearsal = context;
    struct hub_input input = {.has_key = record->has_key,
                              .has_value = record->has_value,
                              .key = record->key,
                              .value = record->value,
                              .headers = (const struct hub_header *)record->headers,
                              .header_count = record->header_count,
                              .partition = record->partition,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
    struct hub_bytes end;
    if (hub_rules_entry_is(&input) || hub_remerge_entry_is(&input, &end))
        return HUB_OK; /* each side is folded by its own from the beginning */
    rehearsal->entries++;
    enum hub_status status = HUB_OK;
    for (size_t i = 0; status == HUB_OK && i < 2; i++) {
        struct hub_arena arena = {0};
        struct hub_outputs outputs = {.arena = &arena};
        status = hub_fold_entry(rehearsal->sides[i].fold, &input, &outputs, reterr);
        for (size_t k = 0; status == HUB_OK && k < outputs.count; k++)
            keep(&rehearsal->sides[i], &outputs.items[k]);
        hub_arena_destroy(&arena);
    }
    return status;
}

static enum hub_status fold_shard(struct rehearsal *rehearsal, struct hub_source *source,
                                  int32_t shard, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    int64_t next = 0;
    const char *topic = hub_arena_format(&arena, "log.%s", rehearsal->domain->name);
    for (size_t i = 0; i < 2; i++)
        rehearsal->sides[i].fold =
            hub_fold_new(rehearsal->ctl->catalogue, &rehearsal->sides[i].rules->domain,
                         &hub_sha256, shard);
    enum hub_status status =
        hub_source_read(source, topic, shard, 0, -1, fold_record, rehearsal, &next, reterr);
    for (size_t i = 0; i < 2; i++)
        hub_fold_free(rehearsal->sides[i].fold);
    hub_arena_destroy(&arena);
    json_array_append_new(rehearsal->offsets, json_integer((json_int_t)next));
    return status;
}

static json_t *decode(const struct hub_ctl *ctl, const struct kept *kept) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error ignored;
    struct hub_bytes body;
    int32_t id = 0;
    if (hub_frame_open(hub_bytes(kept->value, kept->size), &id, &body, &ignored) != HUB_OK)
        return NULL;
    hub_render_json(hub_catalogue_by_id(ctl->catalogue, id)->root, body, &text);
    return json_loadb((const char *)text.data, text.size, 0, NULL);
}

/* What stands at the end. */
static void decode_side(const struct hub_ctl *ctl, struct side *side) {
    side->homes = json_object();
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct kept *kept, *next;
        side->records[kind] = json_object();
        HASH_ITER(hh, side->kept[kind], kept, next) {
            json_t *record = decode(ctl, kept), *statement;
            bool stands = strcmp(text_of(record, kind == 0 ? "kind" : "state"),
                                 kind == 0 ? "ACTIVE" : "OPEN") == 0;
            size_t i;
            if (stands)
                json_object_set(side->records[kind], kept->key, record);
            json_array_foreach(json_object_get(record, "statements"), i, statement) {
                if (stands && kind == 0)
                    json_object_set_new(side->homes, text_of(statement, "key"),
                                        json_string(kept->key));
            }
            json_decref(record);
            HASH_DELETE(hh, side->kept[kind], kept);
            hub_release(kept->key);
            hub_release(kept->value);
            hub_release(kept);
        }
    }
}

/* --- what differs --- */

static void add(struct rehearsal *rehearsal, size_t finding, json_t *sample) {
    struct finding *own = &rehearsal->findings[finding];
    if (own->count++ < rehearsal->samples_max)
        json_array_append(own->samples, sample);
    json_decref(sample);
}

/* The entities of the other side that hold the entity's statements, each once. */
static json_t *homes_of(const json_t *entity, const struct side *other) {
    json_t *ids = json_array(), *statement, *seen = json_object();
    size_t i;
    json_array_foreach(json_object_get(entity, "statements"), i, statement) {
        const char *id = text_of(other->homes, text_of(statement, "key"));
        if (*id != '\0' && json_object_get(seen, id) == NULL)
            json_array_append_new(ids, json_string(id));
        json_object_set_new(seen, id, json_true());
    }
    json_decref(seen);
    return ids;
}

static json_t *label_of(const struct rehearsal *rehearsal, const json_t *entity) {
    HUB_SCOPED_BUFFER label = {0};
    hub_ctl_label(rehearsal->domain, json_object_get(entity, "value"), &label);
    return json_string(hub_buffer_text(&label));
}

/* Entities of one side whose statements are several entities on the other. */
static void compare_clusters(struct rehearsal *rehearsal, size_t side, size_t finding) {
    const struct side *own = &rehearsal->sides[side], *other = &rehearsal->sides[1 - side];
    const char *id;
    json_t *entity;
    json_object_foreach(own->records[0], id, entity) {
        json_t *ids = homes_of(entity, other);
        if (json_array_size(ids) > 1)
            add(rehearsal, finding,
                json_pack("{s:s, s:o, s:O}", "entity", id, "label", label_of(rehearsal, entity),
                          "entities", ids));
        json_decref(ids);
    }
}

/* Whose value a field has; "" for nobody's, or several ones'. */
static const char *source_of(const json_t *entity, const char *field) {
    json_int_t index =
        json_integer_value(json_object_get(json_object_get(entity, "sources"), field));
    const json_t *statement =
        index < 0 ? NULL : json_array_get(json_object_get(entity, "statements"), (size_t)index);
    return text_of(statement, "key");
}

static json_t *side_of_winner(const json_t *entity, const char *field) {
    char *text = json_dumps(json_object_get(json_object_get(entity, "value"), field),
                            JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    json_t *side = json_pack("{s:s, s:s}", "value", text == NULL ? "null" : text, "statement",
                             source_of(entity, field));
    free(text);
    return side;
}

static void compare_fields(struct rehearsal *rehearsal, const char *id, const json_t *before,
                           const json_t *after) {
    const struct hub_type *record = rehearsal->domain->schema->root;
    for (size_t i = HUB_FIELD_IDENTIFIERS; i < record->count; i++) {
        const char *field = record->fields[i].name;
        json_t *was = side_of_winner(before, field), *is = side_of_winner(after, field);
        bool value = strcmp(text_of(was, "value"), text_of(is, "value")) != 0;
        if (value) {
            json_int_t count = json_integer_value(json_object_get(rehearsal->fields, field));
            json_object_set_new(rehearsal->fields, field, json_integer(count + 1));
        }
        if (!json_equal(was, is))
            add(rehearsal, value ? VALUES : SOURCES,
                json_pack("{s:s, s:o, s:s, s:O, s:O}", "entity", id, "label",
                          label_of(rehearsal, after), "field", field, "was", was, "is", is));
        json_decref(was);
        json_decref(is);
    }
}

/* Of entities that have the same statements on both sides. */
static void compare_winners(struct rehearsal *rehearsal) {
    const char *id;
    json_t *after;
    json_object_foreach(rehearsal->sides[1].records[0], id, after) {
        json_t *homes = homes_of(after, &rehearsal->sides[0]);
        const json_t *before = json_object_get(rehearsal->sides[0].records[0],
                                               json_string_value(json_array_get(homes, 0)));
        if (json_array_size(homes) == 1 &&
            json_array_size(json_object_get(before, "statements")) ==
                json_array_size(json_object_get(after, "statements")))
            compare_fields(rehearsal, id, before, after);
        json_decref(homes);
    }
}

static json_t *conflict_sample(const char *id, const json_t *conflict) {
    json_t *values = json_array(), *value;
    size_t i;
    json_array_foreach(json_object_get(conflict, "values"), i, value) {
        json_array_append(values, json_object_get(value, "value"));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "conflict", id, "field", text_of(conflict, "field"),
                     "severity", text_of(conflict, "severity"), "values", values);
}

static json_t *match_sample(const char *id, const json_t *match) {
    json_t *details = json_array(), *evidence;
    size_t i;
    json_array_foreach(json_object_get(match, "evidence"), i, evidence) {
        json_array_append(details, json_object_get(evidence, "detail"));
    }
    return json_pack("{s:s, s:o}", "match", id, "evidence", details);
}

/* What stands open on one side and not on the other. */
static void compare_open(struct rehearsal *rehearsal, size_t kind, size_t side, size_t finding) {
    const struct side *own = &rehearsal->sides[side], *other = &rehearsal->sides[1 - side];
    const char *id;
    json_t *record;
    json_object_foreach(own->records[kind], id, record) {
        const json_t *same = json_object_get(other->records[kind], id);
        if (same == NULL)
            add(rehearsal, finding,
                kind == 1 ? conflict_sample(id, record) : match_sample(id, record));
        else if (kind == 1 && side == 1 &&
                 strcmp(text_of(same, "severity"), text_of(record, "severity")) != 0)
            add(rehearsal, CHANGED, conflict_sample(id, record));
    }
}

static void compare(struct rehearsal *rehearsal) {
    compare_clusters(rehearsal, 1, MERGED);
    compare_clusters(rehearsal, 0, SPLIT);
    compare_winners(rehearsal);
    compare_open(rehearsal, 1, 1, OPENED);
    compare_open(rehearsal, 1, 0, CLOSED);
    compare_open(rehearsal, 2, 1, MATCHED);
    compare_open(rehearsal, 2, 0, UNMATCHED);
}

/* --- the report --- */

static json_t *make_report(const struct rehearsal *rehearsal, bool *ret_differs) {
    json_t *report = json_pack(
        "{s:s, s:s, s:s, s:i, s:O, s:I, s:[I, I], s:O}", "domain", rehearsal->domain->name,
        "from", rehearsal->sides[0].rules->domain.rules, "to",
        rehearsal->sides[1].rules->domain.rules, "core", HUB_CORE_VERSION, "offsets",
        rehearsal->offsets, "entries", (json_int_t)rehearsal->entries, "entities",
        (json_int_t)json_object_size(rehearsal->sides[0].records[0]),
        (json_int_t)json_object_size(rehearsal->sides[1].records[0]), "fields",
        rehearsal->fields);
    *ret_differs = false;
    for (size_t i = 0; i < FINDINGS; i++) {
        const struct finding *finding = &rehearsal->findings[i];
        *ret_differs = *ret_differs || finding->count > 0;
        json_object_set_new(report, finding->name,
                            json_pack("{s:I, s:O}", "count", (json_int_t)finding->count,
                                      "samples", finding->samples));
    }
    return report;
}

static void end_rehearsal(struct rehearsal *rehearsal) {
    for (size_t i = 0; i < 2; i++) {
        for (size_t kind = 0; kind < KINDS; kind++)
            json_decref(rehearsal->sides[i].records[kind]);
        json_decref(rehearsal->sides[i].homes);
    }
    for (size_t i = 0; i < FINDINGS; i++)
        json_decref(rehearsal->findings[i].samples);
    json_decref(rehearsal->offsets);
    json_decref(rehearsal->fields);
}

enum hub_exit hub_ctl_rules_rehearse(struct hub_ctl *ctl, const struct hub_domain *domain,
                                     struct hub_rules *from, struct hub_rules *to,
                                     char **ret_report, bool *ret_differs) {
    static const char *const names[FINDINGS] = {
        "merged",           "split",            "values_changed",    "sources_changed",
        "conflicts_opened", "conflicts_closed", "conflicts_changed", "matches_opened",
        "matches_closed"};
    struct rehearsal rehearsal = {.ctl = ctl,
                                  .domain = domain,
                                  .sides = {{.rules = from}, {.rules = to}},
                                  .samples_max = ctl->limit < INT64_MAX ? (size_t)ctl->limit
                                                                        : SAMPLES_DEFAULT,
                                  .offsets = json_array(),
                                  .fields = json_object()};
    struct hub_source *source = hub_ctl_source(ctl);
    struct hub_error error;
    enum hub_status status = HUB_OK;
    if (source == NULL) {
        end_rehearsal(&rehearsal);
        return HUB_EXIT_UNREACHABLE;
    }
    for (size_t i = 0; i < FINDINGS; i++)
        rehearsal.findings[i] = (struct finding){names[i], 0, json_array()};
    for (int32_t i = 0; status == HUB_OK && i < hub_topics_shard_count(domain); i++)
        status = fold_shard(&rehearsal, source, i, &error);
    hub_source_free(source);
    for (size_t i = 0; i < 2; i++)
        decode_side(ctl, &rehearsal.sides[i]);
    if (status == HUB_OK) {
        compare(&rehearsal);
        json_t *report = make_report(&rehearsal, ret_differs);
        *ret_report = json_dumps(report, JSON_SORT_KEYS | JSON_COMPACT);
        json_decref(report);
    } else {
        fprintf(stderr, "hubctl: %s\n", error.text);
    }
    end_rehearsal(&rehearsal);
    return status == HUB_OK ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}
