/* The bell at which notices ring: the port of notify-pull. What it takes is the requests of a
 * notice (hub_notice_read), as the context of an item of the port's desk. */
#pragma once

#include "connectors/transports/notice.h"
#include "connectors/transports/port.h"

struct bell_options {
    struct hub_port_options port;
    struct hub_notice_options notice;
    const char *path;
    const char *const *secrets;
    const char *answer, *answer_type;
    int64_t ids_per_minute_max;
};

struct bell;

/* HUB_FATAL where the options do not go together. */
HUB_MUST_USE enum hub_status bell_check(const struct bell_options *options,
                                        struct hub_error *reterr);
/* `position`: with "turned_away", or without. */
HUB_MUST_USE enum hub_status bell_new(const struct bell_options *options,
                                      const struct hub_env *env, const json_t *position,
                                      struct bell **ret_bell, struct hub_error *reterr);
void bell_free(void *bell);
struct hub_port *bell_port(struct bell *bell);
