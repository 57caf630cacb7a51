/* What the parts of http-poll share: http_poll.c goes from page to page, http_asking.c makes what
 * is asked, http_pages.c finds the next page, http_list.c fetches what a page lists, http_place.c
 * keeps where a sweep stands. */
#pragma once

#include "connectors/kit/path.h"
#include "connectors/transports/access.h"
#include "connectors/transports/template.h"

struct http_poll_options {
    const char *url;
    struct hub_access_options access;
    const char *const *parameters;
    const char *body;
    const char *content_type;
    const char *next;
    const char *page_format;
    const char *token_parameter;
    const char *first_token;
    const char *sweep_parameter;
    const char *const *sweep_values;
    const char *ids;
    const char *get;
    const char *get_body;
    int64_t get_parallel;
    int64_t interval_ms;
};

extern const char *const http_page_formats[];

/* Rows of an option table, for a structure with a member of struct http_poll_options: `poll` is the
 * member and a dot, or nothing; `interval` the one between sweeps by default. */
#define HTTP_POLL_OPTIONS(structure, poll, interval)                                               \
    {.name = "url",                                                                                \
     HUB_TEXT_OPTION(structure, poll url),                                                         \
     .required = true,                                                                             \
     .help = "Address of the first page, without the parameters below. Every record tells the "    \
             "address that it came from: a secret belongs in a header."},                          \
    {.name = "parameters",                                                                         \
     HUB_TEXTS_OPTION(structure, poll parameters),                                                 \
     .help = "Query parameters, each name=value; also @request.name. One whose {name} stands in "  \
             "url or body goes there instead; so do the token and the sweep value."},              \
    {.name = "body",                                                                               \
     HUB_TEXT_OPTION(structure, poll body),                                                        \
     .help = "Asks by POST, with this body."},                                                     \
    {.name = "content_type",                                                                       \
     HUB_TEXT_OPTION(structure, poll content_type),                                                \
     .initial = "application/json",                                                                \
     .help = "Of body and get_body: JSON, XML or application/x-www-form-urlencoded."},             \
    {.name = "next",                                                                               \
     HUB_TEXT_OPTION(structure, poll next),                                                        \
     .help = "Path to the next page's token in a page, 'link' for a Link header with rel=\"next\" "\
             "(RFC 8288), or 'fhir' for a Bundle's link; without it an answer is one page."},      \
    {.name = "token_parameter",                                                                    \
     HUB_TEXT_OPTION(structure, poll token_parameter),                                             \
     .help = "Parameter that takes the token."},                                                   \
    {.name = "first_token",                                                                        \
     HUB_TEXT_OPTION(structure, poll first_token),                                                 \
     .help = "The token of the first page; with it a page may say true instead of a token, and "   \
             "pages are counted from it."},                                                        \
    {.name = "page_format",                                                                        \
     HUB_TEXT_OPTION(structure, poll page_format),                                                 \
     .initial = "json",                                                                            \
     .choices = http_page_formats,                                                                 \
     .help = "How a page is read for 'next' and 'ids'."},                                          \
    {.name = "sweep_parameter",                                                                    \
     HUB_TEXT_OPTION(structure, poll sweep_parameter),                                             \
     .help = "Parameter that takes each of sweep_values in turn."},                                \
    {.name = "sweep_values",                                                                       \
     HUB_TEXTS_OPTION(structure, poll sweep_values),                                               \
     .help = "The values of sweep_parameter."},                                                    \
    {.name = "ids",                                                                                \
     HUB_TEXT_OPTION(structure, poll ids),                                                         \
     .help = "Path to the ids in a page, which is then a list and no document: each is fetched by "\
             "'get'. What is gone (404, 410) becomes a dead letter."},                             \
    {.name = "get",                                                                                \
     HUB_TEXT_OPTION(structure, poll get),                                                         \
     .help = "Address of one id's document, from the list's: {id} and {name} of the parameters; "  \
             "'{id}' alone where the list holds addresses."},                                      \
    {.name = "get_body",                                                                           \
     HUB_TEXT_OPTION(structure, poll get_body),                                                    \
     .help = "Fetches one id's document by POST, with this body: {id} and {name} as in 'get', of " \
             "content_type."},                                                                     \
    {.name = "get_parallel",                                                                       \
     HUB_NUMBER_OPTION(structure, poll get_parallel),                                              \
     .initial = "1",                                                                               \
     .minimum = 1,                                                                                 \
     .maximum = HUB_HTTP_PARALLEL_MAX,                                                             \
     .help = "How many documents are fetched at a time."},                                         \
    {.name = "interval_ms",                                                                        \
     HUB_NUMBER_OPTION(structure, poll interval_ms),                                               \
     .initial = interval,                                                                          \
     .minimum = 100,                                                                               \
     .maximum = 86400000,                                                                          \
     .help = "From the end of one sweep to the start of the next, in milliseconds."},              \
    HUB_ACCESS_PACE_OPTION(structure, poll access),                                                \
    HUB_ACCESS_OPTIONS(structure, poll access)

/* Where a sweep stands; rendered as the position. */
struct http_place {
    json_t *validators; /* request without token -> {etag, last_modified} */
    char *token;        /* of the next page, or NULL for the first one */
    char *link;         /* address of the next page, where a link gave it */
    int64_t sweep;      /* index of the sweep value */
    int64_t page;       /* within the value; bounds a service that never ends */
};

