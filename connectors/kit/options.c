#include "connectors/kit/options.h"

#include "hub/io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64, SECRET_SIZE_MAX = 64 * 1024 };

/* --- ${env:NAME}, ${env:NAME:-otherwise} and ${file:/path} --- */

static enum hub_status append_reference(const struct hub_node *node, const char *reference,
                                        struct hub_buffer *buffer, struct hub_error *reterr) {
    if (strncmp(reference, "env:", 4) == 0) {
        const char *otherwise = strstr(reference, ":-");
        size_t size = otherwise == NULL ? strlen(reference + 4)
                                        : (size_t)(otherwise - reference - 4);
        char *name = hub_copy_bytes(reference + 4, size);
        const char *value = getenv(name);
        hub_release(name);
        if (value == NULL && otherwise == NULL)
            return hub_node_fail(node, reterr, "the environment has no %s", reference + 4);
        hub_buffer_append_text(buffer, value == NULL ? otherwise + 2 : value);
        return HUB_OK;
    }
    if (strncmp(reference, "file:", 5) == 0) {
        HUB_SCOPED_BUFFER secret = {.size_max = SECRET_SIZE_MAX};
        struct hub_error inner;
        if (hub_file_read(reference + 5, &secret, &inner) != HUB_OK)
            return hub_node_fail(node, reterr, "%s", inner.text);
        while (secret.size > 0 && secret.data[secret.size - 1] == '\n')
            secret.size--;
        hub_buffer_append_bytes(buffer, hub_buffer_bytes(&secret));
        return HUB_OK;
    }
    return hub_node_fail(node, reterr, "${env:NAME} or ${file:/path} would pass");
}

static enum hub_status expand(const struct hub_node *node, struct hub_arena *arena,
                              const char **ret_text, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER buffer = {0};
    const char *rest = node->text;
    for (const char *start; (start = strstr(rest, "${")) != NULL;) {
        const char *end = strchr(start, '}');
        if (end == NULL)
            return hub_node_fail(node, reterr, "a ${ without }");
        hub_buffer_append(&buffer, rest, (size_t)(start - rest));
        const char *reference = hub_arena_text(arena, start + 2, (size_t)(end - start - 2));
        HUB_TRY(append_reference(node, reference, &buffer, reterr));
        rest = end + 1;
    }
    hub_buffer_append_text(&buffer, rest);
    *ret_text = hub_arena_text(arena, (const char *)buffer.data, buffer.size);
    return HUB_OK;
}

/* --- one option --- */

/* A secret stands elsewhere, and nothing is told of what stands here instead of its name. */
static enum hub_status check_secret(const struct hub_node *node, const struct hub_option *option,
                                    struct hub_error *reterr) {
    const char *text = node->text;
    bool named = strncmp(text, "${", 2) == 0 && strcspn(text, "}") + 1 == strlen(text) &&
                 strstr(text, ":-") == NULL;
    if (!option->secret || named)
        return HUB_OK;
    return hub_node_fail(node, reterr, "'%s' is a secret, which does not stand in a configuration; "
                         "${env:NAME} or ${file:/path} would pass", option->name);
}

/* Where a source is not asked, its secrets need not be there: this stands for them, and has the form of
 * every kind. hub_options_need_secrets() says what is missing. */
static const char trial_secret[] = "whsec_dHJpYWwgc2VjcmV0LCBub25lIHNpZ25z";

static enum hub_status expand_option(const struct hub_node *node, const struct hub_option *option,
                                     struct hub_arena *arena, const char **ret_text,
                                     struct hub_error *reterr) {
    enum hub_status status = expand(node, arena, ret_text, reterr);
    bool elsewhere = strncmp(node->text, "${env:", 6) == 0 || strncmp(node->text, "${file:", 7) == 0;
    if (status == HUB_OK || !option->secret || !elsewhere)
        return status;
    *ret_text = trial_secret;
    return HUB_OK;
}

static enum hub_status check_choice(const struct hub_node *node, const struct hub_option *option,
                                    const char *text, struct hub_error *reterr) {
    if (option->choices == NULL)
        return HUB_OK;
    HUB_SCOPED_BUFFER list = {0};
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0)
            return HUB_OK;
        hub_buffer_append_format(&list, "%s%s", i == 0 ? "" : ", ", option->choices[i]);
    }
    return hub_node_fail(node, reterr, "'%s' is '%s'; one of %s would pass", option->name, text,
                         hub_buffer_text(&list));
}

static enum hub_status read_texts(const struct hub_node *node, const struct hub_option *option,
                                  struct hub_arena *arena, const char *const **ret_texts,
                                  struct hub_error *reterr) {
    bool list = node->kind == HUB_NODE_SEQUENCE;
    size_t count = list ? node->count : 1;
    const char **texts = hub_arena_take(arena, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct hub_node *item = list ? node->items[i] : node;
        if (item->kind != HUB_NODE_SCALAR)
            return hub_node_fail(item, reterr, "a text or a list of texts would pass");
        HUB_TRY(check_secret(item, option, reterr));
        HUB_TRY(expand_option(item, option, arena, &texts[i], reterr));
    }
    texts[count] = NULL;
    *ret_texts = texts;
    return HUB_OK;
}

