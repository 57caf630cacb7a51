/* Keys of logs and witnesses as files: the private one as `openssl genpkey -algorithm ed25519` writes it, and
 * log.vkey, the public one in a log's own folder. */
#pragma once

#include "hub/archive/note.h"

/* What was read of the file is wiped. HUB_FATAL where it cannot be read, or has no such key. */
HUB_MUST_USE enum hub_status hub_private_key_load(const char *path,
                                                  struct hub_ed25519_key *ret_private,
                                                  struct hub_error *reterr);

/* The key of the log in that folder, as the log says: who signed in truth it does not show. HUB_REJECT where the
 * file has none, HUB_FATAL where it cannot be read. */
HUB_MUST_USE enum hub_status hub_log_key_load(const char *log_folder,
                                              struct hub_note_key *ret_key,
                                              struct hub_error *reterr);
/* HUB_RETRY on a full disk, else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_log_key_store(const char *log_folder,
                                               const struct hub_note_key *key,
                                               struct hub_error *reterr);
