/* schemas/retention.json, and what it says of a record. */
#include "hub/ctl/retention.h"

#include "hub/ctl/when.h"

#include <string.h>
#include <time.h>

enum { YEARS_MAX = 200, DAYS_MAX = 36525 };

static const int64_t DAY_MS = 86400000;

/* --- loading --- */

static enum hub_status load_duration(const struct hub_node *node, const char *unit, int64_t max,
                                     int64_t *ret_count, struct hub_error *reterr) {
    const struct hub_node *item = hub_node_get(node, unit);
    if (item == NULL)
        return HUB_OK;
    if (!hub_node_to_long(item, ret_count) || *ret_count < 1 || *ret_count > max)
        return hub_node_fail(item, reterr, "'%s' must be a number from 1 to %lld", unit, (long long)max);
    return HUB_OK;
}

static enum hub_status load_class(const struct hub_node *node, struct hub_retention_class *kept,
                                  struct hub_error *reterr) {
    static const char *const keys[] = {"years", "days", "because", NULL};
    HUB_TRY(hub_node_check_keys(node, keys, reterr));
    HUB_TRY(load_duration(node, "years", YEARS_MAX, &kept->years, reterr));
    HUB_TRY(load_duration(node, "days", DAYS_MAX, &kept->days, reterr));
    if (kept->years > 0 && kept->days > 0)
        return hub_node_fail(node, reterr, "years or days, not both");
    kept->has_end = kept->years > 0 || kept->days > 0;
    const struct hub_node *because = hub_node_get(node, "because");
    if (because == NULL || because->kind != HUB_NODE_SCALAR || because->text_size == 0)
        return hub_node_fail(node, reterr, "'because' is missing: the law or the rule that says so");
    kept->because = because->text;
    return HUB_OK;
}

static enum hub_status load_classes(const struct hub_node *node, struct hub_retention *retention,
                                    struct hub_error *reterr) {
    static const char *const keys[] = {"X", "T", "C", "O", NULL}; /* as HUB_RETENTION_ORDER */
    const struct hub_node *classes = hub_node_get(node, "classes");
    if (classes == NULL)
        return hub_node_fail(node, reterr, "'classes' is missing");
    HUB_TRY(hub_node_check_keys(classes, keys, reterr));
    for (size_t i = 0; i < HUB_RETENTION_CLASSES; i++) {
        const struct hub_node *item = hub_node_get(classes, keys[i]);
        if (item == NULL)
            return hub_node_fail(classes, reterr, "class '%s' is missing", keys[i]);
        HUB_TRY(load_class(item, &retention->classes[i], reterr));
    }
    return HUB_OK;
}

static const struct hub_type *without_lists(const struct hub_type *type) {
    type = hub_type_stated(type);
    while (type->kind == HUB_ARRAY)
        type = hub_type_stated(type->items);
    return type;
}

/* The path must lead to a date or a time. */
static enum hub_status check_path(const struct hub_node *item, const struct hub_domain *domain,
                                  struct hub_error *reterr) {
    const struct hub_type *type = domain->schema->root;
    struct hub_bytes rest = hub_bytes_of_text(item->text), name;
    for (bool more = true; more;) {
        char text[64];
        more = hub_bytes_cut(rest, '.', &name, &rest);
        if (!more)
            name = rest;
        int field = -1;
        if (type->kind == HUB_RECORD && name.size < sizeof text) {
            memcpy(text, name.data, name.size);
            text[name.size] = '\0';
            field = hub_type_field(type, text);
        }
        if (field < 0)
            return hub_node_fail(item, reterr, "'%s' names no field of domain %s", item->text,
                                 domain->name);
        type = without_lists(type->fields[field].type);
    }
    if (type->kind == HUB_RECORD &&
        (strcmp(type->name, "atmp.Date") == 0 || strcmp(type->name, "atmp.Time") == 0))
        return HUB_OK;
    return hub_node_fail(item, reterr, "'%s' is no date and no time", item->text);
}

static enum hub_status load_clock(const struct hub_node *node, const struct hub_domain *domain,
                                  struct hub_arena *arena, struct hub_retention_clock *clock,
                                  struct hub_error *reterr) {
    if (node->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, reterr, "a list of fields would pass");
    clock->paths = hub_arena_take(arena, (node->count + 1) * sizeof *clock->paths);
    for (size_t i = 0; i < node->count; i++) {
        const struct hub_node *item = node->items[i];
        if (item->kind != HUB_NODE_SCALAR)
            return hub_node_fail(item, reterr, "the name of a field would pass");
        HUB_TRY(check_path(item, domain, reterr));
        clock->paths[clock->count++] = item->text;
    }
    return HUB_OK;
}

