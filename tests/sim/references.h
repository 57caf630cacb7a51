/* Slots that refer to trials: the trials' unified records, refer as a task of the hub beside admit
 * and the fold (hub/engine/refer_task.c), and what has to come of it. */
#pragma once

#include "tests/lib/records.h"
#include "tests/sim/hubs.h"

enum { TRIALS = 4 };

/* The hub's slots refer from now on; nothing was stepped yet. */
void references_begin(struct hubs *hubs);
/* Publishes what has become of one of the trials. */
void references_change(struct hubs *hubs, struct test_random *random);
/* The trials of the other hub as they are in the end, from the beginning. */
void references_copy(struct hubs *hubs, const struct hubs *other);

/* --- for the hubs: parts of a step --- */

enum hub_status references_load(struct hubs *hubs, struct slot *slot, struct hub_error *error);
bool references_wait(const struct hubs *hubs, const struct slot *slot);
/* Follows the trials to where they end, and then writes facts. */
void references_flush(struct hubs *hubs, struct slot *slot, struct hub_outputs *outputs);
/* A crash of the process: what it followed is lost. */
void references_forget(struct process *process);

/* --- promises, once nothing waits; compacts all --- */

/* No fact is written twice; one that loads all has nothing to write; and the conflicts of kind
 * REFERENCE are those that the statements in force give beside the trials' last records. */
void check_references(struct hubs *hubs);
/* How many stand: have values. */
size_t references_standing(const struct hubs *hubs);
