/* What is told next: reads what is new in the topics of a subscription, and gives it numbers. It commits
 * nothing. */
#pragma once

#include "connectors/kit/plan.h"
#include "connectors/kit/subscription.h"

struct hub_planned {
    struct hub_kafka_record record; /* headers: ce_type at most */
    bool is_found; /* false: compacted since; only topic, partition and offset are known */
};

struct hub_planning {
    const struct hub_subscription *subscription;
    struct hub_reader *reader;
    struct hub_plan *plan;
    struct hub_outbound_pace pace;
    bool once;                  /* nothing waits for more */
    struct hub_planned *planned; /* from the first of the plan on, as it was made or read again; NULL:
                                    not yet */
    size_t count, size;
    struct hub_arena arena; /* of the running plan */
    int64_t *noticed_ms;    /* of each place when something new was seen there first, or 0 */
    size_t turn;            /* the place to look at first */
};

/* The plan gets a place for each partition that it does not have, and `*ret_has_news` says whether there
 * was one. HUB_RETRY where there is no such topic yet. */
HUB_MUST_USE enum hub_status hub_planning_open(struct hub_planning *planning, bool *ret_has_news,
                                               struct hub_error *reterr);
void hub_planning_close(struct hub_planning *planning);

/* Plans what is new in one partition, each in its turn; nothing where nothing is new. */
HUB_MUST_USE enum hub_status hub_planning_make(struct hub_planning *planning,
                                               struct hub_error *reterr);
/* Reads what an earlier session planned and did not deliver. */
HUB_MUST_USE enum hub_status hub_planning_again(struct hub_planning *planning,
                                                struct hub_error *reterr);
