/* The pages of the cache's file that are mapped into the process: they count as its memory, though the
 * system can have them back at any time. */
#pragma once

struct hub_cache_pages {
    void *start; /* of the map; NULL where it was not found, and nothing is let go */
    void *end;
    unsigned met; /* since they were let go */
};

/* Where the process has mapped the file. */
void hub_cache_pages_find(struct hub_cache_pages *pages, int descriptor);
/* What is mapped may go; what is read again comes back from the system's memory of the file, or from it. */
void hub_cache_pages_let_go(struct hub_cache_pages *pages);

/* To be called for each record or bucket of those that are come to one after the other, so that what is mapped
 * has a bound however large it is: with each page the system maps those around it, 64 KB in all. Not for what is looked
 * up here and there, which would be mapped again and again. */
enum { HUB_CACHE_PAGES_MET_MAX = 512 };
static inline void hub_cache_pages_meet(struct hub_cache_pages *pages) {
    if (++pages->met >= HUB_CACHE_PAGES_MET_MAX)
        hub_cache_pages_let_go(pages);
}
