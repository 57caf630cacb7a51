/* What stands in every archive, so that it is read without us: FORMAT.md, which explains it, and verify.sh, which
 * checks it with nothing but a shell, sha256sum and openssl. */
#pragma once

#include "hub/base/status.h"

/* Writes both into the folder of the archive's logs, where they are missing or others. HUB_RETRY on a full
 * disk, else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_archive_write_guide(const char *folder, struct hub_error *reterr);
