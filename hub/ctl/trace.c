/* hubctl trace: walks the typed links between unified records. A thing's links lead backward, to
 * what it is made of and rests on; those that link to it are forward of it.
 *
 * What is found is made as JSON first; the text is that, laid out. */
#include "hub/ctl/trace.h"

#include "hub/base/memory.h"
#include "hub/ctl/read.h"

#include <stdio.h>
#include <string.h>

enum { ENTITIES_MAX = 10000 };

struct tracing {
    struct hub_ctl *ctl;
    struct hub_arena arena;
    json_t *latest;   /* unified records of all domains */
    json_t *by_name;  /* "trial nct::NCT1": [index, ...] of those that are known by it */
    json_t *linking;  /* "trial nct::NCT1": [{from: index, role}, ...] of those that link to it */
    bool *seen;       /* by index */
    json_t *walked, *gaps;
};

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static const char *domain_of(const json_t *record) {
    const char *dot = strchr(text_of(record, "topic"), '.');
    return dot == NULL ? "" : dot + 1;
}

static const json_t *record_at(const struct tracing *tracing, size_t index) {
    return json_array_get(tracing->latest, index);
}

static const json_t *value_at(const struct tracing *tracing, size_t index) {
    return json_object_get(json_object_get(record_at(tracing, index), "value"), "value");
}

/* --- names and links --- */

/* nct:NCT1, or lot:ror:05xvt9f17:LS-1 where its scheme has issuers. */
static const char *name_identifier(struct tracing *tracing, const json_t *identifier) {
    const char *issuer = text_of(identifier, "issuer");
    return hub_arena_format(&tracing->arena, "%s:%s%s%s", text_of(identifier, "scheme"), issuer,
                            *issuer == '\0' ? "" : ":", text_of(identifier, "value"));
}

static const char *name_in(struct tracing *tracing, const char *domain, const char *name) {
    return hub_arena_format(&tracing->arena, "%s %s", domain, name);
}

static json_t *list_under(json_t *index, const char *name) {
    json_t *list = json_object_get(index, name);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(index, name, list);
    }
    return list;
}

static void add_link(struct tracing *tracing, size_t from, const char *domain,
                     const json_t *identifier, const char *role) {
    const char *name = name_in(tracing, domain, name_identifier(tracing, identifier));
    json_array_append_new(list_under(tracing->linking, name),
                          json_pack("{s:I, s:s}", "from", (json_int_t)from, "role", role));
}

/* What a thing links to: its links, and within its domain what it is a part of. */
static json_t *links_of(const struct tracing *tracing, size_t index) {
    const json_t *value = value_at(tracing, index), *identifier;
    json_t *links = json_deep_copy(json_object_get(value, "links"));
    size_t i;
    if (links == NULL)
        links = json_array();
    json_array_foreach(json_object_get(value, "identifiers"), i, identifier) {
        if (strcmp(text_of(identifier, "relation"), "PARENT") == 0)
            json_array_append_new(links, json_pack("{s:s, s:O, s:s}", "domain",
                                                   domain_of(record_at(tracing, index)),
                                                   "identifier", identifier, "role", "parent"));
    }
    return links;
}

static void index_record(struct tracing *tracing, size_t index) {
    const char *domain = domain_of(record_at(tracing, index));
    const json_t *identifier, *link;
    size_t i;
    json_t *links = links_of(tracing, index);
    json_array_foreach(json_object_get(value_at(tracing, index), "identifiers"), i, identifier) {
        json_t *list = list_under(
            tracing->by_name, name_in(tracing, domain, name_identifier(tracing, identifier)));
        if (strcmp(text_of(identifier, "relation"), "SELF") == 0)
            json_array_append_new(list, json_integer((json_int_t)index));
    }
    json_array_foreach(links, i, link)
        add_link(tracing, index, text_of(link, "domain"), json_object_get(link, "identifier"),
                 text_of(link, "role"));
    json_decref(links);
}

/* --- walking --- */

static void add_gap(struct tracing *tracing, size_t index, const char *text) {
    json_array_append_new(tracing->gaps,
                          json_pack("{s:s, s:s}", "entity",
                                    text_of(record_at(tracing, index), "key"), "gap", text));
}

static void walk(struct tracing *tracing, size_t index, size_t depth, const json_t *by);

static bool is_domain(const struct tracing *tracing, const char *name) {
    return hub_catalogue_domain(tracing->ctl->catalogue, hub_bytes_of_text(name)) != NULL;
}

/* What a link leads to: entities, or nothing the hub knows. A domain that is none of the hub's is
 * known to the institutions alone, and no gap. */
