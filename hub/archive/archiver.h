/* The archiver: in rounds, reads what is new in every topic of which the archive is kept, writes it, and
 * signs it.
 *
 * Where each partition goes on stands in its checkpoint, and nowhere else: no consumer group commits anything.
 * After a crash, or an error of the disk, the archive is opened again as it was signed, and what follows
 * is read again. */
#pragma once

#include "hub/archive/archive.h"
#include "hub/archive/witnesses.h"
#include "schemas/lib/catalogue.h"

#include <stdatomic.h>

struct hub_archiver_settings {
    struct hub_archive_config archive;
    struct hub_witnesses witnesses;
    const char *bootstrap;
    int64_t interval_ms;  /* from the beginning of a round to that of the next */
    int64_t lag_alarm_ms; /* an archive that is so far behind is an error */
    bool once;            /* one round */
};

/* What the outside may see. */
struct hub_archiver_state {
    atomic_llong ticked_ms;       /* monotonic: something went on; 0: nothing yet */
    atomic_llong signed_until_ms; /* since 1970: all that was committed by then is archived; 0: not known */
    atomic_llong records, bytes;  /* archived since the start */
    atomic_llong rounds, failures;
    atomic_llong cosigned;        /* checkpoints, by any witness */
    atomic_llong refusals;        /* by witnesses that have seen another history */
    atomic_llong gaps;            /* partitions that had lost records before they were archived */
};

/* Runs until SIGTERM or SIGINT, or an error that only a person can mend. */
HUB_MUST_USE enum hub_status hub_archiver_run(const struct hub_archiver_settings *settings,
                                              const struct hub_catalogue *catalogue,
                                              struct hub_archiver_state *state,
                                              struct hub_error *reterr);
