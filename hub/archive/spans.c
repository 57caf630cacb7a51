#include "hub/archive/spans.h"

#include "hub/io/file.h"

#include <stdlib.h>

void hub_spans_free(struct hub_spans *spans) {
    hub_release(spans->items);
    *spans = (struct hub_spans){0};
}

/* From the newest back: that is where it mostly is. */
static struct hub_span *find(const struct hub_spans *spans, uint64_t first) {
    for (size_t i = spans->count; i > 0; i--)
        if (spans->items[i - 1].first == first)
            return &spans->items[i - 1];
    return NULL;
}

enum hub_status hub_spans_join(struct hub_spans *spans, const struct hub_span *part, size_t count,
                               struct hub_error *reterr) {
    for (size_t i = 0; i < count; i++) {
        struct hub_span *known = find(spans, part[i].first);
        uint64_t ended = known == NULL ? 0 : known->end;
        if (part[i].begin != ended)
            return hub_fail(reterr, HUB_REJECT, "segments/%llu.avro: from byte %llu to %llu no entry "
                            "speaks of it", (unsigned long long)part[i].first,
                            (unsigned long long)ended, (unsigned long long)part[i].begin);
        if (known != NULL) {
            known->end = part[i].end;
            continue;
        }
        HUB_GROW(spans->items, spans->count, spans->capacity);
        spans->items[spans->count++] = part[i];
    }
    return HUB_OK;
}

/* --- the end --- */

static const struct hub_open_segment *find_open(const struct hub_checkpoint *checkpoint,
                                                uint64_t first) {
    for (size_t i = 0; i < checkpoint->segment_count; i++)
        if (checkpoint->segments[i].first == first)
            return &checkpoint->segments[i];
    return NULL;
}

static enum hub_status finish_segment(const struct hub_span *span, const char *folder,
                                      const struct hub_checkpoint *checkpoint,
                                      uint64_t *unsigned_bytes, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    const struct hub_open_segment *open = find_open(checkpoint, span->first);
    struct hub_file_facts facts;
    hub_buffer_append_format(&path, "%s/segments/%llu.avro", folder,
                             (unsigned long long)span->first);
    HUB_TRY(hub_file_facts(hub_buffer_text(&path), &facts, reterr));
    if (open != NULL && open->size != span->end)
        return hub_fail(reterr, HUB_REJECT, "segments/%llu.avro: it ends at byte %llu, and the "
                        "checkpoint says %llu", (unsigned long long)span->first,
                        (unsigned long long)span->end, (unsigned long long)open->size);
    if (open == NULL && facts.size > span->end)
        return hub_fail(reterr, HUB_REJECT, "segments/%llu.avro: %llu bytes at its end that no entry "
                        "speaks of", (unsigned long long)span->first,
                        (unsigned long long)(facts.size - span->end));
    *unsigned_bytes += facts.size - span->end;
    return HUB_OK;
}

/* There is no segment that no entry speaks of, but for those that begin beyond the checkpoint. */
static enum hub_status count_segments(const struct hub_spans *spans, const char *folder,
                                      const struct hub_checkpoint *checkpoint,
                                      struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char **names = NULL;
    size_t count = 0, found = 0;
    enum hub_status status = hub_file_list(hub_arena_format(&arena, "%s/segments", folder), "",
                                           &arena, &names, &count, reterr);
    for (size_t i = 0; i < count; i++)
        found += strtoull(names[i], NULL, 10) < checkpoint->size;
    hub_arena_destroy(&arena);
    if (status == HUB_OK && found != spans->count)
        return hub_fail(reterr, HUB_REJECT, "segments: %zu files, where the entries speak of %zu",
                        found, spans->count);
    return status;
}

enum hub_status hub_spans_finish(const struct hub_spans *spans, const char *folder,
                                 const struct hub_checkpoint *checkpoint,
                                 uint64_t *ret_unsigned_bytes, struct hub_error *reterr) {
    *ret_unsigned_bytes = 0;
    for (size_t i = 0; i < spans->count; i++)
        HUB_TRY(finish_segment(&spans->items[i], folder, checkpoint, ret_unsigned_bytes, reterr));
    return count_segments(spans, folder, checkpoint, reterr);
}
