#include "tests/lib/folder.h"

#include "hub/io/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OPEN_MAX_FOLDERS = 16 };

static void stop(const char *what, const char *path) {
    fprintf(stderr, "test folder: %s: %s\n", what, path);
    abort();
}

void folder_make(struct folder *folder) {
    const char *base = getenv("TMPDIR");
    *folder = (struct folder){0};
    folder->path = hub_arena_format(&folder->arena, "%s/atmp-test-XXXXXX",
                                    base == NULL || *base == '\0' ? "/tmp" : base);
    if (mkdtemp(folder->path) == NULL)
        stop("cannot be made", folder->path);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where) {
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

void folder_remove(struct folder *folder) {
    if (folder->path == NULL)
        return;
    if (nftw(folder->path, remove_one, OPEN_MAX_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0)
        stop("cannot be removed", folder->path);
    hub_arena_destroy(&folder->arena);
    *folder = (struct folder){0};
}

const char *folder_path(struct folder *folder, const char *name) {
    return hub_arena_format(&folder->arena, "%s/%s", folder->path, name);
}

void folder_write_bytes(struct folder *folder, const char *name, struct hub_bytes bytes) {
    const char *path = folder_path(folder, name);
    struct hub_error error;
    char *above = hub_copy_text(path);
    *strrchr(above, '/') = '\0';
    if (hub_file_make_folder(above, &error) != HUB_OK)
        stop(error.text, above);
    hub_release(above);
    if (hub_file_write(path, bytes, &error) != HUB_OK)
        stop(error.text, path);
}

void folder_write(struct folder *folder, const char *name, const char *text) {
    folder_write_bytes(folder, name, hub_bytes_of_text(text));
}

void folder_set_time(struct folder *folder, const char *name, int64_t milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    const struct timespec times[] = {time, time};
    const char *path = folder_path(folder, name);
    if (utimensat(AT_FDCWD, path, times, 0) != 0)
        stop("its time cannot be set", path);
}
