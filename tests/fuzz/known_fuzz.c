/* What a connector reads back of its own ingest topic: any messages, then a snapshot in which some
 * of the records are seen again. The first byte picks the domain; a record is a byte of flags, a
 * key and a message. */
#include "connectors/kit/known.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/walk.h"
#include "tests/fuzz/fuzz.h"

enum { RECORDS_MAX = 8 };
enum flags { UNFRAMED = 1, OWN_KEY = 2, SEEN = 4 };

struct vanishing {
    const struct hub_domain *domain;
    size_t count;
};

static void on_vanished(void *context, const char *key, struct hub_bytes body) {
    struct vanishing *vanishing = context;
    bool canonical = false;
    fuzz_must(strchr(key, '/') != NULL);
    fuzz_must(fuzz_accepts(vanishing->domain->schema->root, body, &canonical));
    vanishing->count++;
}

static void load(struct hub_known *known, const struct hub_domain *domain,
                 const struct hub_system *system, struct fuzz_input *input) {
    struct hub_error error;
    bool canonical = false;
    uint8_t flags = fuzz_byte(input);
    struct hub_bytes key = fuzz_piece(input), body = fuzz_piece(input);
    HUB_SCOPED_BUFFER message = {0};
    HUB_SCOPED_BUFFER whole_key = {0};
    if ((flags & OWN_KEY) == 0)
        hub_buffer_append_format(&whole_key, "%s/", system->name);
    hub_buffer_append_bytes(&whole_key, key);
    if ((flags & UNFRAMED) == 0)
        hub_frame_append(&message, domain->schema->id);
    hub_buffer_append_bytes(&message, body);
    enum hub_status status = hub_known_load(known, hub_buffer_bytes(&whole_key),
                                            hub_buffer_bytes(&message), &error);
    if (status != HUB_OK || (flags & (OWN_KEY | UNFRAMED)) != 0)
        return;
    const char *text = hub_buffer_text(&whole_key);
    fuzz_must(fuzz_accepts(domain->schema->root, body, &canonical));
    fuzz_must(!hub_known_differs(known, text, body));
    hub_known_begin_snapshot(known);
    if ((flags & SEEN) != 0)
        hub_known_note(known, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct hub_catalogue *catalogue = fuzz_catalogue();
    struct fuzz_input input = fuzz_input(data, size);
    uint8_t choice = fuzz_byte(&input);
    const struct hub_domain *domain = &catalogue->domains[choice % catalogue->domain_count];
    const struct hub_system *system =
        &catalogue->parties.systems[choice / catalogue->domain_count %
                                    catalogue->parties.system_count];
    struct hub_known *known = hub_known_new(catalogue, domain, system, &hub_sha256);
    struct vanishing vanishing = {domain, 0};
    for (size_t i = 0; i < RECORDS_MAX && !fuzz_input_ended(&input); i++)
        load(known, domain, system, &input);
    size_t count = hub_known_vanished(known, on_vanished, &vanishing);
    fuzz_must(count == vanishing.count && count <= hub_known_count(known));
    hub_known_free(known);
    fuzz_input_free(&input);
    return 0;
}
