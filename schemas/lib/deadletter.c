#include "schemas/lib/deadletter.h"

#include "schemas/lib/encode.h"

static void encode_optional_octets(struct hub_buffer *buffer, struct hub_bytes octets) {
    hub_encode_long(buffer, octets.data != NULL);
    if (octets.data != NULL)
        hub_encode_octets(buffer, octets);
}

static void encode_optional_long(struct hub_buffer *buffer, bool there, int64_t value) {
    hub_encode_long(buffer, there);
    if (there)
        hub_encode_long(buffer, value);
}

const char *hub_letter_outcome_name(enum hub_letter_outcome outcome) {
    static const char *const names[] = {"PUBLISHED", "UNCHANGED", "SUPERSEDED",  "SKIPPED",
                                        "REFUSED",   "DISCARDED", "UNRECOGNISED"};
    return names[outcome];
}

static void encode_about(struct hub_buffer *buffer, const struct hub_letter_about *about) {
    hub_encode_long(buffer, about != NULL);
    if (about == NULL)
        return;
    hub_encode_long(buffer, about->offset);
    hub_encode_long(buffer, about->outcome);
    hub_encode_text(buffer, about->because);
    hub_encode_text(buffer, about->by);
    hub_encode_long(buffer, about->time_ms);
}

void hub_deadletter_encode(const struct hub_deadletter *letter, struct hub_buffer *buffer) {
    hub_encode_text(buffer, letter->stage);
    hub_encode_text(buffer, letter->code);
    hub_encode_text(buffer, letter->reason);
    hub_encode_optional_text(buffer, letter->path);
    hub_encode_optional_text(buffer, letter->institution);
    hub_encode_optional_text(buffer, letter->connector);
    hub_encode_optional_text(buffer, letter->document);
    hub_encode_optional_text(buffer, letter->topic);
    encode_optional_long(buffer, letter->topic != NULL, letter->partition);
    encode_optional_long(buffer, letter->topic != NULL, letter->offset);
    encode_optional_octets(buffer, letter->key);
    encode_optional_octets(buffer, letter->original);
    hub_buffer_append(buffer, letter->original_hash.bytes, HUB_DIGEST_SIZE);
    hub_buffer_append_byte(buffer, letter->security);
    encode_about(buffer, letter->about);
}

void hub_deadletter_identity(const struct hub_deadletter *letter, struct hub_buffer *buffer) {
    struct hub_deadletter own = *letter;
    own.original = hub_bytes(NULL, 0);
    own.about = NULL;
    hub_deadletter_encode(&own, buffer);
}
