#include "hub/stages/readers.h"

#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"

#include <string.h>

void hub_readers_init(struct hub_readers *readers, const struct hub_catalogue *catalogue,
                      const struct hub_domain *domain) {
    *readers = (struct hub_readers){.catalogue = catalogue, .domain = domain};
    readers->bounded = hub_walk_elements_take_bytes(domain->schema->root);
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
    *ret_writer = readers->domain->schema; /* as it mostly is */
    if (id == readers->domain->schema->id)
        return HUB_OK;
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

/* Both steps of a walk are handed what the first one found out. */
static struct hub_walk walk_of(const struct hub_opened *opened) {
    return (struct hub_walk){.starts = opened->starts,
                             .canonical = opened->is_verbatim,
                             .plain = opened->plain,
                             .elements = opened->elements};
}

static void note(struct hub_opened *opened, const struct hub_walk *walk) {
    opened->is_verbatim = walk->canonical;
    opened->plain = walk->plain;
    opened->elements = walk->elements;
}

enum hub_status hub_readers_begin(struct hub_readers *readers, struct hub_bytes message,
                                  struct hub_arena *arena, struct hub_opened *ret_opened,
                                  struct hub_error *reterr) {
    struct hub_opened opened = {.written = message};
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    int32_t id = 0;
    HUB_TRY(hub_frame_open(message, &id, &opened.body, reterr));
    HUB_TRY(find_writer(readers, id, &opened.writer, reterr));
    opened.starts = hub_arena_take(arena, (HUB_FIELDS_MAX + 1) * sizeof *opened.starts);
    opened.parts = hub_arena_take(arena, (HUB_STAMP_FIELDS_MAX + 1) * sizeof *opened.parts);
    if (opened.writer == readers->domain->schema) {
        struct hub_walk walk = walk_of(&opened);
        HUB_TRY(hub_walk_first(opened.writer->root, opened.body, &limits, &walk, opened.parts,
                               reterr));
        note(&opened, &walk);
    }
    *ret_opened = opened;
    return HUB_OK;
}

/* Where the parts of the stamp are, of a body that is not the one that was walked. */
static void find_parts(const struct hub_readers *readers, struct hub_opened *opened) {
    const struct hub_type *stamp = readers->domain->schema->root->fields[HUB_FIELD_STATEMENT].type;
    hub_slice_fields(stamp, hub_bytes_part(opened->body, opened->starts[0], opened->starts[1]),
                     opened->parts);
}

static enum hub_status walk_rest(const struct hub_readers *readers, struct hub_opened *opened,
                                 const struct hub_walked *before, bool *same,
                                 struct hub_error *reterr) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = walk_of(opened);
    const struct hub_type *root = opened->writer->root;
    bool is_newest = opened->writer == readers->domain->schema;
    bool skips = is_newest && before != NULL && readers->bounded &&
                 opened->body.size <= limits.elements_max;
    HUB_TRY(skips ? hub_walk_others_since(root, opened->body, &limits, before, &walk, same, reterr)
            : is_newest ? hub_walk_others(root, opened->body, &limits, &walk, reterr)
                        : hub_walk(root, opened->body, &limits, &walk, reterr));
    note(opened, &walk);
    if (skips && walk.canonical)
        opened->same = same;
    return HUB_OK;
}

static void compare_fields(const struct hub_opened *opened, const struct hub_walked *before,
                           size_t count, bool *same) {
    for (size_t i = 0; i < count; i++)
        same[i] = hub_bytes_parts_equal(opened->body, opened->starts + i, before->bytes,
                                        before->starts + i);
}

static enum hub_status finish(struct hub_readers *readers, struct hub_arena *arena,
                              const struct hub_walked *before, struct hub_opened *opened,
                              struct hub_error *reterr) {
    const struct hub_type *root = opened->writer->root;
    size_t count = readers->domain->schema->root->count;
    bool is_newest = opened->writer == readers->domain->schema;
    bool *same = before == NULL ? NULL : hub_arena_take(arena, count * sizeof *same);
    HUB_TRY(walk_rest(readers, opened, before, same, reterr));
    bool canonical = opened->is_verbatim;
    if (!canonical) {
        opened->written = rewrite(opened->writer, opened->body, arena);
        opened->body = hub_bytes_part(opened->written, HUB_FRAME_HEADER_SIZE, opened->written.size);
        hub_slice_fields(root, opened->body, opened->starts);
    }
    if (!is_newest)
        HUB_TRY(translate(readers, arena, opened, reterr));
    opened->is_verbatim = is_newest && canonical;
    if (!opened->is_verbatim)
        find_parts(readers, opened);
    if (before != NULL && opened->same == NULL) {
        compare_fields(opened, before, count, same);
        opened->same = same;
    }
    return HUB_OK;
}

enum hub_status hub_readers_finish(struct hub_readers *readers, struct hub_arena *arena,
                                   struct hub_opened *opened, struct hub_error *reterr) {
    return finish(readers, arena, /* before= */ NULL, opened, reterr);
}

enum hub_status hub_readers_open_since(struct hub_readers *readers, struct hub_bytes message,
                                       struct hub_arena *arena, const struct hub_walked *before,
                                       struct hub_opened *ret_opened, struct hub_error *reterr) {
    HUB_NOT_ZEROED struct hub_opened opened;
    HUB_TRY(hub_readers_begin(readers, message, arena, &opened, reterr));
    HUB_TRY(finish(readers, arena, before, &opened, reterr));
    *ret_opened = opened;
    return HUB_OK;
}

enum hub_status hub_readers_open(struct hub_readers *readers, struct hub_bytes message,
                                 struct hub_arena *arena, struct hub_opened *ret_opened,
                                 struct hub_error *reterr) {
    return hub_readers_open_since(readers, message, arena, /* before= */ NULL, ret_opened, reterr);
}
