#include "schemas/lib/envelope.h"

#include "schemas/lib/render.h"

static struct hub_bytes keep(struct hub_arena *arena, const char *text) {
    size_t size = strlen(text);
    return hub_bytes(hub_arena_text(arena, text, size), size);
}

static struct hub_header constant(const char *name, const char *value) {
    return (struct hub_header){name, hub_bytes_of_text(value)};
}

struct hub_bytes hub_envelope_time(struct hub_arena *arena, int64_t time_ms) {
    HUB_NOT_ZEROED char text[HUB_TIME_TEXT_SIZE_MAX];
    size_t size = hub_time_text(time_ms, text);
    return hub_bytes(hub_arena_text(arena, text, size), size);
}

size_t hub_envelope_headers_of(const struct hub_envelope_texts *texts,
                               struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX]) {
    size_t count = 0;
    headers[count++] = constant("ce_specversion", "1.0");
    headers[count++] = (struct hub_header){"ce_id", texts->id};
    headers[count++] = (struct hub_header){"ce_source", texts->source};
    headers[count++] = (struct hub_header){"ce_type", texts->type};
    headers[count++] = (struct hub_header){"ce_subject", texts->subject};
    headers[count++] = constant("content-type", "application/avro");
    if (texts->time.data != NULL)
        headers[count++] = (struct hub_header){"ce_time", texts->time};
    return count;
}

size_t hub_envelope_headers(const struct hub_envelope *envelope, struct hub_arena *arena,
                            struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX]) {
    struct hub_envelope_texts texts = {.id = keep(arena, envelope->id),
                                       .source = keep(arena, envelope->source),
                                       .type = keep(arena, envelope->type),
                                       .subject = keep(arena, envelope->subject)};
    if (envelope->has_time)
        texts.time = hub_envelope_time(arena, envelope->time_ms);
    return hub_envelope_headers_of(&texts, headers);
}
