/* A folder of a test's own, and the files in it. What cannot be done stops the test. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"

struct folder {
    char *path;
    struct hub_arena arena;
};

void folder_make(struct folder *folder);
void folder_remove(struct folder *folder); /* with all that is in it */

/* The path of a name in the folder; it lives as long as the folder. */
const char *folder_path(struct folder *folder, const char *name);

/* Writes a file, and makes the folders that its name asks for. */
void folder_write(struct folder *folder, const char *name, const char *text);
void folder_write_bytes(struct folder *folder, const char *name, struct hub_bytes bytes);

/* When the file was last written, as its system tells it from now on. */
void folder_set_time(struct folder *folder, const char *name, int64_t milliseconds);
