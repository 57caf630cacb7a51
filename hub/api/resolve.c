#include "hub/api/resolve.h"

#include "hub/base/text.h"
#include "hub/engine/lookup.h"

#include <string.h>

enum { ANSWER_TIMEOUT_MS = 2000 };

static const char entity_path[] = "/v1/entity/";

static unsigned refuse(struct hub_buffer *reply, unsigned status, const char *message) {
    hub_buffer_clear(reply);
    hub_buffer_append_format(reply, "{\"error_code\":%u,\"message\":", status);
    hub_text_append_json(hub_bytes_of_text(message), reply);
    hub_buffer_append_text(reply, "}\n");
    return status;
}

unsigned hub_resolve_answer(const struct hub_catalogue *catalogue, struct hub_public_state *state,
                            const struct hub_http_question *question, struct hub_buffer *reply) {
    HUB_SCOPED_BUFFER identifier = {0};
    enum hub_lookup_kind kind = HUB_LOOKUP_IDENTIFIER;
    const char *text = NULL;
    bool found = false;
    if (strcmp(question->method, "GET") != 0)
        return refuse(reply, 405, "GET would pass");
    if (strcmp(question->path, "/v1/resolve") == 0) {
        const char *asked = hub_http_argument(question, "identifier");
        if (asked == NULL)
            return refuse(reply, 400, "?identifier=SCHEME:VALUE would pass");
        hub_identifier_normalise(&catalogue->schemes, hub_bytes_of_text(asked), &identifier);
        text = hub_buffer_text(&identifier);
    } else if (strncmp(question->path, entity_path, sizeof entity_path - 1) == 0) {
        kind = HUB_LOOKUP_ENTITY;
        text = question->path + sizeof entity_path - 1;
    } else {
        return refuse(reply, 404, "/v1/resolve?identifier=SCHEME:VALUE and /v1/entity/ID are here");
    }
    if (state->lookup == NULL || !atomic_load(&state->ready))
        return refuse(reply, 503, "partitions are not loaded");
    if (!hub_lookup_ask(state->lookup, kind, text, ANSWER_TIMEOUT_MS, reply, &found))
        return refuse(reply, 503, "busy; once more, later");
    if (!found)
        return refuse(reply, 404, kind == HUB_LOOKUP_ENTITY
                                      ? "no such entity in the shards that are here"
                                      : "no entity claims it in the shards that are here");
    hub_buffer_append_text(reply, "\n");
    return 200;
}
