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
    int64_t get_parallel;
    int64_t interval_ms;
};

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

/* What a page lists and is still to be fetched. */
struct http_list {
    json_t *left;         /* ids; NULL: there is no list in hand */
    json_t *pending_left; /* what is left once the running batch is committed */
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
/* Fetches some of what is left. HUB_RETRY where none of it could be had now. */
HUB_MUST_USE enum hub_status http_list_fetch(struct http_list *list, struct hub_access *access,
                                             const struct http_poll_options *options,
                                             struct hub_batch *batch, struct hub_error *reterr);
/* The batch is safe. True where the list is at its end. */
bool http_list_commit(struct http_list *list);
