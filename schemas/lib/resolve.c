#include "schemas/lib/resolve.h"

#include "hub/base/text.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"

#include <assert.h>
#include <string.h>

/* One step: how a value of `writer` becomes a value of `reader`. */
struct step {
    const struct hub_type *writer;
    const struct hub_type *reader;
    bool same_wire;
    bool hopeless;      /* no value of this writer type can be translated */
    int reader_branch;  /* the reader's union branch to enter first, or -1 */
    struct step *inner; /* after entering the branch; and an array's or map's elements */
    struct step **parts; /* record: by reader field; union: by writer branch */
    int *indexes;        /* record: writer field of each reader field or -1; enum: symbols */
};

struct hub_resolver {
    struct hub_arena arena;
    struct step *root;
};

struct builder {
    struct hub_arena *arena;
    struct hub_error *reterr;
};

static enum hub_status build(struct builder *builder, const struct hub_type *writer,
                             const struct hub_type *reader, struct step **ret_step);

static const char *short_name(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

static bool names_match(const struct hub_type *writer, const struct hub_type *reader) {
    if (strcmp(short_name(writer->name), short_name(reader->name)) == 0)
        return true;
    for (size_t i = 0; reader->aliases[i] != NULL; i++)
        if (strcmp(reader->aliases[i], writer->name) == 0)
            return true;
    return false;
}

/* Whether a number or text kind may be widened into another ("promotion"). */
static bool widens(enum hub_kind writer, enum hub_kind reader) {
    switch (writer) {
    case HUB_INT:
        return reader == HUB_LONG || reader == HUB_FLOAT || reader == HUB_DOUBLE;
    case HUB_LONG:
        return reader == HUB_FLOAT || reader == HUB_DOUBLE;
    case HUB_FLOAT:
        return reader == HUB_DOUBLE;
    case HUB_STRING:
        return reader == HUB_BYTES;
    case HUB_BYTES:
        return reader == HUB_STRING;
    default:
        return false;
    }
}

static bool kinds_match(const struct hub_type *writer, const struct hub_type *reader) {
    if (writer->kind != reader->kind)
        return false;
    if (writer->kind == HUB_FIXED && writer->fixed_size != reader->fixed_size)
        return false;
    return writer->name == NULL || names_match(writer, reader);
}

static enum hub_status hopeless(struct builder *builder, const struct hub_type *writer,
                                const struct hub_type *reader) {
    return hub_fail(builder->reterr, HUB_FATAL, "%s cannot be read as %s",
                    writer->name != NULL ? writer->name : hub_kind_name(writer->kind),
                    reader->name != NULL ? reader->name : hub_kind_name(reader->kind));
}

/* The writer's field of this name, or of one of the reader field's aliases. */
static int find_writer_field(const struct hub_type *writer, const struct hub_field *field) {
    int index = hub_type_field(writer, field->name);
    for (size_t i = 0; index < 0 && field->aliases[i] != NULL; i++)
        index = hub_type_field(writer, field->aliases[i]);
    return index;
}

static enum hub_status build_record(struct builder *builder, struct step *step) {
    const struct hub_type *reader = step->reader;
    step->parts = hub_arena_take_zero(builder->arena, reader->count, sizeof *step->parts);
    step->indexes = hub_arena_take_zero(builder->arena, reader->count, sizeof *step->indexes);
    for (size_t i = 0; i < reader->count; i++) {
        const struct hub_field *field = &reader->fields[i];
        int index = find_writer_field(step->writer, field);
        step->indexes[i] = index;
        if (index < 0 && !field->has_default)
            return hub_fail(builder->reterr, HUB_FATAL,
                            "%s: the writer has no such field and there is no default",
                            field->name);
        if (index < 0)
            continue;
        enum hub_status status =
            build(builder, step->writer->fields[index].type, field->type, &step->parts[i]);
        if (status != HUB_OK)
            return hub_fail_at(builder->reterr, status, "%s", field->name);
    }
    return HUB_OK;
}

static void build_enum(struct builder *builder, struct step *step) {
    const struct hub_type *writer = step->writer;
    step->indexes = hub_arena_take_zero(builder->arena, writer->count, sizeof *step->indexes);
    for (size_t i = 0; i < writer->count; i++) {
        int symbol = hub_type_symbol(step->reader, writer->symbols[i]);
        step->indexes[i] = symbol >= 0 ? symbol : step->reader->default_symbol;
    }
}

/* The writer's value may be of any of its branches; each has its own way, or none. */
static enum hub_status build_from_union(struct builder *builder, struct step *step) {
    const struct hub_type *writer = step->writer;
    bool any = false;
    step->parts = hub_arena_take_zero(builder->arena, writer->count, sizeof *step->parts);
    for (size_t i = 0; i < writer->count; i++) {
        enum hub_status status =
            build(builder, writer->branches[i], step->reader, &step->parts[i]);
        if (status != HUB_OK) {
            struct step *part = hub_arena_take(builder->arena, sizeof *part);
            *part = (struct step){.writer = writer->branches[i],
                                  .reader = step->reader,
                                  .hopeless = true,
                                  .reader_branch = -1};
            step->parts[i] = part;
        }
        any |= status == HUB_OK;
    }
    return any ? HUB_OK : hopeless(builder, writer, step->reader);
}

/* The reader's branch of the same full name, else its first of the same kind and name without the
 * namespace or by an alias, else its first that the value widens to. */
static bool fits_branch(const struct hub_type *writer, const struct hub_type *branch, int pass) {
    if (pass == 2)
        return widens(writer->kind, branch->kind);
    bool same_name = writer->name == NULL || pass == 1 ||
                     (branch->name != NULL && strcmp(writer->name, branch->name) == 0);
    return same_name && kinds_match(writer, branch);
}

static enum hub_status build_into_union(struct builder *builder, struct step *step) {
    const struct hub_type *reader = step->reader;
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < reader->count; i++) {
            const struct hub_type *branch = reader->branches[i];
            if (!fits_branch(step->writer, branch, pass))
                continue;
            step->reader_branch = (int)i;
            return build(builder, step->writer, branch, &step->inner);
        }
    return hopeless(builder, step->writer, reader);
}

