/* Identifiers of every scheme, alone and in running text. The first byte picks the scheme. */
#include "tests/fuzz/fuzz.h"

static void check_normal(const struct hub_scheme *scheme, struct hub_bytes raw) {
    HUB_SCOPED_BUFFER normal = {0};
    HUB_SCOPED_BUFFER again = {0};
    struct hub_bytes version, none;
    size_t size = hub_scheme_normalise(scheme, raw, &normal, &version);
    struct hub_bytes value = hub_bytes_part(hub_buffer_bytes(&normal), 0, size);
    fuzz_must(size + version.size == normal.size);
    if (hub_scheme_judge(scheme, value) != HUB_IDENTIFIER_VALID)
        return;
    /* What is valid stays as it is. */
    fuzz_must(hub_scheme_is_normal(scheme, value));
    fuzz_must(hub_scheme_normalise(scheme, value, &again, &none) == size && none.size == 0);
}

static void check_scan(const struct hub_scheme *scheme, struct hub_bytes text) {
    struct hub_bytes value;
    size_t from = 0, next = 0;
    while (hub_scheme_scan(scheme, text, from, &value, &next)) {
        fuzz_must(value.size > 0 && next > from && next <= text.size);
        fuzz_must(value.data + value.size == text.data + next);
        fuzz_must(hub_scheme_judge(scheme, value) != HUB_IDENTIFIER_MALFORMED);
        from = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct hub_catalogue *catalogue = fuzz_catalogue();
    struct fuzz_input input = fuzz_input(data, size);
    const struct hub_scheme *scheme =
        &catalogue->schemes.schemes[fuzz_byte(&input) % catalogue->schemes.count];
    struct hub_bytes raw = fuzz_rest(&input);
    check_normal(scheme, raw);
    check_scan(scheme, raw);
    hub_parties_org(&catalogue->parties, raw);
    fuzz_input_free(&input);
    return 0;
}
