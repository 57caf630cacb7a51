#include "connectors/kit/group.h"

#include "hub/base/table.h"
#include "hub/base/text.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <string.h>

/* A record of this document. */
struct member {
    UT_hash_handle hh;
    struct hub_bytes body;
    struct member *next; /* of the group, in the order they were told */
};

/* What one message, or the document, tells of a group. */
struct telling {
    size_t message;
    struct hub_bytes version; /* the latest of its records */
    struct member *members;
    struct member *first, **end;
    struct telling *next;
};

struct hub_group {
    UT_hash_handle hh;
    const char *name;
    struct telling *tellings;
    bool doubted;
};

struct comparing {
    struct hub_groups *groups;
    struct hub_known *known;
    const struct hub_group *group;
    const struct telling *latest;
    bool is_late;
    void (*missing)(void *context, const char *key, struct hub_bytes body);
    void *context;
};

static struct hub_stamp stamp_of(const struct hub_domain *domain, struct hub_bytes body) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(domain->schema->root, body, starts);
    return hub_statement_stamp(domain, body, starts);
}

static struct hub_bytes version_of(const struct hub_domain *domain, struct hub_bytes body) {
    return hub_version_of_document(stamp_of(domain, body).version);
}

static struct hub_group *need_group(struct hub_groups *groups, const char *name) {
    struct hub_group *group = NULL;
    HASH_FIND_STR(groups->items, name, group);
    if (group == NULL) {
        group = hub_arena_take_zero(groups->arena, 1, sizeof *group);
        group->name = name;
        HASH_ADD_KEYPTR(hh, groups->items, name, strlen(name), group);
    }
    return group;
}

static struct telling *need_telling(struct hub_groups *groups, struct hub_group *group,
                                    size_t message) {
    struct telling *telling = group->tellings;
    while (telling != NULL && telling->message != message)
        telling = telling->next;
    if (telling == NULL) {
        telling = hub_arena_take_zero(groups->arena, 1, sizeof *telling);
        *telling = (struct telling){.message = message, .next = group->tellings};
        telling->end = &telling->first;
        group->tellings = telling;
    }
    return telling;
}

void hub_groups_tell(struct hub_groups *groups, const struct hub_mapped *mapped) {
    if (mapped->group == NULL)
        return;
    struct telling *telling =
        need_telling(groups, need_group(groups, mapped->group), mapped->message);
    struct member *member = hub_arena_take_zero(groups->arena, 1, sizeof *member);
    struct hub_bytes version = version_of(groups->domain, mapped->body);
    if (hub_text_natural_compare(version, telling->version) > 0)
        telling->version = version;
    member->body = mapped->body;
    HASH_ADD_KEYPTR(hh, telling->members, mapped->key, strlen(mapped->key), member);
    *telling->end = member;
    telling->end = &member->next;
}

void hub_groups_doubt(struct hub_groups *groups, const struct hub_mapped *mapped) {
    if (mapped->group != NULL)
        need_group(groups, mapped->group)->doubted = true;
}

static bool has(const struct telling *telling, const char *key) {
    struct member *member = NULL;
    HASH_FIND_STR(telling->members, key, member);
    return member != NULL;
}

static bool is_told(const struct hub_group *group, const char *key) {
    for (const struct telling *each = group->tellings; each != NULL; each = each->next)
        if (has(each, key))
            return true;
    return false;
}

static bool is_in_force(const struct comparing *comparing, struct hub_bytes body) {
    return body.data != NULL && !stamp_of(comparing->groups->domain, body).withdrawn;
}

/* Of two with one version the later in the file. */
static const struct telling *find_latest(const struct hub_group *group) {
    const struct telling *latest = group->tellings;
    for (const struct telling *each = group->tellings; each != NULL; each = each->next) {
        int order = hub_text_natural_compare(each->version, latest->version);
        if (order > 0 || (order == 0 && each->message > latest->message))
            latest = each;
    }
    return latest;
}

static void compare_version(void *context, const char *key, struct hub_bytes body) {
    struct comparing *comparing = context;
    (void)key;
    comparing->is_late |= hub_text_natural_compare(version_of(comparing->groups->domain, body),
                                                   comparing->latest->version) > 0;
}

static void look_at_known(void *context, const char *key, struct hub_bytes body) {
    const struct comparing *comparing = context;
    if (!is_told(comparing->group, key) && is_in_force(comparing, body))
        comparing->missing(comparing->context, key, body);
}

static void look_at_told(const struct comparing *comparing, const struct telling *telling) {
    for (const struct member *each = telling->first; each != NULL; each = each->next) {
        const char *key = each->hh.key;
        bool stays = comparing->is_late
                         ? is_in_force(comparing, hub_known_body(comparing->known, key))
                         : has(comparing->latest, key);
        if (!stays && is_in_force(comparing, each->body))
            comparing->missing(comparing->context, key, each->body);
    }
}

static void compare(struct comparing *comparing) {
    const struct hub_group *group = comparing->group;
    comparing->latest = find_latest(group);
    hub_known_group(comparing->known, group->name, compare_version, comparing);
    for (const struct telling *each = group->tellings; each != NULL; each = each->next)
        look_at_told(comparing, each);
    if (!comparing->is_late)
        hub_known_group(comparing->known, group->name, look_at_known, comparing);
}

void hub_groups_compare(struct hub_groups *groups, struct hub_known *known,
                        void (*missing)(void *context, const char *key, struct hub_bytes body),
                        void *context) {
    for (struct hub_group *group = groups->items; group != NULL; group = group->hh.next) {
        struct comparing comparing = {.groups = groups,
                                      .known = known,
                                      .group = group,
                                      .missing = missing,
                                      .context = context};
        if (group->doubted)
            groups->doubted = group->name;
        else
            compare(&comparing);
    }
}

void hub_groups_end(struct hub_groups *groups) {
    for (struct hub_group *group = groups->items; group != NULL; group = group->hh.next)
        for (struct telling *each = group->tellings; each != NULL; each = each->next)
            HASH_CLEAR(hh, each->members);
    HASH_CLEAR(hh, groups->items);
}
