/* The guard: nothing that looks like a person's number leaves the institution.
 *
 * Every text of a record is searched for a Swedish personnummer or samordningsnummer (a date and
 * Luhn's check digit over the last ten digits: Folkbokföringslagen 18 §, SKV 704, SKV 707): 12
 * digits, or 10 with a - or + before the last four, or 10 beside a word that says so. A space may
 * stand for the - of 12 digits, and of 10 beside such a word. Beside a word that says so a Dutch
 * burgerservicenummer (8 or 9 digits, eleven-test) is found, too. What is found is never repeated: a
 * record that is held back says only in which field. */
#pragma once

#include "hub/base/status.h"
#include "schemas/lib/type.h"

/* HUB_REJECT where an accepted value holds such a number; `path` then names the field. */
HUB_MUST_USE enum hub_status hub_guard_check(const struct hub_type *type, struct hub_bytes value,
                                             struct hub_buffer *path, struct hub_error *reterr);

/* Whether a text holds one; `ret_kind` names it. */
bool hub_guard_finds(struct hub_bytes text, const char **ret_kind);
