/* Where hubctl reads topics: Kafka, or with --archive an archive of it, of which each record is compared with
 * what was signed as it is read. With --as-of either has only what it had then. */
#pragma once

#include "hub/ctl/ctl.h"
#include "hub/io/kafka.h"

struct hub_source;

/* Opens it, or says why not. */
struct hub_source *hub_ctl_source(struct hub_ctl *ctl);
void hub_source_free(struct hub_source *source); /* NULL is fine */
/* Kafka; NULL of an archive, and of NULL. */
struct hub_reader *hub_source_reader(struct hub_source *source);

/* As hub_reader_read. Of an archive HUB_REJECT where a record is not what was archived. */
HUB_MUST_USE enum hub_status
hub_source_read(struct hub_source *source, const char *topic, int32_t partition, int64_t from,
                int64_t to,
                enum hub_status (*take)(void *context, const struct hub_kafka_record *record,
                                        struct hub_error *reterr),
                void *context, int64_t *ret_next, struct hub_error *reterr);
/* As hub_reader_partition_count and hub_reader_topics; of an archive those of which there is a record. */
HUB_MUST_USE enum hub_status hub_source_partition_count(struct hub_source *source,
                                                        const char *topic, int32_t *ret_count,
                                                        struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_source_topics(struct hub_source *source, struct hub_arena *arena,
                                               char ***ret_names, struct hub_error *reterr);
