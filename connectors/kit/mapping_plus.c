/* A time that a source tells as a beginning and a duration: HL7 v2's AIL-6, AIL-9 and AIL-10, or an
 * event's DTSTART and DURATION in parts. */
#include "connectors/kit/mapping_plan.h"

#include "hub/base/text.h"
#include "schemas/lib/render.h"

#include <string.h>

enum { AMOUNT_MAX = 1000000000 };

/* UCUM's, and what HL7 v2 messages have instead of them. */
static const struct {
    const char *name;
    int64_t seconds;
} units[] = {{"s", 1},        {"sec", 1},    {"second", 1}, {"seconds", 1}, {"min", 60},
             {"minute", 60},  {"minutes", 60}, {"h", 3600},  {"hr", 3600},   {"hour", 3600},
             {"hours", 3600}, {"d", 86400},  {"day", 86400}, {"days", 86400}};

static int64_t seconds_of(const char *unit) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(units[i].name, unit) == 0)
            return units[i].seconds;
    return 0;
}

enum hub_status map_load_plus(struct map_loader *loader, const struct hub_node *node,
                              struct map_value *value) {
    static const char *const keys[] = {"to", "amount", "unit", "time", NULL};
    value->source = MAP_PLUS;
    if (node->kind != HUB_NODE_MAPPING || node->count != MAP_PLUS_PARTS + 1)
        return hub_node_fail(node, loader->reterr, "{to: VALUE, amount: VALUE, unit: VALUE, time: "
                             "{formats: [...]}} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    value->part_count = MAP_PLUS_PARTS;
    value->parts = hub_arena_take_zero(loader->arena, MAP_PLUS_PARTS, sizeof *value->parts);
    for (size_t i = 0; i < MAP_PLUS_PARTS; i++)
        HUB_TRY(map_load_value(loader, hub_node_get(node, keys[i]), NULL, &value->parts[i]));
    return map_load_time(loader, hub_node_get(node, "time"), &value->plus_time);
}

/* As RFC 3339 has it, with the beginning's own offset. */
static const char *written(struct map_run *run, const struct map_instant *instant) {
    HUB_SCOPED_BUFFER text = {0};
    int minutes = instant->offset_minutes < 0 ? -instant->offset_minutes : instant->offset_minutes;
    hub_render_time(instant->milliseconds + (int64_t)instant->offset_minutes * 60000, &text);
    return hub_arena_format(run->arena, "%.*s%c%02d:%02d", (int)(text.size - 1),
                            hub_buffer_text(&text), instant->offset_minutes < 0 ? '-' : '+',
                            minutes / 60, minutes % 60);
}

enum hub_status map_plus_text(struct map_run *run, struct map_value *value,
                              const struct hub_scope *scope, const char **ret_text) {
    const char *parts[MAP_PLUS_PARTS] = {NULL};
    struct map_instant instant;
    uint64_t amount = 0;
    *ret_text = NULL;
    for (size_t i = 0; i < MAP_PLUS_PARTS; i++) {
        HUB_TRY(map_value_text(run, &value->parts[i], scope, &parts[i]));
        if (parts[i] == NULL)
            return HUB_OK;
    }
    int64_t seconds = seconds_of(parts[2]);
    run->code = "TIME";
    if (!map_time_read(value->plus_time, parts[0], /* need_instant= */ true, &instant))
        return hub_fail(run->reterr, HUB_REJECT, "what is added to is %s",
                        map_time_refusal(value->plus_time, run->arena));
    if (!hub_text_to_number(hub_bytes_of_text(parts[1]), &amount) || amount > AMOUNT_MAX)
        return hub_fail(run->reterr, HUB_REJECT, "the amount to add is no whole number up to %d",
                        AMOUNT_MAX);
    if (seconds == 0)
        return hub_fail(run->reterr, HUB_REJECT, "the unit of the amount to add is not known; s, "
                        "min, h or d would pass");
    instant.milliseconds += (int64_t)amount * seconds * 1000;
    *ret_text = written(run, &instant);
    return HUB_OK;
}
