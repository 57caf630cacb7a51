/* The dead letter of a stage: what it refused, with the original bytes and why. */
#pragma once

#include "hub/base/digest.h"
#include "hub/stages/entry.h"
#include "schemas/lib/type.h"

/* Where the refused record came from, and why it was refused. */
struct hub_letter {
    const struct hub_schema *schema; /* of dead letters */
    const struct hub_digester *digester;
    const char *stage;
    const char *topic;
    const char *institution; /* NULL where the topic is nobody's */
    const char *code;        /* from a closed list */
    const char *path;        /* or NULL */
    const char *reason;
    bool security;
};

void hub_letter_write(const struct hub_letter *letter, const struct hub_input *input,
                      struct hub_outputs *outputs);
