/* A merge, told as who says what, and seen as JSON. */
#pragma once

#include "hub/core/merge.h"
#include "tests/lib/records.h"

struct merging;

struct merging *merging_new(const struct hub_domain *domain);
void merging_free(struct merging *merging);

/* One more statement in force. `key` is <system>/<source id>, `json` a record of the domain without
 * its stamp, `event_time` RFC 3339 or NULL. Statements may be added in any order. */
void merging_say(struct merging *merging, const char *key, const char *event_time,
                 const char *json);
/* What the statement that was added last replaced. */
void merging_replaced(struct merging *merging, const char *status);

/* A person has chosen the statement's value at a path, where these values stood against each other: a
 * JSON array of them, which may have single quotes. */
void merging_choose(struct merging *merging, const char *path, const char *key, const char *values);

/* Merges what was said. Borrowed: {"value": the record, "sources": {field: statement key, or null
 * for nobody, or "several"}, "conflicts": {path and mark: {"severity",
 * "decided", "owner", "values": [{"value", "statements", "chosen"}]}}}. */
const json_t *merging_result(struct merging *merging);
/* Merges, and gives the conflict at a path; NULL for none. */
const json_t *merging_conflict(struct merging *merging, const char *path);

/* hub_merge_reason for two statements by their keys. */
const char *merging_reason(struct merging *merging, const char *field, const char *winner,
                           const char *loser);
