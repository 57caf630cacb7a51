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
}
