#include "hub/stages/admit_check.h"

#include "hub/base/text.h"
#include "schemas/lib/slice.h"

#include <string.h>

enum { KEY_SIZE_MAX = 512 };

/* 0001-01-01 to 9999-12-31: what a calendar can mean, and far from any overflow. */
static const int64_t TIME_MIN_MS = -62135596800000, TIME_MAX_MS = 253402300799999;

static bool has_control(struct hub_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

enum hub_status hub_admit_check_key(const struct hub_domain *domain, const char *institution,
                                    struct hub_bytes key, const struct hub_system **ret_system,
                                    struct hub_refusal_facts *refusal, struct hub_error *reterr) {
    struct hub_bytes name, source_id;
    *refusal = (struct hub_refusal_facts){.code = "KEY"};
    bool whole = key.size <= KEY_SIZE_MAX && hub_bytes_cut(key, '/', &name, &source_id) &&
                 source_id.size > 0 && hub_text_is_utf8(key) && !has_control(key);
    if (!whole)
        return hub_fail(reterr, HUB_REJECT,
                        "the key must be <system>/<source id>, at most %d bytes of text",
                        KEY_SIZE_MAX);
    const struct hub_system *system = hub_parties_system(domain->parties, name);
    refusal->code = "SYSTEM";
    if (system == NULL)
        return hub_fail(reterr, HUB_REJECT, "system '%.*s' is not declared in systems.json",
                        (int)name.size, (const char *)name.data);
    refusal->security = true;
    if (!hub_system_has_carrier(system, hub_bytes_of_text(institution)))
        return hub_fail(reterr, HUB_REJECT,
                        "institution %s does not carry system '%s'; %s would pass", institution,
                        system->name, system->carriers[0]);
    *refusal = (struct hub_refusal_facts){0};
    *ret_system = system;
    return HUB_OK;
}

/* Walks a second time only where the first walk met a control character: to say where. */
static enum hub_status check_text(const struct hub_domain *domain, const struct hub_opened *opened,
                                  struct hub_refusal_facts *refusal, struct hub_error *reterr) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    if (opened->plain)
        return HUB_OK;
    *refusal = (struct hub_refusal_facts){.code = "TEXT"};
    limits.size_max = opened->body.size; /* it has been accepted once */
    limits.plain = true;
    return hub_walk(domain->schema->root, opened->body, &limits, &walk, reterr);
}

enum hub_status hub_admit_check_stamp(const struct hub_domain *domain,
                                      const struct hub_opened *opened, int64_t appended_ms,
                                      struct hub_stamp *ret_stamp,
                                      struct hub_refusal_facts *refusal, struct hub_error *reterr) {
    struct hub_stamp stamp = hub_statement_stamp_of(
        domain, hub_bytes_part(opened->body, 0, opened->starts[1]), opened->parts);
    *ret_stamp = stamp;
    *refusal = (struct hub_refusal_facts){.code = "STATE", .path = "statement.state"};
    if (stamp.state != domain->stamp.current_symbol && !stamp.withdrawn)
        return hub_fail(reterr, HUB_REJECT, "CURRENT or WITHDRAWN would pass");
    *refusal = (struct hub_refusal_facts){.code = "VERSION", .path = "statement.version"};
    if (stamp.version.size == 0 || stamp.version.size > 128)
        return hub_fail(reterr, HUB_REJECT, "a version of 1 to 128 characters would pass");
    *refusal = (struct hub_refusal_facts){.code = "FUTURE", .path = "statement.event_time"};
    if (stamp.has_event_time && stamp.event_time_ms > appended_ms)
        return hub_fail(reterr, HUB_REJECT,
                        "the event is %lld ms later than the record's arrival; what has not "
                        "happened cannot be stated",
                        (long long)(stamp.event_time_ms - appended_ms));
    if (stamp.has_event_time && stamp.event_time_ms < TIME_MIN_MS)
        return hub_fail(reterr, HUB_REJECT, "a time from the year 1 on would pass");
    return HUB_OK;
}

struct identifier {
    struct hub_bytes scheme, value, issuer;
    bool has_issuer;
    bool self;
};

static struct identifier read_identifier(const struct hub_domain *domain,
                                         const struct hub_type *record, struct hub_bytes bytes) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1];
    const struct hub_identifier_fields *at = &domain->identifier;
    struct identifier identifier = {0};
    struct hub_bytes issuer;
    hub_slice_fields(record, bytes, starts);
#define PART(index) hub_bytes_part(bytes, starts[index], starts[(index) + 1])
    identifier.scheme = hub_slice_octets(PART(at->scheme));
    identifier.value = hub_slice_octets(PART(at->value));
    identifier.self = hub_slice_long(PART(at->relation)) == at->self_symbol;
    identifier.has_issuer =
        hub_slice_stated(record->fields[at->issuer].type, PART(at->issuer), &issuer) != NULL;
    if (identifier.has_issuer)
        identifier.issuer = hub_slice_octets(issuer);
#undef PART
    return identifier;
}

