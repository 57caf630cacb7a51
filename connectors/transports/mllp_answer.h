/* What a receiver answers to HL7 v2 messages (HL7 2.5.1, 2.9): in original mode AA, AE or AR; in enhanced
 * mode, which MSH-15 or MSH-16 ask for, CA, CE or CR and an application acknowledgement, each where it is
 * asked for. Errors are told in MSA-3 and ERR. */
#pragma once

#include "connectors/transports/mllp_message.h"

enum hub_mllp_outcome {
    HUB_MLLP_SAFE, /* accepted, but for messages that are refused */
    HUB_MLLP_AWAY, /* it is not known to be safe: it should be sent again */
};

struct hub_mllp_moment {
    int64_t time_ms; /* since 1970-01-01T00:00:00Z */
    int64_t number;  /* of the last answer; with the time it is the answer's own number */
};

/* Appends the framed answers, if any: to each message what it asks for, one after the other in one
 * frame, in a batch where they came in one. Where no message could be told, but something was sent,
 * one that says so. An acknowledgement is not acknowledged. Application acknowledgements of the
 * enhanced mode are a second frame. */
void hub_mllp_answer(const struct hub_mllp_content *content, enum hub_mllp_outcome outcome,
                     struct hub_mllp_moment *moment, struct hub_buffer *answers);
