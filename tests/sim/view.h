/* A published record, its fields by their names. */
#pragma once

#include "hub/stages/record.h"
#include "schemas/lib/slice.h"

enum { VIEW_FIELDS_MAX = 32 };

struct view {
    const struct hub_type *type;
    struct hub_bytes body;
    uint32_t starts[VIEW_FIELDS_MAX + 1];
};

/* False where the bytes are none of the schema. */
bool view_open(struct view *view, const struct hub_schema *schema, struct hub_bytes message);
struct hub_bytes view_field(const struct view *view, const char *name);
const struct hub_type *view_type(const struct view *view, const char *name);
int64_t view_long(const struct view *view, const char *name);
/* No data for null. */
struct hub_bytes view_text(const struct view *view, const char *name);
const char *view_symbol(const struct view *view, const char *name);
struct hub_elements view_elements(const struct view *view, const char *name);
size_t view_count(const struct view *view, const char *name);
/* Whether the nullable record is there; its parts by `view_part`. */
bool view_part(const struct view *view, const char *name, struct view *ret_part);

/* The field of an element that is a record. */
struct hub_bytes element_field(const struct hub_elements *elements, struct hub_bytes element,
                               const char *name);
