/* The control: a target with a read beyond its input, which the fuzzer must find. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static volatile uint8_t seen;
    if (size > 2 && data[0] == 'A' && data[1] == 'V')
        seen = data[2 + data[2]];
    (void)seen;
    return 0;
}
