#include "tests/sim/view.h"

#include "tests/lib/records.h"

#include <assert.h>

bool view_open(struct view *view, const struct hub_schema *schema, struct hub_bytes message) {
    struct hub_record record;
    struct hub_error error;
    HUB_SCOPED_BUFFER scratch = {0};
    if (hub_record_open(test_catalogue(), schema, message, &scratch, &record, &error) != HUB_OK ||
        record.body.data < message.data || record.body.data > message.data + message.size)
        return false; /* nothing older is ever published */
    assert(record.type->count <= VIEW_FIELDS_MAX);
    view->type = record.type;
    view->body = record.body;
    hub_slice_fields(view->type, view->body, view->starts);
    return true;
}

static size_t index_of(const struct view *view, const char *name) {
    int index = hub_type_field(view->type, name);
    assert(index >= 0);
    return (size_t)index;
}

struct hub_bytes view_field(const struct view *view, const char *name) {
    size_t index = index_of(view, name);
    return hub_bytes_part(view->body, view->starts[index], view->starts[index + 1]);
}

const struct hub_type *view_type(const struct view *view, const char *name) {
    return view->type->fields[index_of(view, name)].type;
}

int64_t view_long(const struct view *view, const char *name) {
    return hub_slice_long(view_field(view, name));
}

struct hub_bytes view_text(const struct view *view, const char *name) {
    struct hub_bytes stated;
    if (hub_slice_stated(view_type(view, name), view_field(view, name), &stated) == NULL)
        return hub_bytes(NULL, 0);
    return hub_slice_octets(stated);
}

const char *view_symbol(const struct view *view, const char *name) {
    return hub_slice_symbol(view_type(view, name), view_field(view, name));
}

struct hub_elements view_elements(const struct view *view, const char *name) {
    return hub_slice_elements(view_type(view, name), view_field(view, name));
}

size_t view_count(const struct view *view, const char *name) {
    struct hub_elements elements = view_elements(view, name);
    struct hub_bytes element;
    size_t count = 0;
    while (hub_slice_next(&elements, &element))
        count++;
    return count;
}

bool view_part(const struct view *view, const char *name, struct view *ret_part) {
    struct hub_bytes stated;
    const struct hub_type *type =
        hub_slice_stated(view_type(view, name), view_field(view, name), &stated);
    if (type == NULL)
        return false;
    ret_part->type = type;
    ret_part->body = stated;
    hub_slice_fields(type, stated, ret_part->starts);
    return true;
}

struct hub_bytes element_field(const struct hub_elements *elements, struct hub_bytes element,
                               const char *name) {
    const struct hub_type *record = elements->type;
    return hub_slice_field(record, element, (size_t)hub_type_field(record, name));
}