static json_t *tell_link(struct tracing *tracing, size_t index, const json_t *link,
                         const json_t **ret_found) {
    const char *domain = text_of(link, "domain");
    const char *name = name_identifier(tracing, json_object_get(link, "identifier"));
    json_t *entities = json_array();
    size_t i;
    const json_t *found;
    *ret_found = json_object_get(tracing->by_name, name_in(tracing, domain, name));
    json_array_foreach((json_t *)*ret_found, i, found)
        json_array_append(entities,
                          json_object_get(record_at(tracing, (size_t)json_integer_value(found)),
                                          "key"));
    bool foreign = !is_domain(tracing, domain);
    if (json_array_size(entities) == 0 && !foreign)
        add_gap(tracing, index,
                hub_arena_format(&tracing->arena, "its %s is %s %s, and no entity is known by it",
                                 text_of(link, "role"), domain, name));
    return json_pack("{s:s, s:s, s:s, s:o, s:b}", "role", text_of(link, "role"), "domain", domain,
                     "identifier", name, "entities", entities, "foreign", foreign);
}

static json_t *successors_of(struct tracing *tracing, size_t index) {
    const char *domain = domain_of(record_at(tracing, index));
    json_t *successors = json_array(), *link;
    size_t i, k;
    const json_t *identifier;
    json_array_foreach(json_object_get(value_at(tracing, index), "identifiers"), i, identifier) {
        const char *name = name_identifier(tracing, identifier);
        if (strcmp(text_of(identifier, "relation"), "SELF") != 0)
            continue;
        json_array_foreach(json_object_get(tracing->linking, name_in(tracing, domain, name)), k,
                           link)
            json_array_append_new(successors,
                                  json_pack("{s:O, s:O, s:s}", "from",
                                            json_object_get(link, "from"), "role",
                                            json_object_get(link, "role"), "identifier", name));
    }
    return successors;
}

static void tell_steps(struct tracing *tracing, size_t index, bool has_successor, json_t *told) {
    const char *domain = domain_of(record_at(tracing, index));
    json_t *steps = hub_ctl_trace_steps(domain, value_at(tracing, index), has_successor);
    size_t i;
    const json_t *step;
    json_array_foreach(steps, i, step) {
        const char *gap = text_of(step, "gap");
        if (*gap != '\0')
            add_gap(tracing, index,
                    hub_arena_format(&tracing->arena, "%s: %s", text_of(step, "text"), gap));
    }
    json_object_set_new(told, "steps", steps);
}

static void walk_backward(struct tracing *tracing, const json_t *links, size_t depth) {
    size_t i, k;
    const json_t *link, *found;
    json_array_foreach((json_t *)links, i, link) {
        const char *name = name_in(tracing, text_of(link, "domain"),
                                   name_identifier(tracing, json_object_get(link, "identifier")));
        json_t *by = json_pack("{s:s, s:s}", "role", text_of(link, "role"), "identifier",
                               strchr(name, ' ') + 1);
        json_array_foreach(json_object_get(tracing->by_name, name), k, found)
            walk(tracing, (size_t)json_integer_value(found), depth, by);
        json_decref(by);
    }
}

static void walk_forward(struct tracing *tracing, const json_t *successors, size_t depth) {
    size_t i;
    const json_t *successor;
    json_array_foreach((json_t *)successors, i, successor)
        walk(tracing, (size_t)json_integer_value(json_object_get(successor, "from")), depth,
             successor);
}

static void walk(struct tracing *tracing, size_t index, size_t depth, const json_t *by) {
    const json_t *record = record_at(tracing, index), *found, *link;
    size_t i;
    HUB_SCOPED_BUFFER label = {0};
    if (tracing->seen[index] || json_array_size(tracing->walked) == ENTITIES_MAX)
        return;
    tracing->seen[index] = true;
    const struct hub_domain *domain =
        hub_catalogue_domain(tracing->ctl->catalogue, hub_bytes_of_text(domain_of(record)));
    hub_ctl_label(domain, value_at(tracing, index), &label);
    json_t *links = links_of(tracing, index), *successors = successors_of(tracing, index);
    json_t *told_links = json_array();
    json_t *told = json_pack("{s:s, s:s, s:I, s:s%, s:s?, s:s?}", "entity_id",
                             text_of(record, "key"), "domain", domain->name, "depth",
                             (json_int_t)depth, "label",
                             label.size == 0 ? "" : (const char *)label.data, label.size, "role",
                             by == NULL ? NULL : text_of(by, "role"), "by",
                             by == NULL ? NULL : text_of(by, "identifier"));
    json_array_append_new(tracing->walked, told);
    json_array_foreach(links, i, link)
        json_array_append_new(told_links, tell_link(tracing, index, link, &found));
    json_object_set_new(told, "links", told_links);
    tell_steps(tracing, index, json_array_size(successors) > 0, told);
    if (tracing->ctl->backward)
        walk_backward(tracing, links, depth + 1);
    else
        walk_forward(tracing, successors, depth + 1);
    json_decref(links);
    json_decref(successors);
}

/* --- where it starts --- */

/* The entity with that id, or the one that it was merged into. */
static bool start_at_entity(struct tracing *tracing, const char *id) {
    size_t i = 0;
    const json_t *record;
    json_array_foreach(tracing->latest, i, record) {
        const json_t *unified = json_object_get(record, "value");
        if (strcmp(text_of(record, "key"), id) != 0)
            continue;
        if (strcmp(text_of(unified, "kind"), "MERGED") == 0)
            return start_at_entity(tracing, text_of(unified, "into"));
        if (json_is_object(value_at(tracing, i)))
            walk(tracing, i, 0, NULL);
        return json_is_object(value_at(tracing, i));
    }
    return false;
}

