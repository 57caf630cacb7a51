/* Dead letters for people: a topic of them, with what has become of each. */
#pragma once

#include "connectors/kit/letters.h"
#include "hub/ctl/read.h"

struct hub_ctl_letters {
    struct hub_ctl *ctl;
    const char *topic;
    struct hub_letters letters;
    json_t *values; /* of each letter the record as it was written, without its original bytes */
    /* What is to be known of one letter; -1 for none. */
    int64_t wanted;
    json_t *shown;   /* its record, with the original in hexadecimal; NULL: it is not there */
    json_t *history; /* what was done about it, in order */
    struct hub_buffer original;
    bool has_original;
};

/* Reads a topic. False where Kafka could not be read, which has been said. To be freed all the same. */
bool hub_ctl_letters_read(struct hub_ctl *ctl, struct hub_source *source, const char *topic,
                          int64_t wanted, struct hub_ctl_letters *letters);
void hub_ctl_letters_free(struct hub_ctl_letters *letters);

/* deadletter.sus of deadletter.sus/0@12; NULL where it is no place of a letter. In the arena. */
const char *hub_ctl_letter_topic(const char *place, struct hub_arena *arena);
