/* What comes in: records of connectors, decisions and rules. */
#include "tests/sim/hubs.h"

#include "hub/stages/rules_entry.h"
#include "tests/lib/records.h"

static struct slot *admit_slot(struct hubs *hubs, const char *institution,
                               const char *key) {
    const struct hub_institution *own = hub_parties_institution(
        &test_catalogue()->parties, hub_bytes_of_text(institution));
    uint32_t hash = 0;
    for (const char *c = key; *c != '\0'; c++)
        hash = hash * 31 + (uint8_t)*c;
    int32_t number = (int32_t)(hash % HUB_INGEST_PARTITIONS);
    for (size_t i = 0; i < hubs->slot_count; i++)
        if (hubs->slots[i].kind == SLOT_ADMIT && hubs->slots[i].institution == own &&
            hubs->slots[i].number == number)
            return &hubs->slots[i];
    struct slot *slot = hubs_add_slot(hubs, SLOT_ADMIT, number);
    slot->institution = own;
    return slot;
}

static void publish(struct hubs *hubs, struct slot *slot, struct hub_bytes key,
                    struct hub_bytes value) {
    struct record record = {
        .has_key = true, .key = key, .value = value, .timestamp_ms = hubs->clock_ms};
    partition_append(&slot->own, &record, &hubs->arena);
}

void hubs_ingest(struct hubs *hubs, const char *institution, const char *key,
                 struct hub_bytes value) {
    struct slot *slot = admit_slot(hubs, institution, key);
    hubs_tell(hubs, "ingest   %s %s, %zu bytes, as %s/%d@%lld", institution, key, value.size,
              institution, slot->number, (long long)slot->own.next_offset);
    publish(hubs, slot, hub_bytes_of_text(key), value);
}

void hubs_decide(struct hubs *hubs, struct hub_bytes subject, struct hub_bytes value) {
    publish(hubs, &hubs->slots[0], subject, value);
}

static struct hub_bytes keep_bytes(struct hubs *hubs, struct hub_bytes bytes) {
    return hub_bytes(hub_arena_text(&hubs->arena, (const char *)bytes.data, bytes.size),
                     bytes.size);
}

void hubs_name_rules(struct hubs *hubs, struct hub_bytes message) {
    struct record record = {.kind = HUB_OUTPUT_LOG,
                            .has_key = true,
                            .key = hub_bytes_of_text(HUB_RULES_PREFIX "first"),
                            .value = keep_bytes(hubs, message),
                            .timestamp_ms = hubs->clock_ms};
    hubs->rules[hubs->rules_count++] = record.value;
    for (int32_t shard = 0; shard < hubs->shard_count; shard++) {
        record.partition = shard;
        partition_append(&hubs->logs[shard], &record, &hubs->arena);
    }
}

void hubs_rule(struct hubs *hubs, struct hub_bytes message) {
    const char *key = hub_arena_format(&hubs->arena, "%s%s", HUB_RULES_PREFIX,
                                       hubs->domain->name);
    hubs->rules[hubs->rules_count++] = keep_bytes(hubs, message);
    publish(hubs, &hubs->slots[0], hub_bytes_of_text(key), hubs->rules[hubs->rules_count - 1]);
}
