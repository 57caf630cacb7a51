/* The page after a page: a token that it tells, a Link header, or a link of a FHIR Bundle. */
#include "connectors/kit/format.h"
#include "connectors/transports/http_poll.h"
#include "connectors/transports/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool follows_links(const struct http_poll_options *own) {
    return own->next != NULL && (strcmp(own->next, "link") == 0 || strcmp(own->next, "fhir") == 0);
}

static enum hub_status parse_selector(const char *text, const char *option,
                                      struct hub_arena *arena, struct hub_path **ret_path,
                                      struct hub_error *reterr) {
    struct hub_node node = {.kind = HUB_NODE_SCALAR,
                            .file = option,
                            .line = 1,
                            .column = 1,
                            .text = text,
                            .text_size = strlen(text)};
    return hub_path_parse(&node, arena, ret_path, reterr);
}

enum hub_status http_selectors_parse(const struct http_poll_options *own, struct hub_arena *arena,
                                     struct http_selectors *ret_selectors,
                                     struct hub_error *reterr) {
    struct http_selectors selectors = {0};
    bool takes_token = own->next != NULL && !follows_links(own);
    if (takes_token != (own->token_parameter != NULL))
        return hub_fail(reterr, HUB_FATAL, "token_parameter and a next that names a member need "
                        "each other");
    if (own->first_token != NULL && !takes_token)
        return hub_fail(reterr, HUB_FATAL, "first_token needs a token_parameter");
    if (takes_token)
        HUB_TRY(parse_selector(own->next, "next", arena, &selectors.next, reterr));
    if (own->ids != NULL)
        HUB_TRY(parse_selector(own->ids, "ids", arena, &selectors.ids, reterr));
    *ret_selectors = selectors;
    return HUB_OK;
}

enum hub_status http_page_parse(const struct http_poll_options *own, struct hub_bytes body,
                                struct hub_arena *arena, json_t **ret_tree,
                                struct hub_error *reterr) {
    const struct hub_format *format = hub_format_find(own->page_format);
    struct hub_node none = {.kind = HUB_NODE_MAPPING, .file = own->page_format};
    struct hub_parsed parsed = {0};
    void *options = hub_arena_take_zero(arena, 1, format->options_size + 1);
    HUB_TRY(hub_options_read(&none, format->options, NULL, arena, options, reterr));
    HUB_TRY(format->parse(options, body, arena, &parsed, reterr));
    *ret_tree = parsed.tree;
    return HUB_OK;
}

/* A page that says `true` has one after it, and pages are counted. */
static enum hub_status count_on(const char *token, char **ret_token, struct hub_error *reterr) {
    char *end = NULL;
    errno = 0;
    long long number = strtoll(token, &end, 10);
    if (errno != 0 || end == token || *end != '\0' || number >= INT64_MAX)
        return hub_fail(reterr, HUB_FATAL, "a page says that there are more, and its own token is "
                        "'%s'; a whole number would pass", token);
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "%lld", number + 1);
    *ret_token = hub_copy_text(hub_buffer_text(&text));
    return HUB_OK;
}

static enum hub_status find_token(const struct http_poll_options *own,
                                  const struct hub_path *path, const json_t *tree,
                                  const char *token, struct hub_arena *arena, char **ret_token,
                                  struct hub_error *reterr) {
    struct hub_scope scope = {.here = tree};
    const json_t **values = NULL;
    size_t count = 0;
    hub_path_find(path, &scope, arena, &values, &count);
    if (count == 0 || (json_is_false(values[0]) && own->first_token != NULL))
        return HUB_OK;
    if (json_is_true(values[0]) && own->first_token != NULL)
        return count_on(token, ret_token, reterr);
    const char *text = json_is_string(values[0]) || json_is_integer(values[0])
                           ? hub_tree_text(values[0], arena)
                           : NULL;
    if (text == NULL)
        return hub_fail(reterr, HUB_FATAL,
                        "member '%s' of a page is no text or whole number, which a token is",
                        own->next);
    *ret_token = hub_copy_text(text);
    return HUB_OK;
}

/* HL7 FHIR, Bundle.link: the address of the page after this one. */
static const char *fhir_next(const json_t *tree) {
    size_t index;
    json_t *link;
    json_array_foreach(json_object_get(tree, "link"), index, link) {
        const char *relation = json_string_value(json_object_get(link, "relation"));
        if (relation != NULL && strcmp(relation, "next") == 0)
            return json_string_value(json_object_get(link, "url"));
    }
    return NULL;
}

enum hub_status http_page_next(const struct http_poll_options *own,
                               const struct http_selectors *selectors,
                               const struct hub_http_answer *answer, const json_t *tree,
                               const char *address, const char *token, struct hub_arena *arena,
                               struct http_place *next, struct hub_error *reterr) {
    if (selectors->next != NULL)
        return find_token(own, selectors->next, tree, token, arena, &next->token, reterr);
    if (!follows_links(own))
        return HUB_OK;
    char *reference = NULL;
    if (strcmp(own->next, "link") == 0)
        reference = hub_link_next(answer->link);
    else if (fhir_next(tree) != NULL)
        reference = hub_copy_text(fhir_next(tree));
    const char *url = NULL;
    if (reference == NULL)
        return HUB_OK;
    enum hub_status status = hub_http_follow(address, reference, arena, &url, reterr);
    hub_release(reference);
    if (status != HUB_OK)
        return HUB_FATAL;
    next->link = hub_copy_text(url);
    return HUB_OK;
}
