/* Whether the archive of a partition is what was signed: with its files and the public key, and nothing else.
 *
 * From the last checkpoint down: its signature, the tree that it is the root of, the entries, and of each
 * entry the record it speaks of. Every earlier checkpoint must be one of the same log as it was then; one
 * of a later log means that this one was put back. */
#pragma once

#include "hub/archive/note.h"

struct hub_verify_config {
    const char *folder;
    const struct hub_note_key *key; /* of the log; its name is the origin */
    uint64_t from, to;              /* the records that are looked at: [from, to); to 0: all */
    size_t parts;                   /* that are read at the same time; 0: one for each processor */
    /* Every 65,536 records, on any thread; or NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t size);
    void *context;
};

struct hub_verified {
    uint64_t size;        /* entries */
    uint64_t records;     /* whose bytes were looked at */
    uint64_t bytes;       /* of those records */
    uint64_t checkpoints; /* besides the last */
    int64_t next_offset;
    uint64_t unsigned_bytes; /* beyond the checkpoint in segments that go on: not signed yet, and no error */
};

/* HUB_REJECT: it is not, and the error names the first record or file that is not, and how. HUB_FATAL
 * where something cannot be read. */
HUB_MUST_USE enum hub_status hub_archive_verify(const struct hub_verify_config *config,
                                                struct hub_verified *ret_verified,
                                                struct hub_error *reterr);
