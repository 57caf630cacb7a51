#include "connectors/kit/plan.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

struct hub_kafka_partition *hub_plan_find(const struct hub_plan *plan, const char *topic,
                                          int32_t partition) {
    for (size_t i = 0; i < plan->place_count; i++)
        if (plan->places[i].partition == partition && strcmp(plan->places[i].topic, topic) == 0)
            return &plan->places[i];
    return NULL;
}

enum hub_status hub_plan_add(struct hub_plan *plan, const char *topic, int32_t partition,
                             int64_t offset, struct hub_error *reterr) {
    if (plan->place_count == HUB_PLAN_PLACES_MAX)
        return hub_fail(reterr, HUB_FATAL, "more than %d partitions; fewer topics would pass",
                        HUB_PLAN_PLACES_MAX);
    HUB_GROW(plan->places, plan->place_count, plan->place_capacity);
    plan->places[plan->place_count++] = (struct hub_kafka_partition){
        hub_arena_text(&plan->arena, topic, strlen(topic)), partition, offset, NULL};
    return HUB_OK;
}

void hub_plan_take(struct hub_plan *plan, const struct hub_kafka_partition *place, int64_t offset) {
    assert(plan->count < HUB_PLAN_MAX);
    plan->topic = place->topic;
    plan->partition = place->partition;
    plan->offsets[plan->count++] = offset;
}

void hub_plan_done(struct hub_plan *plan, size_t count) {
    assert(count <= plan->count);
    plan->next += (int64_t)count;
    plan->count -= count;
    memmove(plan->offsets, plan->offsets + count, plan->count * sizeof *plan->offsets);
    plan->since_ms = 0;
    if (plan->count == 0)
        plan->topic = NULL;
}

void hub_plan_free(struct hub_plan *plan) {
    hub_release(plan->places);
    hub_arena_destroy(&plan->arena);
    *plan = (struct hub_plan){0};
}

/* --- as a text --- */

static enum hub_status is_none(struct hub_error *reterr, const char *name, const char *passes) {
    return hub_fail(reterr, HUB_FATAL, "position: '%s' must be %s", name, passes);
}

static enum hub_status read_planned(const json_t *planned, struct hub_plan *plan,
                                    struct hub_error *reterr) {
    static const char passes[] = "null, or a topic, a partition and rising offsets";
    const char *topic = json_string_value(json_object_get(planned, "topic"));
    const json_t *partition = json_object_get(planned, "partition");
    const json_t *offsets = json_object_get(planned, "offsets"), *offset;
    int64_t last = -1;
    size_t i;
    if (planned == NULL || json_is_null(planned))
        return HUB_OK;
    if (topic == NULL || !json_is_integer(partition) || json_integer_value(partition) < 0 ||
        json_integer_value(partition) > INT32_MAX || json_array_size(offsets) == 0 ||
        json_array_size(offsets) > HUB_PLAN_MAX)
        return is_none(reterr, "planned", passes);
    plan->topic = hub_arena_text(&plan->arena, topic, strlen(topic));
    plan->partition = (int32_t)json_integer_value(partition);
    json_array_foreach(offsets, i, offset) {
        if (!json_is_integer(offset) || json_integer_value(offset) <= last)
            return is_none(reterr, "planned", passes);
        plan->offsets[plan->count++] = last = json_integer_value(offset);
    }
    return HUB_OK;
}

static enum hub_status read_places(json_t *read, struct hub_plan *plan, struct hub_error *reterr) {
    static const char passes[] = "an object of topics with an offset, or -1, for each partition";
    const char *topic;
    json_t *offsets, *offset;
    size_t i;
    if (!json_is_object(read))
        return is_none(reterr, "read", passes);
    json_object_foreach(read, topic, offsets) {
        if (!json_is_array(offsets))
            return is_none(reterr, "read", passes);
        json_array_foreach(offsets, i, offset) {
            if (!json_is_integer(offset) || json_integer_value(offset) < -1)
                return is_none(reterr, "read", passes);
            HUB_TRY(hub_plan_add(plan, topic, (int32_t)i, json_integer_value(offset), reterr));
        }
    }
    return HUB_OK;
}

static enum hub_status read_whole(const json_t *whole, struct hub_plan *plan,
                                  struct hub_error *reterr) {
    const json_t *next = json_object_get(whole, "next");
    const char *ended = json_string_value(json_object_get(whole, "ended"));
    plan->since_ms = json_integer_value(json_object_get(whole, "since_ms"));
    if (!json_is_integer(next) || json_integer_value(next) < 1)
        return is_none(reterr, "next", "a number from 1 on");
    plan->next = json_integer_value(next);
    if (ended != NULL)
        plan->ended = hub_arena_text(&plan->arena, ended, strlen(ended));
    HUB_TRY(read_places(json_object_get(whole, "read"), plan, reterr));
    return read_planned(json_object_get(whole, "planned"), plan, reterr);
}

enum hub_status hub_plan_read(const char *text, struct hub_plan *plan, struct hub_error *reterr) {
    json_error_t wrong;
    *plan = (struct hub_plan){.next = 1};
    if (text == NULL)
        return HUB_OK;
    json_t *whole = json_loads(text, 0, &wrong);
    enum hub_status status = whole == NULL
                                 ? hub_fail(reterr, HUB_FATAL, "position: %s", wrong.text)
                                 : read_whole(whole, plan, reterr);
    json_decref(whole);
    if (status != HUB_OK)
        hub_plan_free(plan);
    return status;
}

static json_t *planned_of(const struct hub_plan *plan) {
    if (plan->count == 0)
        return json_null();
    json_t *offsets = json_array();
    for (size_t i = 0; i < plan->count; i++)
        json_array_append_new(offsets, json_integer(plan->offsets[i]));
    return json_pack("{s:s, s:i, s:o}", "topic", plan->topic, "partition", (int)plan->partition,
                     "offsets", offsets);
}

/* Partitions of a topic are added in their order, so that each stands at its number. */
static json_t *read_of(const struct hub_plan *plan) {
    json_t *read = json_object();
    for (size_t i = 0; i < plan->place_count; i++) {
        const struct hub_kafka_partition *place = &plan->places[i];
        if (json_object_get(read, place->topic) == NULL)
            json_object_set_new(read, place->topic, json_array());
        json_array_append_new(json_object_get(read, place->topic), json_integer(place->offset));
    }
    return read;
}

void hub_plan_write(const struct hub_plan *plan, struct hub_buffer *buffer) {
    json_t *whole = json_pack("{s:I, s:o, s:o, s:I, s:s?}", "next", (json_int_t)plan->next,
                              "planned", planned_of(plan), "read", read_of(plan), "since_ms",
                              (json_int_t)plan->since_ms, "ended", plan->ended);
    char *text = hub_need(json_dumps(hub_need(whole), JSON_COMPACT | JSON_SORT_KEYS));
    hub_buffer_append_text(buffer, text);
    hub_release(text);
    json_decref(whole);
}
