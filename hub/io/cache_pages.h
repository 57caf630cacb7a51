/* The pages of the cache's file that are mapped into the process: they count as its memory, though the
 * system can have them back at any time. */
#pragma once

struct hub_cache_pages {
    void *start; /* of the map; NULL where it was not found, and nothing is let go */
    void *end;
};

/* Where the process has mapped the file. */
void hub_cache_pages_find(struct hub_cache_pages *pages, int descriptor);
/* What is mapped may go; what is read again comes back from the system's memory of the file, or from it. */
void hub_cache_pages_let_go(const struct hub_cache_pages *pages);
