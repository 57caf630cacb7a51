#include "connectors/kit/planning.h"

#include "hub/io/clock.h"

#include <string.h>

enum { PLANNED_BYTES_MAX = 16 * 1024 * 1024 };

/* --- places --- */

static enum hub_status add_places(struct hub_planning *planning, const char *topic,
                                  bool *ret_has_news, struct hub_error *reterr) {
    int32_t count = 0;
    HUB_TRY(hub_reader_partition_count(planning->reader, topic, &count, reterr));
    if (count < 0)
        return hub_fail(reterr, HUB_RETRY, "there is no topic %s yet", topic);
    for (int32_t i = 0; i < count; i++) {
        struct hub_kafka_partition end = {topic, i, -1, NULL};
        if (hub_plan_find(planning->plan, topic, i) != NULL)
            continue;
        *ret_has_news = true;
        if (hub_subscription_begins_now(planning->subscription))
            HUB_TRY(hub_reader_ends(planning->reader, &end, 1, reterr));
        HUB_TRY(hub_plan_add(planning->plan, topic, i, end.offset, reterr));
    }
    return HUB_OK;
}

static bool is_subscribed(const struct hub_planning *planning, const char *topic) {
    for (size_t i = 0; planning->subscription->topics[i] != NULL; i++)
        if (strcmp(planning->subscription->topics[i], topic) == 0)
            return true;
    return false;
}

enum hub_status hub_planning_open(struct hub_planning *planning, bool *ret_has_news,
                                  struct hub_error *reterr) {
    const struct hub_subscription *subscription = planning->subscription;
    bool has_news = false;
    for (size_t i = 0; subscription->topics[i] != NULL; i++)
        HUB_TRY(add_places(planning, subscription->topics[i], &has_news, reterr));
    planning->noticed_ms =
        hub_allocate_zero(planning->plan->place_count, sizeof *planning->noticed_ms);
    planning->pace = subscription->outbound->pace(subscription->outbound_options);
    *ret_has_news = has_news;
    return HUB_OK;
}

void hub_planning_close(struct hub_planning *planning) {
    hub_release(planning->noticed_ms);
    hub_arena_destroy(&planning->arena);
}

/* --- reading --- */

static struct hub_bytes copy(struct hub_arena *arena, bool is_there, struct hub_bytes bytes) {
    if (!is_there)
        return hub_bytes(NULL, 0);
    return hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
}

/* The record's own bytes are gone when the reading is over. */
static void keep(struct hub_planning *planning, const struct hub_kafka_record *record,
                 struct hub_planned *planned) {
    struct hub_arena *arena = &planning->arena;
    planned->is_found = true;
    planned->record = *record;
    planned->record.key = copy(arena, record->has_key, record->key);
    planned->record.value = copy(arena, record->has_value, record->value);
    planned->record.header_count = 0;
    if (record->header_count == 1) {
        struct hub_kafka_header *header = hub_arena_take(arena, sizeof *header);
        *header = (struct hub_kafka_header){"ce_type",
                                            copy(arena, true, record->headers[0].value)};
        planned->record.headers = header;
        planned->record.header_count = 1;
    }
    planning->size += record->key.size + record->value.size;
}

struct gathering {
    struct hub_planning *planning;
    struct hub_kafka_partition *place;
    bool is_full;
};

static enum hub_status take_new(void *context, const struct hub_kafka_record *record,
                                struct hub_error *reterr) {
    struct gathering *gathering = context;
    struct hub_planning *planning = gathering->planning;
    struct hub_planned *planned = &planning->planned[planning->count++];
    (void)reterr;
    keep(planning, record, planned);
    planned->record.topic = gathering->place->topic;
    hub_plan_take(planning->plan, gathering->place, record->offset);
    gathering->is_full = planning->count == planning->pace.planned_max ||
                         planning->size >= PLANNED_BYTES_MAX;
    return gathering->is_full ? HUB_REJECT : HUB_OK; /* ends the reading */
}

static void begin_plan(struct hub_planning *planning, size_t count) {
    hub_arena_reset(&planning->arena);
    planning->planned = hub_arena_take_zero(&planning->arena, count, sizeof *planning->planned);
    planning->count = planning->size = 0;
}

static enum hub_status plan_place(struct hub_planning *planning, struct hub_kafka_partition *place,
                                  int64_t end, struct hub_error *reterr) {
    struct gathering gathering = {planning, place, false};
    int64_t next = 0;
    begin_plan(planning, planning->pace.planned_max);
    enum hub_status status =
        hub_reader_read(planning->reader, place->topic, place->partition,
                        place->offset < 0 ? 0 : place->offset, end, take_new, &gathering, &next,
                        reterr);
    if (status != HUB_OK && !gathering.is_full)
        return status;
    place->offset = next;
    return HUB_OK;
}

/* Whether it is time to plan what is new there: a file of several events waits to become full. */
static bool is_ripe(struct hub_planning *planning, size_t index, int64_t end) {
    const struct hub_kafka_partition *place = &planning->plan->places[index];
    int64_t *noticed_ms = &planning->noticed_ms[index], now_ms = hub_clock_monotonic_ms();
    if (!is_subscribed(planning, place->topic) || end <= place->offset || end <= 0)
        return false;
    *noticed_ms = *noticed_ms == 0 ? now_ms : *noticed_ms;
    int64_t begin = place->offset < 0 ? 0 : place->offset;
    bool ripe = planning->once || now_ms - *noticed_ms >= planning->pace.wait_ms ||
                end - begin >= (int64_t)planning->pace.planned_max;
    *noticed_ms = ripe ? 0 : *noticed_ms;
    return ripe;
}

/* Of the offsets of a place some are of nobody's record, and lead to no plan. */
enum hub_status hub_planning_make(struct hub_planning *planning, struct hub_error *reterr) {
    struct hub_plan *plan = planning->plan;
    size_t count = plan->place_count;
    struct hub_kafka_partition *ends = hub_copy_bytes(plan->places, count * sizeof *ends);
    enum hub_status status = hub_reader_ends(planning->reader, ends, count, reterr);
    for (size_t i = 0; status == HUB_OK && plan->count == 0 && i < count; i++) {
        size_t index = (planning->turn + i) % count;
        if (!is_ripe(planning, index, ends[index].offset))
            continue;
        status = plan_place(planning, &plan->places[index], ends[index].offset, reterr);
        if (plan->count > 0)
            planning->turn = index + 1;
    }
    hub_release(ends);
    return status;
}

static enum hub_status take_again(void *context, const struct hub_kafka_record *record,
                                  struct hub_error *reterr) {
    struct hub_planning *planning = context;
    const struct hub_plan *plan = planning->plan;
    (void)reterr;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->offsets[i] == record->offset) {
            keep(planning, record, &planning->planned[i]);
            planning->planned[i].record.topic = plan->topic;
        }
    return HUB_OK;
}

enum hub_status hub_planning_again(struct hub_planning *planning, struct hub_error *reterr) {
    const struct hub_plan *plan = planning->plan;
    begin_plan(planning, plan->count);
    planning->count = plan->count;
    for (size_t i = 0; i < plan->count; i++)
        planning->planned[i].record = (struct hub_kafka_record){
            .topic = plan->topic, .partition = plan->partition, .offset = plan->offsets[i]};
    return hub_reader_read(planning->reader, plan->topic, plan->partition, plan->offsets[0],
                           plan->offsets[plan->count - 1] + 1, take_again, planning, NULL, reterr);
}
