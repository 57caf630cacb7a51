#include "hub/stages/erasure_entry.h"

#include "hub/stages/record.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/sealed.h"
#include "schemas/lib/slice.h"

#include <string.h>

enum { KEY_ID_SIZE_MAX = 64 };

bool hub_erasure_entry_is(const struct hub_input *entry) {
    size_t size = sizeof HUB_ERASURE_PREFIX - 1;
    return entry->has_key && entry->key.size >= size &&
           memcmp(entry->key.data, HUB_ERASURE_PREFIX, size) == 0;
}

void hub_erasure_entry_append_key(const struct hub_erasure_entry *entry, struct hub_buffer *key) {
    hub_buffer_append_format(key, HUB_ERASURE_PREFIX "%s/%s", entry->domain, entry->key_id);
}

void hub_erasure_entry_encode(const struct hub_erasure_entry *entry,
                              const struct hub_catalogue *catalogue, struct hub_buffer *message) {
    HUB_SCOPED_BUFFER id = {0};
    hub_buffer_append_format(&id, "%s@%lld", entry->key_id, (long long)entry->decided_time_ms);
    hub_frame_append(message, hub_catalogue_latest(catalogue, "erasure")->id);
    hub_encode_octets(message, hub_buffer_bytes(&id));
    hub_encode_text(message, entry->domain);
    hub_encode_text(message, entry->key_id);
    hub_encode_long(message, entry->step);
    hub_encode_optional_text(message, entry->basis);
    hub_encode_text(message, entry->reason);
    hub_encode_text(message, entry->decided_by);
    hub_encode_long(message, entry->decided_time_ms);
}

/* --- admit --- */

struct checking {
    const struct hub_admit_decisions *decisions;
    const struct hub_input *input;
    struct hub_record record;
    const struct hub_domain *domain;
    const char *path; /* of what is wrong */
    struct hub_error *reterr;
};

static struct hub_bytes text_of(const struct checking *checking, const char *name) {
    return hub_slice_octets(hub_record_field(&checking->record, name));
}

static bool is_blank(struct hub_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] > ' ')
            return false;
    return true;
}

static enum hub_status check_who_and_why(struct checking *checking) {
    static const char *const needed[] = {"erasure_id", "reason", "decided_by"};
    int64_t step = hub_record_long(&checking->record, "step");
    bool erases = step == HUB_ERASURE_BEGUN || step == HUB_ERASURE_ERASED;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        checking->path = needed[i];
        if (is_blank(text_of(checking, needed[i])))
            return hub_fail(checking->reterr, HUB_REJECT, "an erasure without %s; a text would pass",
                            needed[i]);
    }
    checking->path = "step";
    if (step >= HUB_ERASURE_STEPS)
        return hub_fail(checking->reterr, HUB_REJECT, "HELD, RELEASED, BEGUN or ERASED would pass");
    checking->path = "basis";
    if (hub_record_is_stated(&checking->record, "basis") != erases)
        return hub_fail(checking->reterr, HUB_REJECT, "BEGUN and ERASED have a legal basis, and the others have "
                        "none");
    return HUB_OK;
}

static bool has_sealed(const struct hub_domain *domain) {
    for (size_t i = 0; i < domain->contract.count; i++)
        if (hub_sealed_is(domain->contract.fields[i].field->type))
            return true;
    return false;
}

static bool is_hexadecimal(struct hub_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (memchr("0123456789abcdef", text.data[i], 16) == NULL)
            return false;
    return text.size > 0;
}

static enum hub_status check_place(struct checking *checking) {
    struct hub_bytes domain = text_of(checking, "domain"), id = text_of(checking, "key_id");
    HUB_SCOPED_BUFFER key = {0};
    checking->path = "domain";
    checking->domain = hub_catalogue_domain(checking->decisions->catalogue, domain);
    if (checking->domain == NULL || !has_sealed(checking->domain))
        return hub_fail(checking->reterr, HUB_REJECT, "a domain with a sealed field would pass");
    checking->path = "key_id";
    if (id.size > KEY_ID_SIZE_MAX || !is_hexadecimal(id))
        return hub_fail(checking->reterr, HUB_REJECT, "the id of a key, of 1 to %d hexadecimal digits, would "
                        "pass", KEY_ID_SIZE_MAX);
    hub_buffer_append_text(&key, HUB_ERASURE_PREFIX);
    hub_buffer_append_bytes(&key, domain);
    hub_buffer_append_byte(&key, '/');
    hub_buffer_append_bytes(&key, id);
    if (!hub_bytes_equal(hub_buffer_bytes(&key), checking->input->key))
        return hub_fail(checking->reterr, HUB_REJECT, "the record's key is not %s",
                        hub_buffer_text(&key));
    return HUB_OK;
}

static enum hub_status check(struct checking *checking, struct hub_buffer *scratch) {
    const struct hub_catalogue *catalogue = checking->decisions->catalogue;
    if (!checking->input->has_value)
        return hub_fail(checking->reterr, HUB_REJECT, "a record without a value; what was done stays told");
    HUB_TRY(hub_record_open(catalogue, hub_catalogue_latest(catalogue, "erasure"),
                            checking->input->value, scratch, &checking->record, checking->reterr));
    HUB_TRY(check_place(checking));
    return check_who_and_why(checking);
}

/* Into the first shard: the key may be that of fields in any of them. */
static void write_entry(const struct checking *checking, struct hub_outputs *outputs) {
    const struct hub_input *input = checking->input;
    struct hub_arena *arena = outputs->arena;
    struct hub_bytes id = text_of(checking, "key_id");
    const char *key = hub_arena_format(arena, HUB_ERASURE_PREFIX "%.*s", (int)id.size,
                                       (const char *)id.data);
    struct hub_output *output =
        hub_outputs_add(outputs, HUB_OUTPUT_LOG, /* partition= */ 0, hub_bytes_of_text(key));
    const char *origin = hub_arena_format(arena, "%s/%d@%lld", checking->decisions->topic,
                                          input->partition, (long long)input->offset);
    output->topic = hub_arena_format(arena, "log.%s", checking->domain->name);
    output->value = hub_bytes(
        hub_arena_text(arena, (const char *)input->value.data, input->value.size),
        input->value.size);
    struct hub_envelope envelope = {
        .id = origin,
        .source = "urn:atmp:hub:admit",
        .type = hub_arena_format(arena, "atmp.%s.erasure", checking->domain->name),
        .subject = key,
        .has_time = true,
        .time_ms = input->timestamp_ms};
    hub_output_envelope(outputs, output, &envelope, input);
    hub_output_header_text(outputs, output, "hub_origin", origin);
}

enum hub_status hub_admit_erasure(const struct hub_admit_decisions *decisions,
                                  const struct hub_input *input, struct hub_outputs *outputs,
                                  const char **ret_path, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER scratch = {0};
    struct checking checking = {.decisions = decisions, .input = input, .reterr = reterr};
    enum hub_status status = check(&checking, &scratch);
    *ret_path = checking.path;
    if (status == HUB_OK)
        write_entry(&checking, outputs);
    return status;
}
