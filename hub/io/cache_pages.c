#include "hub/io/cache_pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* LMDB does not tell where its map is; the system does. */
void hub_cache_pages_find(struct hub_cache_pages *pages, int descriptor) {
    char line[512];
    uintptr_t start = 0, end = 0;
    uint64_t inode = 0;
    struct stat file;
    *pages = (struct hub_cache_pages){0};
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL)
        return;
    while (fstat(descriptor, &file) == 0 && pages->start == NULL &&
           fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %" SCNu64, &start, &end, &inode) == 3 &&
            inode == file.st_ino)
            *pages = (struct hub_cache_pages){(void *)start, (void *)end};
    fclose(maps);
}

void hub_cache_pages_let_go(const struct hub_cache_pages *pages) {
    if (pages->start != NULL)
        (void)madvise(pages->start, (size_t)((char *)pages->end - (char *)pages->start),
                      MADV_DONTNEED);
}
