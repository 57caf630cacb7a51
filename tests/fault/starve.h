/* Allocations that fail. A library to be loaded before all others (LD_PRELOAD): it stands in for the
 * allocator, counts what is asked of it, and refuses when told so.
 *
 * STARVE_REPORT=FILE   counts, and writes at the end how many allocations there were, and how many
 *                      blocks nobody had given back. With one of:
 * STARVE_EXPECTED=FILE tries every allocation: there the process forks, once for an allocation that
 *                      fails, once for all that follow failing too, sees how each child ends, and goes
 *                      on as if nothing had been. The file has what the program writes when it lacks
 *                      nothing, STARVE_LIVE says how many blocks are left then, STARVE_EVERY=N with
 *                      STARVE_PHASE=I tries only every N-th, STARVE_FROM=N none before; a child that
 *                      goes on for longer than STARVE_PATIENCE_S (10) hangs, and after three such
 *                      nothing more is tried. For programs of one thread that write nothing but
 *                      standard output.
 * STARVE_AT=N          refuses the N-th of the first thread, or with STARVE_FOREVER all from there on;
 *                      nothing is forked.
 * STARVE_EXCEPT=NAMES  passes over what libraries of these names (a:b) ask for: neither counted nor
 *                      refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* For programs that are linked with it: the N-th allocation of this thread from now on fails; 0: none. */
void starve_at(size_t number, bool forever);
/* How many this thread asked for since. */
size_t starve_count(void);
/* How many blocks nobody has given back. */
long starve_live(void);
