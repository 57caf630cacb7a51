#include "hub/core/claims.h"

#include "schemas/lib/slice.h"

#include <assert.h>
#include <stdlib.h>

struct reader {
    const struct hub_domain *domain;
    const struct hub_type *record;
    struct hub_arena *arena;
    int scheme, issuer, value, relation; /* field indexes */
    int64_t self;                        /* symbol */
};

static struct reader make_reader(const struct hub_domain *domain, struct hub_arena *arena) {
    const struct hub_type *array =
        domain->contract.fields[HUB_FIELD_IDENTIFIERS].field->type;
    const struct hub_type *record = array->items;
    struct reader reader = {domain,
                            record,
                            arena,
                            hub_type_field(record, "scheme"),
                            hub_type_field(record, "issuer"),
                            hub_type_field(record, "value"),
                            hub_type_field(record, "relation"),
                            0};
    assert(reader.scheme >= 0 && reader.issuer >= 0 && reader.value >= 0 && reader.relation >= 0);
    reader.self = hub_type_symbol(record->fields[reader.relation].type, "SELF");
    return reader;
}

static bool read_claim(const struct reader *reader, struct hub_bytes bytes,
                       struct hub_claim *claim) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(reader->record, bytes, starts);
#define PART(index) hub_bytes_part(bytes, starts[index], starts[(index) + 1])
    if (hub_slice_long(PART(reader->relation)) != reader->self)
        return false;
    struct hub_bytes name = hub_slice_octets(PART(reader->scheme));
    struct hub_bytes value = hub_slice_octets(PART(reader->value)), issuer = hub_bytes("", 0);
    const struct hub_type *stated =
        hub_slice_stated(reader->record->fields[reader->issuer].type, PART(reader->issuer), &issuer);
    issuer = stated == NULL ? hub_bytes("", 0) : hub_slice_octets(issuer);
#undef PART
    int scheme = hub_scheme_index(reader->domain->schemes, name);
    int strength = scheme < 0 ? -1 : hub_domain_scheme_strength(reader->domain, scheme);
    if (strength < 0)
        return false;
    const struct hub_scheme *facts = &reader->domain->schemes->schemes[scheme];
    const char *group =
        issuer.size == 0
            ? hub_arena_format(reader->arena, "%s:", facts->name)
            : hub_arena_format(reader->arena, "%s:%.*s:", facts->name, (int)issuer.size,
                               (const char *)issuer.data);
    const char *text = hub_arena_format(reader->arena, "%s%.*s", group, (int)value.size,
                                        (const char *)value.data);
    *claim = (struct hub_claim){scheme,
                                strength,
                                facts->exclusive,
                                hub_bytes_of_text(text),
                                hub_bytes_of_text(group),
                                false};
    return true;
}

static int compare_claims(const void *a, const void *b) {
    const struct hub_claim *x = a, *y = b;
    return hub_bytes_compare(x->text, y->text);
}

/* A statement that gives two values of one exclusive group states neither. */
static void mark_ambiguous(struct hub_claim *claims, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            if (k != i && claims[i].exclusive &&
                hub_bytes_equal(claims[i].group, claims[k].group))
                claims[i].ambiguous = true;
}

void hub_claims_read(const struct hub_domain *domain, struct hub_bytes identifiers,
                     struct hub_arena *arena, struct hub_claim **ret_claims, size_t *ret_count) {
    struct reader reader = make_reader(domain, arena);
    const struct hub_type *array = domain->contract.fields[HUB_FIELD_IDENTIFIERS].field->type;
    struct hub_elements counting = hub_slice_elements(array, identifiers), elements = counting;
    struct hub_bytes element;
    size_t room = 0, count = 0, kept = 0;
    while (hub_slice_next(&counting, &element))
        room++;
    struct hub_claim *claims = hub_arena_take(arena, (room + 1) * sizeof *claims);
    while (hub_slice_next(&elements, &element))
        count += read_claim(&reader, element, &claims[count]);
    qsort(claims, count, sizeof *claims, compare_claims);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_claims(&claims[kept - 1], &claims[i]) != 0)
            claims[kept++] = claims[i];
    mark_ambiguous(claims, kept);
    *ret_claims = claims;
    *ret_count = kept;
}
