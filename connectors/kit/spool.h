/* What came while Kafka was away, and was acknowledged all the same: on this machine's disk, encrypted, until it
 * is in Kafka.
 *
 * In STATE/spool/NAME one file for each document, named by its number: an entry of a journal
 * (connectors/kit/journal_entry.h) under a key made of the journal's. It is written under another name, synced and
 * renamed, and the folder is synced: a file that is there is there to its end. What a crash leaves under the other
 * name was never acknowledged; it is removed, and the log tells of that. Files go when they are settled, the first
 * one first. So a file that is not what was written, or a number that is missing between others, is damage, and
 * for a person: what is renamed to NUMBER.lost is given up.
 *
 * Nothing here knows whether a document that was not settled is in Kafka: whoever takes it does, by the position. No
 * two threads at a time; one process. */
#pragma once

#include "connectors/kit/keys.h"
#include "connectors/kit/transport.h"

struct hub_spool_config {
    const char *state_folder, *name; /* of the institution, of the connector */
    const char *transport; /* its name: what one has written means nothing to another */
    const struct hub_keys *keys;
    int64_t size_max_bytes; /* on the disk, in whole blocks of 4096 */
};

struct hub_spool;

/* Reads all that is there. HUB_FATAL without a key of the journal, where another process has it open, and where
 * something is damaged: all of it is counted, the first is told with its place. HUB_RETRY on a full disk. */
HUB_MUST_USE enum hub_status hub_spool_open(const struct hub_spool_config *config,
                                            struct hub_spool **ret_spool,
                                            struct hub_error *reterr);
void hub_spool_close(struct hub_spool *spool); /* NULL is fine */

/* Name, bytes and context of a document, behind what is there: on the disk when it returns HUB_OK, else not there.
 * HUB_RETRY where there is no room, by size_max_bytes or on the disk. Logs nothing: any thread. */
HUB_MUST_USE enum hub_status hub_spool_append(struct hub_spool *spool,
                                              const struct hub_raw_document *document,
                                              struct hub_error *reterr);
/* Whether everything is settled. */
bool hub_spool_is_empty(const struct hub_spool *spool);
/* The first document that was not taken; its context is the caller's, the rest in the arena. `ret_some` is false
 * where there is none. HUB_FATAL where it is damaged. */
HUB_MUST_USE enum hub_status hub_spool_take(struct hub_spool *spool, struct hub_arena *arena,
                                            struct hub_raw_document *ret_document, bool *ret_some,
                                            struct hub_error *reterr);
/* The first `count` of those that were taken are safe in Kafka, and removed; the others come again. */
HUB_MUST_USE enum hub_status hub_spool_settle(struct hub_spool *spool, size_t count,
                                              struct hub_error *reterr);
/* All that was taken comes again. */
void hub_spool_put_back(struct hub_spool *spool);

/* How many documents are in the spool of a connector that has none open, damaged or not. HUB_FATAL where its folder
 * cannot be read. */
HUB_MUST_USE enum hub_status hub_spool_count(const char *state_folder, const char *name,
                                             size_t *ret_count, struct hub_error *reterr);
