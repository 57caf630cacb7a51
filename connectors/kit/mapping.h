/* The mapping: what of a source document becomes which field of a record. Declared in the
 * connector's YAML, checked against the domain's schema without any data, and then run.
 *
 *   skip: [{when: CONDITION, reason: TEXT}, ...]  what no entry of `records` takes is refused, but
 *                                   for what is skipped here by name; asked of a whole document
 *                                   where no record is found in it
 *   records:                            one entry a kind of record; all of them are tried
 *     - for_each: PATH                  where the records are; without it the document is one; of a
 *                                       list of paths the first that leads to any. Of a table every
 *                                       row is looked through by itself, of a file of messages every
 *                                       message, and what is around a record is that row or message
 *       when: CONDITION
 *       key: [VALUE, ...]               the source's id, joined with /
 *       version: {VALUE, tie: position} orders the versions of one source record
 *       event_time, recorded_time: VALUE with time
 *       withdrawn: {when: CONDITION, reason: TEXT}
 *       replaces: {group: [VALUE, ...]} what the key begins with: what an earlier document had of the
 *                                       group, and the latest has not, is withdrawn
 *       update: patch                   where the document says nothing of a field, the last one's
 *                                       word holds; an explicit null takes it back
 *       fields: {FIELD: TARGET, ...}
 *       variants:                       generations of one source: the first whose `when` holds
 *         - {when: CONDITION, fields: {...}, ...}  is laid over the keys above, field by field
 *
 *   VALUE   PATH, or {from: PATH | value: TEXT | first: [VALUE, ...] | join: [VALUE, ...], with: TEXT
 *           | plus: {to: VALUE, amount: VALUE, unit: VALUE, time: {...}}
 *           | ref: {from: VALUE, among: PATH, by: VALUE, take: VALUE, else: reject | null}}; plus is
 *           the time so much later as rfc3339 has it, of a whole number of s, min, h or d, where all
 *           are there; ref is what `take` gives of the part among PATH that is called as `from` says,
 *           of two the first; with folder: PATH beside `among`, of the parts of the documents that are
 *           there, by their files' names, in the source's own format and not filtered, at most 10,000
 *           and 64 MiB;
 *           with, in this order, absent: [TEXT, ...], match: REGEX (its first group is kept),
 *           split: TEXT, fold: case, table: {FROM: TO} or FILE.csv, else: reject | keep | null |
 *           TEXT, lookup: organisations, pseudonym: shared | local, time: {...}; at the end
 *           pick: min | max, the first or last of several texts by their bytes; and of a field of
 *           the record, which may be left out, blank: {keep: N}: where it is blank, what the last
 *           statement said is kept for N readings, and the reason of the statement tells so
 *   TARGET  of a scalar, a Date, a Time, an Organisation: a VALUE
 *           of a record: {PART: TARGET, ...}
 *           of an array: an item or a list of items; an item is {for_each: PATH, when: CONDITION,
 *           and a TARGET of the elements}; of texts and enums also {each: PATH, ...}
 *           of what is sealed: a VALUE with seal: {subject: VALUE}, whom it is about, as the institution knows
 *           them (connectors/kit/subject.h); without it nothing may stand there, and it may stand nowhere else
 *           of identifiers: items {scheme | classify | scan, value, issuer, version, relation, else};
 *           for_each may be {from: PATH, split: TEXT}; of one that is a pseudonym: shared, under each
 *           of the shared keys that are held (connectors/kit/keys.h) an identifier, the newest first, but
 *           the newest only where the scheme is exclusive; and a link for each. All else, a key of the
 *           record too, has the newest only
 *   CONDITION  {present: PATH}, {absent: PATH}, {path: PATH, in: [TEXT, ...]},
 *           {path: PATH, not_in: [TEXT, ...]}, or a list of these, all of which must hold
 *   time    {formats: [rfc3339 | hl7 | ical | date | partial | strptime's], zone: UTC, +hh:mm or
 *           Continent/City, ambiguous: reject | earlier | later}; the zone is for times without an offset, the last
 *           for those that a clock in Continent/City shows twice */
#pragma once

#include "connectors/kit/format.h"
#include "connectors/kit/guard.h"
#include "connectors/kit/keys.h"
#include "connectors/kit/path.h"
#include "schemas/lib/catalogue.h"

struct hub_mapping;

/* A key of a VALUE. */
struct hub_transform {
    const char *name;
    const char *help;    /* one sentence */
    const char *example; /* a VALUE with it */
};
extern const struct hub_transform hub_transforms[]; /* ended by a NULL name */
/* Keys of an entry of `records`, NULL-ended. */
extern const char *const hub_mapping_record_keys[];