/* Whether translating changes nothing: each part is the same one of the other side, and passes
 * through itself. To be asked of a step that is built. */
static bool passes_through(const struct step *step) {
    const struct hub_type *writer = step->writer, *reader = step->reader;
    size_t count = writer->kind == HUB_RECORD || writer->kind == HUB_UNION ? writer->count : 0;
    if (step->hopeless || writer->kind != reader->kind ||
        (writer->kind == HUB_RECORD && writer->count != reader->count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct step *part = step->parts[i];
        bool entered = writer->kind == HUB_UNION && part->reader_branch == (int)i;
        bool found = writer->kind == HUB_RECORD && step->indexes[i] == (int)i;
        if (!(entered && part->inner->same_wire) && !(found && part->same_wire))
            return false;
    }
    for (size_t i = 0; writer->kind == HUB_ENUM && i < writer->count; i++)
        if (step->indexes[i] != (int)i)
            return false;
    return step->inner == NULL || step->inner->same_wire;
}

static enum hub_status build_step(struct builder *builder, struct step *step) {
    const struct hub_type *writer = step->writer, *reader = step->reader;
    if (writer->kind == HUB_UNION)
        return build_from_union(builder, step);
    if (reader->kind == HUB_UNION)
        return build_into_union(builder, step);
    if (!kinds_match(writer, reader) && !widens(writer->kind, reader->kind))
        return hopeless(builder, writer, reader);
    switch (reader->kind) {
    case HUB_RECORD:
        return build_record(builder, step);
    case HUB_ENUM:
        build_enum(builder, step);
        return HUB_OK;
    case HUB_ARRAY:
    case HUB_MAP:
        return build(builder, writer->items, reader->items, &step->inner);
    default:
        return HUB_OK;
    }
}

static enum hub_status build(struct builder *builder, const struct hub_type *writer,
                             const struct hub_type *reader, struct step **ret_step) {
    struct step *step = hub_arena_take_zero(builder->arena, 1, sizeof *step);
    *step = (struct step){.writer = writer, .reader = reader, .reader_branch = -1};
    *ret_step = step;
    HUB_TRY(build_step(builder, step));
    step->same_wire = passes_through(step);
    return HUB_OK;
}

enum hub_status hub_resolver_new(const struct hub_type *writer, const struct hub_type *reader,
                                 struct hub_resolver **ret_resolver, struct hub_error *reterr) {
    struct hub_resolver *resolver = hub_allocate_zero(1, sizeof *resolver);
    struct builder builder = {&resolver->arena, reterr};
    enum hub_status status = build(&builder, writer, reader, &resolver->root);
    if (status != HUB_OK) {
        hub_resolver_free(resolver);
        return status;
    }
    *ret_resolver = resolver;
    return HUB_OK;
}

void hub_resolver_free(struct hub_resolver *resolver) {
    if (resolver == NULL)
        return;
    hub_arena_destroy(&resolver->arena);
    hub_release(resolver);
}

bool hub_resolver_is_identity(const struct hub_resolver *resolver) {
    return resolver->root->same_wire;
}

struct run {
    struct hub_buffer *value;
    bool canonical;
    struct hub_error *reterr;
};

static enum hub_status apply(struct run *run, const struct step *step, struct hub_bytes bytes);

static enum hub_status apply_record(struct run *run, const struct step *step,
                                    struct hub_bytes bytes) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(step->writer, bytes, starts);
    for (size_t i = 0; i < step->reader->count; i++) {
        const struct hub_field *field = &step->reader->fields[i];
        int index = step->indexes[i];
        if (index < 0) {
            hub_buffer_append_bytes(run->value, field->default_value);
            continue;
        }
        struct hub_bytes part = hub_bytes_part(bytes, starts[index], starts[index + 1]);
        enum hub_status status = apply(run, step->parts[i], part);
        if (status != HUB_OK)
            return hub_fail_at(run->reterr, status, "%s", field->name);
    }
    return HUB_OK;
}

