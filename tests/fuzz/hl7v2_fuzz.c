/* HL7 v2 messages, of which the default character set is ASCII or one of two bytes' reach. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_format("hl7v2", "{}", hub_bytes(data, size));
    fuzz_format("hl7v2", "{charset: iso-8859-15}", hub_bytes(data, size));
    return 0;
}
