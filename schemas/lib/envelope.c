#include "schemas/lib/envelope.h"

#include "schemas/lib/render.h"

static struct hub_header header(struct hub_arena *arena, const char *name, const char *value) {
    size_t size = strlen(value);
    return (struct hub_header){name, hub_bytes(hub_arena_text(arena, value, size), size)};
}

size_t hub_envelope_headers(const struct hub_envelope *envelope, struct hub_arena *arena,
                            struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX]) {
    size_t count = 0;
    headers[count++] = header(arena, "ce_specversion", "1.0");
    headers[count++] = header(arena, "ce_id", envelope->id);
    headers[count++] = header(arena, "ce_source", envelope->source);
    headers[count++] = header(arena, "ce_type", envelope->type);
    headers[count++] = header(arena, "ce_subject", envelope->subject);
    headers[count++] = header(arena, "content-type", "application/avro");
    if (envelope->has_time) {
        HUB_SCOPED_BUFFER time = {0};
        hub_render_time(envelope->time_ms, &time);
        headers[count++] = header(arena, "ce_time", hub_buffer_text(&time));
    }
    return count;
}