struct hub_mapping_config {
    const struct hub_node *records; /* the `records` node */
    const struct hub_node *skip;    /* the `skip` node, or NULL */
    const char *folder;             /* of the configuration, for tables and folders */
    const struct hub_domain *domain;
    const struct hub_system *system;
    const struct hub_keys *keys; /* for pseudonyms */
    const struct hub_format *format; /* for documents in folders */
    const void *format_options;
    const char *each;            /* the format's: the rows or messages of a document, or NULL */
    bool each_is_whole;          /* a message is a document of its own, a row is not */
    bool accepts_empty;          /* a document without records is fine */
};

/* Tables and folders are read here and never again, so that a document is mapped to the same whenever and
 * wherever it comes; what is saved in a folder later is known to the next that loads the configuration.
 * HUB_FATAL with file, line, column and what would pass. */
HUB_MUST_USE enum hub_status hub_mapping_load(const struct hub_mapping_config *config,
                                              struct hub_arena *arena,
                                              struct hub_mapping **ret_mapping,
                                              struct hub_error *reterr);
void hub_mapping_free(struct hub_mapping *mapping);
/* Whether records depend on what was told before, by `replaces`, `update` or `blank`. */
bool hub_mapping_remembers(const struct hub_mapping *mapping);
/* Whether they are made of it: by `update` or `blank`. */
bool hub_mapping_builds_on_earlier(const struct hub_mapping *mapping);
/* What the documents in folders tell of by words, for the guard. */
struct hub_guard_told hub_mapping_told(const struct hub_mapping *mapping);
/* Whether something is sealed: then no document may leave as it is. */
bool hub_mapping_seals(const struct hub_mapping *mapping);
/* Whether some value becomes a pseudonym, or is sealed. */
bool hub_mapping_uses_keys(const struct hub_mapping *mapping);

/* One document to be mapped. */
struct hub_document {
    const char *name; /* where it was read: a file, an address */
    struct hub_bytes raw;
    const struct hub_parsed *parsed;
    const json_t *context; /* {request: {...}, file: {...}, ...} */
    int64_t sequence;      /* of the document, for `tie: position` */
    struct hub_digest raw_hash, mapping_hash;
    struct hub_hook_set *read; /* as struct hub_scope's, or NULL */
    /* The last record under a key, for `update: patch` and `blank`; no bytes where there was none. NULL: nothing
     * is known of what came before. */
    struct hub_bytes (*earlier)(void *context, const char *key);
    void *earlier_context;
};

/* What is sealed in a record, in clear: for the guard. */
struct hub_sealed_text {
    const char *path, *text;
};

/* One record made of a document, or why none was. */
struct hub_mapped {
    enum hub_status status; /* HUB_OK or HUB_REJECT */
    enum hub_status failed; /* HUB_OK, or why it could not be sealed: that is not the document's fault */
    const char *skipped;    /* why the mapping leaves it out: nothing but `place` is told then */
    struct hub_error error; /* one sentence, no value of the source */
    const char *code;       /* of the closed list, where refused */
    const char *path;       /* the field to blame */
    const char *place;      /* where in the document: "row 17", "element 3" */
    const char *key;        /* <system>/<source id>; NULL where it could not be told */
    const char *group;      /* what its key begins with and `replaces` names, or NULL */
    size_t message;         /* of those in its document, where each is one of its own; else 0 */
    struct hub_bytes body;  /* Avro of the domain's schema, not yet walked */
    struct hub_bytes raw;   /* the record's own bytes in a table, else the document's */
    const struct hub_sealed_text *sealed;
    size_t sealed_count;
    const json_t *element;  /* the part of the document's tree that it is mapped from; NULL: none */
    bool withdrawn;
    bool own_raw; /* raw is the record's own */
    bool held;    /* set by the guard: it must not leave */
};

struct hub_mapped_list {
    struct hub_mapped *items;
    size_t count;
};

/* Maps a document; everything in the arena. Rows that the format could not read are in the list as
 * refused, what no entry of `records` takes is in it as refused or as skipped. */
void hub_mapping_run(struct hub_mapping *mapping, const struct hub_document *document,
                     struct hub_arena *arena, struct hub_mapped_list *ret_list);

/* Calls `unfilled` for every path and table that has given nothing in any run so far. */
void hub_mapping_unfilled(const struct hub_mapping *mapping,
                          void (*unfilled)(void *context, const struct hub_node *node),
                          void *context);
