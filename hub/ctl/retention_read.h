/* What hubctl retention reads: unified records with their dates, and the keys of what the logs' statements have
 * sealed. */
#pragma once

#include "hub/ctl/read.h"
#include "hub/ctl/retention.h"

#include "hub/base/table.h"

/* A domain's records that are ACTIVE. */
struct hub_retention_count {
    size_t records;
    size_t undated; /* no date starts their time */
    size_t over;    /* they need be kept no longer */
    int64_t next_end_ms; /* of the others; HUB_RETENTION_NEVER: of none */
};

/* A key, and when the last of what it has sealed need be kept no longer. */
struct hub_retention_key {
    UT_hash_handle hh;
    const char *key_id;
    int64_t end_ms, from_ms; /* HUB_RETENTION_NEVER: the time of one of them has not begun */
    const char *domain;      /* of that one */
    char letter;
    size_t statements;
};

struct hub_retention_reading {
    struct hub_ctl *ctl;
    struct hub_retention policy;
    int64_t now_ms;
    struct hub_arena arena;
    struct hub_retention_count *counts; /* by domain */
    struct hub_retention_key *keys;
};

/* Reads the policy. What is wrong has been said. */
enum hub_exit hub_retention_open(struct hub_ctl *ctl, struct hub_retention_reading *reading);
/* Reads the records; with the keys also the logs of the domains that seal. */
enum hub_exit hub_retention_read(struct hub_retention_reading *reading, bool with_keys);
void hub_retention_close(struct hub_retention_reading *reading);
