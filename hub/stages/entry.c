#include "hub/stages/entry.h"

#include <assert.h>
#include <string.h>

enum { OUTPUTS_FIRST = 2, HEADERS_FIRST = 12 }; /* as many as most have */

static struct hub_bytes copy(struct hub_outputs *outputs, struct hub_bytes bytes) {
    return hub_bytes(hub_arena_text(outputs->arena, (const char *)bytes.data, bytes.size),
                     bytes.size);
}

struct hub_output *hub_outputs_add_kept(struct hub_outputs *outputs, enum hub_output_kind kind,
                                        int32_t partition, struct hub_bytes key) {
    if (outputs->count == outputs->capacity) {
        size_t capacity = outputs->capacity == 0 ? OUTPUTS_FIRST : outputs->capacity * 2;
        struct hub_output *wider = hub_arena_take(outputs->arena, capacity * sizeof *wider);
        if (outputs->count > 0)
            memcpy(wider, outputs->items, outputs->count * sizeof *wider);
        outputs->items = wider;
        outputs->capacity = capacity;
    }
    struct hub_output *output = &outputs->items[outputs->count++];
    *output = (struct hub_output){
        .kind = kind, .partition = partition, .has_key = key.data != NULL, .key = key};
    return output;
}

struct hub_output *hub_outputs_add(struct hub_outputs *outputs, enum hub_output_kind kind,
                                   int32_t partition, struct hub_bytes key) {
    struct hub_output *output =
        hub_outputs_add_kept(outputs, kind, partition, copy(outputs, key));
    output->has_key = key.data != NULL;
    return output;
}

/* Room for `count` more. */
static struct hub_header *reserve_headers(struct hub_outputs *outputs, struct hub_output *output,
                                          size_t count) {
    if (output->header_capacity - output->header_count < count) {
        size_t capacity =
            output->header_capacity == 0 ? HEADERS_FIRST : output->header_capacity * 2;
        struct hub_header *wider = hub_arena_take(outputs->arena, capacity * sizeof *wider);
        assert(capacity - output->header_count >= count);
        if (output->header_count > 0)
            memcpy(wider, output->headers, output->header_count * sizeof *wider);
        output->headers = wider;
        output->header_capacity = capacity;
    }
    return output->headers + output->header_count;
}

void hub_output_header_kept(struct hub_outputs *outputs, struct hub_output *output,
                            const char *name, struct hub_bytes value) {
    *reserve_headers(outputs, output, 1) = (struct hub_header){name, value};
    output->header_count++;
}

/* What a buffer of the same arena holds stays where it is. */
static struct hub_bytes keep(struct hub_outputs *outputs, const struct hub_buffer *value) {
    if (value->arena == outputs->arena)
        return hub_buffer_bytes(value);
    return copy(outputs, hub_bytes(value->data, value->size));
}

void hub_output_header(struct hub_outputs *outputs, struct hub_output *output, const char *name,
                       struct hub_bytes value) {
    hub_output_header_kept(outputs, output, name, copy(outputs, value));
}

void hub_output_header_text(struct hub_outputs *outputs, struct hub_output *output,
                            const char *name, const char *value) {
    hub_output_header(outputs, output, name, hub_bytes_of_text(value));
}

void hub_output_value(struct hub_outputs *outputs, struct hub_output *output,
                      const struct hub_buffer *value) {
    output->value = keep(outputs, value);
}

struct hub_bytes hub_input_header(const struct hub_input *input, const char *name) {
    for (size_t i = 0; i < input->header_count; i++) /* most begin otherwise */
        if (*input->headers[i].name == *name && strcmp(input->headers[i].name, name) == 0)
            return input->headers[i].value;
    return hub_bytes(NULL, 0);
}

static void pass_trace_on(struct hub_outputs *outputs, struct hub_output *output,
                          const struct hub_input *cause) {
    struct hub_bytes trace = hub_input_header(cause, "traceparent");
    if (trace.data != NULL)
        hub_output_header(outputs, output, "traceparent", trace);
}

void hub_output_envelope(struct hub_outputs *outputs, struct hub_output *output,
                         const struct hub_envelope *envelope, const struct hub_input *cause) {
    output->header_count += hub_envelope_headers(
        envelope, outputs->arena, reserve_headers(outputs, output, HUB_ENVELOPE_HEADERS_MAX));
    if (cause != NULL)
        pass_trace_on(outputs, output, cause);
}

void hub_output_envelope_of(struct hub_outputs *outputs, struct hub_output *output,
                            const struct hub_envelope_texts *texts,
                            const struct hub_input *cause) {
    output->header_count += hub_envelope_headers_of(
        texts, reserve_headers(outputs, output, HUB_ENVELOPE_HEADERS_MAX));
    pass_trace_on(outputs, output, cause);
}
