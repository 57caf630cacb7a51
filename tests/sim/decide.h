/* People who decide: from what they see published, sometimes from what they saw a while ago,
 * sometimes about nothing that is there. */
#pragma once

#include "tests/lib/records.h"
#include "tests/sim/hubs.h"

void decide_something(struct hubs *hubs, struct test_random *random);
