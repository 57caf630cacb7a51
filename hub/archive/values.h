/* The values of archived records, read by the schemas that stand in their segments: no schemas folder is
 * needed, and what was registered when they were written is what they are read by. */
#pragma once

#include "hub/archive/reader.h"
#include "schemas/lib/type.h"

struct hub_values;

/* Of one archive: in it a log's name and an index name a segment. */
struct hub_values *hub_values_new(void);
void hub_values_free(struct hub_values *values); /* NULL is fine */

/* The schema of the record's value, which was walked; NULL where it is null or no Avro. It lives as long as
 * `values`. HUB_REJECT where the segment's schema is none, or the value is not of it. */
HUB_MUST_USE enum hub_status hub_values_open(struct hub_values *values,
                                             const struct hub_archive_record *record,
                                             const struct hub_schema **ret_schema,
                                             struct hub_error *reterr);
