/* What goes into a stage and what comes out: records with key, value and headers, and nothing of
 * Kafka itself. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "schemas/lib/envelope.h"

/* One record as it was read. Owned by the caller for the time of the call. */
struct hub_input {
    bool has_key, has_value;
    struct hub_bytes key, value;
    const struct hub_header *headers;
    size_t header_count;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* when the broker appended it */
};

enum hub_output_kind {
    HUB_OUTPUT_LOG = 0,
    HUB_OUTPUT_ADMITTED,
    HUB_OUTPUT_UNIFIED,
    HUB_OUTPUT_CONFLICT,
    HUB_OUTPUT_MATCH,
    HUB_OUTPUT_IDENTIFIER,
    HUB_OUTPUT_DEADLETTER,
    HUB_OUTPUT_KINDS,
};

struct hub_output {
    enum hub_output_kind kind;
    const char *topic; /* where it goes, of a stage that writes to several; else NULL */
    int32_t partition;
    bool has_key;
    struct hub_bytes key, value; /* a value without data is null */
    struct hub_header *headers;
    size_t header_count, header_capacity;
};

/* Outputs in the order in which they must be written. Everything lives in the arena. */
struct hub_outputs {
    struct hub_arena *arena;
    struct hub_output *items;
    size_t count, capacity;
};

struct hub_output *hub_outputs_add(struct hub_outputs *outputs, enum hub_output_kind kind,
                                   int32_t partition, struct hub_bytes key);
/* The key stays where it is, as long as the output. */
struct hub_output *hub_outputs_add_kept(struct hub_outputs *outputs, enum hub_output_kind kind,
                                        int32_t partition, struct hub_bytes key);
/* The value is copied; the name must live as long as the output. */
void hub_output_header(struct hub_outputs *outputs, struct hub_output *output, const char *name,
                       struct hub_bytes value);
void hub_output_header_text(struct hub_outputs *outputs, struct hub_output *output,
                            const char *name, const char *value);
/* The value stays where it is, as long as the output. */
void hub_output_header_kept(struct hub_outputs *outputs, struct hub_output *output,
                            const char *name, struct hub_bytes value);
/* The buffer becomes the output's value, copied where it is not of the outputs' arena; it must not be
 * written to again. */
void hub_output_value(struct hub_outputs *outputs, struct hub_output *output,
                      const struct hub_buffer *value);

/* The named header of an input, or of size 0 and no data. */
struct hub_bytes hub_input_header(const struct hub_input *input, const char *name);

/* Adds the envelope, and the trace context of the input passed on. */
void hub_output_envelope(struct hub_outputs *outputs, struct hub_output *output,
                         const struct hub_envelope *envelope, const struct hub_input *cause);
/* The same of texts that stay where they are as long as the output. */
void hub_output_envelope_of(struct hub_outputs *outputs, struct hub_output *output,
                            const struct hub_envelope_texts *texts, const struct hub_input *cause);
