/* A set of hooks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hub_hook_set {
    uint64_t *slots; /* 0 where free; a power of two, or none */
    size_t slot_count, count;
};

/* Whether it was not there. Hook 0 never is, which does no harm to who asks again. */
bool hub_hook_set_add(struct hub_hook_set *set, uint64_t hook);
void hub_hook_set_free(struct hub_hook_set *set);

/* Which records somebody was given, by the numbers that the giver has for them. A record that many hooks
 * lead to need not be read, and proved, once for each. */
struct hub_given {
    struct hub_hook_set records;
    unsigned topics; /* bits by the asker's numbers: of these, a record is given once */
};
