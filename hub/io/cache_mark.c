#include "hub/io/cache_mark.h"

#include "hub/base/bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUSY_BYTES = 2 };

static int open_in(const char *folder, const char *name, int flags) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%s/%s", folder, name);
    return open(hub_buffer_text(&path), flags | O_CREAT | O_CLOEXEC, 0600);
}

void hub_cache_mark_set(const char *folder) {
    int descriptor = open_in(folder, "reading", O_WRONLY);
    if (descriptor >= 0)
        close(descriptor);
}

bool hub_cache_mark_clear(const char *folder) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%s/reading", folder);
    return unlink(hub_buffer_text(&path)) == 0;
}

void hub_cache_busy_open(struct hub_cache_busy *busy, const char *folder) {
    int descriptor = open_in(folder, "busy", O_RDWR);
    void *map = MAP_FAILED;
    busy->bytes = busy->unmapped;
    /* A map of a block that the disk has no room for ends in a signal. */
    if (descriptor >= 0 && posix_fallocate(descriptor, 0, BUSY_BYTES) == 0)
        map = mmap(NULL, BUSY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map != MAP_FAILED)
        busy->bytes = map;
    if (descriptor >= 0)
        close(descriptor);
}

void hub_cache_busy_close(struct hub_cache_busy *busy) {
    if (busy->bytes != NULL && busy->bytes != busy->unmapped)
        munmap((void *)busy->bytes, BUSY_BYTES);
    busy->bytes = NULL;
}

bool hub_cache_busy_was_deadly(struct hub_cache_busy *busy) {
    bool died = busy->bytes[0] != 0, once = busy->bytes[1] != 0;
    bool deadly = died && once;
    busy->bytes[0] = false;
    busy->bytes[1] = !deadly && (died || once);
    return deadly;
}

void hub_cache_busy_written(struct hub_cache_busy *busy) {
    busy->bytes[0] = busy->bytes[1] = false;
}
