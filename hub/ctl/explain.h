/* hubctl entity explain, in parts: its fields, and why statements are one entity or are not. */
#pragma once

#include "hub/ctl/voices.h"

struct hub_ctl_explaining {
    struct hub_ctl *ctl;
    const struct hub_domain *domain;
    json_t *latest;       /* unified records of the domain, as hub_ctl_latest gives them */
    const json_t *record; /* the entity's */
    const json_t *other;  /* of a second entity, or NULL */
};

/* The record of an entity among the latest; NULL where there is none. Borrowed. */
const json_t *hub_ctl_explain_find(const struct hub_ctl_explaining *explaining, const char *id);

/* explain_fields.c: `field` NULL means all of them. */
enum hub_exit hub_ctl_explain_fields(struct hub_ctl_explaining *explaining, const char *field);
/* explain_edges.c: of one entity, or between two. */
enum hub_exit hub_ctl_explain_edges(struct hub_ctl_explaining *explaining);
