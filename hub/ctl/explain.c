/* hubctl entity explain: why a unified record says what it says, field by field; why its statements
 * are one entity; why two entities are not one. */
#include "hub/ctl/explain.h"

#include <stdio.h>
#include <string.h>

enum { ID_TAIL_SIZE = 17 }; /* -<16 letters> */

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* <domain>-<16 letters>; NULL for what is no id. */
static const struct hub_domain *domain_of(struct hub_ctl *ctl, const char *id) {
    size_t size = strlen(id);
    if (size <= ID_TAIL_SIZE || id[size - ID_TAIL_SIZE] != '-')
        return NULL;
    return hub_catalogue_domain(ctl->catalogue, hub_bytes(id, size - ID_TAIL_SIZE));
}

enum hub_exit hub_ctl_explain_each(struct hub_ctl_explaining *explaining,
                                   enum hub_exit (*explain)(void *context), void *context) {
    enum hub_exit code = HUB_EXIT_OK;
    size_t i;
    const json_t *record;
    if (explaining->record != NULL)
        return explain(context);
    json_array_foreach(explaining->latest, i, record) {
        explaining->record = record;
        if (strcmp(text_of(json_object_get(record, "value"), "kind"), "ACTIVE") == 0)
            code = explain(context);
        if (code != HUB_EXIT_OK)
            break;
    }
    return code;
}

void hub_ctl_explain_json(const struct hub_ctl *ctl, const json_t *told) {
    json_dumpf(told, stdout, ctl->all ? JSON_COMPACT : JSON_INDENT(1));
    printf("\n");
}

static const json_t *find_record(const struct hub_ctl_explaining *explaining, const char *id) {
    size_t i;
    const json_t *record;
    json_array_foreach(explaining->latest, i, record) {
        if (strcmp(text_of(record, "key"), id) == 0)
            return record;
    }
    return NULL;
}

/* What became of an entity that is none any more. True where that is all there is to say. */
static bool is_over(const json_t *record) {
    const json_t *unified = json_object_get(record, "value");
    const char *into = text_of(unified, "into");
    if (strcmp(text_of(unified, "kind"), "ACTIVE") == 0)
        return false;
    printf("%s is %s%s%s\n", text_of(record, "key"), text_of(unified, "kind"),
           *into == '\0' ? "" : " into ", into);
    return true;
}

static enum hub_exit find(struct hub_ctl_explaining *explaining, const char *id,
                          const json_t **ret_record) {
    *ret_record = find_record(explaining, id);
    if (*ret_record != NULL)
        return HUB_EXIT_OK;
    fprintf(stderr, "hubctl: there is no entity %s\n", id);
    return HUB_EXIT_NOT_FOUND;
}

static enum hub_exit explain(struct hub_ctl_explaining *explaining) {
    struct hub_ctl *ctl = explaining->ctl;
    const char *second = ctl->argument_count > 1 ? ctl->arguments[1] : NULL;
    const struct hub_domain *other = second == NULL ? NULL : domain_of(ctl, second);
    enum hub_exit code = find(explaining, ctl->arguments[0], &explaining->record);
    if (code != HUB_EXIT_OK)
        return code;
    if (other != NULL && other != explaining->domain) {
        fprintf(stderr, "hubctl: %s is of another domain: nothing joins across domains\n", second);
        return HUB_EXIT_USAGE;
    }
    if (other != NULL)
        code = find(explaining, second, &explaining->other);
    if (code != HUB_EXIT_OK || is_over(explaining->record) ||
        (explaining->other != NULL && is_over(explaining->other)))
        return code;
    if (ctl->edges || other != NULL)
        return hub_ctl_explain_edges(explaining);
    return hub_ctl_explain_fields(explaining, second);
}

/* Every entity of a domain, or of all domains. */
static enum hub_exit explain_all(struct hub_ctl *ctl) {
    const char *wanted = ctl->domain;
    enum hub_exit code = HUB_EXIT_OK;
    for (size_t i = 0; i < ctl->catalogue->domain_count && code == HUB_EXIT_OK; i++) {
        struct hub_ctl_explaining explaining = {.ctl = ctl,
                                                .domain = &ctl->catalogue->domains[i]};
        if (wanted != NULL && strcmp(wanted, explaining.domain->name) != 0)
            continue;
        ctl->domain = explaining.domain->name;
        explaining.latest = hub_ctl_latest(ctl, "unified.");
        code = explaining.latest == NULL ? HUB_EXIT_UNREACHABLE
               : ctl->edges              ? hub_ctl_explain_edges(&explaining)
                                         : hub_ctl_explain_fields(&explaining, NULL);
        json_decref(explaining.latest);
    }
    return code;
}

enum hub_exit hub_ctl_entity_explain(struct hub_ctl *ctl) {
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    if (ctl->all && ctl->argument_count == 0)
        return explain_all(ctl);
    if (ctl->argument_count == 0) {
        fprintf(stderr, "hubctl: an entity's id, or --all, would pass\n");
        return HUB_EXIT_USAGE;
    }
    struct hub_ctl_explaining explaining = {.ctl = ctl,
                                            .domain = domain_of(ctl, ctl->arguments[0])};
    if (explaining.domain == NULL) {
        fprintf(stderr, "hubctl: %s is no entity id\n", ctl->arguments[0]);
        return HUB_EXIT_NOT_FOUND;
    }
    ctl->domain = explaining.domain->name;
    explaining.latest = hub_ctl_latest(ctl, "unified.");
    if (explaining.latest == NULL)
        return HUB_EXIT_UNREACHABLE;
    enum hub_exit code = explain(&explaining);
    json_decref(explaining.latest);
    return code;
}
