/* Questions about what stands now: asked on the HTTP thread, answered by the thread that runs the
 * stages, between two transactions, from what the stages hold. So nothing is kept twice, and an
 * answer is what has been committed.
 *
 * The queue from the one thread to the other holds one question; the answer goes back in its
 * place. */
#pragma once

#include "hub/engine/task.h"

struct hub_lookup;

enum hub_lookup_kind {
    HUB_LOOKUP_IDENTIFIER, /* {identifier, entities: [{domain, entity_id}]} */
    HUB_LOOKUP_ENTITY,     /* as hub_fold_render_entity */
};

HUB_MUST_USE enum hub_status hub_lookup_new(struct hub_lookup **ret_lookup,
                                            struct hub_error *reterr);
void hub_lookup_free(struct hub_lookup *lookup); /* NULL is fine */

/* HTTP thread: waits for the answer, and appends it as JSON where there is one. False where nobody
 * answered in time. `text` is an identifier in normal form, or an entity id. */
bool hub_lookup_ask(struct hub_lookup *lookup, enum hub_lookup_kind kind, const char *text,
                    int64_t timeout_ms, struct hub_buffer *json, bool *ret_found);

/* Stages' thread: readable where a question waits; answers it from the shards that the task
 * holds. It stays unanswered where one of them has to be loaded again, which is the status. */
int hub_lookup_descriptor(const struct hub_lookup *lookup);
HUB_MUST_USE enum hub_status hub_lookup_answer(struct hub_lookup *lookup,
                                               const struct hub_task *fold_task,
                                               struct hub_error *reterr);
