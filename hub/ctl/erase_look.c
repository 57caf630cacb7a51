/* What is of a subject and is not erased: what must be traceable, and what journals have for some days. */
#include "hub/ctl/erase.h"

#include "connectors/kit/config.h"
#include "hub/ctl/voices.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 160, LOCAL_KEYS_MAX = 64, DAY_MS = 86400000 };

const char hub_ctl_kept_because[] =
    "what traces a product, and whom it was given to, is kept for 30 years after the product's expiry date at least "
    "(Regulation (EC) No 1394/2007, Article 15), and what the law obliges to keep is not erased (Regulation (EU) "
    "2016/679, Article 17(3)(b))";

/* --- what must be traceable --- */

/* What a record may call the subject. */
struct names {
    const char *items[NAMES_MAX];
    size_t count;
};

static void add_pseudonym(const struct hub_key *key, const char *subject, struct hub_arena *arena,
                          struct names *names) {
    HUB_SCOPED_BUFFER text = {0};
    if (key->id == NULL || names->count == NAMES_MAX)
        return;
    hub_pseudonym_append(key, "atmp", hub_bytes_of_text(subject), &text);
    names->items[names->count++] = hub_arena_text(arena, (const char *)text.data, text.size);
}

static enum hub_status list_names(const struct hub_keys *keys, const char *subject,
                                  struct hub_arena *arena, struct names *names,
                                  struct hub_error *reterr) {
    struct hub_key locals[LOCAL_KEYS_MAX];
    size_t count = 0;
    *names = (struct names){.items = {subject}, .count = 1};
    HUB_TRY(hub_keys_all(keys, "local", LOCAL_KEYS_MAX, arena, locals, &count, reterr));
    add_pseudonym(&keys->shared, subject, arena, names);
    for (size_t i = 0; i < keys->earlier_count; i++)
        add_pseudonym(&keys->earlier[i], subject, arena, names);
    for (size_t i = 0; i < count; i++)
        add_pseudonym(&locals[i], subject, arena, names);
    return HUB_OK;
}

static bool tells_of(const json_t *value, const struct names *names) {
    const char *text = json_string_value(value), *name;
    json_t *part;
    size_t i;
    for (size_t k = 0; text != NULL && k < names->count; k++)
        if (strcmp(text, names->items[k]) == 0)
            return true;
    json_array_foreach((json_t *)value, i, part)
        if (tells_of(part, names))
            return true;
    json_object_foreach((json_t *)value, name, part)
        if (tells_of(part, names))
            return true;
    return false;
}

static bool look_in(struct hub_ctl *ctl, const struct hub_domain *domain, const struct names *names,
                    struct hub_ctl_kept *kept) {
    const char *before = ctl->domain;
    size_t i, found = 0;
    json_t *record;
    ctl->domain = domain->name;
    json_t *latest = hub_ctl_latest(ctl, "unified.");
    ctl->domain = before;
    if (latest == NULL)
        return false;
    json_array_foreach(latest, i, record)
        found += tells_of(json_object_get(record, "value"), names);
    if (found > 0)
        kept->domains = hub_arena_format(&kept->arena, "%s%s%s", kept->domains,
                                         *kept->domains == '\0' ? "" : ", ", domain->name);
    kept->count += found;
    json_decref(latest);
    return true;
}

bool hub_ctl_kept_find(struct hub_ctl *ctl, const struct hub_keys *keys, const char *subject,
                       struct hub_ctl_kept *kept) {
    struct names names;
    struct hub_error error;
    bool good = true;
    *kept = (struct hub_ctl_kept){.domains = ""};
    if (list_names(keys, subject, &kept->arena, &names, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        return false;
    }
    for (size_t i = 0; good && i < ctl->catalogue->domain_count; i++)
        if (ctl->catalogue->domains[i].retention == 'T')
            good = look_in(ctl, &ctl->catalogue->domains[i], &names, kept);
    return good;
}

void hub_ctl_kept_free(struct hub_ctl_kept *kept) {
    hub_arena_destroy(&kept->arena);
}

/* --- journals --- */

void hub_ctl_tell_journals(struct hub_ctl *ctl, int64_t now_ms) {
    struct hub_ctl_configurations configurations;
    size_t told = 0;
    hub_ctl_configurations_open(ctl->catalogue, ctl->connectors, &configurations);
    for (size_t i = 0; i < configurations.count; i++) {
        const struct hub_connector *connector =
            hub_ctl_configurations_find(&configurations, &configurations.items[i].hash)->connector;
        HUB_SCOPED_BUFFER until = {0};
        if (connector == NULL || connector->subscription != NULL ||
            !hub_mapping_seals(connector->mapping) || connector->journal.days == 0)
            continue;
        hub_render_date(now_ms / DAY_MS + connector->journal.days, &until);
        printf("journal  of %s: it has what the source told until now, encrypted, until %s\n",
               connector->name, hub_buffer_text(&until));
        told++;
    }
    if (told == 0)
        printf("journal  each connector's has what its source told until now, encrypted, for the days that its "
               "configuration says (30)\n");
    hub_ctl_configurations_close(&configurations);
}
