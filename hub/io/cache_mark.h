/* What tells a process that the cache killed the one before it.
 *
 * LMDB reads through a map and trusts its pages: damage ends in a signal, not in an error. So whoever
 * reads or writes says so in the folder, in a way that outlives the process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* While all of a space is read: a file, which is there or not. Where it cannot be written, reading goes
 * without. */
void hub_cache_mark_set(const char *folder);
bool hub_cache_mark_clear(const char *folder); /* whether there was one */

/* While a record is looked up, which is done too often for a file, and while a checkpoint is written: a
 * byte of a file that is mapped into memory. */
struct hub_cache_busy {
    volatile uint8_t *bytes; /* whether it is busy, and whether that was not survived once */
    uint8_t unmapped[2];     /* where the file cannot be had */
};

void hub_cache_busy_open(struct hub_cache_busy *busy, const char *folder);
void hub_cache_busy_close(struct hub_cache_busy *busy);

/* Whether the last processes died of the cache, as far as can be told; asked once after opening. A process
 * that has much to do is busy for much of its time, and may be ended for any reason: it is the second
 * death in a row that counts, without a checkpoint between. What it died of comes again at once, for it
 * was not committed. */
bool hub_cache_busy_was_deadly(struct hub_cache_busy *busy);

static inline void hub_cache_busy_set(struct hub_cache_busy *busy, bool is_busy) {
    busy->bytes[0] = is_busy;
}
/* It is known to kill: whoever opens it next throws it away. */
static inline void hub_cache_busy_condemn(struct hub_cache_busy *busy) {
    busy->bytes[0] = busy->bytes[1] = true;
}
/* A checkpoint was survived. */
void hub_cache_busy_written(struct hub_cache_busy *busy);
