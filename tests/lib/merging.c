#include "tests/lib/merging.h"

#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <stdlib.h>
#include <string.h>

enum { VOICES_MAX = 64 };

struct merging {
    const struct hub_domain *domain;
    struct hub_arena arena;
    struct hub_voice voices[VOICES_MAX];
    size_t voice_count;
    struct hub_voice *last;
    const char *chosen; /* statement key */
    struct hub_choice choice;
    json_t *result;
};

struct merging *merging_new(const struct hub_domain *domain) {
    struct merging *merging = hub_allocate_zero(1, sizeof *merging);
    merging->domain = domain;
    return merging;
}

void merging_free(struct merging *merging) {
    json_decref(merging->result);
    hub_arena_destroy(&merging->arena);
    hub_release(merging);
}

static struct hub_bytes encode(struct merging *merging, const char *event_time, const char *json) {
    HUB_SCOPED_BUFFER body = {0};
    json_t *record = test_json(json);
    json_t *stamp = json_pack("{s:s}", "version", "1");
    if (event_time != NULL)
        json_object_set_new(stamp, "event_time", json_pack("{s:s}", "time", event_time));
    json_object_set_new(record, "statement", stamp);
    test_encode(merging->domain->schema->root, record, &body);
    json_decref(record);
    return hub_bytes(hub_arena_text(&merging->arena, (const char *)body.data, body.size),
                     body.size);
}

void merging_say(struct merging *merging, const char *key, const char *event_time,
                 const char *json) {
    const struct hub_domain *domain = merging->domain;
    struct hub_bytes body = encode(merging, event_time, json), name, rest;
    uint32_t *starts = hub_arena_take(&merging->arena, (HUB_FIELDS_MAX + 1) * sizeof *starts);
    hub_slice_fields(domain->schema->root, body, starts);
    struct hub_stamp stamp = hub_statement_stamp(domain, body, starts);
    hub_bytes_cut(hub_bytes_of_text(key), '/', &name, &rest);
    const struct hub_system *system = hub_parties_system(domain->parties, name);
    size_t at = merging->voice_count++;
    for (; at > 0 && strcmp(merging->voices[at - 1].key, key) > 0; at--)
        merging->voices[at] = merging->voices[at - 1];
    merging->last = &merging->voices[at];
    *merging->last = (struct hub_voice){.key = key,
                                        .system = system,
                                        .institution = system->carriers[0],
                                        .rank = hub_domain_system_rank(domain, name),
                                        .body = body,
                                        .starts = starts,
                                        .has_event_time = stamp.has_event_time,
                                        .event_time_ms = stamp.event_time_ms};
}

void merging_replaced(struct merging *merging, const char *status) {
    merging->last->replaced_status = status;
}

void merging_choose(struct merging *merging, const char *path, const char *key,
                    const char *values) {
    json_t *list = test_json(values);
    size_t count = json_array_size(list);
    const char **texts = hub_arena_take(&merging->arena, count * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        char *text = json_dumps(json_array_get(list, i), JSON_COMPACT | JSON_ENCODE_ANY);
        texts[i] = hub_arena_text(&merging->arena, text, strlen(text));
        free(text);
    }
    json_decref(list);
    merging->chosen = key;
    merging->choice = (struct hub_choice){.path = path, .values = texts, .value_count = count};
}

static json_t *show_source(const struct merging *merging, int source) {
    return source >= 0                     ? json_string(merging->voices[source].key)
           : source == HUB_SOURCE_SEVERAL ? json_string("several")
                                           : json_null();
}

static json_t *show_values(const struct merging *merging, const struct hub_conflict_found *found) {
    json_t *list = json_array();
    for (size_t i = 0; i < found->value_count; i++) {
        const struct hub_conflict_value *value = &found->values[i];
        json_t *statements = json_array();
        for (size_t k = 0; k < value->voice_count; k++)
            json_array_append_new(statements,
                                  json_string(merging->voices[value->voices[k]].key));
        json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "value",
                                              json_loads(value->text, JSON_DECODE_ANY, NULL),
                                              "statements", statements, "chosen", value->chosen));
    }
    return list;
}

static json_t *show_conflicts(const struct merging *merging, const struct hub_merged *merged) {
    static const char *const severities[] = {"minor", "major", "critical"};
    json_t *shown = json_object();
    for (size_t i = 0; i < merged->conflict_count; i++) {
        const struct hub_conflict_found *found = &merged->conflicts[i];
        HUB_SCOPED_BUFFER path = {0};
        hub_buffer_append_format(&path, "%s%s", found->path, found->mark);
        json_object_set_new(shown, hub_buffer_text(&path),
                            json_pack("{s:s, s:b, s:s?, s:o}", "severity",
                                      severities[found->severity], "decided", found->decided,
                                      "owner", found->owner, "values",
                                      show_values(merging, found)));
    }
    return shown;
}

const json_t *merging_result(struct merging *merging) {
    const struct hub_type *root = merging->domain->schema->root;
    struct hub_merged merged;
    HUB_SCOPED_BUFFER text = {0};
    json_t *sources = json_object();
    for (size_t i = 0; i < merging->voice_count; i++)
        if (merging->chosen != NULL && strcmp(merging->voices[i].key, merging->chosen) == 0)
            merging->choice.voice = i;
    struct hub_merge_input input = {.domain = merging->domain,
                                    .voices = merging->voices,
                                    .voice_count = merging->voice_count,
                                    .choices = &merging->choice,
                                    .choice_count = merging->choice.path != NULL};
    hub_merge(&input, &merging->arena, &merged);
    hub_render_json(root, merged.value, &text);
    for (size_t i = 0; i < root->count; i++)
        json_object_set_new(sources, root->fields[i].name,
                            show_source(merging, merged.sources[i]));
    json_decref(merging->result);
    merging->result = json_pack("{s:o, s:o, s:o}", "value",
                                json_loads(hub_buffer_text(&text), 0, NULL), "sources", sources,
                                "conflicts", show_conflicts(merging, &merged));
    return merging->result;
}

const json_t *merging_conflict(struct merging *merging, const char *path) {
    return json_object_get(json_object_get(merging_result(merging), "conflicts"), path);
}

static size_t index_of(const struct merging *merging, const char *key) {
    size_t i = 0;
    while (strcmp(merging->voices[i].key, key) != 0)
        i++;
    return i;
}

const char *merging_reason(struct merging *merging, const char *field, const char *winner,
                           const char *loser) {
    int index = hub_type_field(merging->domain->schema->root, field);
    return hub_merge_reason(merging->domain, merging->voices, merging->voice_count, (size_t)index,
                            index_of(merging, winner), index_of(merging, loser), &merging->arena);
}
