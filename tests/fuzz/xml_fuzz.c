/* XML documents. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_format("xml", "{namespaces: ['m=urn:m', 'n=urn:n']}", hub_bytes(data, size));
    return 0;
}
