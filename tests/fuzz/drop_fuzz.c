/* What other people's machines say of dropped files: listings and manifests. What is read lies in what was
 * said, and a digest is one. */
#include "connectors/transports/drop_listing.h"
#include "connectors/transports/drop_manifest.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_line(struct hub_bytes line) {
    struct hub_drop_line told;
    if (!hub_drop_line_read(line, &told))
        return;
    fuzz_must(told.name.size > 0 && told.name.data > line.data);
    fuzz_must(told.name.data + told.name.size <= line.data + line.size);
    fuzz_must((told.kind == HUB_FILE_REGULAR) == (line.data[strspn((const char *)line.data, " ")] ==
                                                  '-'));
}

static void check_digest(const char *digest) {
    fuzz_must(strlen(digest) == HUB_DIGEST_TEXT_SIZE - 1);
    fuzz_must(strspn(digest, "0123456789abcdef") == HUB_DIGEST_TEXT_SIZE - 1);
}

static void check_manifest(struct hub_bytes text) {
    char digest[HUB_DIGEST_TEXT_SIZE];
    json_t *digests = NULL, *one = NULL;
    const char *name = NULL;
    if (hub_manifest_one(text, digest, NULL) == HUB_OK)
        check_digest(digest);
    if (hub_manifest_all(text, &digests, NULL) != HUB_OK)
        return;
    json_object_foreach(digests, name, one) {
        check_digest(json_string_value(one));
        fuzz_must(*name != '\0' && strchr(name, '\n') == NULL);
        fuzz_must(memmem(text.data, text.size, name, strlen(name)) != NULL);
    }
    json_decref(digests);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    check_line(fuzz_piece(&input));
    check_manifest(fuzz_rest(&input));
    fuzz_input_free(&input);
    return 0;
}
