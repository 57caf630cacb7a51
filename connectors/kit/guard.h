/* The guard: nothing that looks like a person's number leaves the institution.
 *
 * Every text of a record is searched for a Swedish personnummer or samordningsnummer (10 or 12
 * digits, a date, Luhn's check digit over the last ten: Folkbokföringslagen 18 §, SKV 704, SKV 707)
 * and, beside a word that says so, for a Dutch burgerservicenummer (8 or 9 digits, eleven-test).
 * What is found is never repeated: a record that is held back says only in which field. */
#pragma once

#include "hub/base/status.h"
#include "schemas/lib/type.h"

/* HUB_REJECT with the field's path where an accepted value holds such a number. */
HUB_MUST_USE enum hub_status hub_guard_check(const struct hub_type *type, struct hub_bytes value,
                                             struct hub_error *reterr);

/* Whether a text holds one; `ret_kind` names it. */
bool hub_guard_finds(struct hub_bytes text, const char **ret_kind);
