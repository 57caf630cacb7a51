/* Deciding things in a world, as a person would. */
#pragma once

#include "tests/lib/tell.h"

/* A decision; more is further members of the record, "'statements': ['ctgov/A']", or NULL. False where
 * admit does not take it. */
bool decide_about(struct world *world, const char *domain, const char *kind, const char *subject,
                  const char *by, int64_t revision, const char *more);
/* By anna, about two trials, on their revisions now; kind is JOIN or SEPARATE. Must be taken. */
void decide_pair(struct world *world, const char *kind, const char *a, const char *b);
/* The revision of a statement's entity now. */
int64_t decide_revision(struct world *world, const char *key);
/* The shard of LUMC's slots, for 'shard'. */
int decide_slot_shard(void);
/* Restarts the hub; fails the test where that changes anything that is published. */
void decide_restart(struct world *world);
/* Fails where the conflict or match does not tell of a refusal in such words. */
void expect_refusal_of(const json_t *record, const char *words);
