/* What a connector has published of its source, read back from its own ingest topic: so that what
 * did not change is not published again, and what vanished from a snapshot can be withdrawn. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/status.h"
#include "schemas/lib/catalogue.h"

struct hub_known;

struct hub_known *hub_known_new(const struct hub_catalogue *catalogue,
                                const struct hub_domain *domain, const struct hub_system *system,
                                const struct hub_digester *digester);
/* From now on a version that is earlier than what is known is not taken: what is told once may come
 * late. */
void hub_known_keep_latest(struct hub_known *known);
void hub_known_free(struct hub_known *known); /* NULL is fine */

/* Takes a published record; those of other systems are passed over. HUB_FATAL for damage. */
HUB_MUST_USE enum hub_status hub_known_load(struct hub_known *known, struct hub_bytes key,
                                            struct hub_bytes message, struct hub_error *reterr);

/* Whether the record says something new, beyond its stamp. `body` has been walked. Notes that the
 * source still has it. */
bool hub_known_differs(struct hub_known *known, const char *key, struct hub_bytes body);
/* The record has been published: it is what is known now. */
void hub_known_take(struct hub_known *known, const char *key, struct hub_bytes body);
/* What was taken last under the key; none where nothing was. */
struct hub_bytes hub_known_body(struct hub_known *known, const char *key);
/* Calls `member`, by key, for each record that was taken under the key `group` or one that begins with
 * it and a slash. The table may not be changed meanwhile. */
void hub_known_group(struct hub_known *known, const char *group,
                     void (*member)(void *context, const char *key, struct hub_bytes body),
                     void *context);
/* The source still has the record, though it could not be mapped. */
void hub_known_note(struct hub_known *known, const char *key);

/* Dead letters, by what tells one from others: a source that says at every reading what cannot be right
 * is refused once, until somebody settles that otherwise than by discarding it. Beyond 10,000 all are
 * forgotten. */
bool hub_known_is_refused(struct hub_known *known, struct hub_bytes letter);
void hub_known_refuse(struct hub_known *known, struct hub_bytes letter);

/* Snapshots: between begin and vanished, every record seen is noted. */
void hub_known_begin_snapshot(struct hub_known *known);
/* Calls `vanished` for each record in force that was not noted, by key, with its last body.
 * Returns how many there are; without `vanished` it only counts. */
size_t hub_known_vanished(struct hub_known *known,
                          void (*vanished)(void *context, const char *key, struct hub_bytes body),
                          void *context);
size_t hub_known_count(const struct hub_known *known); /* in force */
