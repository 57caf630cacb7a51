/* Digests of files as sha256sum (GNU coreutils) writes them: a line has 64 hexadecimal digits, a
 * space, a space or a star, and the name. Lines may end as on Windows; of a folder's listing a
 * name may begin with ./ */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <jansson.h>

enum { HUB_MANIFEST_ONE_SIZE_MAX = 8192, HUB_MANIFEST_ALL_SIZE_MAX = 4 * 1024 * 1024 };

/* The digest of the one file that it is beside; its name may be missing, and is not looked at:
 * what was mixed up has another digest. In small letters. HUB_REJECT where it is no such line,
 * or several. */
HUB_MUST_USE enum hub_status hub_manifest_one(struct hub_bytes text,
                                              char ret_digest[HUB_DIGEST_TEXT_SIZE],
                                              struct hub_error *reterr);

/* The digests of many files, by their names; the caller owns it. HUB_REJECT with the line's
 * number, also where a name has two digests. */
HUB_MUST_USE enum hub_status hub_manifest_all(struct hub_bytes text, json_t **ret_digests,
                                              struct hub_error *reterr);
