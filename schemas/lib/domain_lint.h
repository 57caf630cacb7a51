/* What every domain schema owes beyond being Avro. */
#pragma once

#include "hub/base/status.h"
#include "schemas/lib/domain.h"

/* `doc`, class, retention, no maps, enums that know UNRECOGNISED; of a top-level field also its
 * merge rule and what a difference means. */
HUB_MUST_USE enum hub_status hub_domain_lint_field(const struct hub_field *field, bool top,
                                                   struct hub_error *reterr);

/* The common head (statement, identifiers, links), the class and retention of the whole, and no
 * `hub:` attribute that nobody reads. */
HUB_MUST_USE enum hub_status hub_domain_lint_record(const struct hub_schema *schema,
                                                    struct hub_error *reterr);

/* The annotations of a record inside the domain's record. */
HUB_MUST_USE enum hub_status hub_domain_lint_part(const struct hub_type *record,
                                                  struct hub_error *reterr);

/* Of a whole domain, what is sealed: a field of the record, that may be null, believed by authority or latest
 * alone; no difference, no likeness, no overlap and no label is made of it; and nothing of retention T, which
 * would be lost with a key. */
HUB_MUST_USE enum hub_status hub_domain_lint_sealed(const struct hub_domain *domain,
                                                    struct hub_error *reterr);
