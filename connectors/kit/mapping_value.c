/* Running values: the texts that a path gives, and what is done to them. */
#include "connectors/kit/mapping_plan.h"

#include "hub/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MATCH_STEPS_MAX = 1000000 };

static void add_text(struct map_run *run, struct map_texts *texts, size_t *capacity,
                     const char *text) {
    if (texts->count == *capacity) {
        *capacity = *capacity == 0 ? 4 : *capacity * 2;
        const char **wider = hub_arena_take(run->arena, *capacity * sizeof *wider);
        if (texts->count > 0)
            memcpy(wider, texts->items, texts->count * sizeof *wider);
        texts->items = wider;
    }
    texts->items[texts->count++] = text;
}

static const char *trim(struct map_run *run, const char *text) {
    size_t size = strlen(text), from = 0;
    while (from < size && isspace((unsigned char)text[from]))
        from++;
    while (size > from && isspace((unsigned char)text[size - 1]))
        size--;
    if (from == 0 && text[size] == '\0')
        return text;
    return hub_arena_text(run->arena, text + from, size - from);
}

static bool is_absent_word(const struct map_value *value, const char *text) {
    for (size_t i = 0; value->absent != NULL && value->absent[i] != NULL; i++)
        if (strcmp(value->absent[i], text) == 0)
            return true;
    return false;
}

/* The first group of the match, or the whole match where there is none; NULL where nothing fits. An
 * expression that tries too long is no answer. */
static enum hub_status match(struct map_run *run, const struct map_value *value,
                             const char **text_) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(value->match, NULL);
    pcre2_match_context *limits = hub_expression_limits(MATCH_STEPS_MAX);
    const char *text = *text_, *result = NULL;
    int groups =
        pcre2_match(value->match, (PCRE2_SPTR)text, strlen(text), 0, 0, data, limits);
    if (groups > 0) {
        PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);
        size_t group = groups > 1 ? 1 : 0;
        if (ends[2 * group] != PCRE2_UNSET)
            result = hub_arena_text(run->arena, text + ends[2 * group],
                                    ends[2 * group + 1] - ends[2 * group]);
    }
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    if (groups < 0 && groups != PCRE2_ERROR_NOMATCH) {
        run->code = "MATCH";
        return hub_fail(run->reterr, HUB_REJECT,
                        "'match' of line %zu takes more than %d steps; a simpler one would pass",
                        value->node->line, MATCH_STEPS_MAX);
    }
    *text_ = result;
    return HUB_OK;
}

static int compare_with_pair(const void *text, const void *pair) {
    return strcmp(text, ((const struct map_pair *)pair)->from);
}

/* A text that a table or a list of organisations does not know. */
static enum hub_status otherwise(struct map_run *run, const struct map_value *value,
                                 const char *text, const char *what, const char **ret_text) {
    switch (value->otherwise) {
    case MAP_ELSE_KEEP:
        *ret_text = text;
        return HUB_OK;
    case MAP_ELSE_NULL:
        *ret_text = NULL;
        return HUB_OK;
    case MAP_ELSE_TEXT:
        *ret_text = value->otherwise_text;
        return HUB_OK;
    case MAP_ELSE_NONE:
    case MAP_ELSE_REJECT:
        break;
    }
    run->code = "CODE";
    return hub_fail(run->reterr, HUB_REJECT,
                    "%s line %zu knows no such value; adding it there would pass", what,
                    value->node->line);
}

static enum hub_status translate(struct map_run *run, const struct map_value *value,
                                 const char **text) {
    const struct map_pair *pair = NULL;
    if (value->table->count > 0)
        pair = bsearch(*text, value->table->pairs, value->table->count, sizeof *pair,
                       compare_with_pair);
    if (pair == NULL)
        return otherwise(run, value, *text, "the table of", text);
    *text = hub_bytes_equal_text(hub_bytes_of_text(pair->to), "null") ? NULL : pair->to;
    return HUB_OK;
}

static enum hub_status look_up(struct map_run *run, const struct map_value *value,
                               const char **text) {
    const char *org = hub_parties_org(run->mapping->config.domain->parties,
                                      hub_bytes_of_text(*text));
    if (org == NULL)
        return otherwise(run, value, *text, "organisations.csv, asked in", text);
    *text = org;
    return HUB_OK;
}

static const char *pseudonymise(struct map_run *run, const struct map_value *value,
                                const char *text) {
    const struct hub_keys *keys = run->mapping->config.keys;
    const struct hub_key *key = run->key == 0 ? &keys->shared : &keys->earlier[run->key - 1];
    HUB_SCOPED_BUFFER pseudonym = {0};
    if (value->pseudonym == MAP_PSEUDONYM_LOCAL)
        key = &keys->local;
    hub_pseudonym_append(key, "atmp", hub_bytes_of_text(text), &pseudonym);
    return hub_arena_text(run->arena, (const char *)pseudonym.data, pseudonym.size);
}

