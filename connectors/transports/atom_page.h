/* One page of an Atom feed on the web. */
#pragma once

#include "connectors/transports/access.h"
#include "connectors/transports/atom_feed.h"

struct hub_atom_asking {
    const char *address;
    bool current; /* the feed's first page, which grows; else it is archived */
    bool newest_first, only_content;
    const char *etag, *modified; /* of the page as it was read, or NULL */
};

struct hub_atom_page {
    const char *address;
    bool current;
    bool changed; /* false: it is as it was read, and nothing below is set */
    struct hub_atom_feed feed;
    const char *prev; /* address of the page before, or NULL */
    const char *home; /* where the page is found later, when it is archived */
    char digest[HUB_DIGEST_TEXT_SIZE]; /* of its entries */
    const char *etag, *modified;
};

/* Everything in the batch's arena. HUB_RETRY, with the batch's retry_after_ms: it is not to be had
 * now, or not whole; HUB_FATAL: a person must look. */
HUB_MUST_USE enum hub_status hub_atom_fetch(struct hub_access *access,
                                            const struct hub_atom_asking *asking,
                                            struct hub_batch *batch,
                                            struct hub_atom_page *ret_page,
                                            struct hub_error *reterr);
void hub_atom_page_free(struct hub_atom_page *page);
