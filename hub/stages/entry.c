#include "hub/stages/entry.h"

#include <string.h>

struct hub_output *hub_outputs_add(struct hub_outputs *outputs, enum hub_output_kind kind,
                                   int32_t partition, struct hub_bytes key) {
    if (outputs->count == outputs->capacity) {
        size_t capacity = outputs->capacity == 0 ? 16 : outputs->capacity * 2;
        struct hub_output *wider = hub_arena_take(outputs->arena, capacity * sizeof *wider);
        if (outputs->count > 0)
            memcpy(wider, outputs->items, outputs->count * sizeof *wider);
        outputs->items = wider;
        outputs->capacity = capacity;
    }
    struct hub_output *output = &outputs->items[outputs->count++];
    char *copy = hub_arena_text(outputs->arena, (const char *)key.data, key.size);
    *output = (struct hub_output){.kind = kind,
                                  .partition = partition,
                                  .has_key = key.data != NULL,
                                  .key = hub_bytes(copy, key.size)};
    return output;
}

/* As it is: in the arena already. */
static void add_header(struct hub_outputs *outputs, struct hub_output *output,
                       struct hub_header header) {
    if (output->header_count == output->header_capacity) {
        size_t capacity = output->header_capacity == 0 ? 12 : output->header_capacity * 2;
        struct hub_header *wider = hub_arena_take(outputs->arena, capacity * sizeof *wider);
        if (output->header_count > 0)
            memcpy(wider, output->headers, output->header_count * sizeof *wider);
        output->headers = wider;
        output->header_capacity = capacity;
    }
    output->headers[output->header_count++] = header;
}

/* What a buffer of the same arena holds stays where it is. */
static struct hub_bytes keep(struct hub_outputs *outputs, const struct hub_buffer *value) {
    if (value->arena == outputs->arena)
        return hub_buffer_bytes(value);
    return hub_bytes(hub_arena_text(outputs->arena, (const char *)value->data, value->size),
                     value->size);
}

void hub_output_header(struct hub_outputs *outputs, struct hub_output *output, const char *name,
                       struct hub_bytes value) {
    char *copy = hub_arena_text(outputs->arena, (const char *)value.data, value.size);
    add_header(outputs, output, (struct hub_header){name, hub_bytes(copy, value.size)});
}

void hub_output_header_buffer(struct hub_outputs *outputs, struct hub_output *output,
                              const char *name, const struct hub_buffer *value) {
    add_header(outputs, output, (struct hub_header){name, keep(outputs, value)});
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
    for (size_t i = 0; i < input->header_count; i++)
        if (strcmp(input->headers[i].name, name) == 0)
            return input->headers[i].value;
    return hub_bytes(NULL, 0);
}

void hub_output_envelope(struct hub_outputs *outputs, struct hub_output *output,
                         const struct hub_envelope *envelope, const struct hub_input *cause) {
    struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX];
    size_t count = hub_envelope_headers(envelope, outputs->arena, headers);
    for (size_t i = 0; i < count; i++)
        add_header(outputs, output, headers[i]);
    struct hub_bytes trace = cause == NULL ? hub_bytes(NULL, 0)
                                           : hub_input_header(cause, "traceparent");
    if (trace.data != NULL)
        hub_output_header(outputs, output, "traceparent", trace);
}
