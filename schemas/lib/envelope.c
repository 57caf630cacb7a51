#include "schemas/lib/envelope.h"

#include "schemas/lib/render.h"

static struct hub_header header(struct hub_arena *arena, const char *name, const char *value) {
    size_t size = strlen(value);
    return (struct hub_header){name, hub_bytes(hub_arena_text(arena, value, size), size)};
}

static struct hub_header constant(const char *name, const char *value) {
    return (struct hub_header){name, hub_bytes_of_text(value)};
}

size_t hub_envelope_headers(const struct hub_envelope *envelope, struct hub_arena *arena,
                            struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX]) {
    size_t count = 0;
    headers[count++] = constant("ce_specversion", "1.0");
    headers[count++] = header(arena, "ce_id", envelope->id);
    headers[count++] = header(arena, "ce_source", envelope->source);
    headers[count++] = header(arena, "ce_type", envelope->type);
    headers[count++] = header(arena, "ce_subject", envelope->subject);
    headers[count++] = constant("content-type", "application/avro");
    if (envelope->has_time) {
        HUB_NOT_ZEROED char time[HUB_TIME_TEXT_SIZE_MAX];
        size_t size = hub_time_text(envelope->time_ms, time);
        headers[count++] =
            (struct hub_header){"ce_time", hub_bytes(hub_arena_text(arena, time, size), size)};
    }
    return count;
}
