/* Reading the hub's own records by the names of their fields: for what is read once, at loading or
 * for a decision, not for every statement. */
#pragma once

#include "schemas/lib/catalogue.h"

struct hub_record {
    const struct hub_type *type;
    struct hub_bytes body;
    const uint32_t *starts; /* of its fields, and its end; NULL: looked for each time */
};

/* Opens a framed message as a record of `schema`, translating it where it was written with an older
 * version; `scratch` then holds the body, else where its fields start, and must outlive the record.
 * HUB_REJECT where the bytes are not accepted, HUB_FATAL where they are of another schema. */
HUB_MUST_USE enum hub_status hub_record_open(const struct hub_catalogue *catalogue,
                                             const struct hub_schema *schema,
                                             struct hub_bytes message, struct hub_buffer *scratch,
                                             struct hub_record *ret_record,
                                             struct hub_error *reterr);

struct hub_bytes hub_record_field(const struct hub_record *record, const char *name);
const struct hub_type *hub_record_type(const struct hub_record *record, const char *name);
/* int, long, enum */
int64_t hub_record_long(const struct hub_record *record, const char *name);
/* NULL for null. Owned by the caller. */
char *hub_record_text(const struct hub_record *record, const char *name);
bool hub_record_text_is(const struct hub_record *record, const char *name, const char *text);
bool hub_record_is_stated(const struct hub_record *record, const char *name);
/* A nested record, also where it is the branch of a union; false for null. */
bool hub_record_part(const struct hub_record *record, const char *name,
                     struct hub_record *ret_part);

/* Arrays: how many elements, and the texts of an array of strings, owned by the caller (each and the
 * list; NULL for none). */
size_t hub_record_count(const struct hub_record *record, const char *name);
char *hub_record_nth_text(const struct hub_record *record, const char *name, size_t index);
char **hub_record_texts(const struct hub_record *record, const char *name, size_t *ret_count);