static enum hub_status read_number(const struct hub_node *node, const struct hub_option *option,
                                   int64_t *ret_number, struct hub_error *reterr) {
    if (!hub_node_to_long(node, ret_number) || *ret_number < option->minimum ||
        *ret_number > option->maximum)
        return hub_node_fail(node, reterr, "'%s' must be a number from %lld to %lld (%s)",
                             option->name, (long long)option->minimum,
                             (long long)option->maximum, option->help);
    return HUB_OK;
}

static enum hub_status read_option(const struct hub_node *node, const struct hub_option *option,
                                   struct hub_arena *arena, void *structure,
                                   struct hub_error *reterr) {
    void *member = (char *)structure + option->offset;
    switch (option->kind) {
    case HUB_OPTION_TEXT:
        if (node->kind != HUB_NODE_SCALAR)
            return hub_node_fail(node, reterr, "'%s' must be a text (%s)", option->name,
                                 option->help);
        HUB_TRY(check_secret(node, option, reterr));
        HUB_TRY(expand_option(node, option, arena, (const char **)member, reterr));
        return check_choice(node, option, *(const char **)member, reterr);
    case HUB_OPTION_NUMBER:
        return read_number(node, option, (int64_t *)member, reterr);
    case HUB_OPTION_FLAG:
        if (!hub_node_to_bool(node, (bool *)member))
            return hub_node_fail(node, reterr, "'%s' must be true or false", option->name);
        return HUB_OK;
    case HUB_OPTION_TEXTS:
        return read_texts(node, option, arena, (const char *const **)member, reterr);
    }
    return HUB_FATAL;
}

static void set_initial(const struct hub_option *option, struct hub_arena *arena,
                        void *structure) {
    void *member = (char *)structure + option->offset;
    const char *initial = option->initial;
    switch (option->kind) {
    case HUB_OPTION_TEXT:
        *(const char **)member = initial;
        return;
    case HUB_OPTION_NUMBER:
        *(int64_t *)member = initial == NULL ? 0 : strtoll(initial, NULL, 10);
        return;
    case HUB_OPTION_FLAG:
        *(bool *)member = initial != NULL && strcmp(initial, "true") == 0;
        return;
    case HUB_OPTION_TEXTS:
        *(const char *const **)member = hub_arena_take_zero(arena, 1, sizeof(char *));
        return;
    }
}

enum hub_status hub_options_read(const struct hub_node *node, const struct hub_option *options,
                                 const char *const *also, struct hub_arena *arena,
                                 void *structure, struct hub_error *reterr) {
    const char *known[2 * OPTIONS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; options[i].name != NULL && count < OPTIONS_MAX; i++)
        known[count++] = options[i].name;
    for (size_t i = 0; also != NULL && also[i] != NULL && count < 2 * OPTIONS_MAX; i++)
        known[count++] = also[i];
    known[count] = NULL;
    HUB_TRY(hub_node_check_keys(node, known, reterr));
    for (size_t i = 0; options[i].name != NULL; i++) {
        const struct hub_node *item = hub_node_get(node, options[i].name);
        set_initial(&options[i], arena, structure);
        if (item != NULL)
            HUB_TRY(read_option(item, &options[i], arena, structure, reterr));
        else if (options[i].required)
            return hub_node_fail(node, reterr, "'%s' is missing: %s", options[i].name,
                                 options[i].help);
    }
    return HUB_OK;
}

enum hub_status hub_options_need_secrets(const struct hub_node *node,
                                         const struct hub_option *options,
                                         struct hub_error *reterr) {
    struct hub_arena arena = {0};
    enum hub_status status = HUB_OK;
    for (size_t i = 0; options[i].name != NULL && status == HUB_OK; i++) {
        const struct hub_node *item = hub_node_get(node, options[i].name);
        const char *text = NULL;
        if (item == NULL || !options[i].secret)
            continue;
        bool list = item->kind == HUB_NODE_SEQUENCE;
        for (size_t k = 0; k < (list ? item->count : 1) && status == HUB_OK; k++)
            status = expand(list ? item->items[k] : item, &arena, &text, reterr);
    }
    hub_arena_destroy(&arena);
    return status;
}

void hub_options_describe(const struct hub_option *options, struct hub_buffer *buffer) {
    static const char *const kinds[] = {"text", "number", "true|false", "text or list"};
    for (size_t i = 0; options[i].name != NULL; i++) {
        const struct hub_option *option = &options[i];
        hub_buffer_append_format(buffer, "  %-22s %-13s %s", option->name, kinds[option->kind],
                                 option->help);
        if (option->required)
            hub_buffer_append_text(buffer, " Required.");
        else if (option->initial != NULL)
            hub_buffer_append_format(buffer, " Default %s.", option->initial);
        for (size_t k = 0; option->choices != NULL && option->choices[k] != NULL; k++)
            hub_buffer_append_format(buffer, "%s%s", k == 0 ? " One of " : ", ",
                                     option->choices[k]);
        hub_buffer_append_text(buffer, "\n");
    }
}
