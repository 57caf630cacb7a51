/* hubctl archive verify, of the roll-up log: against the logs beside it, and against what witnesses have seen. */
#pragma once

#include "hub/archive/rollup.h"
#include "hub/ctl/archive.h"

struct hub_ctl_rollup {
    struct hub_rollup_verified verified;
    enum hub_status status;
    struct hub_error error;    /* where it is not HUB_OK */
    struct hub_buffer remarks; /* a line for each witness */
};

/* The keys of witnesses are those of --key that are a witness's; each of them must have cosigned. --seen is a
 * checkpoint of the roll-up log as somebody else has it. */
void hub_ctl_rollup_verify(const struct hub_ctl *ctl, const struct hub_ctl_keys *keys,
                           const char *archive_folder, const struct hub_note_key *key,
                           struct hub_ctl_rollup *ret_rollup);
