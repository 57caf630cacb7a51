/* What stands now, over HTTP, from the shards that this process holds:
 *
 *   GET /v1/resolve?identifier=nct:NCT05635409   {identifier, entities: [{domain, entity_id}]}
 *   GET /v1/entity/ID                            the entity, or the one that it was merged into
 *
 * The identifier need not be in normal form. 404 where there is none, 503 while partitions are being
 * loaded or nobody answers in time.
 *
 * Nobody is asked who he is: whoever reaches the address reads what the unified topics hold. */
#pragma once

#include "hub/engine/engine.h"
#include "hub/io/http_server.h"

/* Answers a question below /v1/. Returns the HTTP status and appends JSON. */
unsigned hub_resolve_answer(const struct hub_catalogue *catalogue, struct hub_public_state *state,
                            const struct hub_http_question *question, struct hub_buffer *reply);
