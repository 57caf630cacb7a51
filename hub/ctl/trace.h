/* What one entity tells of a thing's way, and what is missing of it. */
#pragma once

#include <jansson.h>

#include <stdbool.h>

/* The steps that a unified value tells, as [{kind, text, gap: null | TEXT}]: consent, interval,
 * shipments, the qualified person's decision, doses; and what must have been told of a thing in its
 * state and has not. `domain` is that of the value; `has_successor` whether anything links to it. */
json_t *hub_ctl_trace_steps(const char *domain, const json_t *value, bool has_successor);