/* Blocks become one block: counted first, then written. */
static enum hub_status apply_array(struct run *run, const struct step *step,
                                   struct hub_bytes bytes) {
    struct hub_elements counting = hub_slice_elements(step->writer, bytes);
    struct hub_elements elements = counting;
    struct hub_bytes element;
    size_t count = 0;
    while (hub_slice_next(&counting, &element))
        count++;
    hub_encode_array_begin(run->value, count);
    while (hub_slice_next(&elements, &element))
        HUB_TRY(apply(run, step->inner, element));
    hub_encode_array_end(run->value);
    return HUB_OK;
}

static enum hub_status apply_map(struct run *run, const struct step *step, struct hub_bytes bytes) {
    struct hub_elements counting = hub_slice_elements(step->writer, bytes);
    struct hub_elements entries = counting;
    struct hub_bytes key, value;
    size_t count = 0;
    while (hub_slice_next_entry(&counting, &key, &value))
        count++;
    hub_encode_array_begin(run->value, count);
    while (hub_slice_next_entry(&entries, &key, &value)) {
        hub_encode_octets(run->value, key);
        HUB_TRY(apply(run, step->inner, value));
    }
    hub_encode_array_end(run->value);
    return HUB_OK;
}

static void apply_real(struct run *run, const struct step *step, struct hub_bytes bytes) {
    float single = 0;
    double real = 0;
    if (step->writer->kind == HUB_FLOAT) {
        memcpy(&single, bytes.data, sizeof single);
        real = (double)single;
    } else { /* rounded once: a long that became a double first could end one float away */
        single = (float)hub_slice_long(bytes);
        real = (double)hub_slice_long(bytes);
    }
    if (step->reader->kind == HUB_FLOAT)
        hub_buffer_append(run->value, &single, sizeof single);
    else
        hub_buffer_append(run->value, &real, sizeof real);
}

