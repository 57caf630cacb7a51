/* `blank: {keep: N}`: a field that its source is known to leave blank now and then keeps what was last
 * said, for N readings. For how many it has been kept stands in the statement's reason and is read
 * back from there: nothing else remembers it, so a restart changes nothing.
 *
 *   kept while blank: start=2/3 end=1/3 */
#include "connectors/kit/mapping_plan.h"

#include "hub/base/text.h"

#include <stdlib.h>
#include <string.h>

static const char beginning[] = "kept while blank:";

enum { READINGS_MAX = 1000 };

enum hub_status map_load_blank(struct map_loader *loader, const struct hub_node *node,
                               struct map_value *value) {
    static const char *const keys[] = {"keep", NULL};
    const struct hub_node *keep = NULL;
    uint64_t readings = 0;
    if (node->kind == HUB_NODE_MAPPING) {
        HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
        keep = hub_node_get(node, "keep");
    }
    if (keep == NULL || keep->kind != HUB_NODE_SCALAR ||
        !hub_text_to_number(hub_bytes_of_text(keep->text), &readings) || readings < 1 ||
        readings > READINGS_MAX)
        return hub_node_fail(keep == NULL ? node : keep, loader->reterr,
                             "{keep: N}, with a number of readings from 1 to %d, would pass",
                             READINGS_MAX);
    value->blank_readings = (size_t)readings;
    loader->blank = node;
    return HUB_OK;
}

enum hub_status map_take_blank(struct map_loader *loader, const struct hub_field *field,
                               const struct map_target *target) {
    if (target->value == NULL || target->value->blank_readings == 0)
        return HUB_OK;
    if (target->null_branch < 0)
        return hub_node_fail(loader->blank, loader->reterr,
                             "field '%s' is never left out; 'blank' is for those that may be",
                             field->name);
    loader->blank = NULL;
    return HUB_OK;
}

enum hub_status map_refuse_blank(const struct map_loader *loader) {
    if (loader->blank == NULL)
        return HUB_OK;
    return hub_node_fail(loader->blank, loader->reterr,
                         "'blank' is for a whole field of the record; beside the 'from' of one under "
                         "'fields' it would pass");
}

/* For how many readings the earlier statement has kept the field. */
static size_t readings_kept(const avro_value_t *earlier, const char *field,
                            struct hub_arena *arena) {
    avro_value_t stamp, reason, text;
    const char *told = NULL;
    int branch = 0;
    int failed = avro_value_get_by_index(earlier, HUB_FIELD_STATEMENT, &stamp, NULL) ||
                 avro_value_get_by_name(&stamp, "reason", &reason, NULL) ||
                 avro_value_get_discriminant(&reason, &branch);
    if (failed != 0 || branch == 0 || avro_value_get_current_branch(&reason, &text) != 0 ||
        avro_value_get_string(&text, &told, NULL) != 0 ||
        strncmp(told, beginning, sizeof beginning - 1) != 0)
        return 0;
    const char *item = strstr(told, hub_arena_format(arena, " %s=", field));
    return item == NULL ? 0 : strtoul(strchr(item, '=') + 1, NULL, 10);
}

bool map_blank_keeps(struct map_run *run, const struct map_target *target,
                     const struct hub_field *field, const avro_value_t *value) {
    size_t limit = target->value == NULL ? 0 : target->value->blank_readings;
    int branch = 0;
    if (limit == 0 || avro_value_get_discriminant(value, &branch) != 0 ||
        branch == target->null_branch)
        return false;
    size_t reading = readings_kept(run->earlier, field->name, run->arena) + 1;
    if (reading > limit)
        return false;
    run->kept = hub_arena_format(run->arena, "%s %s=%zu/%zu",
                                 run->kept == NULL ? beginning : run->kept, field->name, reading,
                                 limit);
    return true;
}
