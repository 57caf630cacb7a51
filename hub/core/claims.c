#include "hub/core/claims.h"

#include "schemas/lib/slice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const struct hub_domain *domain;
    const struct hub_type *record;
    struct hub_arena *arena;
    struct hub_claim *claims;
    size_t count, capacity;
};

/* Without a / of its own, so that the first / after the scheme ends the issuer. */
static const char *group_of(struct hub_arena *arena, const struct hub_scheme *scheme,
                            struct hub_bytes issuer) {
    if (issuer.size == 0)
        return hub_arena_format(arena, "%s:", scheme->name);
    HUB_SCOPED_BUFFER escaped = {0};
    for (size_t i = 0; i < issuer.size; i++)
        if (issuer.data[i] == '/' || issuer.data[i] == '%')
            hub_buffer_append_format(&escaped, "%%%02X", issuer.data[i]);
        else
            hub_buffer_append_byte(&escaped, issuer.data[i]);
    return hub_arena_format(arena, "%s:%s/", scheme->name, hub_buffer_text(&escaped));
}

static void make_room(struct reader *reader) {
    size_t capacity = reader->capacity == 0 ? 8 : reader->capacity * 2;
    struct hub_claim *claims = hub_arena_take(reader->arena, capacity * sizeof *claims);
    if (reader->count > 0)
        memcpy(claims, reader->claims, reader->count * sizeof *claims);
    reader->claims = claims;
    reader->capacity = capacity;
}

static void add_claim(struct reader *reader, int scheme, int strength, struct hub_bytes issuer,
                      struct hub_bytes value, bool doubtful) {
    const struct hub_scheme *facts = &reader->domain->schemes->schemes[scheme];
    const char *group = group_of(reader->arena, facts, issuer);
    const char *text = hub_arena_format(reader->arena, "%s%.*s", group, (int)value.size,
                                        (const char *)value.data);
    if (reader->count == reader->capacity)
        make_room(reader);
    reader->claims[reader->count++] = (struct hub_claim){.scheme = scheme,
                                                         .strength = strength,
                                                         .exclusive = facts->exclusive,
                                                         .text = hub_bytes_of_text(text),
                                                         .group = hub_bytes_of_text(group),
                                                         .doubtful = doubtful};
}

/* --- doubtful ones --- */

/* As the scheme would write it, with one misread digit as `?`; false where it is nothing like
 * it. */
static bool resembles(const struct hub_scheme *scheme, struct hub_bytes raw,
                      struct hub_buffer *value) {
    struct hub_bytes version;
    value->size = hub_scheme_normalise(scheme, raw, value, &version);
    switch (hub_scheme_judge(scheme, hub_buffer_bytes(value))) {
    case HUB_IDENTIFIER_VALID:
        return true;
    case HUB_IDENTIFIER_PLACEHOLDER:
        return false;
    case HUB_IDENTIFIER_MALFORMED:;
    }
    return hub_scheme_blot(scheme, value->data, value->size);
}

static void doubt(struct reader *reader, int scheme, int strength, struct hub_bytes issuer,
                  struct hub_bytes raw) {
    const struct hub_scheme *facts = &reader->domain->schemes->schemes[scheme];
    HUB_SCOPED_BUFFER value = {.size_max = HUB_IDENTIFIER_SIZE_MAX};
    if (facts->issuer == (issuer.size > 0) && resembles(facts, raw, &value))
        add_claim(reader, scheme, strength, issuer, hub_buffer_bytes(&value), /* doubtful= */ true);
}

static void doubt_everywhere(struct reader *reader, struct hub_bytes issuer,
                             struct hub_bytes raw) {
    for (size_t i = 0; i < reader->domain->identity_count; i++) {
        int scheme = reader->domain->identity[i];
        if (reader->domain->schemes->schemes[scheme].pattern != NULL)
            doubt(reader, scheme, (int)i, issuer, raw);
    }
}

/* --- one identifier --- */

static void read_identifier(struct reader *reader, struct hub_bytes bytes) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(reader->record, bytes, starts);
#define PART(index) hub_bytes_part(bytes, starts[index], starts[(index) + 1])
    const struct hub_identifier_fields *at = &reader->domain->identifier;
    int64_t relation = hub_slice_long(PART(at->relation));
    bool self = relation == at->self_symbol, unverified = relation == at->unverified_symbol;
    if (!self && !unverified)
        return;
    struct hub_bytes name = hub_slice_octets(PART(at->scheme));
    struct hub_bytes value = hub_slice_octets(PART(at->value)), issuer = hub_bytes("", 0);
    const struct hub_type *stated =
        hub_slice_stated(reader->record->fields[at->issuer].type, PART(at->issuer), &issuer);
    issuer = stated == NULL ? hub_bytes("", 0) : hub_slice_octets(issuer);
#undef PART
    int scheme = hub_scheme_index(reader->domain->schemes, name);
    int strength = scheme < 0 ? -1 : hub_domain_scheme_strength(reader->domain, scheme);
    if (self && strength >= 0)
        add_claim(reader, scheme, strength, issuer, value, /* doubtful= */ false);
    else if (unverified && strength >= 0)
        doubt(reader, scheme, strength, issuer, value);
    else if (unverified)
        doubt_everywhere(reader, issuer, value);
}

static int compare_claims(const void *a, const void *b) {
    const struct hub_claim *x = a, *y = b;
    int order = hub_bytes_compare(x->text, y->text);
    return order != 0 ? order : x->doubtful - y->doubtful;
}

/* A statement that gives two values of one exclusive group states neither. */
static void mark_ambiguous(struct hub_claim *claims, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            if (k != i && claims[i].exclusive && !claims[i].doubtful && !claims[k].doubtful &&
                hub_bytes_equal(claims[i].group, claims[k].group))
                claims[i].ambiguous = true;
}

void hub_claims_read(const struct hub_domain *domain, struct hub_bytes identifiers,
                     struct hub_arena *arena, struct hub_claim **ret_claims, size_t *ret_count) {
    const struct hub_type *array = domain->contract.fields[HUB_FIELD_IDENTIFIERS].field->type;
    struct reader reader = {.domain = domain, .record = array->items, .arena = arena};
    struct hub_elements elements = hub_slice_elements(array, identifiers);
    struct hub_bytes element;
    size_t kept = 0;
    while (hub_slice_next(&elements, &element))
        read_identifier(&reader, element);
    struct hub_claim *claims = reader.claims;
    if (reader.count > 0)
        qsort(claims, reader.count, sizeof *claims, compare_claims);
    for (size_t i = 0; i < reader.count; i++)
        if (kept == 0 || !hub_bytes_equal(claims[kept - 1].text, claims[i].text))
            claims[kept++] = claims[i];
    mark_ambiguous(claims, kept);
    *ret_claims = claims;
    *ret_count = kept;
}
