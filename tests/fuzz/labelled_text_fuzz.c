/* Lines with labels: all of them, and those that look like a numbered heading. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_format("labelled-text", "{begin: a}", hub_bytes(data, size));
    fuzz_format("labelled-text", "{begin: A.1 a, label: '[A-Z]\\.\\d[\\d.]*\\s|a'}",
                hub_bytes(data, size));
    return 0;
}