void http_place_forget_page(struct http_place *place);
bool http_place_is_first_page(const struct http_place *place);
void http_place_free(struct http_place *place);
struct http_place http_place_copy(const struct http_place *place);
HUB_MUST_USE enum hub_status http_place_load(struct http_place *place, const char *position,
                                             const struct http_poll_options *options,
                                             struct hub_error *reterr);
const char *http_place_render(const struct http_place *place, struct hub_arena *arena);

/* What there is to ask for at a place. */
struct http_asking {
    json_t *request;     /* parameters by name: the context of what comes */
    const char *base;    /* the address of the first page */
    const char *address; /* of this page */
    const char *body;    /* or NULL */
};

/* The caller frees `request`, also after a failure. */
HUB_MUST_USE enum hub_status http_asking_make(const struct http_poll_options *options,
                                              const struct http_place *place,
                                              struct hub_arena *arena,
                                              struct http_asking *ret_asking,
                                              struct hub_error *reterr);
/* Whether what the first page is asked with makes sense; HUB_FATAL. */
HUB_MUST_USE enum hub_status http_asking_check(const struct http_poll_options *options,
                                               struct hub_arena *arena, struct hub_error *reterr);
/* The parameters by name; the caller's. */
json_t *http_parameters(const struct http_poll_options *options);
/* A body of content_type: a text with these values in their places; HUB_FATAL. */
HUB_MUST_USE enum hub_status http_body_make(const struct http_poll_options *options,
                                            const char *text, const json_t *values,
                                            struct hub_arena *arena, const char **ret_body,
                                            struct hub_error *reterr);
/* The token that a place's page goes by; NULL where it has none. */
const char *http_token_of(const struct http_poll_options *options, const struct http_place *place);

/* The selectors of the options. */
struct http_selectors {
    struct hub_path *next; /* NULL: no token is looked for in a page */
    struct hub_path *ids;  /* NULL: pages are the documents */
};
HUB_MUST_USE enum hub_status http_selectors_parse(const struct http_poll_options *options,
                                                  struct hub_arena *arena,
                                                  struct http_selectors *ret_selectors,
                                                  struct hub_error *reterr);

/* A page as a tree, which the caller frees (json_decref). HUB_REJECT where it is none in that
 * format. */
HUB_MUST_USE enum hub_status http_page_parse(const struct http_poll_options *options,
                                             struct hub_bytes body, struct hub_arena *arena,
                                             json_t **ret_tree, struct hub_error *reterr);
/* Where the page after this one is: a token or a link, or neither. `tree` may be NULL, of a page
 * that could not be read. */
HUB_MUST_USE enum hub_status http_page_next(const struct http_poll_options *options,
                                            const struct http_selectors *selectors,
                                            const struct hub_http_answer *answer,
                                            const json_t *tree, const char *address,
                                            const char *token, struct hub_arena *arena,
                                            struct http_place *next, struct hub_error *reterr);

/* What a page lists, or was told of, and is still to be fetched. */
struct http_list {
    /* Ids, as texts; NULL: there is no list in hand. What was told of is an object: `request` has
     * its id and other values, `until` is the time (in milliseconds) at which it is given up where
     * it could not be had. A source that refuses one of these is no reason to stop. */
    json_t *left;
    json_t *pending_left; /* what is left once the running batch is committed */
    size_t put_back;      /* how many of those, the last, could not be had now */
    json_t *request;      /* of the page: its parameters */
    char *address;        /* of the page: where references begin */
    json_t *known;        /* address -> {etag, last_modified} or {gone}; while the session lives */
    json_t *learnt;       /* what the running batch adds to it */
};

void http_list_drop(struct http_list *list);
void http_list_free(struct http_list *list);
/* Takes the ids of a page; they are few enough, or HUB_FATAL. */
HUB_MUST_USE enum hub_status http_list_take(struct http_list *list,
                                            const struct http_selectors *selectors,
                                            const json_t *tree, const char *address,
                                            json_t *request, struct hub_error *reterr);
/* What one id's document is asked for with: a reference from the list's address, and a body or
 * NULL. HUB_FATAL where these values cannot stand there. */
HUB_MUST_USE enum hub_status http_list_ask(const struct http_poll_options *options,
                                           const json_t *request, struct hub_arena *arena,
                                           const char **ret_reference, const char **ret_body,
                                           struct hub_error *reterr);
/* Fetches some of what is left. HUB_RETRY where none of it could be had now: what was asked for is
 * then at the end of `left`. */
HUB_MUST_USE enum hub_status http_list_fetch(struct http_list *list, struct hub_access *access,
                                             const struct http_poll_options *options,
                                             struct hub_batch *batch, struct hub_error *reterr);
/* The batch is safe. True where the list is at its end. */
bool http_list_commit(struct http_list *list);

/* The transport, for one that does more than it. */
struct http_poll {
    const struct http_poll_options *options;
    struct hub_env env;
    struct hub_access access;
    struct http_selectors selectors;
    struct hub_arena arena; /* of the selectors */
    struct http_place place, pending;
    struct http_list list;
    bool continued; /* an interrupted sweep goes on: a whole one follows it at once */
    bool resting;
    int64_t rest_until_ms; /* by the monotonic clock */
    bool pending_rest;
    bool begins_look; /* the next batch that comes does */
    bool looks;       /* the sweep has been whole so far: from its beginning, and no page refused */
};
