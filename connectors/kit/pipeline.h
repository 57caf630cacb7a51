/* parse, map, guard, encode: what a document becomes, before anything is published.
 *
 * What the guard finds in a record, in its key, in the name of its document or in the bytes that a
 * dead letter would tell, stays here: those bytes, too, are the source's.
 *
 * Deterministic: the same documents in the same order give the same records. Used by the runtime,
 * by `connector dry-run` and by `hubctl simulate` alike. */
#pragma once

#include "connectors/kit/config.h"
#include "connectors/kit/known.h"
#include "schemas/lib/envelope.h"

/* As in schemas/hub/position.avsc: `read` is the sum of the others, but for withdrawals of what
 * vanished, which were never read. */
struct hub_connector_counts {
    int64_t read, published, withdrawn, vanished, unchanged, skipped, dead;
};

/* One record to be written, in order. */
struct hub_outgoing {
    bool dead;             /* to the institution's dead letters, else to the ingest topic */
    const char *key;
    struct hub_bytes value; /* in the Confluent wire format */
    struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX];
    size_t header_count;
    struct hub_bytes body;  /* of the record, without the frame; for `known` */
    const struct hub_mapped *mapped; /* what it came from, or NULL */
    const char *stage, *code, *reason, *path; /* dead letters; path may be NULL */
    struct hub_bytes identity; /* dead letters: what tells it from others, for `known` */
    struct hub_bytes held; /* dead letters: original bytes that must stay here, else none */
};

/* A record of the source that a document has, whatever became of it. */
struct hub_seen {
    const char *key;       /* NULL: it could not be told, or must not be */
    struct hub_bytes body; /* what is published of it, now or before; no data: it was refused */
};

struct hub_outgoing_list {
    struct hub_outgoing *items;
    size_t count, capacity;
    struct hub_seen *seen; /* also what vanished and is withdrawn; nothing that was skipped */
    size_t seen_count, seen_capacity;
    bool snapshot; /* what is not among these is not in the source */
    bool is_unreadable; /* nobody knows what is in it */
    struct hub_connector_counts counts; /* of this document */
    struct hub_mapped_list mapped; /* what the mapping made of it, what it skips too; none: it is not readable */
    const char *note; /* one sentence about the document as a whole, or NULL */
    enum hub_status failed; /* HUB_OK; else nothing of it may go out, for this reason, and it has to come again */
    const char *failure;
};

struct hub_pipeline {
    const struct hub_connector *connector;
    struct hub_known *known; /* NULL: everything is published */
    bool tells_once;         /* the source: `known` is for groups and patches only */
};

/* Makes `known` where the connector needs it: of a source that is read again, or of records that depend
 * on what was told before. */
void hub_pipeline_begin(struct hub_pipeline *pipeline, const struct hub_connector *connector);
void hub_pipeline_end(struct hub_pipeline *pipeline);

/* Everything in the arena; the document's bytes must outlive it. `known` is asked and not changed:
 * hub_pipeline_take does that, before the next document. */
void hub_pipeline_run(struct hub_pipeline *pipeline, const struct hub_raw_document *document,
                      int64_t sequence, struct hub_arena *arena,
                      struct hub_outgoing_list *ret_list);

/* What a snapshot or a group no longer has is withdrawn for a reason that begins so. */
#define HUB_VANISHED_REASON "no longer in "

/* A record's document and place in it ("" or NULL: none), as a dead letter tells it. In the arena. */
const char *hub_pipeline_document(const struct hub_raw_document *document, const char *place,
                                  struct hub_arena *arena);
/* The number in NAME/NUMBER/INDEX, the id of what the connector of that name has written; -1: it is another's. */
int64_t hub_pipeline_sequence_in(const char *name, struct hub_bytes id);

/* A statement as it goes out under the id NAME/SEQUENCE/INDEX. In the arena. */
void hub_pipeline_statement(const struct hub_connector *connector, const char *key,
                            struct hub_bytes body, int64_t sequence, size_t index,
                            struct hub_arena *arena, struct hub_outgoing *ret_outgoing);

/* The list is what is known now. Who cannot publish it must begin anew. */
void hub_pipeline_take(struct hub_pipeline *pipeline, const struct hub_outgoing_list *list);