static const char *lower(struct map_run *run, const char *text) {
    char *copy = hub_arena_text(run->arena, text, strlen(text));
    for (size_t i = 0; copy[i] != '\0'; i++)
        copy[i] = (char)tolower((unsigned char)copy[i]);
    return copy;
}

static enum hub_status to_iso(struct map_run *run, const struct map_value *value,
                              const char **text) {
    struct map_instant instant;
    HUB_SCOPED_BUFFER iso = {0};
    run->code = "TIME";
    if (!map_time_read(value->time, *text, /* need_instant= */ false, &instant))
        return hub_fail(run->reterr, HUB_REJECT, "%s", map_time_refusal(value->time, run->arena));
    map_time_append(&instant, /* whole_instant= */ true, &iso);
    *text = hub_arena_text(run->arena, (const char *)iso.data, iso.size);
    return HUB_OK;
}

/* A word that the configuration translates to nothing was said all the same: it takes back what was said
 * before, as an explicit null does. */
static enum hub_status translate_or_take_back(struct map_run *run, const struct map_value *value,
                                              const char **text) {
    HUB_TRY(translate(run, value, text));
    *run->met_null |= *text == NULL;
    return HUB_OK;
}

/* All steps on one text; NULL in `text` where nothing is left. */
static enum hub_status apply(struct map_run *run, const struct map_value *value,
                             const char **text) {
    *text = trim(run, *text);
    if (**text == '\0' || is_absent_word(value, *text)) {
        *text = NULL;
        return HUB_OK;
    }
    if (value->match != NULL)
        HUB_TRY(match(run, value, text));
    if (*text == NULL)
        return HUB_OK;
    if (value->fold_case)
        *text = lower(run, *text);
    if (value->table != NULL)
        HUB_TRY(translate_or_take_back(run, value, text));
    if (*text != NULL && value->lookup)
        HUB_TRY(look_up(run, value, text));
    if (*text != NULL && value->pseudonym != MAP_PSEUDONYM_NONE)
        *text = pseudonymise(run, value, *text);
    if (*text != NULL && value->time_as_text)
        return to_iso(run, value, text);
    return HUB_OK;
}

static enum hub_status add_applied(struct map_run *run, struct map_value *value, const char *text,
                                   struct map_texts *texts, size_t *capacity) {
    HUB_TRY(apply(run, value, &text));
    if (text == NULL)
        return HUB_OK;
    value->filled = true;
    add_text(run, texts, capacity, text);
    return HUB_OK;
}

static enum hub_status add_split(struct map_run *run, struct map_value *value, const char *text,
                                 struct map_texts *texts, size_t *capacity) {
    if (value->split == NULL || is_absent_word(value, text))
        return add_applied(run, value, text, texts, capacity);
    for (const char *end; (end = strstr(text, value->split)) != NULL;
         text = end + strlen(value->split))
        HUB_TRY(add_applied(run, value,
                            hub_arena_text(run->arena, text, (size_t)(end - text)), texts,
                            capacity));
    return add_applied(run, value, text, texts, capacity);
}

static enum hub_status from_path(struct map_run *run, struct map_value *value,
                                 const struct hub_scope *scope, struct map_texts *texts,
                                 size_t *capacity) {
    const json_t **values = NULL;
    size_t count = 0;
    hub_path_find(value->path, scope, run->arena, &values, &count);
    for (size_t i = 0; i < count; i++) {
        const char *text = hub_tree_text(values[i], run->arena);
        if (text == NULL) {
            run->code = "TYPE";
            return hub_fail(run->reterr, HUB_REJECT,
                            "path %s leads to an object; a path to a text or number would pass",
                            hub_path_text(value->path));
        }
        HUB_TRY(add_split(run, value, text, texts, capacity));
    }
    return HUB_OK;
}

static enum hub_status from_first(struct map_run *run, struct map_value *value,
                                  const struct hub_scope *scope, struct map_texts *texts,
                                  size_t *capacity) {
    for (size_t i = 0; i < value->part_count; i++) {
        struct map_texts part = {0};
        HUB_TRY(map_value_texts(run, &value->parts[i], scope, &part));
        for (size_t k = 0; k < part.count; k++)
            HUB_TRY(add_split(run, value, part.items[k], texts, capacity));
        if (texts->count > 0)
            return HUB_OK;
    }
    return HUB_OK;
}