static enum hub_status apply_enum(struct run *run, const struct step *step,
                                  struct hub_bytes bytes) {
    int64_t written = hub_slice_long(bytes);
    int index = step->indexes[written];
    if (index < 0)
        return hub_fail(run->reterr, HUB_REJECT,
                        "symbol %s is not known to the reader, whose enum has no default",
                        step->writer->symbols[written]);
    hub_encode_long(run->value, index);
    return HUB_OK;
}

static enum hub_status apply_leaf(struct run *run, const struct step *step,
                                  struct hub_bytes bytes) {
    switch (step->reader->kind) {
    case HUB_INT:
    case HUB_LONG:
        hub_encode_long(run->value, hub_slice_long(bytes));
        return HUB_OK;
    case HUB_FLOAT:
    case HUB_DOUBLE:
        if (step->writer->kind == step->reader->kind)
            hub_buffer_append_bytes(run->value, bytes);
        else
            apply_real(run, step, bytes);
        return HUB_OK;
    case HUB_STRING:
        if (step->writer->kind == HUB_BYTES && !hub_text_is_utf8(hub_slice_octets(bytes)))
            return hub_fail(run->reterr, HUB_REJECT, "bytes that are not UTF-8, read as a string");
        hub_encode_octets(run->value, hub_slice_octets(bytes));
        return HUB_OK;
    case HUB_BYTES:
        hub_encode_octets(run->value, hub_slice_octets(bytes));
        return HUB_OK;
    default: /* null, boolean, fixed */
        hub_buffer_append_bytes(run->value, bytes);
        return HUB_OK;
    }
}

static enum hub_status apply(struct run *run, const struct step *step, struct hub_bytes bytes) {
    if (step->same_wire && !run->canonical) {
        hub_buffer_append_bytes(run->value, bytes);
        return HUB_OK;
    }
    if (step->hopeless)
        return hub_fail(run->reterr, HUB_REJECT, "a value of type %s has no place in the reader's "
                        "union", hub_kind_name(step->writer->kind));
    if (step->writer->kind == HUB_UNION) {
        struct hub_cursor cursor = hub_cursor(bytes);
        int64_t branch = 0;
        bool there = hub_cursor_long(&cursor, &branch, NULL);
        assert(there);
        return apply(run, step->parts[branch], hub_bytes_part(bytes, cursor.position, bytes.size));
    }
    if (step->reader_branch >= 0) {
        hub_encode_long(run->value, step->reader_branch);
        return apply(run, step->inner, bytes);
    }
    switch (step->reader->kind) {
    case HUB_RECORD:
        return apply_record(run, step, bytes);
    case HUB_ARRAY:
        return apply_array(run, step, bytes);
    case HUB_MAP:
        return apply_map(run, step, bytes);
    case HUB_ENUM:
        return apply_enum(run, step, bytes);
    default:
        return apply_leaf(run, step, bytes);
    }
}

enum hub_status hub_resolve(const struct hub_resolver *resolver, struct hub_bytes bytes,
                            bool canonical, struct hub_buffer *ret_value,
                            struct hub_error *reterr) {
    struct run run = {ret_value, canonical, reterr};
    HUB_TRY(apply(&run, resolver->root, bytes));
    if (hub_buffer_overflowed(ret_value))
        return hub_fail(reterr, HUB_REJECT, "the translated value passes the limit of %zu bytes",
                        ret_value->size_max);
    return HUB_OK;
}

void hub_resolve_canonical(const struct hub_type *type, struct hub_bytes bytes,
                           struct hub_buffer *ret_value) {
    struct hub_resolver *resolver = NULL;
    struct hub_error error;
    enum hub_status status = hub_resolver_new(type, type, &resolver, &error);
    if (status == HUB_OK)
        status = hub_resolve(resolver, bytes, /* canonical= */ true, ret_value, &error);
    assert(status == HUB_OK); /* a schema reads all that it wrote */
    hub_resolver_free(resolver);
}
