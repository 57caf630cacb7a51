/* What a connector has read, as it came, encrypted, at the institution: so that after a mistake in a mapping it can be
 * mapped again (`connector remap`), though its source will not tell it a second time.
 *
 * In STATE/journal/NAME one file for each day of UTC, YYYY-MM-DD, that is only ever appended to. A batch's documents
 * are on the disk before its Kafka transaction begins: what is published is in the journal. Not everything in
 * the journal is published. A batch that failed comes again under the same sequences: an entry ends all before it with
 * its sequence or a higher one, and what is beyond the committed position does not count (struct
 * hub_journal_list).
 *
 * Each file has a key of its own, made of the institution's (part `journal` of the keys folder), the connector's name and
 * the day: a file that was renamed or put elsewhere is not read. */
#pragma once

#include "connectors/kit/journal_entry.h"
#include "connectors/kit/keys.h"
#include "connectors/kit/options.h"

struct hub_journal_options {
    int64_t days; /* so long a file is kept; 0: there is no journal */
};
extern const struct hub_option hub_journal_option_table[];

struct hub_journal_config {
    const char *state_folder, *name; /* of the institution, of the connector */
    const struct hub_keys *keys;
    int64_t days;
};

struct hub_journal;

/* Removes files that are too old, and what a crash has left behind the last entry of today's: the log tells of
 * that. HUB_RETRY on a full disk, else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_journal_open(const struct hub_journal_config *config,
                                              int64_t now_ms, struct hub_journal **ret_journal,
                                              struct hub_error *reterr);
void hub_journal_close(struct hub_journal *journal); /* NULL is fine */

/* The documents of a batch, under sequences that go up from `first`; without documents, that this sequence has none. On
 * the disk when it returns HUB_OK; as it was where it does not. HUB_RETRY on a full disk. */
HUB_MUST_USE enum hub_status hub_journal_append(struct hub_journal *journal,
                                                const struct hub_raw_document *documents,
                                                size_t count, int64_t first, int64_t now_ms,
                                                struct hub_error *reterr);

/* Removes the files of the days before those that are kept; all of them where days is 0. */
HUB_MUST_USE enum hub_status hub_journal_expire(const struct hub_journal_config *config,
                                                int64_t now_ms, struct hub_error *reterr);

/* Gives every entry that can be read, in the order of writing; what `take` is given lasts until it returns. What
 * cannot be read is told in the log with its place, and counted. HUB_FATAL where a file cannot be opened;
 * what `take` says. */
HUB_MUST_USE enum hub_status hub_journal_read(const struct hub_journal_config *config,
                                              enum hub_status (*take)(
                                                  void *context,
                                                  const struct hub_journal_entry *entry,
                                                  struct hub_error *reterr),
                                              void *context, size_t *ret_damaged,
                                              struct hub_error *reterr);

/* Which entries count. */
struct hub_journal_item {
    int64_t sequence;
    int64_t received_ms;
    bool empty;
    struct hub_digest raw_hash;
};
struct hub_journal_list {
    struct hub_journal_item *items; /* by sequence */
    size_t count, capacity;
};
/* Takes what was written next. */
void hub_journal_list_take(struct hub_journal_list *list, const struct hub_journal_item *item);
/* What is beyond the committed position does not count. */
void hub_journal_list_end(struct hub_journal_list *list, int64_t committed);
/* Whether this very entry counts. */
bool hub_journal_list_has(const struct hub_journal_list *list, const struct hub_journal_item *item);
void hub_journal_list_free(struct hub_journal_list *list);
