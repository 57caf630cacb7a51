#include "connectors/kit/position.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"

#include <string.h>

static const char topic[] = "position";

enum hub_status hub_read_settled(struct hub_reader *reader, const char *name, int32_t partition,
                                 enum hub_status (*take)(void *context,
                                                         const struct hub_kafka_record *record,
                                                         struct hub_error *reterr),
                                 void *context, struct hub_error *reterr) {
    struct hub_kafka_partition end = {name, partition, -1, NULL};
    HUB_TRY(hub_reader_settle(reader, &end, 1, reterr));
    return hub_reader_read(reader, name, partition, 0, end.offset, take, context, NULL, reterr);
}

struct reading {
    const struct hub_connector *connector;
    struct hub_position *position;
};

static enum hub_status take(void *context, const struct hub_kafka_record *record,
                            struct hub_error *reterr) {
    struct reading *reading = context;
    struct hub_position *position = reading->position;
    const struct hub_schema *schema = hub_catalogue_latest(reading->connector->catalogue, topic);
    struct hub_walk_limits limits = {.size_max = HUB_KAFKA_MESSAGE_SIZE_MAX,
                                     .elements_max = 100000};
    struct hub_walk walk = {0};
    struct hub_bytes body, part;
    int32_t id = 0;
    if (!record->has_value || !hub_bytes_equal_text(record->key, reading->connector->name))
        return HUB_OK;
    HUB_TRY(hub_frame_open(record->value, &id, &body, reterr));
    if (id != schema->id)
        return hub_fail(reterr, HUB_FATAL, "position with schema id %d; %d would pass", id,
                        schema->id);
    HUB_TRY(hub_walk(schema->root, body, &limits, &walk, reterr));
    hub_slice_path(schema->root, body, "position", &part);
    part = hub_slice_octets(part);
    hub_release(position->text);
    position->text = hub_copy_bytes(part.data, part.size);
    hub_slice_path(schema->root, body, "sequence", &part);
    position->sequence = hub_slice_long(part);
    struct hub_connector_counts *counts = &position->counts;
    const struct {
        const char *path;
        int64_t *count;
    } paths[] = {{"counts.read", &counts->read},           {"counts.published", &counts->published},
                 {"counts.withdrawn", &counts->withdrawn}, {"counts.vanished", &counts->vanished},
                 {"counts.unchanged", &counts->unchanged}, {"counts.skipped", &counts->skipped},
                 {"counts.dead", &counts->dead}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        hub_slice_path(schema->root, body, paths[i].path, &part);
        *paths[i].count = hub_slice_long(part);
    }
    return HUB_OK;
}

enum hub_status hub_position_read(struct hub_reader *reader, const struct hub_connector *connector,
                                  struct hub_position *position, struct hub_error *reterr) {
    struct reading reading = {connector, position};
    return hub_read_settled(reader, topic, 0, take, &reading, reterr);
}

static void encode(const struct hub_connector *connector, const char *text, int64_t sequence,
                   const struct hub_connector_counts *counts, struct hub_buffer *value) {
    hub_frame_append(value, hub_catalogue_latest(connector->catalogue, topic)->id);
    hub_encode_text(value, connector->name);
    hub_encode_text(value, connector->institution);
    /* What subscribes carries no system, and feeds no domain. */
    hub_encode_text(value, connector->system == NULL ? "" : connector->system->name);
    hub_encode_text(value, connector->domain == NULL ? "" : connector->domain->name);
    hub_encode_text(value, text);
    hub_encode_long(value, sequence);
    hub_encode_long(value, counts->read);
    hub_encode_long(value, counts->published);
    hub_encode_long(value, counts->withdrawn);
    hub_encode_long(value, counts->vanished);
    hub_encode_long(value, counts->unchanged);
    hub_encode_long(value, counts->skipped);
    hub_encode_long(value, counts->dead);
    hub_buffer_append(value, connector->config_hash.bytes, HUB_DIGEST_SIZE);
}

enum hub_status hub_position_write(struct hub_producer *producer,
                                   const struct hub_connector *connector, const char *text,
                                   int64_t sequence, const struct hub_connector_counts *counts,
                                   const struct hub_position_reason *reason,
                                   struct hub_error *reterr) {
    HUB_SCOPED_BUFFER value = {0};
    struct hub_kafka_header headers[2] = {0};
    encode(connector, text, sequence, counts, &value);
    if (reason != NULL) {
        headers[0] = (struct hub_kafka_header){"hub_by", hub_bytes_of_text(reason->who)};
        headers[1] = (struct hub_kafka_header){"hub_reason", hub_bytes_of_text(reason->text)};
    }
    struct hub_kafka_write write = {.topic = topic,
                                    .partition = 0,
                                    .has_key = true,
                                    .key = hub_bytes_of_text(connector->name),
                                    .value = hub_buffer_bytes(&value),
                                    .headers = headers,
                                    .header_count = reason == NULL ? 0 : 2};
    return hub_producer_write(producer, &write, reterr);
}

void hub_position_free(struct hub_position *position) {
    hub_release(position->text);
    *position = (struct hub_position){0};
}

const char *hub_connector_transactional_id(const struct hub_connector *connector,
                                           struct hub_arena *arena) {
    return hub_arena_format(arena, "connector.%s.%s", connector->institution, connector->name);
}
