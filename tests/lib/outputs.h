/* What a stage gave, compared with what it should have given. */
#pragma once

#include "hub/stages/entry.h"

/* Fails the test where one of them is of another kind or partition, or says anything else in key, value or headers. */
void expect_same_outputs(const struct hub_outputs *found, const struct hub_outputs *wanted);
