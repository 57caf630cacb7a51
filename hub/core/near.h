/* Identifiers that one slip of the hand makes of each other. */
#pragma once

#include "hub/base/bytes.h"

/* Each character in its place is a part of the hash by itself: what a slip makes of a value differs in
 * the parts of one place or two, and the hash of all slips costs little more than that of one. */
uint64_t hub_near_hash(const char *value);

/* Calls `visit` with every value that differs from `value` in one digit, or by two neighbouring
 * characters that changed places, within the picture of its scheme (schemes.h), and with its
 * hub_near_hash. `?` stands for a digit that nobody could read (hub_scheme_blot): it is one slip away
 * from each digit, and a value that has one is one slip away from nothing else. Symmetric: what is
 * visited from a is visited from b. `value` is written to meanwhile and is as before in the end. */
void hub_near_each(const char *picture, char *value,
                   void (*visit)(void *context, uint64_t hash), void *context);
