#include "hub/stages/letter.h"

#include "schemas/lib/deadletter.h"
#include "schemas/lib/frame.h"

void hub_letter_write(const struct hub_letter *letter, const struct hub_input *input,
                      struct hub_outputs *outputs) {
    HUB_SCOPED_BUFFER value = {0};
    struct hub_bytes key = input->has_key ? input->key : hub_bytes(NULL, 0);
    struct hub_deadletter record = {.stage = letter->stage,
                                    .code = letter->code,
                                    .reason = letter->reason,
                                    .path = letter->path,
                                    .institution = letter->institution,
                                    .topic = letter->topic,
                                    .partition = input->partition,
                                    .offset = input->offset,
                                    .key = key,
                                    .original = input->has_value ? input->value
                                                                 : hub_bytes("", 0),
                                    .security = letter->security};
    record.original_hash = letter->digester->digest(record.original);
    hub_frame_append(&value, letter->schema->id);
    hub_deadletter_encode(&record, &value);
    struct hub_output *output = hub_outputs_add(outputs, HUB_OUTPUT_DEADLETTER, 0, key);
    hub_output_value(outputs, output, &value);
    const char *origin = hub_arena_format(outputs->arena, "%s/%d@%lld", letter->topic,
                                          input->partition, (long long)input->offset);
    struct hub_envelope envelope = {
        .id = origin,
        .source = hub_arena_format(outputs->arena, "urn:atmp:hub:%s", letter->stage),
        .type = "atmp.deadletter",
        .subject = letter->topic,
        .has_time = true, .time_ms = input->timestamp_ms};
    hub_output_envelope(outputs, output, &envelope, input);
}
