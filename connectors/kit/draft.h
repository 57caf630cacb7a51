/* A first configuration, guessed from a sample: for `connector new`. */
#pragma once

#include "connectors/kit/config.h"

struct hub_draft {
    const struct hub_catalogue *catalogue;
    const char *sample; /* a file; its name's end tells the format */
    const struct hub_domain *domain;
    const struct hub_system *system;
};

/* Appends a configuration that passes its own check or says in comments what is missing: fields whose
 * names are like names in the sample are mapped, the others stand beside their meaning, and what of the
 * sample is not used yet with an example. HUB_REJECT where the sample cannot be read as its format. */
HUB_MUST_USE enum hub_status hub_draft_write(const struct hub_draft *draft, struct hub_buffer *text,
                                             struct hub_error *reterr);
