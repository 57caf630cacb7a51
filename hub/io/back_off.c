#include "hub/io/back_off.h"

#include "hub/io/log.h"
#include "hub/io/watchdog.h"

#include <time.h>

bool hub_pause_ms(int64_t milliseconds) {
    enum { PIECE_MS = 1000 };
    bool ended = false;
    for (int64_t left_ms = milliseconds; left_ms > 0 && !ended; left_ms -= PIECE_MS) {
        int64_t piece_ms = left_ms < PIECE_MS ? left_ms : PIECE_MS;
        const struct timespec piece = {piece_ms / 1000, piece_ms % 1000 * 1000000};
        hub_watchdog_beat();
        ended = nanosleep(&piece, NULL) != 0;
    }
    return !ended;
}

int64_t hub_back_off_next_ms(struct hub_back_off *back_off, int64_t tried_ms) {
    int64_t longer_ms = back_off->wait_ms * 2;
    if (back_off->wait_ms == 0 || tried_ms > back_off->max_ms)
        longer_ms = back_off->min_ms;
    back_off->wait_ms = longer_ms > back_off->max_ms ? back_off->max_ms : longer_ms;
    return back_off->wait_ms;
}

void hub_back_off(struct hub_back_off *back_off, int64_t tried_ms, const char *why) {
    int64_t wait_ms = hub_back_off_next_ms(back_off, tried_ms);
    hub_log(HUB_LOG_WARNING, "session_ended", "%s; again in %lld ms", why,
            (long long)wait_ms);
    hub_pause_ms(wait_ms);
}
