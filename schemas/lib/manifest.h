/* Manifests: what a connector has read of its source and told, so that the hub can compare it with
 * what it holds, and name what is missing, unknown or different.
 *
 * Of each source record there is one item: the latest that was told of it, decided as admit
 * decides, and whether the source still has it. Items are spread over HUB_MANIFEST_PARTS parts by
 * the digest of their key. The topic manifest.<institution> has each part under CONNECTOR/NUMBER,
 * and under CONNECTOR the whole, which has the parts' digests: a part is written again when its
 * digest has changed, together with the whole.
 *
 * Pure; for the connectors and for whoever compares. */
#pragma once

#include "hub/base/memory.h"
#include "schemas/lib/catalogue.h"
#include "schemas/lib/statement.h"

#define HUB_MANIFEST_SUBJECT "manifest"
/* Of an institution, which alone may write it; one partition. */
#define HUB_MANIFEST_TOPIC "manifest.%s"

enum { HUB_MANIFEST_PARTS = 64 };

/* As the symbols of ManifestStanding. */
enum hub_standing { HUB_STATED = 0, HUB_REFUSED, HUB_GONE };

struct hub_said {
    struct hub_stamp stamp; /* its version is the inventory's */
    struct hub_digest digest;
};

struct hub_inventory_item {
    const char *key; /* <system>/<source id>, or ?/... where that could not be told */
    enum hub_standing standing;
    bool is_told; /* what follows was told; else nothing ever was */
    struct hub_said latest;
    struct hub_said last; /* mostly the same; it counts where the hub refused the latest */
    int64_t document;     /* that had it last: a digest of its name; 0: not known */
};

/* Whether the source has it, and what it says now: what somebody who holds all of it holds. */
bool hub_inventory_item_is_in_source(const struct hub_inventory_item *item);

/* --- all of a connector's --- */

struct hub_inventory;

struct hub_inventory *hub_inventory_new(const struct hub_digester *digester);
void hub_inventory_free(struct hub_inventory *inventory); /* NULL is fine */

/* The source has it, and this was told of it, now or before: it is the item, unless what was
 * told already is later. */
void hub_inventory_tell(struct hub_inventory *inventory, const char *key,
                        const struct hub_said *said);
/* From here on what is told and refused stands in the document of this name; NULL: in one that says
 * nothing of where it stands in a look. */
void hub_inventory_begin_document(struct hub_inventory *inventory, const char *name);
/* The source has it, and nothing can be made of what it says. Without a key (NULL) that is only
 * told in a look at the whole source: else nobody would know when it is mended. */
void hub_inventory_refuse(struct hub_inventory *inventory, const char *key);
/* A look at the whole source: what was neither told nor refused in between is gone. */
void hub_inventory_begin_look(struct hub_inventory *inventory);
/* In a look: what stood in the document of this name is there as it was. */
void hub_inventory_keep_document(struct hub_inventory *inventory, const char *name);
/* In a look: the document that has begun is there, and cannot be read. */
void hub_inventory_refuse_document(struct hub_inventory *inventory);
void hub_inventory_end_look(struct hub_inventory *inventory);
/* An item as it is, from elsewhere: of two of one key that which was told later is kept, and
 * what one finds in the source is there. */
void hub_inventory_join(struct hub_inventory *inventory, const struct hub_inventory_item *item);

/* NULL where there is none. */
const struct hub_inventory_item *hub_inventory_find(const struct hub_inventory *inventory,
                                                    const char *key);
/* All, by key. */
void hub_inventory_each(struct hub_inventory *inventory,
                        void (*take)(void *context, const struct hub_inventory_item *item),
                        void *context);

/* --- as records --- */

struct hub_manifest_sum {
    int64_t count;
    struct hub_digest digest; /* of its entries, as they are encoded */
};

/* The entries of a part, encoded, and what they come to. */
void hub_inventory_encode(struct hub_inventory *inventory, unsigned part,
                          struct hub_buffer *entries, struct hub_manifest_sum *ret_sum);
/* Joins the encoded entries of a part, which were accepted by `schema`. */
void hub_inventory_decode(struct hub_inventory *inventory, const struct hub_schema *schema,
                          struct hub_bytes entries);

struct hub_manifest_names {
    const char *connector, *institution, *system, *domain;
};

struct hub_manifest {
    struct hub_manifest_names names;
    bool is_part;
    /* of a part */
    int64_t number;
    struct hub_bytes entries;
    /* of a whole */
    int64_t schema;   /* of the domain: digests that were made in another say nothing */
    int64_t sequence; /* what was told under a higher one is not in it */
    const char *position;
    bool has_look;
    int64_t looked_ms; /* when the whole source was seen last */
    struct hub_manifest_sum sums[HUB_MANIFEST_PARTS];
};

/* Appends a message in the wire format. */
void hub_manifest_encode(const struct hub_schema *schema, const struct hub_manifest *manifest,
                         struct hub_buffer *message);
/* Whether it was written with this schema: digests of parts that were written with another one say
 * nothing, and a connector publishes its manifest anew. */
bool hub_manifest_is_of(const struct hub_schema *schema, struct hub_bytes message);
/* Texts are in the arena, entries in the message. HUB_FATAL where it is none, or has another
 * number of parts. */
HUB_MUST_USE enum hub_status hub_manifest_decode(const struct hub_schema *schema,
                                                 struct hub_bytes message,
                                                 struct hub_arena *arena,
                                                 struct hub_manifest *ret_manifest,
                                                 struct hub_error *reterr);
