#include "schemas/lib/statement.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"

static struct hub_bytes stamp_part(struct hub_bytes stamp, const uint32_t *starts, int index) {
    return hub_bytes_part(stamp, starts[index], starts[index + 1]);
}

struct hub_stamp hub_statement_stamp(const struct hub_domain *domain, struct hub_bytes body,
                                     const uint32_t *starts) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_stamp_fields *at = &domain->stamp;
    uint32_t parts[HUB_STAMP_FIELDS_MAX + 1];
    struct hub_bytes stamp = hub_statement_field(body, starts, HUB_FIELD_STATEMENT);
    hub_slice_fields(type, stamp, parts);
    struct hub_stamp result = {0};
    result.version = hub_slice_octets(stamp_part(stamp, parts, at->version));
    result.withdrawn =
        hub_slice_long(stamp_part(stamp, parts, at->state)) == at->withdrawn_symbol;
    struct hub_bytes time;
    const struct hub_type *time_type = hub_slice_stated(
        type->fields[at->event_time].type, stamp_part(stamp, parts, at->event_time), &time);
    if (time_type != NULL) {
        result.has_event_time = true;
        result.event_time_ms = hub_slice_long(hub_slice_field(time_type, time, 0));
    }
    return result;
}

void hub_statement_content(const struct hub_domain *domain, struct hub_bytes body,
                           const uint32_t *starts, struct hub_buffer *buffer) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_stamp_fields *at = &domain->stamp;
    uint32_t parts[HUB_STAMP_FIELDS_MAX + 1];
    struct hub_bytes stamp = hub_statement_field(body, starts, HUB_FIELD_STATEMENT);
    hub_slice_fields(type, stamp, parts);
    hub_buffer_append_bytes(buffer, stamp_part(stamp, parts, at->event_time));
    hub_buffer_append_bytes(buffer, stamp_part(stamp, parts, at->state));
    hub_buffer_append_bytes(buffer, stamp_part(stamp, parts, at->reason));
    for (size_t i = 0; i < domain->contract.count; i++)
        if (i != HUB_FIELD_STATEMENT && !domain->contract.fields[i].is_volatile)
            hub_buffer_append_bytes(buffer, hub_statement_field(body, starts, i));
}

struct hub_bytes hub_version_of_source(struct hub_bytes version) {
    for (size_t i = version.size; i > 0; i--)
        if (version.data[i - 1] == '~')
            return hub_bytes_part(version, 0, i - 1);
    return version;
}

/* Of the fields of the stamp those that are named become others. */
static void append_stamped(const struct hub_domain *domain, struct hub_bytes body,
                           const uint32_t *starts, struct hub_bytes version, bool withdrawn,
                           const char *reason, struct hub_buffer *buffer) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_stamp_fields *at = &domain->stamp;
    struct hub_bytes stamp = hub_statement_field(body, starts, HUB_FIELD_STATEMENT);
    uint32_t parts[HUB_STAMP_FIELDS_MAX + 1];
    hub_slice_fields(type, stamp, parts);
    for (size_t i = 0; i < type->count; i++) {
        if (withdrawn && (int)i == at->state)
            hub_encode_long(buffer, at->withdrawn_symbol);
        else if (withdrawn && (int)i == at->reason)
            hub_encode_optional_text(buffer, reason);
        else if ((int)i == at->version && version.data != NULL)
            hub_encode_octets(buffer, version);
        else
            hub_buffer_append_bytes(buffer, stamp_part(stamp, parts, (int)i));
    }
    hub_buffer_append_bytes(buffer, hub_bytes_part(body, starts[1], body.size));
}

void hub_statement_append_withdrawn(const struct hub_domain *domain, struct hub_bytes body,
                                    const uint32_t *starts, struct hub_bytes version,
                                    const char *reason, struct hub_buffer *buffer) {
    append_stamped(domain, body, starts, version, /* withdrawn= */ true, reason, buffer);
}

void hub_statement_append_version(const struct hub_domain *domain, struct hub_bytes body,
                                  const uint32_t *starts, struct hub_bytes version,
                                  struct hub_buffer *buffer) {
    append_stamped(domain, body, starts, version, /* withdrawn= */ false, NULL, buffer);
}
