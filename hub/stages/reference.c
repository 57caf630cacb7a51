#include "hub/stages/reference.h"

#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <string.h>

static struct hub_bytes part(const struct hub_type *record, struct hub_bytes bytes,
                             const char *name) {
    return hub_slice_field(record, bytes, (size_t)hub_type_field(record, name));
}

const char *hub_identifier_name(const struct hub_type *type, struct hub_bytes identifier,
                                struct hub_arena *arena) {
    const struct hub_type *relations = type->fields[hub_type_field(type, "relation")].type;
    struct hub_bytes scheme = hub_slice_octets(part(type, identifier, "scheme"));
    struct hub_bytes value = hub_slice_octets(part(type, identifier, "value"));
    struct hub_bytes issuer;
    if (strcmp(hub_slice_symbol(relations, part(type, identifier, "relation")), "SELF") != 0)
        return NULL;
    bool issued = hub_slice_path(type, identifier, "issuer", &issuer) != NULL;
    issuer = issued ? hub_slice_octets(issuer) : hub_bytes("", 0);
    return hub_arena_format(arena, "%.*s:%.*s%s%.*s", (int)scheme.size, (const char *)scheme.data,
                            (int)issuer.size, (const char *)issuer.data, issued ? ":" : "",
                            (int)value.size, (const char *)value.data);
}

bool hub_reference_means(const struct hub_reference *reference, const struct hub_link *link) {
    return hub_bytes_equal_text(link->domain, reference->domain) &&
           (reference->role == NULL || hub_bytes_equal_text(link->role, reference->role));
}

static bool is_meant(const struct hub_domain *domain, const struct hub_link *link) {
    for (size_t i = 0; i < domain->reference_count; i++)
        if (hub_reference_means(&domain->references[i], link))
            return true;
    return false;
}

size_t hub_links_read(const struct hub_domain *domain, struct hub_bytes body,
                      const uint32_t *starts, struct hub_arena *arena,
                      struct hub_link **ret_links) {
    const struct hub_type *array = domain->contract.fields[HUB_FIELD_LINKS].field->type;
    const struct hub_type *type = array->items;
    const struct hub_type *identifiers = type->fields[hub_type_field(type, "identifier")].type;
    struct hub_bytes links = hub_statement_field(body, starts, HUB_FIELD_LINKS), element;
    struct hub_elements counting = hub_slice_elements(array, links), elements = counting;
    size_t count = 0, kept = 0;
    while (hub_slice_next(&counting, &element))
        count++;
    struct hub_link *list = hub_arena_take(arena, (count + 1) * sizeof *list);
    while (hub_slice_next(&elements, &element)) {
        struct hub_link link = {.domain = hub_slice_octets(part(type, element, "domain")),
                                .role = hub_slice_octets(part(type, element, "role")),
                                .element = element};
        const char *name = NULL;
        if (is_meant(domain, &link))
            name = hub_identifier_name(identifiers, part(type, element, "identifier"), arena);
        if (name == NULL)
            continue;
        link.fact = hub_arena_format(arena, "%.*s/%s", (int)link.domain.size,
                                     (const char *)link.domain.data, name);
        list[kept++] = link;
    }
    *ret_links = list;
    return kept;
}
