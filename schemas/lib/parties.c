#include "schemas/lib/parties.h"

#include "hub/base/text.h"

#include <stdlib.h>
#include <string.h>

const struct hub_system *hub_parties_system(const struct hub_parties *parties,
                                            struct hub_bytes name) {
    for (size_t i = 0; i < parties->system_count; i++)
        if (hub_bytes_equal_text(name, parties->systems[i].name))
            return &parties->systems[i];
    return NULL;
}

const struct hub_institution *hub_parties_institution(const struct hub_parties *parties,
                                                      struct hub_bytes name) {
    for (size_t i = 0; i < parties->institution_count; i++)
        if (hub_bytes_equal_text(name, parties->institutions[i].name))
            return &parties->institutions[i];
    return NULL;
}

bool hub_system_has_carrier(const struct hub_system *system, struct hub_bytes institution) {
    for (size_t i = 0; i < system->carrier_count; i++)
        if (hub_bytes_equal_text(institution, system->carriers[i]))
            return true;
    return false;
}

static int compare_spellings(const void *a, const void *b) {
    const struct hub_spelling *x = a, *y = b;
    return strcmp(x->folded, y->folded);
}

const char *hub_parties_org(const struct hub_parties *parties, struct hub_bytes text) {
    HUB_SCOPED_BUFFER folded = {0};
    for (size_t i = 0; i < parties->spelling_count; i++)
        if (hub_bytes_equal_text(text, parties->spellings[i].org))
            return parties->spellings[i].org;
    hub_text_fold(text, &folded);
    struct hub_spelling wanted = {.folded = hub_buffer_text(&folded)};
    const struct hub_spelling *found = NULL;
    if (parties->spelling_count > 0)
        found = bsearch(&wanted, parties->spellings, parties->spelling_count, sizeof wanted,
                        compare_spellings);
    return found == NULL ? NULL : found->org;
}

const char *hub_parties_owner_org(const struct hub_parties *parties,
                                  const struct hub_system *system) {
    if (system->owner == NULL)
        return NULL;
    return hub_parties_institution(parties, hub_bytes_of_text(system->owner))->org;
}
