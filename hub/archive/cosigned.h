/* What witnesses have cosigned of a log, as the log keeps it: witnesses/ID, by the id of the witness's key, is
 * the last checkpoint that this witness cosigned, with its cosignature. Anybody checks it with both keys. */
#pragma once

#include "hub/archive/checkpoint.h"
#include "hub/archive/tiles.h"

/* Its size; 0 where there is none yet. HUB_REJECT where it is not signed by both. */
HUB_MUST_USE enum hub_status hub_cosigned_size(const char *log_folder,
                                               const struct hub_note_key *log,
                                               const struct hub_note_key *witness,
                                               uint64_t *ret_size, struct hub_error *reterr);
/* Keeps a checkpoint's note, with the lines of the witness's answer. HUB_REJECT where the cosignature is none
 * of it; HUB_RETRY on a full disk, else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_cosigned_keep(const char *log_folder, struct hub_bytes note,
                                               struct hub_bytes lines,
                                               const struct hub_note_key *witness,
                                               struct hub_error *reterr);

/* Whether the log, whose last tiles these are, begins with what a note says that both have signed: of the
 * log's own witnesses/ID, or of what the witness itself remembers. HUB_REJECT where it does not. */
HUB_MUST_USE enum hub_status hub_cosigned_verify(struct hub_bytes note,
                                                 const struct hub_note_key *log,
                                                 const struct hub_note_key *witness,
                                                 struct hub_tiles *tiles, uint64_t *ret_time_s,
                                                 uint64_t *ret_size, struct hub_error *reterr);
