/* hubctl retention: until when what is kept must be, and the end of what may be kept no longer.
 *
 * schemas/retention.json says of each class (hub:retention) how long it is kept and because of what, and of each domain
 * which dates that counts from: the latest one that a record states. A record that states none is kept, as are all of a
 * domain that the file does not name. It is no part of the schemas, as nothing is merged by it: another duration changes
 * no record.
 *
 * What ends is the key of what is sealed (connectors/kit/subject.h), as by `hubctl erase`: so it ends in the log, in
 * the archive and in every copy of them at once, and no byte and no proof changes. What is in clear is nobody's name,
 * and is kept; of class T nothing is sealed. */
#pragma once

#include "hub/ctl/ctl.h"

#include <jansson.h>

enum { HUB_RETENTION_CLASSES = 4 };
#define HUB_RETENTION_NEVER INT64_MAX /* no date starts the time, or the class has no end */

/* The longest first. */
#define HUB_RETENTION_ORDER "XTCO"

struct hub_retention_class {
    bool has_end;
    int64_t years, days; /* one of them; the other is 0 */
    const char *because;
};

struct hub_retention_clock {
    const char **paths; /* of dates or times in a record's value; what is in a list, each */
    size_t count;
};

struct hub_retention {
    struct hub_retention_class classes[HUB_RETENTION_CLASSES]; /* as HUB_RETENTION_ORDER */
    struct hub_retention_clock *clocks;                        /* by domain, as the catalogue */
};

/* HUB_FATAL with the place where a class is missing, a domain or a field unknown, or something of another kind. In the arena. */
HUB_MUST_USE enum hub_status hub_retention_load(const struct hub_node *node,
                                                const struct hub_catalogue *catalogue,
                                                struct hub_arena *arena,
                                                struct hub_retention *retention,
                                                struct hub_error *reterr);

const struct hub_retention_class *hub_retention_class(const struct hub_retention *retention,
                                                      char letter);
/* The class of a field, which is the domain's where it has none of its own; of all fields that is kept longest. */
char hub_retention_of_field(const struct hub_domain *domain, size_t field);
char hub_retention_of_domain(const struct hub_domain *domain);

/* The first moment after the latest date that the value (as hub_render_json has it) states, in milliseconds since
 * 1970-01-01T00:00:00Z: of a month or a year that is not known exactly, after its last day. False where it states
 * none. */
bool hub_retention_from(const struct hub_retention_clock *clock, const json_t *value,
                        int64_t *ret_from_ms);
/* When what began then is kept no longer: as many years later on the same day (for 29 February 1 March), or days. */
int64_t hub_retention_end(const struct hub_retention_class *kept, int64_t from_ms);
