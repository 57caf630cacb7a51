/* The compiled mapping, shared by the files that load and run it. */
#pragma once

#include "connectors/kit/expression.h"
#include "connectors/kit/mapping.h"
#include "connectors/kit/zone.h"

#include <avro.h>

enum map_source { MAP_FROM, MAP_CONSTANT, MAP_FIRST, MAP_JOIN, MAP_PLUS, MAP_REF };
enum { MAP_PLUS_PARTS = 3 }; /* what is added to, the amount and its unit */
enum { MAP_REF_PARTS = 3 };  /* the reference, what a part is called, and what is taken of it */
enum map_else { MAP_ELSE_NONE = 0, MAP_ELSE_REJECT, MAP_ELSE_KEEP, MAP_ELSE_NULL, MAP_ELSE_TEXT };
enum map_pick { MAP_PICK_ALL = 0, MAP_PICK_MIN, MAP_PICK_MAX };
enum map_pseudonym { MAP_PSEUDONYM_NONE = 0, MAP_PSEUDONYM_SHARED, MAP_PSEUDONYM_LOCAL };

struct map_pair {
    const char *from, *to;
};

struct map_table {
    struct map_pair *pairs; /* sorted by `from` */
    size_t count;
};

enum map_ambiguous { MAP_AMBIGUOUS_REJECT = 0, MAP_AMBIGUOUS_EARLIER, MAP_AMBIGUOUS_LATER };

/* The zones that texts have named so far. */
struct map_zones {
    struct hub_arena *arena;
    struct map_zone_named *first;
    size_t count;
};

struct map_time {
    const char *const *formats; /* NULL-ended */
    struct map_zones *zones;    /* for texts that name their own; kept while the mapping is */
    bool has_zone;
    int offset_minutes;
    const struct hub_zone *zone; /* instead of the offset, or NULL */
    enum map_ambiguous ambiguous;
};

/* Documents that were read with the configuration. */
struct map_folder {
    const char *path;
    json_t **trees; /* by the names of their files */
    size_t count;
    struct map_folder *next; /* all folders of the mapping */
};

struct map_index;

struct map_value {
    const struct hub_node *node;
    enum map_source source;
    struct hub_path *path;
    const char *constant;
    struct map_value *parts; /* FIRST, JOIN, PLUS, REF */
    size_t part_count;
    struct map_time *plus_time; /* PLUS: how the first part is read */
    bool ref_is_optional;       /* REF: where nothing is called so, nothing is stated */
    struct map_folder *folder;  /* REF: where the parts are, or NULL for the document at hand */
    struct map_index *index;    /* REF: of the folder */
    const char *with;
    const char *const *absent; /* NULL-ended, or NULL */
    pcre2_code *match;
    const char *split;
    bool fold_case;
    struct map_table *table;
    enum map_else otherwise;
    const char *otherwise_text;
    bool lookup;
    enum map_pseudonym pseudonym;
    enum map_pick pick;
    struct map_time *time;
    bool time_as_text; /* the text becomes ISO 8601, to be compared as a version or key */
    size_t blank_readings; /* for how many a blank keeps what was said; 0: none */
    bool filled; /* it has given something in some run */
    struct map_value *next; /* all values of the mapping */
};

struct map_condition {
    struct map_value *path; /* a bare path */
    bool present, absent;
    const char *const *texts; /* NULL-ended */
    bool negated;
    struct map_condition *next; /* all must hold */
};

enum map_kind {
    MAP_SCALAR,
    MAP_DATE,
    MAP_TIME,
    MAP_ORGANISATION,
    MAP_RECORD,
    MAP_ARRAY,
    MAP_IDENTIFIER,
    MAP_SEALED,
};

struct map_target;

struct map_part {
    size_t field;
    struct map_target *target;
};

struct map_item {
    struct map_value *each; /* a bare path or a split text, or NULL */
    struct map_condition *when;
    struct map_target *target;
};

struct map_identifier {
    const struct hub_scheme *const *schemes; /* tried in this order, NULL-ended */
    bool scan; /* find them in running text */
    struct map_value *value, *issuer, *version;
    struct map_value *except; /* scan: a value that is not meant */
    bool shared;              /* some of the value is a pseudonym of a shared key */
    int relation;
    const struct hub_scheme *else_scheme; /* NULL: what fits nowhere is left out */
    int else_relation;
};

struct map_target {
    const struct hub_node *node;
    enum map_kind kind;
    const struct hub_type *type; /* stated */
    int branch;                  /* of the union around, or -1 */
    int null_branch;             /* or -1 */
    struct map_value *value;
    struct map_value *subject; /* SEALED: whom it is about */
    struct map_part *parts; /* RECORD: one for every field that is mapped */
    size_t part_count;
    struct map_item *items; /* ARRAY */
    size_t item_count;
    struct map_identifier *identifier;
};

