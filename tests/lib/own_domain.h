/* Domains of one test's own: for rules that the project's domains do not use, and for schemas that
 * have grown. */
#pragma once

#include "schemas/lib/catalogue.h"

/* A domain with the common head (statement, identifiers, links) of the project's trial schema, its
 * schemes and its parties. `annotations` are members of the record beside those it needs, `fields`
 * a list of the fields after the head; both JSON texts that may have single quotes. What the loader
 * refuses stops the test program and says why. */
struct own_domain;
struct own_domain *own_domain_new(const char *annotations, const char *fields);
void own_domain_free(struct own_domain *own);
const struct hub_domain *own_domain(const struct own_domain *own);

/* The project's catalogue with a second version of one domain, which has one more field (a JSON
 * text) at its end. It is made in a temporary folder, which is gone when this returns. The caller
 * frees it (hub_catalogue_free). */
struct hub_catalogue *own_catalogue_grown(const char *domain, const char *field);
