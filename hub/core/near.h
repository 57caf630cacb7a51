/* Identifiers that one slip of the hand makes of each other. */
#pragma once

#include "hub/base/bytes.h"

/* Calls `visit` with every value that differs from `value` in one digit, or by two neighbouring
 * characters that changed places, within the picture of its scheme (schemes.h). `?` stands for a
 * digit that nobody could read (hub_scheme_blot): it is one slip away from each digit, and a value
 * that has one is one slip away from nothing else. Symmetric: what is visited from a is visited
 * from b. `value` is written to meanwhile and is as before in the end. */
void hub_near_each(const char *picture, char *value, void (*visit)(void *context), void *context);