struct map_record {
    const struct hub_node *node;
    struct map_value **each; /* the first that leads to any */
    size_t each_count;       /* 0: the document, or each row of a table */
    struct map_condition *when;
    bool instead; /* a variant: tried where the record before it does not hold */
    struct map_value *key;
    size_t key_count;
    struct map_value *version;
    bool tie_position;
    struct map_target *event_time, *recorded_time;
    struct map_condition *withdrawn_when;
    const char *withdrawn_reason;
    size_t group_count; /* parts that the key begins with and that name its group; 0: it has none */
    bool patches;
    bool keeps_blanks; /* some field has `blank` */
    struct map_target *fields; /* RECORD over the domain's record */
};

struct map_skip {
    struct map_condition *when;
    const char *reason;
};

struct hub_mapping {
    struct hub_mapping_config config;
    struct hub_arena *arena;
    struct map_record *records;
    size_t record_count;
    struct map_skip *skips;
    size_t skip_count;
    struct map_value *values; /* all of them, in the order of the configuration */
    struct map_folder *folders;
    struct hub_guard_told told; /* by the documents in them */
    bool seals;
    avro_schema_t schema;
    avro_value_iface_t *iface;
};

/* mapping_load.c */
struct map_loader {
    struct hub_mapping *mapping;
    struct hub_arena *arena;
    struct hub_error *reterr;
    struct map_value *last; /* of the mapping's values */
    const struct hub_node *blank; /* a `blank` that no field has taken yet, or NULL */
};
enum hub_status map_load_condition(struct map_loader *loader, const struct hub_node *node,
                                   struct map_condition **ret_condition);

/* mapping_target_load.c */
enum hub_status map_load_target(struct map_loader *loader, const struct hub_node *node,
                                const struct hub_type *type, struct map_target **ret_target);
/* The parts of a record; `whole`: it is the domain's, whose stamp is not theirs. */
enum hub_status map_load_parts(struct map_loader *loader, const struct hub_node *node,
                               struct map_target *target, bool whole);

/* mapping_variant.c: what `over` says, and what `under` says beside; of `fields` field by field, of
 * `when` both. In the arena, sharing the nodes of both. */
const struct hub_node *map_lay_over(const struct hub_node *under, const struct hub_node *over,
                                    struct hub_arena *arena);

/* mapping_value_load.c: `type` is what the value must fit, or NULL for any text. */
enum hub_status map_load_value(struct map_loader *loader, const struct hub_node *node,
                               const struct hub_type *type, struct map_value *value);
enum hub_status map_load_path(struct map_loader *loader, const struct hub_node *node,
                              struct map_value **ret_value);
enum hub_status map_load_time(struct map_loader *loader, const struct hub_node *node,
                              struct map_time **ret_time);
/* mapping_plus.c */
enum hub_status map_load_plus(struct map_loader *loader, const struct hub_node *node,
                              struct map_value *value);
/* mapping_ref.c: `path` is where the parts are. */
enum hub_status map_load_ref(struct map_loader *loader, const struct hub_node *node,
                             struct map_value *value);
/* mapping_folder.c: each folder is read once. HUB_FATAL where one of its documents cannot be read. */
enum hub_status map_load_folder(struct map_loader *loader, const struct hub_node *node,
                                struct map_folder **ret_folder);
void map_forget_folders(struct map_folder *folder);
/* mapping_blank.c: one that stands where no field of the record takes it is refused. */
enum hub_status map_load_blank(struct map_loader *loader, const struct hub_node *node,
                               struct map_value *value);
enum hub_status map_take_blank(struct map_loader *loader, const struct hub_field *field,
                               const struct map_target *target);
enum hub_status map_refuse_blank(const struct map_loader *loader);
/* A mapping without some of its keys (NULL-ended). In the arena. */
const struct hub_node *map_without(const struct hub_node *node, const char *const *keys,
                                   struct hub_arena *arena);
/* mapping_sealed.c */
enum hub_status map_load_sealed(struct map_loader *loader, const struct hub_node *node,
                                struct map_target *target);
/* mapping_identifier.c */
enum hub_status map_load_identifier(struct map_loader *loader, const struct hub_node *node,
                                    const struct hub_type *type, struct map_target *target);

/* Running. A context is made for every record. */
struct map_run {
    struct hub_mapping *mapping;
    const struct hub_document *document;
    struct hub_arena *arena;
    struct hub_error *reterr;
    const char *code;
    struct hub_buffer path; /* the field being filled */
    size_t nth;             /* of the records with its key in the document, from 0 */
    bool constant;          /* what the value read last gave is the configuration's own text */
    size_t key;             /* of the shared keys, what pseudonyms are made with: 0 is the one in use */
    json_t *scratch;        /* parts of split texts, kept while the record is made */
    avro_value_t *earlier;  /* what it is laid over, or NULL */
    bool patches;
    const char *kept;       /* the reason that tells which blanks keep what was said, or NULL */
    bool *met_null;         /* the scope's */
    const char *statement;  /* the record's key */
    enum hub_status failed; /* as of struct hub_mapped */
    struct hub_sealed_text *sealed;
    size_t sealed_count;
    struct map_index **indexes; /* of the document */
};

