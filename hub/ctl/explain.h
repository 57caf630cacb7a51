/* hubctl entity explain, in parts: its fields, and why statements are one entity or are not. */
#pragma once

#include "hub/ctl/voices.h"

struct hub_ctl_explaining {
    struct hub_ctl *ctl;
    const struct hub_domain *domain;
    json_t *latest;       /* unified records of the domain, as hub_ctl_latest gives them */
    const json_t *record; /* the entity's; NULL: all that are ACTIVE, one after the other */
    const json_t *other;  /* of a second entity, or NULL */
};

/* Calls `explain` for the record, or for each of them; as JSON each is to be one line. */
enum hub_exit hub_ctl_explain_each(struct hub_ctl_explaining *explaining,
                                   enum hub_exit (*explain)(void *context), void *context);
/* Prints an answer as -o json asks. */
void hub_ctl_explain_json(const struct hub_ctl *ctl, const json_t *told);

/* explain_fields.c: `field` NULL means all of them. */
enum hub_exit hub_ctl_explain_fields(struct hub_ctl_explaining *explaining, const char *field);
/* explain_edges.c: of one entity, or between two. */
enum hub_exit hub_ctl_explain_edges(struct hub_ctl_explaining *explaining);
