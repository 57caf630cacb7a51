/* Rules of a test's own: a domain's texts with edits in them, as an entry of the log. */
#pragma once

#include "hub/stages/rules_entry.h"
#include "tests/lib/records.h"

struct ruling {
    struct hub_arena arena;
    const struct hub_domain *domain; /* of the project's catalogue */
    struct hub_rules_texts texts;
    struct hub_rules_entry entry; /* what its message says beside the texts; may be changed */
};

/* The project's own rules of a domain. */
void ruling_begin(struct ruling *ruling, const char *domain);
void ruling_end(struct ruling *ruling);

/* Replaces every occurrence in one of the texts; single quotes stand for double ones. There must
 * be one. */
void ruling_edit(struct ruling *ruling, struct hub_bytes *text, const char *from, const char *to);
/* One to four edits of those that are known to change what comes of scripts (tests/lib/script.h). */
void ruling_edit_some(struct ruling *ruling, struct test_random *random);

/* The hash of the texts as they are now; in the ruling's arena. */
const char *ruling_hash(struct ruling *ruling);
/* Fills in what an activation needs: hash, what it replaces (NULL: it is the first), a report. */
void ruling_replace(struct ruling *ruling, const char *replaces);
/* The framed entry, in the arena. */
struct hub_bytes ruling_message(struct ruling *ruling);
