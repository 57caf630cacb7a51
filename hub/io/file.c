#include "hub/io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_descriptor(int *descriptor) {
    if (*descriptor >= 0)
        close(*descriptor);
}
#define SCOPED_DESCRIPTOR __attribute__((cleanup(close_descriptor))) int

/* A full disk is a matter of time; whatever else a disk says, somebody must look at it. */
static enum hub_status could_not(const char *path, int code, struct hub_error *reterr) {
    bool full = code == ENOSPC || code == EDQUOT;
    return hub_fail(reterr, full ? HUB_RETRY : HUB_FATAL, "%s: %s", path, strerror(code));
}

static enum hub_status read_all(int descriptor, const char *path, size_t most,
                                struct hub_buffer *buffer, struct hub_error *reterr) {
    HUB_NOT_ZEROED uint8_t chunk[65536];
    for (;;) {
        ssize_t got = read(descriptor, chunk, most < sizeof chunk ? most : sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return hub_fail(reterr, HUB_FATAL, "%s: %s", path, strerror(errno));
        if (got == 0)
            return HUB_OK;
        hub_buffer_append(buffer, chunk, (size_t)got);
        most -= (size_t)got;
        if (hub_buffer_overflowed(buffer))
            return hub_fail(reterr, HUB_REJECT, "%s: over the limit of %zu bytes", path,
                            buffer->size_max);
    }
}

static enum hub_status read_file(const char *path, int more_flags, size_t most,
                                 struct hub_buffer *buffer, struct hub_error *reterr) {
    SCOPED_DESCRIPTOR descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | more_flags);
    struct stat facts;
    if (descriptor < 0 || fstat(descriptor, &facts) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return hub_fail(reterr, HUB_REJECT, "%s: not a regular file", path);
    return read_all(descriptor, path, most, buffer, reterr);
}

enum hub_status hub_file_read(const char *path, struct hub_buffer *buffer,
                              struct hub_error *reterr) {
    return read_file(path, /* more_flags= */ 0, SIZE_MAX, buffer, reterr);
}

enum hub_status hub_file_read_start(const char *path, size_t size, struct hub_buffer *buffer,
                                    struct hub_error *reterr) {
    return read_file(path, /* more_flags= */ 0, size, buffer, reterr);
}

enum hub_status hub_file_read_unlinked(const char *path, struct hub_buffer *buffer,
                                       struct hub_error *reterr) {
    return read_file(path, O_NOFOLLOW, SIZE_MAX, buffer, reterr);
}

enum hub_status hub_file_facts(const char *path, struct hub_file_facts *ret_facts,
                               struct hub_error *reterr) {
    struct stat facts;
    if (lstat(path, &facts) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: %s", path, strerror(errno));
    *ret_facts = (struct hub_file_facts){
        .kind = S_ISREG(facts.st_mode)   ? HUB_FILE_REGULAR
                : S_ISDIR(facts.st_mode) ? HUB_FILE_FOLDER
                                         : HUB_FILE_OTHER,
        .size = (uint64_t)facts.st_size,
        .modified_ns = (int64_t)facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec,
        .inode = facts.st_ino,
    };
    return HUB_OK;
}

const char *hub_file_resolve(const char *folder, const char *path, struct hub_arena *arena) {
    return path[0] == '/' ? path : hub_arena_format(arena, "%s/%s", folder, path);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool ends_in(const char *name, const char *suffix) {
    size_t size = strlen(name), suffix_size = strlen(suffix);
    return size >= suffix_size && strcmp(name + size - suffix_size, suffix) == 0;
}

enum hub_status hub_file_list(const char *folder, const char *suffix, struct hub_arena *arena,
                              char ***ret_names, size_t *ret_count, struct hub_error *reterr) {
    DIR *directory = opendir(folder);
    if (directory == NULL && errno == ENOMEM)
        hub_memory_end();
    if (directory == NULL)
        return hub_fail(reterr, HUB_FATAL, "%s: %s", folder, strerror(errno));
    char **names = NULL;
    size_t count = 0, capacity = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.' || !ends_in(entry->d_name, suffix))
            continue;
        HUB_GROW(names, count, capacity);
        names[count++] = hub_arena_text(arena, entry->d_name, strlen(entry->d_name));
    }
    closedir(directory);
    char **sorted = hub_arena_take(arena, (count + 1) * sizeof *sorted);
    if (count > 0) {
        memcpy(sorted, names, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_names);
    }
    sorted[count] = NULL;
    free(names);
    *ret_names = sorted;
    *ret_count = count;
    return HUB_OK;
}

static enum hub_status sync_folder_of(const char *path, struct hub_error *reterr) {
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 1 : (size_t)(slash - path) + (slash == path);
    if (size >= sizeof folder)
        return hub_fail(reterr, HUB_FATAL, "%s: the path is too long", path);
    memcpy(folder, slash == NULL ? "." : path, size);
    folder[size] = '\0';
    SCOPED_DESCRIPTOR descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: %s", folder, strerror(errno));
    return HUB_OK;
}

static bool write_all(int descriptor, struct hub_bytes bytes) {
    size_t done = 0;
    while (done < bytes.size) {
        struct hub_bytes rest = hub_bytes_part(bytes, done, bytes.size);
        ssize_t wrote = write(descriptor, rest.data, rest.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        done += (size_t)wrote;
    }
    return true;
}

enum hub_status hub_file_write(const char *path, struct hub_bytes bytes, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER temporary = {0};
    hub_buffer_append_format(&temporary, "%s.tmp", path);
    const char *name = hub_buffer_text(&temporary);
    SCOPED_DESCRIPTOR descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return could_not(name, errno, reterr);
    if (!write_all(descriptor, bytes) || fsync(descriptor) != 0 || rename(name, path) != 0) {
        enum hub_status status = could_not(name, errno, reterr);
        unlink(name);
        return status;
    }
    return sync_folder_of(path, reterr);
}

bool hub_file_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

enum hub_status hub_file_make_folder(const char *path, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER prefix = {0};
    for (size_t i = 0;; i++) {
        bool end = path[i] == '\0';
        if ((end || path[i] == '/') && i > 0) {
            const char *part = hub_buffer_text(&prefix);
            if (mkdir(part, 0700) != 0 && !hub_file_is_folder(part))
                return could_not(part, errno, reterr);
        }
        if (end)
            return HUB_OK;
        hub_buffer_append_byte(&prefix, (uint8_t)path[i]);
    }
}

/* --- without waiting --- */

static enum hub_status put(const char *path, int more_flags, struct hub_bytes bytes,
                           struct hub_error *reterr) {
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | more_flags;
    SCOPED_DESCRIPTOR descriptor = open(path, flags, 0600);
    const char *slash = strrchr(path, '/');
    if (descriptor < 0 && errno == ENOENT && slash != NULL) {
        HUB_SCOPED_BUFFER folder = {0};
        hub_buffer_append(&folder, path, (size_t)(slash - path));
        HUB_TRY(hub_file_make_folder(hub_buffer_text(&folder), reterr));
        descriptor = open(path, flags, 0600);
    }
    if (descriptor < 0 || !write_all(descriptor, bytes))
        return could_not(path, errno, reterr);
    return HUB_OK;
}

enum hub_status hub_file_put(const char *path, struct hub_bytes bytes, struct hub_error *reterr) {
    return put(path, O_TRUNC, bytes, reterr);
}

enum hub_status hub_file_extend(const char *path, struct hub_bytes bytes,
                                struct hub_error *reterr) {
    return put(path, O_APPEND, bytes, reterr);
}

enum hub_status hub_file_cut(const char *path, uint64_t size, struct hub_error *reterr) {
    struct hub_file_facts facts;
    HUB_TRY(hub_file_facts(path, &facts, reterr));
    if (facts.size < size)
        return hub_fail(reterr, HUB_FATAL, "%s: %llu bytes, where %llu are needed", path,
                        (unsigned long long)facts.size, (unsigned long long)size);
    if (facts.size > size && truncate(path, (off_t)size) != 0)
        return could_not(path, errno, reterr);
    return HUB_OK;
}

enum hub_status hub_file_remove(const char *path, struct hub_error *reterr) {
    return unlink(path) == 0 || errno == ENOENT ? HUB_OK : could_not(path, errno, reterr);
}

enum hub_status hub_file_erase(const char *path, struct hub_error *reterr) {
    static const uint8_t zeros[512];
    SCOPED_DESCRIPTOR descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat facts;
    if (descriptor < 0 && errno == ENOENT)
        return HUB_OK;
    if (descriptor < 0 || fstat(descriptor, &facts) != 0)
        return could_not(path, errno, reterr);
    for (off_t left = facts.st_size; left > 0; left -= (off_t)sizeof zeros) {
        size_t size = left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros;
        if (!write_all(descriptor, hub_bytes(zeros, size)))
            return could_not(path, errno, reterr);
    }
    if (fsync(descriptor) != 0 || unlink(path) != 0)
        return could_not(path, errno, reterr);
    return sync_folder_of(path, reterr);
}

enum hub_status hub_file_sync_all(const char *folder, struct hub_error *reterr) {
    SCOPED_DESCRIPTOR descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || syncfs(descriptor) != 0)
        return could_not(folder, errno, reterr);
    return HUB_OK;
}

void hub_file_remove_folder(const char *path) {
    struct hub_arena arena = {0};
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    if (hub_file_list(path, "", &arena, &names, &count, &error) == HUB_OK)
        for (size_t i = 0; i < count; i++)
            unlink(hub_arena_format(&arena, "%s/%s", path, names[i]));
    rmdir(path);
    hub_arena_destroy(&arena);
}

/* --- streams --- */

struct hub_file_stream {
    char *path;
    int descriptor;
    uint64_t size, position;
    struct hub_buffer read; /* what was read and not taken begins at `taken` */
    size_t taken;
};

enum { STREAM_PIECE = 256 * 1024, STREAM_PIECE_MAX = 1024 * 1024 * 1024 };

enum hub_status hub_file_stream_open(const char *path, uint64_t from,
                                     struct hub_file_stream **ret_stream,
                                     struct hub_error *reterr) {
    struct stat facts;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) ||
        lseek(descriptor, (off_t)from, SEEK_SET) < 0) {
        int code = descriptor < 0 ? errno : EINVAL;
        close_descriptor(&descriptor);
        return hub_fail(reterr, HUB_FATAL, "%s: %s", path, strerror(code));
    }
    struct hub_file_stream *stream = hub_allocate_zero(1, sizeof *stream);
    *stream = (struct hub_file_stream){.path = hub_copy_text(path),
                                       .descriptor = descriptor,
                                       .size = (uint64_t)facts.st_size,
                                       .position = from,
                                       .read = {.size_max = STREAM_PIECE_MAX}};
    *ret_stream = stream;
    return HUB_OK;
}

