/* A page of an Atom feed (RFC 4287) with the links of archived feeds (RFC 5005 section 4). Elements
 * of other namespaces, and of none, are never taken for the feed's own. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <jansson.h>
#include <stdbool.h>

struct hub_atom_entry {
    const char *id, *updated; /* as written */
    struct hub_bytes bytes;   /* the entry, or its content, as a document of its own */
    json_t *facts;            /* {id, updated, published, title, category}; owned by the feed */
};

struct hub_atom_feed {
    const char *prev_archive; /* as written, or NULL where there is none */
    const char *via;          /* where a feed that still grows will be found later, or NULL */
    struct hub_atom_entry *entries; /* the oldest first */
    size_t count;
};

enum { HUB_ATOM_ENTRIES_MAX = 10000 };

/* Lists and texts live in the arena. HUB_RETRY: no XML, as of a page that is being written;
 * HUB_FATAL: XML that is no such feed. */
HUB_MUST_USE enum hub_status hub_atom_read(struct hub_bytes document, bool newest_first,
                                           bool only_content, struct hub_arena *arena,
                                           struct hub_atom_feed *ret_feed,
                                           struct hub_error *reterr);
void hub_atom_free(struct hub_atom_feed *feed);

/* Of the ids and times of all entries, in their order. */
struct hub_digest hub_atom_digest(const struct hub_atom_feed *feed);

/* The facts of a document that is an entry; NULL of any other. The caller frees them. */
json_t *hub_atom_facts_of(struct hub_bytes document);
