#include "schemas/lib/statement.h"

#include "hub/base/text.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"

#include <string.h>

static struct hub_bytes stamp_part(struct hub_bytes stamp, const uint32_t *starts, int index) {
    return hub_bytes_part(stamp, starts[index], starts[index + 1]);
}

struct hub_stamp hub_statement_stamp_of(const struct hub_domain *domain, struct hub_bytes stamp,
                                        const uint32_t *parts) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_stamp_fields *at = &domain->stamp;
    struct hub_stamp result = {0};
    result.version = hub_slice_octets(stamp_part(stamp, parts, at->version));
    result.state = hub_slice_long(stamp_part(stamp, parts, at->state));
    result.withdrawn = result.state == at->withdrawn_symbol;
    struct hub_bytes time;
    const struct hub_type *time_type = hub_slice_stated(
        type->fields[at->event_time].type, stamp_part(stamp, parts, at->event_time), &time);
    if (time_type != NULL) {
        result.has_event_time = true;
        result.event_time_ms = hub_slice_long(hub_slice_field(time_type, time, 0));
    }
    return result;
}

struct hub_stamp hub_statement_stamp(const struct hub_domain *domain, struct hub_bytes body,
                                     const uint32_t *starts) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    HUB_NOT_ZEROED uint32_t parts[HUB_STAMP_FIELDS_MAX + 1];
    struct hub_bytes stamp = hub_statement_field(body, starts, HUB_FIELD_STATEMENT);
    hub_slice_fields(type, stamp, parts);
    return hub_statement_stamp_of(domain, stamp, parts);
}

static void append_said(const struct hub_stamp_fields *at, struct hub_bytes stamp,
                        const uint32_t *parts, struct hub_buffer *buffer) {
    hub_buffer_append_bytes(buffer, stamp_part(stamp, parts, at->event_time));
    hub_buffer_append_bytes(buffer, stamp_part(stamp, parts, at->state));
    hub_buffer_append_bytes(buffer, stamp_part(stamp, parts, at->reason));
}

void hub_statement_content(const struct hub_domain *domain, struct hub_bytes body,
                           const uint32_t *starts, struct hub_buffer *buffer) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    HUB_NOT_ZEROED uint32_t parts[HUB_STAMP_FIELDS_MAX + 1];
    struct hub_bytes stamp = hub_statement_field(body, starts, HUB_FIELD_STATEMENT);
    hub_slice_fields(type, stamp, parts);
    append_said(&domain->stamp, stamp, parts, buffer);
    for (size_t i = 0; i < domain->contract.count; i++)
        if (i != HUB_FIELD_STATEMENT && !domain->contract.fields[i].is_volatile)
            hub_buffer_append_bytes(buffer, hub_statement_field(body, starts, i));
}

bool hub_statement_says_the_same(const struct hub_domain *domain, const bool *same,
                                 struct hub_bytes stamp, struct hub_bytes other) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_stamp_fields *at = &domain->stamp;
    const int parts[] = {at->event_time, at->state, at->reason};
    HUB_NOT_ZEROED uint32_t x[HUB_STAMP_FIELDS_MAX + 1], y[HUB_STAMP_FIELDS_MAX + 1];
    for (size_t i = 0; i < domain->contract.count; i++)
        if (i != HUB_FIELD_STATEMENT && !same[i] && !domain->contract.fields[i].is_volatile)
            return false;
    if (same[HUB_FIELD_STATEMENT])
        return true;
    hub_slice_fields(type, stamp, x);
    hub_slice_fields(type, other, y);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!hub_bytes_equal(stamp_part(stamp, x, parts[i]), stamp_part(other, y, parts[i])))
            return false;
    return true;
}

struct hub_bytes hub_version_of_source(struct hub_bytes version) {
    for (size_t i = version.size; i > 0; i--)
        if (version.data[i - 1] == '~')
            return hub_bytes_part(version, 0, i - 1);
    return version;
}

struct hub_bytes hub_version_of_document(struct hub_bytes version) {
    size_t size = hub_version_of_source(version).size;
    while (size < version.size && version.data[size] != '.')
        size++;
    return hub_bytes_part(version, 0, size);
}

struct hub_digest hub_statement_digest(const struct hub_domain *domain,
                                       const struct hub_system *system,
                                       const struct hub_digester *digester, struct hub_bytes body,
                                       const uint32_t *starts) {
    HUB_SCOPED_BUFFER content = {0};
    hub_statement_content(domain, body, starts, &content);
    if (system->carrier_count > 1)
        hub_buffer_append_bytes(
            &content, hub_version_of_source(hub_statement_stamp(domain, body, starts).version));
    return digester->digest(hub_buffer_bytes(&content));
}

bool hub_statement_rest_is_said(const struct hub_domain *domain) {
    for (size_t i = 0; i < domain->contract.count; i++)
        if (i != HUB_FIELD_STATEMENT && domain->contract.fields[i].is_volatile)
            return false;
    return true;
}

struct hub_digest hub_statement_digest_of_rest(const struct hub_domain *domain,
                                               const struct hub_system *system,
                                               const struct hub_digester *digester,
                                               struct hub_bytes body, size_t rest_at,
                                               const uint32_t *parts, struct hub_arena *arena) {
    struct hub_buffer content = {.arena = arena};
    struct hub_bytes stamp = hub_bytes_part(body, 0, rest_at);
    hub_buffer_reserve(&content, body.size);
    append_said(&domain->stamp, stamp, parts, &content);
    hub_buffer_append_bytes(&content, hub_bytes_part(body, rest_at, body.size));
    if (system->carrier_count > 1)
        hub_buffer_append_bytes(
            &content, hub_version_of_source(hub_slice_octets(
                          stamp_part(stamp, parts, domain->stamp.version))));
    return digester->digest(hub_buffer_bytes(&content));
}

int hub_statement_compare(const struct hub_stamp *a, const struct hub_digest *a_digest,
                          const struct hub_stamp *b, const struct hub_digest *b_digest) {
    int order = hub_text_natural_compare(a->version, b->version);
    if (order != 0)
        return order;
    if (a->has_event_time != b->has_event_time)
        return a->has_event_time ? 1 : -1;
    if (b->has_event_time && a->event_time_ms != b->event_time_ms)
        return a->event_time_ms > b->event_time_ms ? 1 : -1;
    return memcmp(a_digest->bytes, b_digest->bytes, HUB_DIGEST_SIZE);
}

/* Of the fields of the stamp those that are named become others. */
static void append_stamped(const struct hub_domain *domain, struct hub_bytes body,
                           const uint32_t *starts, struct hub_bytes version, bool withdrawn,
                           const char *reason, struct hub_buffer *buffer) {
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_stamp_fields *at = &domain->stamp;
    struct hub_bytes stamp = hub_statement_field(body, starts, HUB_FIELD_STATEMENT);
    HUB_NOT_ZEROED uint32_t parts[HUB_STAMP_FIELDS_MAX + 1];
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
