/* Saying things to a world in few words: trials by their numbers, slots by suite and time.
 *
 * The institution is the first that carries the key's system; versions are numbers. */
#pragma once

#include "tests/lib/world.h"

/* A trial. `identifiers` are "nct:NCT01000001 idrcb:2019-A00001-11", all SELF; `more` is further
 * members of the record, "'acronym': 'STAR'", or NULL. */
void tell_trial(struct world *world, const char *key, int version, const char *identifiers,
                const char *more);
/* The source takes its statement back. */
void tell_trial_withdrawn(struct world *world, const char *key, int version);

/* A slot at LUMC on the first of May 2026, `hours` being "08-16". */
void tell_slot(struct world *world, const char *key, int version, const char *suite,
               const char *hours, const char *status);
void tell_slot_withdrawn(struct world *world, const char *key, int version);

/* The entity's id now. */
const char *tell_id(struct world *world, const char *statement_key);

/* The records of one kind and key (NULL: any) so far, as an array of outputs. The caller frees it
 * (json_decref). */
json_t *tell_history(struct world *world, const char *kind, const char *key);
/* One member of each of them, "OPENED CHANGED"; lives until the next call. */
const char *tell_each(struct world *world, const char *kind, const char *key, const char *path);
