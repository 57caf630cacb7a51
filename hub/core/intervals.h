/* Claims on spans of time, and which of them overlap. Spans are half-open: one that ends when the
 * next begins does not overlap it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hub_span {
    int64_t start_ms, end_ms;
    void *owner;
};

/* The claims on one thing (a suite), sorted by start. Zero is an empty set. */
struct hub_intervals {
    struct hub_span *spans;
    size_t count, capacity;
    int64_t longest_ms; /* of any span ever added: how far back a search must look */
};

/* A span must not end before it starts. */
void hub_intervals_add(struct hub_intervals *intervals, struct hub_span span);
/* Removes the owner's span that begins at `start_ms`; false where it is not there. */
bool hub_intervals_remove(struct hub_intervals *intervals, int64_t start_ms, const void *owner);
void hub_intervals_free(struct hub_intervals *intervals);

/* Calls `found` for each other owner's span that overlaps, by start. */
void hub_intervals_overlaps(const struct hub_intervals *intervals, struct hub_span span,
                            void (*found)(void *context, void *owner), void *context);
