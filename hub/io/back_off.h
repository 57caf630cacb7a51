/* Waiting before something is tried again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hub_back_off {
    int64_t min_ms, max_ms;
    int64_t wait_ms; /* before the next try; 0 at first */
};

/* How long to wait: twice as long as the last time, at most max_ms; min_ms where the last try held for
 * longer than max_ms. */
int64_t hub_back_off_next_ms(struct hub_back_off *back_off, int64_t tried_ms);
/* Logs why, and waits so long. A signal ends the wait early. */
void hub_back_off(struct hub_back_off *back_off, int64_t tried_ms, const char *why);

/* Waits so long; false where a signal ended it early. */
bool hub_pause_ms(int64_t milliseconds);
