/* The dead letters of an institution, and what has become of each: read from its topic, deadletter.INSTITUTION,
 * where nothing is ever taken back. A letter is open until a later record of the topic says what became of it
 * (schemas/hub/deadletter.avsc, `about`); what is refused again is open still, for its new reason.
 *
 * Who writes such a record: `connector remap --letters`, in the transaction that publishes what the letter's
 * document says now, and `hubctl dlq discard`. */
#pragma once

#include "connectors/kit/pipeline.h"
#include "hub/io/kafka.h"
#include "schemas/lib/catalogue.h"
#include "schemas/lib/deadletter.h"

struct hub_open_letter {
    int64_t offset;
    int64_t sequence; /* of its document at its connector; -1: it is of none that a connector has read */
    const char *connector; /* NULL where the letter tells none, as those below */
    const char *stage, *code, *reason, *path; /* the last ones */
    const char *document, *key;
    struct hub_digest original_hash;
    bool security;
    bool open;
    bool has_outcome; /* else the last ones are the first ones */
    enum hub_letter_outcome outcome;
    const char *because, *by;
    int64_t time_ms;
};

struct hub_letters {
    struct hub_open_letter *items; /* by offset */
    size_t count, capacity;
    struct hub_arena arena;
};

/* The next record of the topic, a DeadLetter of any version that has been walked; `id` is its ce_id. */
void hub_letters_take(struct hub_letters *letters, int64_t offset, const struct hub_type *type,
                      struct hub_bytes body, struct hub_bytes id);
/* The same of a record as it is read; one without a value is passed over. HUB_FATAL, HUB_REJECT for damage. */
HUB_MUST_USE enum hub_status hub_letters_read(struct hub_letters *letters,
                                              const struct hub_catalogue *catalogue,
                                              const struct hub_kafka_record *record,
                                              struct hub_error *reterr);
struct hub_open_letter *hub_letters_find(struct hub_letters *letters, int64_t offset); /* or NULL */
void hub_letters_free(struct hub_letters *letters);

/* OPEN, or what became of it. */
const char *hub_letter_state(const struct hub_open_letter *letter);

/* deadletter.INSTITUTION/0@OFFSET, as people name a letter. */
bool hub_letter_place_read(const char *text, const char *institution, int64_t *ret_offset);

/* What tells it from others, as it is known last; as hub_deadletter_identity. */
void hub_letter_identity(const char *institution, const struct hub_open_letter *letter,
                         struct hub_buffer *buffer);

/* --- writing --- */

struct hub_settlement {
    const struct hub_catalogue *catalogue;
    const char *institution;
    const char *id; /* the envelope's: another for each */
    const struct hub_open_letter *letter; /* its stage, code, reason and path as they are to be told */
    struct hub_letter_about about;
};
/* What is to be written of a letter's outcome, into partition 0 of its topic. In the arena. */
void hub_letter_settle(const struct hub_settlement *settlement, struct hub_arena *arena,
                       struct hub_outgoing *ret_outgoing);
