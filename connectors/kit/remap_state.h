/* What connectors/kit/remap.c and connectors/kit/retry.c have in common. */
#pragma once

#include "connectors/kit/remap.h"
#include "hub/base/table.h"
#include "schemas/lib/statement.h"

/* A document, by its bytes. */
struct remap_source {
    UT_hash_handle hh;
    struct hub_digest raw_hash;
    int64_t sequence; /* the last it was read under */
    bool mapped_again, whole;
};

/* Who speaks for a key: the highest version, and of those the last. */
struct remap_voice {
    struct hub_bytes version; /* the source's, without what breaks ties; owned */
    int64_t sequence;
};

struct remap_key {
    UT_hash_handle hh;
    char *text;
    bool published, given, refused;
    bool touched; /* a document that is mapped again says something of it */
    struct remap_voice published_by, given_by;
    int64_t told; /* the sequence in the id of what is published */
    struct hub_digest raw_hash; /* of what is published */
    struct hub_bytes given_body; /* owned */
    char *why;
};

struct hub_remap {
    const struct hub_connector *connector;
    struct hub_known *read;  /* the records as they are read */
    struct hub_known *known; /* those that are in force */
    struct remap_source *sources;
    struct remap_key *keys;
    struct hub_remap_change *changes;
    struct hub_arena arena;
};

/* The document's, which must be in the journal. */
struct remap_source *hub_remap_source(struct hub_remap *remap, struct hub_bytes document);
bool hub_remap_rereads(const struct hub_remap *remap);
/* As the present configuration maps a document; in the arena. */
void hub_remap_map(struct hub_remap *remap, const struct hub_raw_document *document, int64_t next,
                   struct hub_arena *arena, struct hub_outgoing_list *ret_list);
struct hub_stamp hub_remap_stamp(const struct hub_remap *remap, struct hub_bytes body);
int hub_remap_compare(const struct remap_voice *a, const struct remap_voice *b);
/* Whether it is the withdrawal of what a snapshot no longer had. */
bool hub_remap_has_vanished(const struct hub_remap *remap, struct hub_bytes body);
