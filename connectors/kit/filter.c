#include "connectors/kit/filter.h"

#include "hub/io/child.h"
#include "hub/io/file.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 32, TIMEOUT_MS_MAX = 600000, MEMORY_MB_MIN = 16, MEMORY_MB_MAX = 65536 };

struct filter_options {
    const char *const *run;
    int64_t deadline_ms, memory_mb;
};

const struct hub_option hub_filter_options[] = {
    {.name = "run",
     HUB_TEXTS_OPTION(struct filter_options, run),
     .required = true,
     .help = "The program and its arguments; without a / it is looked for in PATH."},
    {.name = "deadline_ms",
     HUB_NUMBER_OPTION(struct filter_options, deadline_ms),
     .initial = "10000",
     .minimum = 1,
     .maximum = TIMEOUT_MS_MAX,
     .help = "How long it may take for one answer, in milliseconds."},
    {.name = "memory_mb",
     HUB_NUMBER_OPTION(struct filter_options, memory_mb),
     .initial = "512",
     .minimum = MEMORY_MB_MIN,
     .maximum = MEMORY_MB_MAX,
     .help = "How much memory it may have, in megabytes of addresses (RLIMIT_AS)."},
    {0},
};

struct hub_filter {
    struct hub_child_config config;
    struct hub_child *child;
    int64_t deadline_ms;
    int64_t number; /* of the last question */
    const char **files;
};

/* --- loading --- */

/* As `{run: [...]}`, however it is written. */
static const struct hub_node *in_full(const struct hub_node *node, struct hub_arena *arena) {
    if (node->kind == HUB_NODE_MAPPING)
        return node;
    struct hub_node *nodes = hub_arena_take_zero(arena, 3, sizeof *nodes);
    struct hub_node **ends = hub_arena_take_zero(arena, 2, sizeof *ends);
    struct hub_node *full = &nodes[0], *key = &nodes[1], *value = &nodes[2];
    *full = *key = *value = *node;
    *key = (struct hub_node){.kind = HUB_NODE_SCALAR,
                             .file = node->file,
                             .line = node->line,
                             .column = node->column,
                             .text = "run",
                             .text_size = strlen("run")};
    full->kind = HUB_NODE_MAPPING;
    full->count = 1;
    full->keys = &ends[0];
    full->items = &ends[1];
    ends[0] = key;
    ends[1] = value;
    return full;
}

static void list_files(struct hub_filter *filter, const char *folder, struct hub_arena *arena) {
    struct hub_file_facts facts;
    struct hub_error ignored;
    size_t count = 0, words = 0;
    while (filter->config.words[words] != NULL)
        words++;
    filter->files = hub_arena_take_zero(arena, words + 1, sizeof *filter->files);
    for (size_t i = 0; i < words; i++) {
        const char *path = hub_file_resolve(folder, filter->config.words[i], arena);
        if (hub_file_facts(path, &facts, &ignored) == HUB_OK && facts.kind == HUB_FILE_REGULAR)
            filter->files[count++] = path;
    }
}

enum hub_status hub_filter_load(const struct hub_node *node, const char *folder,
                                struct hub_arena *arena, struct hub_filter **ret_filter,
                                struct hub_error *reterr) {
    static const char *const no_others[] = {NULL};
    struct filter_options own = {0};
    struct hub_error inner;
    if (node == NULL)
        return HUB_OK;
    HUB_TRY(hub_options_read(in_full(node, arena), hub_filter_options, no_others, arena, &own, reterr));
    struct hub_filter *filter = hub_allocate_zero(1, sizeof *filter);
    filter->deadline_ms = own.deadline_ms;
    filter->config = (struct hub_child_config){.words = own.run,
                                               .folder = folder,
                                               .memory_bytes = (size_t)own.memory_mb << 20,
                                               .answer_size_max = HUB_DOCUMENT_SIZE_MAX};
    list_files(filter, folder, arena);
    if (own.run[0] == NULL || hub_child_new(&filter->config, &filter->child, &inner) != HUB_OK) {
        const char *why = own.run[0] == NULL ? "a program and its arguments would pass" : inner.text;
        hub_filter_free(filter);
        return hub_node_fail(node, reterr, "filter: %s", why);
    }
    *ret_filter = filter;
    return HUB_OK;
}

void hub_filter_free(struct hub_filter *filter) {
    if (filter == NULL)
        return;
    hub_child_free(filter->child);
    hub_release(filter);
}

const char *const *hub_filter_files(const struct hub_filter *filter) {
    return filter->files;
}

/* --- asking --- */

/* The tree of an answer to the last question; NULL where it is none. */
static json_t *tree_of(const struct hub_filter *filter, const struct hub_buffer *answer) {
    json_t *parsed = json_loadb((const char *)answer->data, answer->size,
                                JSON_REJECT_DUPLICATES, NULL);
    const json_t *number = json_object_get(parsed, "number");
    json_t *tree = json_object_get(parsed, "document");
    if (!json_is_integer(number) || json_integer_value(number) != filter->number)
        tree = NULL;
    json_incref(tree);
    json_decref(parsed);
    return tree;
}

static enum hub_status ask(struct hub_filter *filter, const json_t *tree, json_t **ret_tree,
                           struct hub_error *reterr) {
    HUB_SCOPED_BUFFER answer = {0};
    json_t *question = json_pack("{s:I, s:O}", "number", (json_int_t)++filter->number, "document",
                                 tree);
    char *line = json_dumps(question, JSON_COMPACT);
    json_decref(question);
    if (line == NULL)
        return hub_fail(reterr, HUB_REJECT, "filter: the document cannot be told as JSON");
    enum hub_status status = hub_child_ask(filter->child, hub_bytes_of_text(line),
                                           filter->deadline_ms, &answer, reterr);
    free(line); /* as jansson made it */
    if (status != HUB_OK)
        return hub_fail_at(reterr, HUB_REJECT, "filter");
    *ret_tree = tree_of(filter, &answer);
    if (*ret_tree != NULL)
        return HUB_OK;
    hub_child_stop(filter->child); /* it may be answering something else */
    return hub_fail(reterr, HUB_REJECT,
                    "filter: %s did not answer; a line {\"number\": N, \"document\": ...} with the number "
                    "of the question would pass", filter->config.words[0]);
}

static enum hub_status ask_rows(struct hub_filter *filter, const json_t *rows, json_t *answers,
                                struct hub_error *reterr) {
    size_t i;
    json_t *row, *answer = NULL;
    json_array_foreach(rows, i, row) {
        HUB_TRY(ask(filter, row, &answer, reterr));
        json_array_append_new(answers, answer);
    }
    return HUB_OK;
}

enum hub_status hub_filter_apply(struct hub_filter *filter, struct hub_parsed *parsed,
                                 struct hub_error *reterr) {
    json_t *answer = NULL;
    if (parsed->row_count == 0) {
        HUB_TRY(ask(filter, parsed->tree, &answer, reterr));
        json_decref(parsed->tree);
        parsed->tree = answer;
        return HUB_OK;
    }
    answer = json_array();
    enum hub_status status = ask_rows(filter, json_object_get(parsed->tree, "rows"), answer, reterr);
    if (status == HUB_OK)
        json_object_set(parsed->tree, "rows", answer);
    json_decref(answer);
    return status;
}
