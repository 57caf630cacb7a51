/* Reading topics for people: records decoded, the latest of each key, and what is committed. */
#pragma once

#include "hub/ctl/source.h"

#include <jansson.h>

/* A record with its value decoded by the schema that its frame names. */
struct hub_ctl_record {
    const char *topic;
    int32_t partition;
    int64_t offset, timestamp_ms;
    struct hub_bytes key;
    const struct hub_schema *schema; /* NULL: no value, or none of ours */
    struct hub_bytes body;           /* walked */
    struct hub_bytes value;          /* as it is */
    const struct hub_kafka_header *headers;
    size_t header_count;
};

/* Gives every committed record of a topic, partition by partition; `take` returns false to end.
 * False where it could not be read, which has been said. */
bool hub_ctl_read_topic(struct hub_ctl *ctl, struct hub_source *source, const char *topic,
                        bool (*take)(void *context, const struct hub_ctl_record *record),
                        void *context);

/* The latest record of each key as {topic, partition, offset, key, value}, sorted by key, from all
 * topics that begin with `prefix` (unified.) and belong to --domain where it is given. NULL where
 * Kafka could not be read. */
json_t *hub_ctl_latest(struct hub_ctl *ctl, const char *prefix);

/* The latest unified record of an entity, as above; NULL where there is none, or where Kafka could
 * not be read (then `ret_reached` is false). */
json_t *hub_ctl_entity_find(struct hub_ctl *ctl, const char *id, bool *ret_reached);

/* Appends what people recognise a rendered value by: the domain's hub:label. */
void hub_ctl_label(const struct hub_domain *domain, const json_t *value, struct hub_buffer *label);

/* The value as JSON; NULL where it cannot be read. Owned by the caller. */
json_t *hub_ctl_value(const struct hub_ctl_record *record);

/* Bytes as a JSON text: what they are where that is UTF-8, else in hexadecimal. */
json_t *hub_ctl_text(struct hub_bytes bytes);

/* A table that is filled cell by cell and prints itself. */
struct hub_ctl_table {
    const char *const *head;
    size_t columns, cell_count, cell_capacity;
    char **cells;
};
void hub_ctl_table_cell(struct hub_ctl_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hub_ctl_table_print(const struct hub_ctl_table *table);
/* As -o asks: the table, or a JSON array of its rows: {"topic": "log.trial", "partitions": 1}, the
 * names those of the head in small letters, whole numbers as numbers. */
void hub_ctl_table_show(const struct hub_ctl *ctl, const struct hub_ctl_table *table);
void hub_ctl_table_free(struct hub_ctl_table *table);
