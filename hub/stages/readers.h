/* Statements by the schema they were written with, read as the domain's newest one. */
#pragma once

#include "schemas/lib/catalogue.h"
#include "schemas/lib/resolve.h"
#include "schemas/lib/walk.h"

struct hub_readers {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain;
    struct hub_resolver **resolvers; /* per schema of the catalogue; made when first needed */
    bool bounded; /* by their bytes are the elements of a statement (hub_walk_others_since) */
};

void hub_readers_init(struct hub_readers *readers, const struct hub_catalogue *catalogue,
                      const struct hub_domain *domain);
void hub_readers_free(struct hub_readers *readers);

/* A statement that has been checked: its body in the domain's newest schema. */
struct hub_opened {
    const struct hub_schema *writer;
    struct hub_bytes body;    /* newest schema, canonical; in the message or in the arena */
    struct hub_bytes written; /* as to be stored: the message itself where it was canonical */
    uint32_t *starts;         /* fields of `body`, in the arena */
    uint32_t *parts;          /* fields of its stamp, from where that begins; in the arena */
    bool plain;               /* every string is (hub_text_is_plain) */
    bool is_verbatim;         /* the message is as it would be written: newest schema, canonical */
    uint64_t elements;        /* of what has been looked at: array and map elements */
    const bool *same; /* per field of `body`: it is as it was before; NULL where nobody asked */
};

/* Opens the frame, walks the bytes, makes them canonical where they are not, and translates them
 * where they were written with an older schema. HUB_REJECT with what was wrong and where. */
HUB_MUST_USE enum hub_status hub_readers_open(struct hub_readers *readers, struct hub_bytes message,
                                              struct hub_arena *arena,
                                              struct hub_opened *ret_opened,
                                              struct hub_error *reterr);

/* The same of a statement of which an earlier body, opened by such readers, is at hand: `same` is told, `plain` may
 * not be. What is as it was before is not walked again. */
HUB_MUST_USE enum hub_status hub_readers_open_since(struct hub_readers *readers,
                                                    struct hub_bytes message,
                                                    struct hub_arena *arena,
                                                    const struct hub_walked *before,
                                                    struct hub_opened *ret_opened,
                                                    struct hub_error *reterr);

/* hub_readers_open in two steps, for whoever may know what follows the stamp: after the first one the stamp of what
 * is verbatim so far has been walked, and nothing of any other; all that is told is of the stamp alone.
 * The second one walks the rest. */
HUB_MUST_USE enum hub_status hub_readers_begin(struct hub_readers *readers,
                                               struct hub_bytes message, struct hub_arena *arena,
                                               struct hub_opened *ret_opened,
                                               struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_readers_finish(struct hub_readers *readers,
                                                struct hub_arena *arena, struct hub_opened *opened,
                                                struct hub_error *reterr);
