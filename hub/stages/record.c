#include "hub/stages/record.h"

#include "schemas/lib/frame.h"
#include "schemas/lib/resolve.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"

#include <assert.h>
#include <string.h>

static const struct hub_walk_limits limits = {.size_max = 64 * 1024 * 1024,
                                              .elements_max = 1000000};

static enum hub_status translate(const struct hub_schema *writer, const struct hub_schema *schema,
                                 struct hub_bytes body, struct hub_buffer *scratch,
                                 struct hub_error *reterr) {
    struct hub_resolver *resolver = NULL;
    struct hub_walk walk = {0};
    HUB_TRY(hub_resolver_new(writer->root, schema->root, &resolver, reterr));
    enum hub_status status = hub_resolve(resolver, body, /* canonical= */ false, scratch, reterr);
    hub_resolver_free(resolver);
    HUB_TRY(status);
    return hub_walk(schema->root, hub_buffer_bytes(scratch), &limits, &walk, reterr);
}

static enum hub_status open_message(const struct hub_catalogue *catalogue,
                                    const struct hub_schema *schema, struct hub_bytes message,
                                    const struct hub_schema **ret_writer,
                                    struct hub_bytes *ret_body, struct hub_error *reterr) {
    int32_t id = 0;
    HUB_TRY(hub_frame_open(message, &id, ret_body, reterr));
    *ret_writer = hub_catalogue_by_id(catalogue, id);
    if (*ret_writer == NULL || strcmp((*ret_writer)->subject, schema->subject) != 0)
        return hub_fail(reterr, HUB_FATAL, "a record of schema %d; %d (%s) would pass", id,
                        schema->id, schema->subject);
    return HUB_OK;
}

enum hub_status hub_record_open(const struct hub_catalogue *catalogue,
                                const struct hub_schema *schema, struct hub_bytes message,
                                struct hub_buffer *scratch, struct hub_record *ret_record,
                                struct hub_error *reterr) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1];
    struct hub_walk walk = {.starts = starts};
    const struct hub_schema *writer = NULL;
    struct hub_bytes body;
    HUB_TRY(open_message(catalogue, schema, message, &writer, &body, reterr));
    HUB_TRY(hub_walk(writer->root, body, &limits, &walk, reterr));
    hub_buffer_clear(scratch);
    if (writer != schema) {
        HUB_TRY(translate(writer, schema, body, scratch, reterr));
        *ret_record = (struct hub_record){.type = schema->root, .body = hub_buffer_bytes(scratch)};
        return HUB_OK;
    }
    hub_buffer_append(scratch, starts, (schema->root->count + 1) * sizeof *starts);
    *ret_record = (struct hub_record){schema->root, body, (const void *)scratch->data};
    return HUB_OK;
}

struct hub_bytes hub_record_field(const struct hub_record *record, const char *name) {
    size_t index = (size_t)hub_type_field(record->type, name);
    return record->starts == NULL ? hub_slice_field(record->type, record->body, index)
                                  : hub_bytes_part(record->body, record->starts[index],
                                                   record->starts[index + 1]);
}

const struct hub_type *hub_record_type(const struct hub_record *record, const char *name) {
    return record->type->fields[hub_type_field(record->type, name)].type;
}

int64_t hub_record_long(const struct hub_record *record, const char *name) {
    return hub_slice_long(hub_record_field(record, name));
}

static const struct hub_type *stated(const struct hub_record *record, const char *name,
                                     struct hub_bytes *ret_bytes) {
    return hub_slice_stated(hub_record_type(record, name), hub_record_field(record, name),
                            ret_bytes);
}

static char *copy_octets(struct hub_bytes bytes) {
    struct hub_bytes text = hub_slice_octets(bytes);
    return hub_copy_bytes(text.data, text.size);
}

char *hub_record_text(const struct hub_record *record, const char *name) {
    struct hub_bytes bytes;
    return stated(record, name, &bytes) == NULL ? NULL : copy_octets(bytes);
}

bool hub_record_text_is(const struct hub_record *record, const char *name, const char *text) {
    return hub_bytes_equal_text(hub_slice_octets(hub_record_field(record, name)), text);
}

bool hub_record_is_stated(const struct hub_record *record, const char *name) {
    struct hub_bytes bytes;
    return stated(record, name, &bytes) != NULL;
}

bool hub_record_part(const struct hub_record *record, const char *name,
                     struct hub_record *ret_part) {
    ret_part->starts = NULL;
    ret_part->type = stated(record, name, &ret_part->body);
    return ret_part->type != NULL;
}

size_t hub_record_count(const struct hub_record *record, const char *name) {
    struct hub_elements elements =
        hub_slice_elements(hub_record_type(record, name), hub_record_field(record, name));
    struct hub_bytes element;
    size_t count = 0;
    while (hub_slice_next(&elements, &element))
        count++;
    return count;
}

char *hub_record_nth_text(const struct hub_record *record, const char *name, size_t index) {
    struct hub_elements elements =
        hub_slice_elements(hub_record_type(record, name), hub_record_field(record, name));
    struct hub_bytes element;
    for (size_t i = 0; hub_slice_next(&elements, &element); i++)
        if (i == index)
            return copy_octets(element);
    return NULL;
}

char **hub_record_texts(const struct hub_record *record, const char *name, size_t *ret_count) {
    size_t count = hub_record_count(record, name);
    char **texts = count == 0 ? NULL : hub_allocate_zero(count, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = hub_record_nth_text(record, name, i);
    *ret_count = count;
    return texts;
}
