#include "tests/lib/parsing.h"

#include "tests/lib/cmocka.h"

void parsing_open(struct parsing *parsing, const char *format, const char *options) {
    struct hub_node *node = NULL;
    *parsing = (struct parsing){.format = hub_format_find(format)};
    assert_non_null(parsing->format);
    parsing->options = hub_arena_take_zero(&parsing->arena, 1, parsing->format->options_size);
    if (hub_node_parse(hub_bytes_of_text(options), "options.yaml", &parsing->arena, &node,
                       &parsing->error) != HUB_OK ||
        hub_options_read(node, parsing->format->options, NULL, &parsing->arena, parsing->options,
                         &parsing->error) != HUB_OK ||
        (parsing->format->check != NULL &&
         parsing->format->check(parsing->options, &parsing->error) != HUB_OK))
        fail_msg("%s", parsing->error.text);
}

void parsing_close(struct parsing *parsing) {
    json_decref(parsing->parsed.tree);
    hub_arena_destroy(&parsing->arena);
}

static enum hub_status parse(struct parsing *parsing, struct hub_bytes document) {
    json_decref(parsing->parsed.tree);
    parsing->parsed = (struct hub_parsed){0};
    return parsing->format->parse(parsing->options, document, &parsing->arena, &parsing->parsed,
                                  &parsing->error);
}

void parsing_feed_bytes(struct parsing *parsing, struct hub_bytes document) {
    if (parse(parsing, document) != HUB_OK)
        fail_msg("%s", parsing->error.text);
}

void parsing_feed(struct parsing *parsing, const char *text) {
    parsing_feed_bytes(parsing, hub_bytes_of_text(text));
}

const char *parsing_refusal_of_bytes(struct parsing *parsing, struct hub_bytes document) {
    enum hub_status status = parse(parsing, document);
    if (status != HUB_REJECT)
        fail_msg("REJECT is expected, it is %s", hub_status_name(status));
    return parsing->error.text;
}

const char *parsing_refusal(struct parsing *parsing, const char *text) {
    return parsing_refusal_of_bytes(parsing, hub_bytes_of_text(text));
}