struct map_texts {
    const char **items;
    size_t count;
};

/* mapping_value.c: all texts a value gives; HUB_REJECT where a table or a format refuses one. */
enum hub_status map_value_texts(struct map_run *run, struct map_value *value,
                                const struct hub_scope *scope, struct map_texts *ret_texts);
/* The first text, or NULL for absent. */
enum hub_status map_value_text(struct map_run *run, struct map_value *value,
                               const struct hub_scope *scope, const char **ret_text);
/* mapping_plus.c: NULL where a part is absent. */
enum hub_status map_plus_text(struct map_run *run, struct map_value *value,
                              const struct hub_scope *scope, const char **ret_text);
/* As map_value_texts's own list grows: in the arena. */
void map_texts_append(struct map_run *run, struct map_texts *texts, const struct map_texts *more);
/* mapping_ref.c: what the parts that are meant give. */
enum hub_status map_ref_texts(struct map_run *run, struct map_value *value,
                              const struct hub_scope *scope, struct map_texts *ret_texts);
/* mapping_blank.c: whether the field, which is blank, keeps the earlier `value`; notes it in `kept`. */
bool map_blank_keeps(struct map_run *run, const struct map_target *target,
                     const struct hub_field *field, const avro_value_t *value);
void map_forget_indexes(struct map_index *indexes);
bool map_condition_holds(struct map_run *run, struct map_condition *condition,
                         const struct hub_scope *scope);

/* mapping_target.c: fills a slot; `ret_stated` tells whether there was anything. */
enum hub_status map_target_fill(struct map_run *run, const struct map_target *target,
                                const struct hub_scope *scope, avro_value_t *slot,
                                bool *ret_stated);
enum hub_status map_record_fill(struct map_run *run, const struct map_target *target,
                                const struct hub_scope *scope, avro_value_t *record,
                                bool *ret_stated);
enum hub_status map_set_text(struct map_run *run, const struct hub_type *type, const char *text,
                             avro_value_t *slot);
/* Whether the text is a whole number that the type holds: 19.0 is 19, exactly. */
bool map_is_whole_number(const struct hub_type *type, const char *text);
void map_set_default(const struct hub_field *field, avro_value_t *slot);
/* The slot behind a union's branch, or the slot itself. */
void map_enter_branch(avro_value_t *slot, int branch, avro_value_t *ret_inner);
/* mapping_sealed.c */
enum hub_status map_sealed_fill(struct map_run *run, const struct map_target *target,
                                const struct hub_scope *scope, avro_value_t *slot,
                                bool *ret_stated);
/* mapping_identifier.c: appends identifiers to an array. */
enum hub_status map_identifiers_append(struct map_run *run, const struct map_target *target,
                                       const struct hub_scope *scope, avro_value_t *array,
                                       size_t *ret_count);
/* Whether it would give something. A value that cannot be read counts: filling it tells why. */
bool map_identifier_states(struct map_run *run, const struct map_target *target,
                           const struct hub_scope *scope);
enum hub_status map_identifier_fill(struct map_run *run, const struct map_target *target,
                                    const struct hub_scope *scope, avro_value_t *record,
                                    bool *ret_stated);
/* Of the shared keys that were in use before, the next that another pseudonym is to be told under than
 * the one in use gives: sets `key`; false where there is no more, and it is the one in use again. */
bool map_identifier_next_key(struct map_run *run, const struct map_target *target,
                             const struct hub_scope *scope);

/* mapping_time.c */
struct map_instant {
    int64_t milliseconds;
    int offset_minutes;
    int precision; /* 0 day, 1 month, 2 year; of an instant 0 */
    bool clock;    /* it tells a time of day */
};
/* False where the text fits none of the formats. */
bool map_time_read(const struct map_time *time, const char *text, bool need_instant,
                   struct map_instant *ret_instant);
bool map_time_zone(const char *text, int *ret_offset_minutes);
/* What is wrong with a text that cannot be read, in words. In the arena. */
const char *map_time_refusal(const struct map_time *time, struct hub_arena *arena);
/* Whether there is such a format, and whether texts in it may tell their offset themselves. */
bool map_time_is_format(const char *format);
bool map_time_may_tell_offset(const char *format);
/* ISO 8601, as exact as it is known: 2016, 2016-07, 2016-07-06 or an instant in UTC. */
void map_time_append(const struct map_instant *instant, bool whole_instant,
                     struct hub_buffer *buffer);
