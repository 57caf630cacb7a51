/* Calendars. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_format("icalendar", "{}", hub_bytes(data, size));
    return 0;
}