static enum hub_status load_clocks(const struct hub_node *node,
                                   const struct hub_catalogue *catalogue, struct hub_arena *arena,
                                   struct hub_retention *retention, struct hub_error *reterr) {
    const struct hub_node *clocks = hub_node_get(node, "clocks");
    const char **names = hub_arena_take(arena, (catalogue->domain_count + 1) * sizeof *names);
    if (clocks == NULL)
        return hub_node_fail(node, reterr, "'clocks' is missing");
    for (size_t i = 0; i < catalogue->domain_count; i++)
        names[i] = catalogue->domains[i].name;
    names[catalogue->domain_count] = NULL;
    HUB_TRY(hub_node_check_keys(clocks, names, reterr));
    retention->clocks =
        hub_arena_take_zero(arena, catalogue->domain_count, sizeof *retention->clocks);
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const struct hub_node *item = hub_node_get(clocks, names[i]);
        if (item != NULL)
            HUB_TRY(load_clock(item, &catalogue->domains[i], arena, &retention->clocks[i],
                               reterr));
    }
    return HUB_OK;
}

enum hub_status hub_retention_load(const struct hub_node *node,
                                   const struct hub_catalogue *catalogue, struct hub_arena *arena,
                                   struct hub_retention *retention, struct hub_error *reterr) {
    static const char *const keys[] = {"classes", "clocks", NULL};
    *retention = (struct hub_retention){0};
    HUB_TRY(hub_node_check_keys(node, keys, reterr));
    HUB_TRY(load_classes(node, retention, reterr));
    return load_clocks(node, catalogue, arena, retention, reterr);
}

/* --- classes --- */

static size_t rank_of(char letter) {
    const char *found = strchr(HUB_RETENTION_ORDER, letter);
    return letter == '\0' || found == NULL ? 0 : (size_t)(found - HUB_RETENTION_ORDER);
}

const struct hub_retention_class *hub_retention_class(const struct hub_retention *retention,
                                                      char letter) {
    return &retention->classes[rank_of(letter)];
}

char hub_retention_of_field(const struct hub_domain *domain, size_t field) {
    char own = domain->contract.fields[field].retention;
    return own == '\0' ? domain->retention : own;
}

char hub_retention_of_domain(const struct hub_domain *domain) {
    size_t longest = HUB_RETENTION_CLASSES - 1;
    for (size_t i = 0; i < domain->contract.count; i++) {
        size_t rank = rank_of(hub_retention_of_field(domain, i));
        longest = rank < longest ? rank : longest;
    }
    return HUB_RETENTION_ORDER[longest];
}

/* --- dates --- */

/* Years and months later, on the same day. */
static int64_t later(int64_t from_ms, int years, int months) {
    time_t seconds = (time_t)(from_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    parts.tm_year += years;
    parts.tm_mon += months;
    return (int64_t)timegm(&parts) * 1000 + from_ms % 1000;
}

/* The moment after a date or a time. */
static bool read_date(const json_t *date, int64_t *ret_after_ms) {
    const char *time = json_string_value(json_object_get(date, "time"));
    const char *day = json_string_value(json_object_get(date, "value"));
    const char *precision = json_string_value(json_object_get(date, "precision"));
    if (time != NULL)
        return hub_ctl_when(time, ret_after_ms);
    if (day == NULL || precision == NULL || !hub_ctl_when(day, ret_after_ms))
        return false;
    if (strcmp(precision, "DAY") == 0)
        *ret_after_ms += DAY_MS;
    else if (strcmp(precision, "MONTH") == 0)
        *ret_after_ms = later(*ret_after_ms, 0, 1);
    else
        *ret_after_ms = later(*ret_after_ms, 1, 0); /* what is not known is taken for the least known */
    return true;
}

/* Looks at everything that the path leads to. */
static void look(const json_t *value, const char *path, bool *found, int64_t *latest_ms) {
    const json_t *item;
    size_t i;
    int64_t after_ms = 0;
    if (json_is_array(value)) {
        json_array_foreach((json_t *)value, i, item)
            look(item, path, found, latest_ms);
        return;
    }
    if (*path != '\0') {
        size_t size = strcspn(path, ".");
        look(json_object_getn(value, path, size), path + size + (path[size] == '.'), found, latest_ms);
        return;
    }
    if (!read_date(value, &after_ms))
        return;
    *latest_ms = !*found || after_ms > *latest_ms ? after_ms : *latest_ms;
    *found = true;
}

bool hub_retention_from(const struct hub_retention_clock *clock, const json_t *value,
                        int64_t *ret_from_ms) {
    bool found = false;
    for (size_t i = 0; i < clock->count; i++)
        look(value, clock->paths[i], &found, ret_from_ms);
    return found;
}

int64_t hub_retention_end(const struct hub_retention_class *kept, int64_t from_ms) {
    if (!kept->has_end)
        return HUB_RETENTION_NEVER;
    return later(from_ms, (int)kept->years, 0) + kept->days * DAY_MS;
}
