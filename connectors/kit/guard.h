/* The guard: nothing that looks like a person's number leaves the institution.
 *
 * Every text and every number of a record is searched for a Swedish personnummer or samordningsnummer (a
 * date and Luhn's check digit over the last ten digits: Folkbokföringslagen 18 §, SKV 704, SKV 707): 12
 * digits, or 10 with a - or + before the last four, or 10 beside a word that says so. A space may
 * stand for the - of 12 digits, and of 10 beside such a word. Beside a word that says so a Dutch
 * burgerservicenummer (8 or 9 digits, eleven-test) is found, too. Such a word may stand in the same text, or
 * anywhere in what the record was mapped from: a column may be called by it. What is found is never
 * repeated: a record that is held back says only in which field. */
#pragma once

#include "hub/base/status.h"
#include "schemas/lib/type.h"

#include <jansson.h>

/* Which numbers a document, or a part of it, tells of by words. */
struct hub_guard_told {
    bool swedish, dutch;
};

/* Adds what the names and texts of a tree tell of. */
void hub_guard_listen(const json_t *tree, struct hub_guard_told *told);

/* HUB_REJECT where an accepted value holds such a number; `path` then names the field. */
HUB_MUST_USE enum hub_status hub_guard_check(const struct hub_type *type, struct hub_bytes value,
                                             const struct hub_guard_told *told,
                                             struct hub_buffer *path, struct hub_error *reterr);

/* Whether a text holds one; the same beside what is told elsewhere; and whether any name, text or number
 * of a tree is one. `ret_kind` names it. */
bool hub_guard_finds(struct hub_bytes text, const char **ret_kind);
bool hub_guard_finds_beside(struct hub_bytes text, const struct hub_guard_told *told,
                            const char **ret_kind);
bool hub_guard_finds_in(const json_t *tree, const struct hub_guard_told *told,
                        const char **ret_kind);