static bool names(const char *indexed, const char *wanted) {
    const char *space = strchr(indexed, ' ');
    return strcmp(space + 1, wanted) == 0;
}

/* Everything known by that identifier; where nothing is, what links to it: a patient's. */
static bool start_at_identifier(struct tracing *tracing, const char *wanted) {
    const char *name;
    json_t *list, *item;
    size_t i;
    json_object_foreach(tracing->by_name, name, list)
        json_array_foreach(list, i, item)
            if (names(name, wanted))
                walk(tracing, (size_t)json_integer_value(item), 0, NULL);
    if (json_array_size(tracing->walked) > 0)
        return true;
    json_object_foreach(tracing->linking, name, list)
        json_array_foreach(list, i, item)
            if (names(name, wanted))
                walk(tracing, (size_t)json_integer_value(json_object_get(item, "from")), 0, NULL);
    return json_array_size(tracing->walked) > 0;
}

/* --- as text --- */

static void print_links(const json_t *links, int indent) {
    size_t i, k;
    const json_t *link, *entity;
    json_array_foreach((json_t *)links, i, link) {
        const json_t *entities = json_object_get(link, "entities");
        bool foreign = json_is_true(json_object_get(link, "foreign"));
        bool gap = !foreign && json_array_size(entities) == 0;
        printf("%*s%s %s: %s %s", indent, "", gap ? "!" : " ", text_of(link, "role"),
               text_of(link, "domain"), text_of(link, "identifier"));
        json_array_foreach((json_t *)entities, k, entity)
            printf("%s%s", k == 0 ? ", " : " and ", json_string_value(entity));
        printf("%s\n", gap ? ", which no entity is known by" : "");
    }
}

static void print_walked(const json_t *told) {
    int indent = 2 * (int)json_integer_value(json_object_get(told, "depth"));
    const char *role = text_of(told, "role");
    size_t i;
    const json_t *step;
    printf("%*s%s  %s", indent, "", text_of(told, "entity_id"), text_of(told, "label"));
    if (*role != '\0')
        printf("  (%s by %s)", role, text_of(told, "by"));
    printf("\n");
    print_links(json_object_get(told, "links"), indent + 2);
    json_array_foreach(json_object_get(told, "steps"), i, step) {
        const char *gap = text_of(step, "gap");
        printf("%*s%s %s%s%s\n", indent + 2, "", *gap == '\0' ? " " : "!", text_of(step, "text"),
               *gap == '\0' ? "" : ": ", gap);
    }
}

static void print_all(const struct tracing *tracing) {
    size_t i, count = json_array_size(tracing->gaps);
    const json_t *item;
    json_array_foreach(tracing->walked, i, item)
        print_walked(item);
    printf("%zu gap%s%s\n", count, count == 1 ? "" : "s", count == 0 ? "" : ":");
    json_array_foreach(tracing->gaps, i, item)
        printf("  %s: %s\n", text_of(item, "entity"), text_of(item, "gap"));
}

static enum hub_exit trace(struct tracing *tracing) {
    const char *start = tracing->ctl->arguments[0];
    for (size_t i = 0; i < json_array_size(tracing->latest); i++)
        if (json_is_object(value_at(tracing, i)))
            index_record(tracing, i);
    if (!start_at_entity(tracing, start) && !start_at_identifier(tracing, start)) {
        fprintf(stderr, "hubctl: %s: no entity has that id or is known by it\n", start);
        return HUB_EXIT_NOT_FOUND;
    }
    if (tracing->ctl->json) {
        json_t *all = json_pack("{s:s, s:s, s:O, s:O}", "start", start, "direction",
                                tracing->ctl->backward ? "backward" : "forward", "entities",
                                tracing->walked, "gaps", tracing->gaps);
        json_dumpf(all, stdout, JSON_INDENT(1));
        printf("\n");
        json_decref(all);
    } else {
        print_all(tracing);
    }
    return HUB_EXIT_OK;
}

enum hub_exit hub_ctl_trace(struct hub_ctl *ctl) {
    struct tracing tracing = {.ctl = ctl};
    if (ctl->forward == ctl->backward) {
        fprintf(stderr, "hubctl: --forward or --backward would pass\n");
        return HUB_EXIT_USAGE;
    }
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    ctl->domain = NULL; /* links lead out of a domain */
    tracing.latest = hub_ctl_latest(ctl, "unified.");
    if (tracing.latest == NULL)
        return HUB_EXIT_UNREACHABLE;
    tracing.by_name = json_object();
    tracing.linking = json_object();
    tracing.walked = json_array();
    tracing.gaps = json_array();
    tracing.seen = hub_allocate_zero(json_array_size(tracing.latest) + 1, sizeof *tracing.seen);
    enum hub_exit code = trace(&tracing);
    json_decref(tracing.by_name);
    json_decref(tracing.linking);
    json_decref(tracing.walked);
    json_decref(tracing.gaps);
    json_decref(tracing.latest);
    hub_release(tracing.seen);
    hub_arena_destroy(&tracing.arena);
    return code;
}