void hub_file_stream_close(struct hub_file_stream *stream) {
    if (stream == NULL)
        return;
    close_descriptor(&stream->descriptor);
    hub_buffer_free(&stream->read);
    hub_release(stream->path);
    hub_release(stream);
}

/* Keeps what is left, and reads until there are `size` bytes, and a piece more. */
static enum hub_status read_more(struct hub_file_stream *stream, size_t size,
                                 struct hub_error *reterr) {
    struct hub_buffer *read = &stream->read;
    size_t rest = read->size - stream->taken;
    if (rest > 0)
        memmove(read->data, read->data + stream->taken, rest);
    read->size = rest;
    stream->taken = 0;
    return read_all(stream->descriptor, stream->path, size - rest + STREAM_PIECE, read, reterr);
}

enum hub_status hub_file_stream_take(struct hub_file_stream *stream, size_t size,
                                     struct hub_bytes *ret_bytes, struct hub_error *reterr) {
    if (stream->read.size - stream->taken < size)
        HUB_TRY(read_more(stream, size, reterr));
    if (stream->read.size - stream->taken < size)
        return hub_fail(reterr, HUB_REJECT, "%s: it ends at byte %llu", stream->path,
                        (unsigned long long)(stream->position + stream->read.size -
                                             stream->taken));
    *ret_bytes = hub_bytes_part(hub_buffer_bytes(&stream->read), stream->taken,
                                stream->taken + size);
    stream->taken += size;
    stream->position += size;
    return HUB_OK;
}

uint64_t hub_file_stream_position(const struct hub_file_stream *stream) {
    return stream->position;
}

uint64_t hub_file_stream_size(const struct hub_file_stream *stream) {
    return stream->size;
}
