#include "schemas/lib/domain.h"

int hub_domain_scheme_strength(const struct hub_domain *domain, int scheme_index) {
    for (size_t i = 0; i < domain->identity_count; i++)
        if (domain->identity[i] == scheme_index)
            return (int)i;
    return -1;
}

size_t hub_domain_system_rank(const struct hub_domain *domain, struct hub_bytes system) {
    size_t rank = 0;
    while (domain->systems[rank] != NULL && !hub_bytes_equal_text(system, domain->systems[rank]))
        rank++;
    return rank;
}
