#include "hub/core/intervals.h"

#include "hub/base/memory.h"

#include <assert.h>
#include <string.h>

/* The first span that starts at or after `start_ms`. */
static size_t lower_bound(const struct hub_intervals *intervals, int64_t start_ms) {
    size_t low = 0, high = intervals->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (intervals->spans[middle].start_ms < start_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void hub_intervals_add(struct hub_intervals *intervals, struct hub_span span) {
    assert(span.end_ms >= span.start_ms);
    size_t at = lower_bound(intervals, span.start_ms);
    HUB_GROW(intervals->spans, intervals->count, intervals->capacity);
    memmove(&intervals->spans[at + 1], &intervals->spans[at],
            (intervals->count - at) * sizeof *intervals->spans);
    intervals->spans[at] = span;
    intervals->count++;
    if (span.end_ms - span.start_ms > intervals->longest_ms)
        intervals->longest_ms = span.end_ms - span.start_ms;
}

bool hub_intervals_remove(struct hub_intervals *intervals, int64_t start_ms, const void *owner) {
    for (size_t i = lower_bound(intervals, start_ms);
         i < intervals->count && intervals->spans[i].start_ms == start_ms; i++) {
        if (intervals->spans[i].owner != owner)
            continue;
        intervals->count--;
        memmove(&intervals->spans[i], &intervals->spans[i + 1],
                (intervals->count - i) * sizeof *intervals->spans);
        return true;
    }
    return false;
}

void hub_intervals_free(struct hub_intervals *intervals) {
    hub_release(intervals->spans);
    *intervals = (struct hub_intervals){0};
}

void hub_intervals_overlaps(const struct hub_intervals *intervals, struct hub_span span,
                            void (*found)(void *context, void *owner), void *context) {
    int64_t earliest = span.start_ms < INT64_MIN + intervals->longest_ms
                           ? INT64_MIN
                           : span.start_ms - intervals->longest_ms;
    for (size_t i = lower_bound(intervals, earliest);
         i < intervals->count && intervals->spans[i].start_ms < span.end_ms; i++)
        if (intervals->spans[i].owner != span.owner && intervals->spans[i].end_ms > span.start_ms)
            found(context, intervals->spans[i].owner);
}
