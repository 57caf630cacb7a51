/* Which records of an archive somebody asks for: those of a topic, of a domain, about an entity. */
#pragma once

#include "hub/archive/replay.h"
#include "hub/archive/values.h"

/* What is NULL is not asked for; without any, everything is chosen. */
struct hub_choice {
    const char *topic;
    const char *domain; /* its ingest.*, log, unified, conflict and match topics */
    const char *entity; /* ENTITY-ID, of the domain that it begins with */
    struct hub_choice_statement *statements; /* that were the entity's at some time; made by hub_choice_learn */
};

/* Whether records of the topic may be chosen. */
bool hub_choice_has_topic(const struct hub_choice *choice, const char *topic);

/* Reads the unified records of the log, where it may have the entity's, for the keys of its statements. Nothing
 * where no entity is asked for. Failures as of hub_replay_next. */
HUB_MUST_USE enum hub_status hub_choice_learn(struct hub_choice *choice,
                                              const struct hub_replay_log *log,
                                              struct hub_error *reterr);
void hub_choice_free(struct hub_choice *choice);

/* Of one of its topics. About an entity are: its unified records; conflicts and matches that name it, and
 * decisions on these; and each of its statements, in the log and as it came in. */
bool hub_choice_has(const struct hub_choice *choice, const char *topic, struct hub_bytes key);
