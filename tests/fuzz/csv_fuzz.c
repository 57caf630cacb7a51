/* Tables, of commas in UTF-8 and of semicolons in another character set. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_format("csv", "{}", hub_bytes(data, size));
    fuzz_format("csv", "{delimiter: ';', charset: windows-1252}", hub_bytes(data, size));
    return 0;
}
