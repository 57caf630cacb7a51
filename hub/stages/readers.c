#include "hub/stages/readers.h"

#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"

#include <string.h>

void hub_readers_init(struct hub_readers *readers, const struct hub_catalogue *catalogue,
                      const struct hub_domain *domain) {
    *readers = (struct hub_readers){catalogue, domain, NULL};
    readers->resolvers =
        hub_allocate_zero(catalogue->schema_count, sizeof(struct hub_resolver *));
}

void hub_readers_free(struct hub_readers *readers) {
    for (size_t i = 0; readers->resolvers != NULL && i < readers->catalogue->schema_count; i++)
        hub_resolver_free(readers->resolvers[i]);
    readers->resolvers = hub_release(readers->resolvers);
}

static enum hub_status find_writer(struct hub_readers *readers, int32_t id,
                                   const struct hub_schema **ret_writer,
                                   struct hub_error *reterr) {
    const struct hub_schema *writer = hub_catalogue_by_id(readers->catalogue, id);
    if (writer == NULL)
        return hub_fail(reterr, HUB_REJECT, "schema id %d is not registered", id);
    if (strcmp(writer->subject, readers->domain->name) != 0)
        return hub_fail(reterr, HUB_REJECT,
                        "schema id %d is of '%s'; a record of '%s' would pass here", id,
                        writer->subject, readers->domain->name);
    *ret_writer = writer;
    return HUB_OK;
}

static enum hub_status resolver_for(struct hub_readers *readers, const struct hub_schema *writer,
                                    const struct hub_resolver **ret_resolver,
                                    struct hub_error *reterr) {
    size_t index = 0;
    while (readers->catalogue->schemas[index] != writer)
        index++;
    if (readers->resolvers[index] == NULL)
        HUB_TRY(hub_resolver_new(writer->root, readers->domain->schema->root,
                                 &readers->resolvers[index], reterr));
    *ret_resolver = readers->resolvers[index];
    return HUB_OK;
}

static struct hub_bytes keep(struct hub_arena *arena, const struct hub_buffer *buffer) {
    char *copy = hub_arena_text(arena, (const char *)buffer->data, buffer->size);
    return hub_bytes(copy, buffer->size);
}

/* The message with its body written anew in the canonical encoding of the same schema. */
static struct hub_bytes rewrite(const struct hub_schema *writer, struct hub_bytes body,
                                struct hub_arena *arena) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, writer->id);
    hub_resolve_canonical(writer->root, body, &message);
    return keep(arena, &message);
}

static enum hub_status translate(struct hub_readers *readers, struct hub_arena *arena,
                                 struct hub_opened *opened, struct hub_error *reterr) {
    const struct hub_resolver *resolver = NULL;
    HUB_SCOPED_BUFFER value = {0};
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {.starts = opened->starts};
    HUB_TRY(resolver_for(readers, opened->writer, &resolver, reterr));
    HUB_TRY(hub_resolve(resolver, opened->body, /* canonical= */ false, &value, reterr));
    opened->body = keep(arena, &value);
    limits.size_max *= 2; /* defaults may have been added */
    return hub_walk(readers->domain->schema->root, opened->body, &limits, &walk, reterr);
}

enum hub_status hub_readers_open(struct hub_readers *readers, struct hub_bytes message,
                                 struct hub_arena *arena, struct hub_opened *ret_opened,
                                 struct hub_error *reterr) {
    struct hub_opened opened = {.written = message};
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    int32_t id = 0;
    HUB_TRY(hub_frame_open(message, &id, &opened.body, reterr));
    HUB_TRY(find_writer(readers, id, &opened.writer, reterr));
    opened.starts = hub_arena_take(arena, (HUB_FIELDS_MAX + 1) * sizeof *opened.starts);
    struct hub_walk walk = {.starts = opened.starts};
    HUB_TRY(hub_walk(opened.writer->root, opened.body, &limits, &walk, reterr));
    opened.plain = walk.plain;
    if (!walk.canonical) {
        opened.written = rewrite(opened.writer, opened.body, arena);
        opened.body = hub_bytes_part(opened.written, HUB_FRAME_HEADER_SIZE, opened.written.size);
        hub_slice_fields(opened.writer->root, opened.body, opened.starts);
    }
    if (opened.writer != readers->domain->schema)
        HUB_TRY(translate(readers, arena, &opened, reterr));
    *ret_opened = opened;
    return HUB_OK;
}