/* Its shape is only described where it is not kept. */
static enum hub_status fail_of_shape(const struct hub_scheme *scheme, bool malformed,
                                     struct hub_error *reterr) {
    HUB_SCOPED_BUFFER shape = {0};
    hub_scheme_describe(scheme, &shape);
    if (malformed)
        return hub_fail(reterr, HUB_REJECT,
                        "no value of scheme %s; %s would pass, and anything else with relation "
                        "UNVERIFIED", scheme->name, hub_buffer_text(&shape));
    return hub_fail(reterr, HUB_REJECT, "not in the normal form of scheme %s: %s", scheme->name,
                    hub_buffer_text(&shape));
}

static enum hub_status judge(const struct hub_domain *domain, const struct identifier *identifier,
                             struct hub_error *reterr) {
    const struct hub_scheme *scheme = hub_scheme_find(domain->schemes, identifier->scheme);
    if (scheme == NULL)
        return hub_fail(reterr, HUB_REJECT, "scheme '%.*s' is not in schemes.json",
                        (int)identifier->scheme.size, (const char *)identifier->scheme.data);
    if (scheme->issuer != identifier->has_issuer ||
        (identifier->has_issuer && identifier->issuer.size == 0))
        return hub_fail(reterr, HUB_REJECT, "scheme %s %s", scheme->name,
                        scheme->issuer ? "needs an issuer: its values are unique within one only"
                                       : "has no issuer");
    if (has_control(identifier->issuer))
        return hub_fail(reterr, HUB_REJECT, "an issuer with a control character");
    switch (hub_scheme_judge(scheme, identifier->value)) {
    case HUB_IDENTIFIER_PLACEHOLDER:
        return hub_fail(reterr, HUB_REJECT,
                        "a placeholder of scheme %s says that two things are one; with relation "
                        "UNVERIFIED it would pass", scheme->name);
    case HUB_IDENTIFIER_MALFORMED:
        return fail_of_shape(scheme, /* malformed= */ true, reterr);
    case HUB_IDENTIFIER_VALID:;
    }
    if (!hub_scheme_is_normal(scheme, identifier->value))
        return fail_of_shape(scheme, /* malformed= */ false, reterr);
    return HUB_OK;
}

static enum hub_status check_identifiers(const struct hub_domain *domain,
                                         const struct hub_opened *opened, struct hub_arena *arena,
                                         struct hub_refusal_facts *refusal,
                                         struct hub_error *reterr) {
    const struct hub_type *array = domain->contract.fields[HUB_FIELD_IDENTIFIERS].field->type;
    struct hub_elements elements = hub_slice_elements(
        array, hub_statement_field(opened->body, opened->starts, HUB_FIELD_IDENTIFIERS));
    struct hub_bytes element;
    for (size_t i = 0; hub_slice_next(&elements, &element); i++) {
        struct identifier identifier = read_identifier(domain, array->items, element);
        if (!identifier.self)
            continue;
        enum hub_status status = judge(domain, &identifier, reterr);
        if (status == HUB_OK)
            continue;
        *refusal = (struct hub_refusal_facts){
            .code = "IDENTIFIER", .path = hub_arena_format(arena, "identifiers[%zu]", i)};
        return status;
    }
    return HUB_OK;
}

static enum hub_status check_interval(const struct hub_domain *domain,
                                      const struct hub_opened *opened, size_t index,
                                      struct hub_refusal_facts *refusal,
                                      struct hub_error *reterr) {
    const struct hub_field *field = domain->contract.fields[index].field;
    struct hub_bytes interval, start, end;
    const struct hub_type *type = hub_slice_stated(
        field->type, hub_statement_field(opened->body, opened->starts, index), &interval);
    if (type == NULL)
        return HUB_OK;
    *refusal = (struct hub_refusal_facts){.code = "INTERVAL", .path = field->name};
    hub_slice_path(type, interval, "start.time", &start);
    hub_slice_path(type, interval, "end.time", &end);
    int64_t from = hub_slice_long(start), to = hub_slice_long(end);
    if (from < TIME_MIN_MS || to > TIME_MAX_MS || from > TIME_MAX_MS)
        return hub_fail(reterr, HUB_REJECT, "times in the years 1 to 9999 would pass");
    if (to < from)
        return hub_fail(reterr, HUB_REJECT, "it ends %lld s before it starts",
                        (long long)((from - to) / 1000));
    return HUB_OK;
}

enum hub_status hub_admit_check_statement(const struct hub_domain *domain,
                                          const struct hub_opened *opened, int64_t appended_ms,
                                          struct hub_arena *arena, struct hub_stamp *ret_stamp,
                                          struct hub_refusal_facts *refusal,
                                          struct hub_error *reterr) {
    HUB_TRY(check_text(domain, opened, refusal, reterr));
    HUB_TRY(hub_admit_check_stamp(domain, opened, appended_ms, ret_stamp, refusal, reterr));
    HUB_TRY(check_identifiers(domain, opened, arena, refusal, reterr));
    const struct hub_exclusive *exclusive = domain->exclusive;
    bool times = exclusive != NULL && !exclusive->days; /* days may be known too little to tell */
    for (size_t i = 0; times && i < exclusive->interval_count; i++)
        HUB_TRY(check_interval(domain, opened, (size_t)exclusive->interval_fields[i], refusal,
                               reterr));
    *refusal = (struct hub_refusal_facts){0};
    return HUB_OK;
}
