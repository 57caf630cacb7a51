/* Mapping again what a connector has read, after its configuration was mended: which of its statements become others.
 *
 * Nothing here reads or writes Kafka. It is told what is published, then is given the documents that are to be
 * mapped again, and says what is to be published so that each key says what the present configuration makes of
 * the document that speaks for it. What would say the same is left alone; so is what a document speaks for that is not
 * mapped again, unless that one is older; and what a snapshot no longer had stays withdrawn. */
#pragma once

#include "connectors/kit/journal.h"
#include "connectors/kit/pipeline.h"

/* --- the decision --- */

/* What is published under a key, as a document stands to it. */
struct hub_remap_standing {
    bool published;
    bool vanished;    /* a snapshot no longer had it */
    bool mapped_again; /* the document that it was made of is mapped again, and every key in it is known */
    bool refused;      /* ... and has the key still, but nothing can be made of it */
    bool stated;       /* it is in force, and not withdrawn */
    bool given;        /* a document that is mapped again gives the key */
    bool older;        /* ... one that is older than what it was made of */
    bool differs;      /* ... and that says something else */
};

enum hub_remap_verdict {
    HUB_REMAP_ADD,       /* nobody has said it before */
    HUB_REMAP_REPLACE,
    HUB_REMAP_WITHDRAW,  /* the document gives it no more */
    HUB_REMAP_UNCHANGED,
    HUB_REMAP_OTHER,     /* a document speaks for it that is later, or is not mapped again */
    HUB_REMAP_VANISHED,
    HUB_REMAP_REFUSED,   /* it stays as it was published */
    HUB_REMAP_VERDICTS
};
enum hub_remap_verdict hub_remap_judge(const struct hub_remap_standing *standing);

/* --- all of it --- */

struct hub_remap;

/* `journal`: of all that was read. Both must outlive it. */
struct hub_remap *hub_remap_new(const struct hub_connector *connector,
                                const struct hub_journal_list *journal);
void hub_remap_free(struct hub_remap *remap); /* NULL is fine */

/* A published record, each partition in its order; `id` is its ce_id. Those of other systems are passed over.
 * HUB_FATAL for damage. */
HUB_MUST_USE enum hub_status hub_remap_published(struct hub_remap *remap, struct hub_bytes key,
                                                 struct hub_bytes message, struct hub_bytes id,
                                                 struct hub_error *reterr);
/* A document that is to be mapped again, after all that is published. `next` is the sequence that the first of the new
 * statements will have. */
void hub_remap_document(struct hub_remap *remap, const struct hub_raw_document *document,
                        int64_t sequence, int64_t next);

struct hub_remap_change {
    const char *key;
    enum hub_remap_verdict verdict; /* of all keys that anything was said about */
    const char *why; /* HUB_REMAP_REFUSED: what is wrong */
    struct hub_bytes body;
    bool withdrawn, published; /* what is to be said; whether something was */
};
/* What is to be done, by key; it lives as long as the remap. */
const struct hub_remap_change *hub_remap_decide(struct hub_remap *remap, size_t *ret_count);

/* A change that is to be published, as it goes out; its counts are added. In the arena. */
void hub_remap_outgoing(struct hub_remap *remap, const struct hub_remap_change *change,
                        const char *reason, int64_t sequence, size_t index,
                        struct hub_arena *arena, struct hub_outgoing *ret_outgoing,
                        struct hub_connector_counts *counts);
