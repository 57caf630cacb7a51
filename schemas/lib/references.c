#include "schemas/lib/references.h"

#include "hub/base/memory.h"
#include "schemas/lib/node.h"

#include <string.h>

struct checking {
    const struct hub_domain *domains;
    size_t count;
    bool *finished, *entered; /* by domain */
    struct hub_error *reterr;
};

static const struct hub_domain *find_domain(const struct checking *checking, const char *name) {
    for (size_t i = 0; i < checking->count; i++)
        if (strcmp(checking->domains[i].name, name) == 0)
            return &checking->domains[i];
    return NULL;
}

/* The type at a path of field names; NULL where there is none. */
static const struct hub_type *type_at(const struct hub_type *type, const char *path) {
    char name[128];
    while (type != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        type = hub_type_stated(type);
        if (size >= sizeof name || type->kind != HUB_RECORD)
            return NULL;
        memcpy(name, path, size);
        name[size] = '\0';
        int field = hub_type_field(type, name);
        type = field < 0 ? NULL : type->fields[field].type;
        path += size;
        path += *path == '.';
    }
    return type == NULL ? NULL : hub_type_stated(type);
}

static enum hub_status check_reference(const struct checking *checking,
                                       const struct hub_reference *reference) {
    const struct hub_domain *target = find_domain(checking, reference->domain);
    const struct hub_node *node = reference->node;
    if (target == NULL)
        return hub_node_fail(hub_node_get(node, "domain"), checking->reterr,
                             "there is no domain '%s'", reference->domain);
    if (target->shard_field >= 0)
        return hub_node_fail(hub_node_get(node, "domain"), checking->reterr,
                             "'%s' has several shards, and nobody knows which to ask; a domain "
                             "without hub:shard would pass", reference->domain);
    if (reference->field == NULL)
        return HUB_OK;
    const struct hub_type *states = type_at(target->schema->root, reference->field);
    if (states == NULL || states->kind != HUB_ENUM)
        return hub_node_fail(hub_node_get(node, "field"), checking->reterr,
                             "'%s' is no enum of '%s'", reference->field, reference->domain);
    for (size_t i = 0; reference->refused[i] != NULL; i++)
        if (hub_type_symbol(states, reference->refused[i]) < 0)
            return hub_node_fail(hub_node_get(node, "not")->items[i], checking->reterr,
                                 "no symbol of %s", states->name);
    return HUB_OK;
}

/* Every domain is entered once; whoever comes back to one that is still open closes a circle. */
static enum hub_status follow(struct checking *checking, const struct hub_domain *domain) {
    size_t index = (size_t)(domain - checking->domains);
    checking->entered[index] = true;
    for (size_t i = 0; i < domain->reference_count; i++) {
        const struct hub_reference *reference = &domain->references[i];
        HUB_TRY(check_reference(checking, reference));
        const struct hub_domain *target = find_domain(checking, reference->domain);
        size_t other = (size_t)(target - checking->domains);
        if (checking->entered[other] && !checking->finished[other])
            return hub_node_fail(reference->node, checking->reterr,
                                 "'%s' leads back to '%s'; references that make no circle would "
                                 "pass", reference->domain, domain->name);
        if (!checking->finished[other])
            HUB_TRY(follow(checking, target));
    }
    checking->finished[index] = true;
    return HUB_OK;
}

enum hub_status hub_references_check(const struct hub_domain *domains, size_t count,
                                     struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct checking checking = {domains, count, NULL, NULL, reterr};
    enum hub_status status = HUB_OK;
    checking.finished = hub_arena_take_zero(&arena, count + 1, sizeof(bool));
    checking.entered = hub_arena_take_zero(&arena, count + 1, sizeof(bool));
    for (size_t i = 0; status == HUB_OK && i < count; i++)
        if (!checking.finished[i])
            status = follow(&checking, &domains[i]);
    hub_arena_destroy(&arena);
    return status;
}
