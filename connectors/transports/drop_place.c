#include "connectors/transports/drop_place.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct hub_drop_file *)a)->name, ((const struct hub_drop_file *)b)->name);
}

void hub_drop_listing_sort(struct hub_drop_listing *listing) {
    if (listing->count > 0)
        qsort(listing->files, listing->count, sizeof *listing->files, compare_names);
}

struct hub_drop_file *hub_drop_listing_find(const struct hub_drop_listing *listing,
                                            const char *name) {
    struct hub_drop_file wanted = {.name = name};
    return listing->count == 0 ? NULL
                               : bsearch(&wanted, listing->files, listing->count,
                                         sizeof *listing->files, compare_names);
}

enum hub_drop_result hub_drop_too_many(const struct hub_drop_place *place, size_t count,
                                       struct hub_error *reterr) {
    hub_fail(reterr, HUB_FATAL,
             "%s: %zu files, over the limit of %d; moving old ones away would pass",
             place->address, count, HUB_DROP_FILES_MAX);
    return HUB_DROP_FATAL;
}
