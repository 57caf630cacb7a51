/* Domain schemas as texts of known lines, for what the domain loader makes of them and what it
 * refuses. Single quotes stand for double ones.
 *
 * The record's annotations are line 2, its fields after the common head begin in line 7; the head's
 * three fields are lines 4 to 6. Schemes and parties are the project's. */
#pragma once

#include "schemas/lib/domain.h"
#include "tests/lib/schema.h"

/* The annotations that a record has to have, and a field that asks for nothing more. */
#define CONTRACT_REST                                                                              \
    "'hub:systems': ['ctis', 'ctgov'], 'hub:label': [], 'hub:class': 'none', 'hub:retention': 'X'"
#define CONTRACT_ANNOTATIONS "'hub:identity': ['nct', 'euct'], " CONTRACT_REST
#define CONTRACT_FIELD(name, type, annotations)                                                    \
    "{'name': '" name "', 'type': " type ", 'doc': 'd', " annotations "}"
#define CONTRACT_RULES "'hub:merge': 'latest', 'hub:conflict': 'minor'"

/* The whole text, with double quotes; it lives as long as the arena. */
const char *contract_text(struct hub_arena *arena, const char *annotations, const char *fields);

struct contract {
    struct hub_arena arena;
    struct hub_schema *schema;
    struct hub_domain domain;
};

/* Loads what must be accepted; fails the test with the reason where it is not. */
void contract_open(struct contract *contract, const char *annotations, const char *fields);
void contract_close(struct contract *contract);
const struct hub_field_contract *contract_field(const struct contract *contract, const char *name);

/* The contract is refused with an error that begins with own.avsc:PLACE and says the words. */
#define expect_no_contract(annotations, fields, place, words)                                      \
    contract_expect_refused(annotations, fields, NULL, NULL, "own.avsc:" place, words, __FILE__,   \
                            __LINE__)
/* So is the usual text with one part of it replaced. */
#define expect_no_contract_edited(from, to, place, words)                                          \
    contract_expect_refused(CONTRACT_ANNOTATIONS, CONTRACT_FIELD("a", "'int'", CONTRACT_RULES),    \
                            from, to, "own.avsc:" place, words, __FILE__, __LINE__)
void contract_expect_refused(const char *annotations, const char *fields, const char *from,
                             const char *to, const char *place, const char *words, const char *file,
                             int line);
