/* Lineage: where in a source document a field comes from. It is read off the mapping alone, without
 * the document, so that whoever has a statement and the configuration of its hash can tell.
 *
 * What a field comes from is a list of origins, as JSON:
 *
 *   {target: "titles[].text", item: 0, each: PATH, when: [CONDITION, ...], source: SOURCE}
 *       one for every scalar that the mapping can fill in the field; `item` counts the mapping's
 *       entries for the elements of an array, whose parts belong together: with `each` those of
 *       one of the elements that this path finds
 *   SOURCE     {path: PATH}, {constant: TEXT}, {first: [SOURCE, ...]} of which the first that is
 *              stated counts, {join: [SOURCE, ...], with: TEXT}, or {plus: {to, amount, unit: SOURCE,
 *              time: FORMATS}}, which is so much later than what `to` gives, or {ref: {among: PATH,
 *              from, by, take: SOURCE}}, of which `by` and `take` are told from the part, and with
 *              `folder` the PATH from the beginning of each document there; beside it what is done to it,
 *              as in the configuration: absent, match, split, fold, table, else, lookup, pseudonym,
 *              time, pick; for identifiers `schemes`, `relation`, `otherwise` (what becomes of one
 *              that fits no scheme), and `scan` where they are found in running text
 *   CONDITION  {path: PATH, in | not_in: [TEXT, ...]} or {path: PATH, present: BOOLEAN}
 *   PATH       from the document's beginning, as in connectors/kit/path.h; a[3] is the fourth that
 *              `a` finds, a[*] each of them; of a table it is the column, and in a file of messages
 *              it begins at the message. @request.x and the like are facts that are not in the
 *              document */
#pragma once

#include "connectors/kit/mapping.h"

size_t hub_lineage_record_count(const struct hub_mapping *mapping);

/* Whether that entry of `records` may have made a statement with this source id (its key without
 * the system): its constants fit, and what its conditions ask of a part of the key holds. */
bool hub_lineage_may_make(const struct hub_mapping *mapping, size_t record, const char *source_id);
/* Whether it fills that field of the domain at all. */
bool hub_lineage_maps(const struct hub_mapping *mapping, size_t record, size_t field);

/* In how many places the entry looks for records, one after the other. Which one led to a record
 * its statement does not tell. */
size_t hub_lineage_way_count(const struct hub_mapping *mapping, size_t record);

/* Where the entry is in the configuration, and its own conditions: {record, line, when}. */
json_t *hub_lineage_record(const struct hub_mapping *mapping, size_t record, size_t way,
                           const char *place);
/* The field's origins. `place` is the record's in its document: "element=3", "line=17",
 * "line=17,element=3" or "". Both are owned by the caller. */
json_t *hub_lineage_field(const struct hub_mapping *mapping, size_t record, size_t way,
                          size_t field, const char *place);

/* A SOURCE, and a list of CONDITIONs, in words. */
void hub_lineage_append_source(const json_t *source, struct hub_buffer *text);
void hub_lineage_append_conditions(const json_t *conditions, struct hub_buffer *text);
