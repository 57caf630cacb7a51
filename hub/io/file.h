/* Files: whole reads with a limit, sorted listings, and writes that are there wholly or not at
 * all. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <stdint.h>

enum hub_file_kind { HUB_FILE_REGULAR, HUB_FILE_FOLDER, HUB_FILE_OTHER };

struct hub_file_facts {
    enum hub_file_kind kind;
    uint64_t size;
    int64_t modified_ns; /* since 1970-01-01T00:00:00Z */
    uint64_t inode;
};

/* Appends the whole file, up to the buffer's size_max. Only regular files; a symbolic link is
 * followed. HUB_FATAL where it cannot be read, HUB_REJECT where it is too large or no file. */
HUB_MUST_USE enum hub_status hub_file_read(const char *path, struct hub_buffer *buffer,
                                           struct hub_error *reterr);
/* The same of its first `size` bytes; less where there are no more. */
HUB_MUST_USE enum hub_status hub_file_read_start(const char *path, size_t size,
                                                 struct hub_buffer *buffer,
                                                 struct hub_error *reterr);
/* The same where a symbolic link is no file. */
HUB_MUST_USE enum hub_status hub_file_read_unlinked(const char *path, struct hub_buffer *buffer,
                                                    struct hub_error *reterr);
/* Of the file itself: a symbolic link is HUB_FILE_OTHER. HUB_FATAL where there is none. */
HUB_MUST_USE enum hub_status hub_file_facts(const char *path, struct hub_file_facts *ret_facts,
                                            struct hub_error *reterr);

/* A path as a file in `folder` means it: what begins with / is whole already. In the arena. */
const char *hub_file_resolve(const char *folder, const char *path, struct hub_arena *arena);

/* The names in a folder that end in `suffix` and do not begin with a dot, sorted by bytes. */
HUB_MUST_USE enum hub_status hub_file_list(const char *folder, const char *suffix,
                                           struct hub_arena *arena, char ***ret_names,
                                           size_t *ret_count, struct hub_error *reterr);

/* Writes to a temporary name, syncs, renames and syncs the folder. Where that fails the file is as it
 * was: HUB_RETRY on a full disk, else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_file_write(const char *path, struct hub_bytes bytes,
                                            struct hub_error *reterr);

/* Writes a file, and the folders above it, without waiting for the disk: after a crash it may be torn, until
 * hub_file_sync_all has said that everything on the disk of that folder is safe. HUB_RETRY on a full disk,
 * else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_file_put(const char *path, struct hub_bytes bytes,
                                          struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_file_sync_all(const char *folder, struct hub_error *reterr);
/* As hub_file_put, after what the file has already. */
HUB_MUST_USE enum hub_status hub_file_extend(const char *path, struct hub_bytes bytes,
                                             struct hub_error *reterr);
/* Cuts the file to that size. HUB_FATAL where it is shorter. */
HUB_MUST_USE enum hub_status hub_file_cut(const char *path, uint64_t size,
                                          struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_file_remove(const char *path, struct hub_error *reterr);
/* The same of a secret: what it holds is written over, and that is on the disk, before it is removed; both are
 * when it returns. A disk that writes elsewhere, as one of flash does, may have it still. One that is not there is
 * fine. */
HUB_MUST_USE enum hub_status hub_file_erase(const char *path, struct hub_error *reterr);
/* Removes a folder and the files in it; what cannot be removed stays. */
void hub_file_remove_folder(const char *path);

/* Makes a folder and those above it; one that is there is fine. Mode 0700. HUB_RETRY on a full disk,
 * else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_file_make_folder(const char *path, struct hub_error *reterr);
bool hub_file_is_folder(const char *path);

/* A file that is read from a byte of it to its end, in pieces. */
struct hub_file_stream;
HUB_MUST_USE enum hub_status hub_file_stream_open(const char *path, uint64_t from,
                                                  struct hub_file_stream **ret_stream,
                                                  struct hub_error *reterr);
void hub_file_stream_close(struct hub_file_stream *stream); /* NULL is fine */
/* The next `size` bytes, which last until the next call. HUB_REJECT where there are fewer, HUB_FATAL where it
 * cannot be read. */
HUB_MUST_USE enum hub_status hub_file_stream_take(struct hub_file_stream *stream, size_t size,
                                                  struct hub_bytes *ret_bytes,
                                                  struct hub_error *reterr);
/* The byte that is taken next, and how many the file had when it was opened. */
uint64_t hub_file_stream_position(const struct hub_file_stream *stream);
uint64_t hub_file_stream_size(const struct hub_file_stream *stream);
