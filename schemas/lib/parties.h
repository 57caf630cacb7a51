/* Who speaks: institutions, the systems they carry, and the organisations that records name.
 *
 * systems.json declares every source once, with the institutions that may carry it, and whose own
 * voice it is (a public register is nobody's); the institutions are those it names. organisations.csv gives each spelling seen its identifier;
 * spellings are compared folded. A blinded name is in no row and maps to nothing. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "schemas/lib/node.h"

#include <stdbool.h>

struct hub_system {
    const char *name;
    const char *title;
    const char *const *carriers; /* institutions, NULL-ended */
    size_t carrier_count;
    const char *owner; /* the institution whose own voice it is; NULL for a register */
};

struct hub_institution {
    const char *name;
    const char *org; /* its identifier as an organisation */
};

struct hub_spelling {
    const char *folded;
    const char *org;
};

struct hub_parties {
    struct hub_system *systems;
    size_t system_count;
    struct hub_institution *institutions; /* by name */
    size_t institution_count;
    struct hub_spelling *spellings; /* sorted by `folded` */
    size_t spelling_count;
};

HUB_MUST_USE enum hub_status hub_parties_load(const struct hub_node *systems,
                                              struct hub_bytes organisations_csv,
                                              const char *organisations_file,
                                              struct hub_arena *arena,
                                              struct hub_parties *ret_parties,
                                              struct hub_error *reterr);

/* NULL where unknown. */
const struct hub_system *hub_parties_system(const struct hub_parties *parties,
                                            struct hub_bytes name);
const struct hub_institution *hub_parties_institution(const struct hub_parties *parties,
                                                      struct hub_bytes name);
bool hub_system_has_carrier(const struct hub_system *system, struct hub_bytes institution);

/* The organisation whose own voice a system is, or NULL. */
const char *hub_parties_owner_org(const struct hub_parties *parties,
                                  const struct hub_system *system);

/* The organisation's identifier by any spelling seen, or by the identifier itself; NULL where
 * nobody has told. */
const char *hub_parties_org(const struct hub_parties *parties, struct hub_bytes text);
