#include "hub/archive/archive.h"

#include "hub/archive/guide.h"
#include "hub/archive/partition_log.h"
#include "hub/base/table.h"
#include "hub/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct log {
    char *name; /* TOPIC-PARTITION */
    char *folder;
    struct hub_partition_log *log;
    int64_t next_offset; /* with what was appended; or -1 */
    bool grew;           /* since it was signed */
    bool told;           /* the roll-up log knows its last checkpoint */
    UT_hash_handle hh;
};

struct hub_archive {
    struct hub_archive_config config;
    int lock;
    struct hub_rollup *rollup;
    struct log *logs;
    uint64_t unsigned_count;
};

/* --- logs --- */

static void free_log(struct log *log) {
    hub_partition_log_close(log->log);
    hub_release(log->name);
    hub_release(log->folder);
    hub_release(log);
}

static enum hub_status open_log(struct hub_archive *archive, const char *name, const char *topic,
                                int32_t partition, struct log **ret_log,
                                struct hub_error *reterr) {
    HUB_SCOPED_BUFFER folder = {0};
    struct log *log = hub_allocate_zero(1, sizeof *log);
    hub_buffer_append_format(&folder, "%s/%s", archive->config.folder, name);
    log->name = hub_copy_text(name);
    log->folder = hub_copy_text(hub_buffer_text(&folder));
    struct hub_partition_log_config config = {.folder = log->folder,
                                              .deployment = archive->config.deployment,
                                              .topic = topic,
                                              .partition = partition,
                                              .private = archive->config.private,
                                              .segment_size_max = archive->config.segment_size_max};
    enum hub_status status = hub_partition_log_open(&config, &log->log, reterr);
    if (status != HUB_OK) {
        free_log(log);
        return status;
    }
    log->next_offset = hub_partition_log_next_offset(log->log);
    HASH_ADD_KEYPTR(hh, archive->logs, log->name, strlen(log->name), log);
    *ret_log = log;
    return HUB_OK;
}

/* NULL, where it is not to be made and there is none. */
static enum hub_status find_log(struct hub_archive *archive, const char *topic, int32_t partition,
                                bool make, struct log **ret_log, struct hub_error *reterr) {
    char name[HUB_TOPIC_SIZE_MAX + 16];
    HUB_SCOPED_BUFFER folder = {0};
    snprintf(name, sizeof name, "%s-%d", topic, partition);
    HASH_FIND_STR(archive->logs, name, *ret_log);
    if (*ret_log != NULL)
        return HUB_OK;
    hub_buffer_append_format(&folder, "%s/%s", archive->config.folder, name);
    if (!make && !hub_file_is_folder(hub_buffer_text(&folder)))
        return HUB_OK;
    return open_log(archive, name, topic, partition, ret_log, reterr);
}

enum hub_status hub_archive_next_offset(struct hub_archive *archive, const char *topic,
                                        int32_t partition, int64_t *ret_offset,
                                        struct hub_error *reterr) {
    struct log *log = NULL;
    HUB_TRY(find_log(archive, topic, partition, /* make= */ false, &log, reterr));
    *ret_offset = log == NULL ? -1 : log->next_offset;
    return HUB_OK;
}

enum hub_status hub_archive_append(struct hub_archive *archive, const char *topic,
                                   int32_t partition, const struct hub_archived *record,
                                   int32_t schema_id, const char *schema_text,
                                   struct hub_error *reterr) {
    struct log *log = NULL;
    HUB_TRY(find_log(archive, topic, partition, /* make= */ true, &log, reterr));
    if (record->offset < log->next_offset)
        return HUB_OK;
    HUB_TRY(hub_partition_log_append(log->log, record, schema_id, schema_text, reterr));
    log->next_offset = record->offset + 1;
    log->grew = true;
    archive->unsigned_count++;
    return HUB_OK;
}

enum hub_status hub_archive_reach(struct hub_archive *archive, const char *topic,
                                  int32_t partition, int64_t offset, struct hub_error *reterr) {
    struct log *log = NULL;
    HUB_TRY(find_log(archive, topic, partition, /* make= */ false, &log, reterr));
    if (log != NULL && offset > log->next_offset)
        log->next_offset = offset;
    return HUB_OK;
}

/* --- signing --- */

static enum hub_status sign_log(struct hub_archive *archive, struct log *log,
                                struct hub_error *reterr) {
    if (log->grew) {
        HUB_TRY(hub_partition_log_sign(log->log, log->next_offset, reterr));
        log->grew = log->told = false;
    }
    if (!log->told)
        HUB_TRY(hub_rollup_tell(archive->rollup, log->folder, reterr));
    log->told = true;
    return HUB_OK;
}

static int by_name(const struct log *a, const struct log *b) {
    return strcmp(a->name, b->name);
}

enum hub_status hub_archive_sign(struct hub_archive *archive, struct hub_error *reterr) {
    HASH_SORT(archive->logs, by_name);
    for (struct log *log = archive->logs; log != NULL; log = log->hh.next)
        HUB_TRY(sign_log(archive, log, reterr));
    HUB_TRY(hub_rollup_sign(archive->rollup, reterr));
    archive->unsigned_count = 0;
    return HUB_OK;
}

struct hub_rollup *hub_archive_rollup(struct hub_archive *archive) {
    return archive->rollup;
}

uint64_t hub_archive_unsigned(const struct hub_archive *archive) {
    return archive->unsigned_count;
}

/* --- opening --- */

static enum hub_status lock_folder(struct hub_archive *archive, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    HUB_TRY(hub_file_make_folder(archive->config.folder, reterr));
    hub_buffer_append_format(&path, "%s/lock", archive->config.folder);
    archive->lock = open(hub_buffer_text(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (archive->lock < 0)
        return hub_fail(reterr, errno == ENOSPC || errno == EDQUOT ? HUB_RETRY : HUB_FATAL, "%s: %s",
                        hub_buffer_text(&path), strerror(errno));
    if (flock(archive->lock, LOCK_EX | LOCK_NB) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: another process writes this archive; one would pass",
                        archive->config.folder);
    return HUB_OK;
}

static enum hub_status open_rollup(struct hub_archive *archive, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER folder = {0};
    hub_buffer_append_format(&folder, "%s/" HUB_ROLLUP_FOLDER, archive->config.folder);
    return hub_rollup_open(hub_buffer_text(&folder), archive->config.deployment,
                           archive->config.private, &archive->rollup, reterr);
}

void hub_archive_close(struct hub_archive *archive) {
    struct log *log = NULL, *next = NULL;
    if (archive == NULL)
        return;
    HASH_ITER(hh, archive->logs, log, next) {
        HASH_DEL(archive->logs, log);
        free_log(log);
    }
    hub_rollup_close(archive->rollup);
    if (archive->lock >= 0)
        close(archive->lock);
    hub_release(archive);
}

enum hub_status hub_archive_open(const struct hub_archive_config *config,
                                 struct hub_archive **ret_archive, struct hub_error *reterr) {
    struct hub_archive *archive = hub_allocate_zero(1, sizeof *archive);
    archive->config = *config;
    archive->lock = -1;
    enum hub_status status = lock_folder(archive, reterr);
    if (status == HUB_OK)
        status = open_rollup(archive, reterr);
    if (status == HUB_OK)
        status = hub_archive_write_guide(config->folder, reterr);
    if (status == HUB_OK)
        *ret_archive = archive;
    else
        hub_archive_close(archive);
    return status;
}
