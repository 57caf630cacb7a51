/* Loading schemes.json. */
#include "schemas/lib/schemes.h"

#include <string.h>

/* One word of "normalise". */
static bool load_step(const struct hub_node *node, struct hub_scheme *scheme) {
    const char *word = node->text == NULL ? "" : node->text;
    if (strcmp(word, "trim") == 0)
        return true; /* always done; the word stands where nothing else is */
    if (strcmp(word, "upper") == 0)
        return scheme->upper = true;
    if (strcmp(word, "lower") == 0)
        return scheme->lower = true;
    if (strcmp(word, "no-spaces") == 0)
        return scheme->no_spaces = true;
    if (strncmp(word, "prefix:", 7) == 0 && word[7] != '\0') {
        scheme->prefix = word + 7;
        return true;
    }
    return false;
}

static enum hub_status load_text(const struct hub_node *node, const char *key,
                                 const char **ret_text, struct hub_error *reterr) {
    const struct hub_node *item = hub_node_get(node, key);
    if (item == NULL)
        return HUB_OK;
    if (item->kind != HUB_NODE_SCALAR || !item->quoted || item->text_size == 0)
        return hub_node_fail(item, reterr, "'%s' must be a text in quotes", key);
    *ret_text = item->text;
    return HUB_OK;
}

static enum hub_status load_flag(const struct hub_node *node, const char *key, bool *ret_flag,
                                 struct hub_error *reterr) {
    const struct hub_node *item = hub_node_get(node, key);
    if (item != NULL && !hub_node_to_bool(item, ret_flag))
        return hub_node_fail(item, reterr, "'%s' must be true or false", key);
    return HUB_OK;
}

/* A check reads characters where the pattern has them. */
static enum hub_status load_check(const struct hub_node *node, struct hub_scheme *scheme,
                                  struct hub_error *reterr) {
    static const char date[] = "########";
    const struct hub_node *item = hub_node_get(node, "check");
    const char *pattern = scheme->pattern == NULL ? "" : scheme->pattern;
    size_t size = strlen(pattern);
    if (item == NULL)
        return HUB_OK;
    if (hub_node_is_text(item, "iso7064-mod37-2")) {
        scheme->check = HUB_CHECK_ISO7064_MOD37_2;
        if (size > 0 && strspn(pattern, "#@*0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == size &&
            scheme->version == NULL)
            return HUB_OK;
        return hub_node_fail(item, reterr, "a check character follows a pattern of digits and "
                             "capitals, and no version");
    }
    if (hub_node_is_text(item, "ends-in-date")) {
        scheme->check = HUB_CHECK_ENDS_IN_DATE;
        if (size >= sizeof date - 1 && strcmp(pattern + size - (sizeof date - 1), date) == 0)
            return HUB_OK;
        return hub_node_fail(item, reterr, "a date is the last %zu digits of a pattern",
                             sizeof date - 1);
    }
    return hub_node_fail(item, reterr, "iso7064-mod37-2 or ends-in-date would pass");
}

static enum hub_status load_placeholders(const struct hub_node *node, struct hub_arena *arena,
                                         struct hub_scheme *scheme, struct hub_error *reterr) {
    const struct hub_node *list = hub_node_get(node, "placeholders");
    if (list == NULL || list->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, reterr, "'placeholders' must be a list; an empty one would do");
    const char **words = hub_arena_take(arena, (list->count + 1) * sizeof *words);
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind != HUB_NODE_SCALAR)
            return hub_node_fail(list->items[i], reterr, "a placeholder is a text");
        words[i] = list->items[i]->text;
    }
    words[list->count] = NULL;
    scheme->placeholders = words;
    for (size_t i = 0; i < list->count; i++)
        if (!hub_scheme_is_normal(scheme, hub_bytes_of_text(words[i])))
            return hub_node_fail(list->items[i], reterr,
                                 "placeholder '%s' is not in the scheme's normal form", words[i]);
    for (size_t i = 0; i < list->count; i++)
        if (hub_scheme_judge(scheme, hub_bytes_of_text(words[i])) != HUB_IDENTIFIER_PLACEHOLDER)
            return hub_node_fail(list->items[i], reterr,
                                 "placeholder '%s' does not fit the scheme's pattern", words[i]);
    return HUB_OK;
}

static enum hub_status load_scheme(const struct hub_node *node, struct hub_arena *arena,
                                   struct hub_scheme *scheme, struct hub_error *reterr) {
    static const char *const keys[] = {"title",  "pattern",      "version",   "normalise",
                                       "issuer", "placeholders", "exclusive", "joins",
                                       "check",  NULL};
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, reterr, "a scheme must be an object");
    HUB_TRY(hub_node_check_keys(node, keys, reterr));
    scheme->joins = true;
    HUB_TRY(load_text(node, "title", &scheme->title, reterr));
    HUB_TRY(load_text(node, "pattern", &scheme->pattern, reterr));
    HUB_TRY(load_text(node, "version", &scheme->version, reterr));
    HUB_TRY(load_flag(node, "issuer", &scheme->issuer, reterr));
    HUB_TRY(load_flag(node, "exclusive", &scheme->exclusive, reterr));
    HUB_TRY(load_flag(node, "joins", &scheme->joins, reterr));
    if (scheme->title == NULL)
        return hub_node_fail(node, reterr, "the scheme has no 'title'");
    if (scheme->version != NULL && scheme->pattern == NULL)
        return hub_node_fail(hub_node_get(node, "version"), reterr,
                             "'version' needs a 'pattern' to follow");
    HUB_TRY(load_check(node, scheme, reterr));
    const struct hub_node *steps = hub_node_get(node, "normalise");
    if (steps == NULL || steps->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, reterr, "'normalise' must be a list of steps");
    for (size_t i = 0; i < steps->count; i++)
        if (!load_step(steps->items[i], scheme))
            return hub_node_fail(steps->items[i], reterr,
                                 "unknown step; trim, upper, lower, no-spaces and prefix:TEXT "
                                 "would pass");
    if (scheme->upper && scheme->lower)
        return hub_node_fail(node, reterr,
                             "'upper' and 'lower' together leave nothing in normal form");
    return load_placeholders(node, arena, scheme, reterr);
}

enum hub_status hub_schemes_load(const struct hub_node *node, struct hub_arena *arena,
                                 struct hub_schemes *ret_schemes, struct hub_error *reterr) {
    if (node->kind != HUB_NODE_MAPPING || node->count > HUB_SCHEMES_MAX)
        return hub_node_fail(node, reterr, "an object of at most %d schemes would pass",
                             HUB_SCHEMES_MAX);
    struct hub_scheme *schemes = hub_arena_take_zero(arena, node->count, sizeof *schemes);
    for (size_t i = 0; i < node->count; i++) {
        schemes[i].name = node->keys[i]->text;
        HUB_TRY(load_scheme(node->items[i], arena, &schemes[i], reterr));
    }
    *ret_schemes = (struct hub_schemes){schemes, node->count};
    return HUB_OK;
}
