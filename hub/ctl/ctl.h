/* hubctl: one command table; help, usage and dispatch come from it. */
#pragma once

#include "schemas/lib/catalogue.h"

#include <stdbool.h>

enum hub_exit {
    HUB_EXIT_OK = 0,
    HUB_EXIT_FINDINGS = 1,
    HUB_EXIT_USAGE = 2,
    HUB_EXIT_NOT_FOUND = 3,
    HUB_EXIT_UNREACHABLE = 5,
};

struct hub_ctl {
    const char *schemas;   /* folder */
    const char *bootstrap; /* Kafka */
    const char *keys;      /* folder of the institution's keys, or NULL */
    const char *connectors; /* folder of configurations */
    const char *domain;    /* --domain, or NULL */
    const char *owner;     /* --owner INSTITUTION, or NULL */
    const char *group;     /* of the hub */
    const char *context;   /* --context a.b=c, or NULL */
    const char *reason;    /* --reason, or NULL */
    const char *basis;     /* --basis, or NULL */
    const char *by;        /* --by, else the user's name, or NULL */
    const char *statement; /* --statement KEY[,KEY...], or NULL */
    const char *from, *to; /* --from, --to: rules, or records, or times, or NULL */
    const char *report;    /* --report, or NULL */
    const char *archive;   /* --archive DIR, or NULL: from Kafka */
    int64_t as_of_ms;      /* --as-of, since 1970; INT64_MAX: now */
    const char *key;       /* --key, or NULL */
    const char *offset;    /* --offset, or NULL */
    const char *to_file;   /* --to-file, or NULL */
    const char *seen;      /* --seen, or NULL */
    const char *to_topic;  /* --to-topic, or NULL */
    const char *certificate; /* --certificate FILE, or NULL */
    const char *topic;     /* --topic, or NULL */
    const char *entity;    /* --entity, or NULL */
    double speed;          /* --speed; 0: as fast as it goes */
    bool resume;           /* --resume */
    bool json;             /* -o json */
    bool html;             /* -o html */
    bool all;              /* --all */
    bool edges;            /* --edges */
    bool unseal;           /* --unseal */
    bool forward, backward;
    int64_t limit;         /* --limit */
    int argument_count;    /* positional */
    char **arguments;
    struct hub_catalogue *catalogue; /* loaded on demand */
};

struct hub_command {
    const char *noun, *verb; /* verb NULL: a command of one word */
    const char *arguments;   /* for usage */
    const char *summary;     /* one sentence */
    int arguments_min, arguments_max; /* positional; -1 for any number */
    enum hub_exit (*run)(struct hub_ctl *ctl);
    bool looks;              /* only: may be asked of an archive, and of an earlier time */
};

/* Loads the catalogue, or says why not. */
bool hub_ctl_load(struct hub_ctl *ctl);

enum hub_exit hub_ctl_schema_lint(struct hub_ctl *ctl);
enum hub_exit hub_ctl_schema_lock(struct hub_ctl *ctl);
enum hub_exit hub_ctl_simulate(struct hub_ctl *ctl);
enum hub_exit hub_ctl_topic_create(struct hub_ctl *ctl);
enum hub_exit hub_ctl_topic_list(struct hub_ctl *ctl);
enum hub_exit hub_ctl_consume(struct hub_ctl *ctl);
enum hub_exit hub_ctl_entity_list(struct hub_ctl *ctl);
enum hub_exit hub_ctl_entity_show(struct hub_ctl *ctl);
enum hub_exit hub_ctl_entity_history(struct hub_ctl *ctl);
enum hub_exit hub_ctl_entity_diff(struct hub_ctl *ctl);
enum hub_exit hub_ctl_entity_explain(struct hub_ctl *ctl);
enum hub_exit hub_ctl_erase(struct hub_ctl *ctl);
enum hub_exit hub_ctl_hold(struct hub_ctl *ctl);
enum hub_exit hub_ctl_release(struct hub_ctl *ctl);
enum hub_exit hub_ctl_retention_show(struct hub_ctl *ctl);
enum hub_exit hub_ctl_retention_keys(struct hub_ctl *ctl);
enum hub_exit hub_ctl_retention_end(struct hub_ctl *ctl);
enum hub_exit hub_ctl_trace(struct hub_ctl *ctl);
enum hub_exit hub_ctl_conflict_list(struct hub_ctl *ctl);
enum hub_exit hub_ctl_conflict_show(struct hub_ctl *ctl);
enum hub_exit hub_ctl_conflict_resolve(struct hub_ctl *ctl);
enum hub_exit hub_ctl_conflict_defer(struct hub_ctl *ctl);
enum hub_exit hub_ctl_conflict_reopen(struct hub_ctl *ctl);
enum hub_exit hub_ctl_entity_join(struct hub_ctl *ctl);
enum hub_exit hub_ctl_entity_separate(struct hub_ctl *ctl);
enum hub_exit hub_ctl_resolve(struct hub_ctl *ctl);
enum hub_exit hub_ctl_match_list(struct hub_ctl *ctl);
enum hub_exit hub_ctl_match_show(struct hub_ctl *ctl);
enum hub_exit hub_ctl_dlq_list(struct hub_ctl *ctl);
enum hub_exit hub_ctl_dlq_show(struct hub_ctl *ctl);
enum hub_exit hub_ctl_dlq_retry(struct hub_ctl *ctl);
enum hub_exit hub_ctl_dlq_discard(struct hub_ctl *ctl);
enum hub_exit hub_ctl_lag(struct hub_ctl *ctl);
/* Prints nothing: HUB_EXIT_OK where the hub has taken everything that is there, HUB_EXIT_FINDINGS where not. */
enum hub_exit hub_ctl_is_settled(struct hub_ctl *ctl);
enum hub_exit hub_ctl_status(struct hub_ctl *ctl);
enum hub_exit hub_ctl_complete(struct hub_ctl *ctl);
enum hub_exit hub_ctl_refold(struct hub_ctl *ctl);
enum hub_exit hub_ctl_rules_show(struct hub_ctl *ctl);
enum hub_exit hub_ctl_rules_diff(struct hub_ctl *ctl);
enum hub_exit hub_ctl_rules_activate(struct hub_ctl *ctl);
enum hub_exit hub_ctl_archive_verify(struct hub_ctl *ctl);
enum hub_exit hub_ctl_archive_prove(struct hub_ctl *ctl);
enum hub_exit hub_ctl_archive_prove_growth(struct hub_ctl *ctl);
enum hub_exit hub_ctl_archive_check(struct hub_ctl *ctl);
enum hub_exit hub_ctl_archive_receipt(struct hub_ctl *ctl);
enum hub_exit hub_ctl_replay(struct hub_ctl *ctl);
enum hub_exit hub_ctl_audit_report(struct hub_ctl *ctl);