/* The first text of each part; nothing where one is absent. */
static enum hub_status from_join(struct map_run *run, struct map_value *value,
                                 const struct hub_scope *scope, struct map_texts *texts,
                                 size_t *capacity) {
    HUB_SCOPED_BUFFER joined = {0};
    for (size_t i = 0; i < value->part_count; i++) {
        const char *part = NULL;
        HUB_TRY(map_value_text(run, &value->parts[i], scope, &part));
        if (part == NULL)
            return HUB_OK;
        hub_buffer_append_format(&joined, "%s%s", i == 0 ? "" : value->with, part);
    }
    return add_split(run, value,
                     hub_arena_text(run->arena, (const char *)joined.data, joined.size), texts,
                     capacity);
}

static enum hub_status from_plus(struct map_run *run, struct map_value *value,
                                 const struct hub_scope *scope, struct map_texts *texts,
                                 size_t *capacity) {
    const char *text = NULL;
    HUB_TRY(map_plus_text(run, value, scope, &text));
    return text == NULL ? HUB_OK : add_split(run, value, text, texts, capacity);
}

static enum hub_status from_ref(struct map_run *run, struct map_value *value,
                                const struct hub_scope *scope, struct map_texts *texts,
                                size_t *capacity) {
    struct map_texts found = {0};
    HUB_TRY(map_ref_texts(run, value, scope, &found));
    for (size_t i = 0; i < found.count; i++)
        HUB_TRY(add_split(run, value, found.items[i], texts, capacity));
    return HUB_OK;
}

void map_texts_append(struct map_run *run, struct map_texts *texts, const struct map_texts *more) {
    const char **items = hub_arena_take(run->arena, (texts->count + more->count + 1) * sizeof *items);
    if (texts->count > 0)
        memcpy(items, texts->items, texts->count * sizeof *items);
    if (more->count > 0)
        memcpy(items + texts->count, more->items, more->count * sizeof *items);
    *texts = (struct map_texts){items, texts->count + more->count};
}

static void pick(enum map_pick pick, struct map_texts *texts) {
    for (size_t i = 1; i < texts->count; i++) {
        int order = strcmp(texts->items[i], texts->items[0]);
        if (pick == MAP_PICK_MIN ? order < 0 : order > 0)
            texts->items[0] = texts->items[i];
    }
    texts->count = texts->count > 0;
}

enum hub_status map_value_texts(struct map_run *run, struct map_value *value,
                                const struct hub_scope *scope, struct map_texts *ret_texts) {
    struct map_texts texts = {0};
    size_t capacity = 0;
    switch (value->source) {
    case MAP_FROM:
        HUB_TRY(from_path(run, value, scope, &texts, &capacity));
        run->constant = false;
        break;
    case MAP_CONSTANT:
        HUB_TRY(add_split(run, value, value->constant, &texts, &capacity));
        run->constant = true;
        break;
    case MAP_FIRST: /* constant where the part that gave something is */
        HUB_TRY(from_first(run, value, scope, &texts, &capacity));
        break;
    case MAP_JOIN:
        HUB_TRY(from_join(run, value, scope, &texts, &capacity));
        run->constant = false;
        break;
    case MAP_PLUS:
        HUB_TRY(from_plus(run, value, scope, &texts, &capacity));
        run->constant = false;
        break;
    case MAP_REF:
        HUB_TRY(from_ref(run, value, scope, &texts, &capacity));
        run->constant = false;
        break;
    }
    if (value->pick != MAP_PICK_ALL)
        pick(value->pick, &texts);
    *ret_texts = texts;
    return HUB_OK;
}

enum hub_status map_value_text(struct map_run *run, struct map_value *value,
                               const struct hub_scope *scope, const char **ret_text) {
    struct map_texts texts = {0};
    HUB_TRY(map_value_texts(run, value, scope, &texts));
    *ret_text = texts.count == 0 ? NULL : texts.items[0];
    return HUB_OK;
}

static bool one_holds(struct map_run *run, struct map_condition *condition,
                      const struct hub_scope *scope) {
    const json_t **values = NULL;
    size_t count = 0;
    hub_path_find(condition->path->path, scope, run->arena, &values, &count);
    condition->path->filled |= count > 0;
    if (condition->present || condition->absent)
        return (count > 0) == condition->present;
    for (size_t i = 0; i < count; i++) {
        const char *text = hub_tree_text(values[i], run->arena);
        for (size_t k = 0; text != NULL && condition->texts[k] != NULL; k++)
            if (strcmp(text, condition->texts[k]) == 0)
                return !condition->negated;
    }
    return condition->negated;
}

bool map_condition_holds(struct map_run *run, struct map_condition *condition,
                         const struct hub_scope *scope) {
    for (; condition != NULL; condition = condition->next)
        if (!one_holds(run, condition, scope))
            return false;
    return true;
}
