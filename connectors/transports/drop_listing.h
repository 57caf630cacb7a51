/* A line of a folder's listing as `ls -l` writes it and SFTP servers send it (the "longname" of
 * draft-ietf-secsh-filexfer-02 section 7, which nobody is held to). It is the one thing there is
 * from which libcurl's users can tell a symbolic link or a pipe from a file: whatever is not
 * wholly as it should be is no file. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/io/file.h"

struct hub_drop_line {
    enum hub_file_kind kind;
    uint64_t size;
    struct hub_bytes name; /* of a link without what it leads to */
};

/* False where the line is not as it should be. */
bool hub_drop_line_read(struct hub_bytes line, struct hub_drop_line *ret_line);
