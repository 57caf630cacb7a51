/* hubctl replay --to-file: lines of JSON. Each says at its end where the record stands in the archive, and its
 * digest there: the lines alone give the certificate's digest.
 *
 *   {"topic":..., "value":...,"replayed":{"archive":"ORIGIN","index":17,"sha256":"9f86d0..."}} */
#include "hub/ctl/line.h"
#include "hub/ctl/replay.h"

#include "hub/io/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITE_SIZE = 1024 * 1024 };

struct writing {
    const char *path;
    FILE *file; /* NULL: it is not open yet */
    struct hub_buffer lines;
};

static enum hub_status no_file(const struct writing *writing, struct hub_error *reterr) {
    return hub_fail(reterr, errno == ENOSPC || errno == EDQUOT ? HUB_RETRY : HUB_FATAL, "%s: %s",
                    writing->path, strerror(errno));
}

/* --- what an earlier run has written --- */

static bool read_digest(const char *line, size_t size, struct hub_digest *ret_digest) {
    static const char before[] = "\"sha256\":\"", after[] = "\"}}\n";
    size_t hexadecimal = 2 * HUB_DIGEST_SIZE, tail = sizeof before + sizeof after - 2 + hexadecimal;
    if (size < tail || memcmp(line + size - tail, before, sizeof before - 1) != 0 ||
        memcmp(line + size - (sizeof after - 1), after, sizeof after - 1) != 0)
        return false;
    return hub_digest_read(line + size - (sizeof after - 1) - hexadecimal, ret_digest);
}

/* Up to the last whole line: one that was cut in the middle is written again. */
static enum hub_status read_lines(struct writing *writing, FILE *file, struct hub_tally *tally,
                                  uint64_t *ret_size, struct hub_error *reterr) {
    enum hub_status status = HUB_OK;
    char *line = NULL;
    size_t room = 0;
    ssize_t size = 0;
    *ret_size = 0;
    while (status == HUB_OK && (size = getline(&line, &room, file)) > 0 && line[size - 1] == '\n') {
        struct hub_digest digest;
        if (read_digest(line, (size_t)size, &digest))
            hub_tally_add(tally, &digest);
        else
            status = hub_fail(reterr, HUB_REJECT, "%s: line %llu is none of a replay",
                              writing->path, (unsigned long long)tally->count + 1);
        *ret_size += (uint64_t)size;
    }
    if (status == HUB_OK && ferror(file))
        status = no_file(writing, reterr);
    free(line); /* getline's own */
    return status;
}

static enum hub_status read_written(struct writing *writing, struct hub_replayed *ret_written,
                                    struct hub_error *reterr) {
    struct hub_tally tally = {0};
    uint64_t size = 0;
    FILE *file = fopen(writing->path, "re");
    if (file == NULL)
        return errno == ENOENT ? HUB_OK : no_file(writing, reterr);
    enum hub_status status = read_lines(writing, file, &tally, &size, reterr);
    fclose(file);
    *ret_written = (struct hub_replayed){tally.count, hub_tally_digest(&tally)};
    return status == HUB_OK ? hub_file_cut(writing->path, size, reterr) : status;
}

/* --- writing --- */

static enum hub_status flush(struct hub_replaying *replaying, struct hub_error *reterr) {
    struct writing *writing = replaying->state;
    if (writing->file == NULL && (writing->file = fopen(writing->path, "ae")) == NULL)
        return no_file(writing, reterr);
    size_t size = writing->lines.size;
    if (fwrite(writing->lines.data, 1, size, writing->file) != size || fflush(writing->file) != 0)
        return no_file(writing, reterr);
    hub_buffer_clear(&writing->lines);
    return HUB_OK;
}

static enum hub_status write_line(struct hub_replaying *replaying,
                                  const struct hub_archive_record *record,
                                  const struct hub_schema *schema, struct hub_error *reterr) {
    struct writing *writing = replaying->state;
    const struct hub_archived *archived = &record->record;
    char digest[HUB_DIGEST_TEXT_SIZE];
    _Static_assert(sizeof(struct hub_header) == sizeof(struct hub_kafka_header), "the same");
    const struct hub_ctl_record line = {
        .topic = record->leaf.topic,
        .partition = record->leaf.partition,
        .offset = archived->offset,
        .timestamp_ms = archived->timestamp_ms,
        .key = archived->key,
        .schema = schema,
        .body = archived->value,
        .value = archived->value,
        .headers = (const struct hub_kafka_header *)archived->headers,
        .header_count = archived->header_count};
    hub_ctl_line_append(&line, &writing->lines);
    hub_digest_text(&record->leaf.digest, HUB_DIGEST_SIZE, digest);
    hub_buffer_append_text(&writing->lines, ",\"replayed\":{\"archive\":\"");
    hub_buffer_append_text(&writing->lines, record->segment->origin);
    hub_ctl_line_number("\",\"index\":", (int64_t)record->index, &writing->lines);
    hub_buffer_append_text(&writing->lines, ",\"sha256\":\"");
    hub_buffer_append_text(&writing->lines, digest);
    hub_buffer_append_text(&writing->lines, "\"}}\n");
    if (hub_buffer_overflowed(&writing->lines))
        return hub_fail(reterr, HUB_REJECT, "%s-%d@%lld: as JSON it is larger than %d bytes",
                        record->leaf.topic, record->leaf.partition, (long long)archived->offset,
                        HUB_CTL_LINE_SIZE_MAX);
    return writing->lines.size < WRITE_SIZE ? HUB_OK : flush(replaying, reterr);
}

static enum hub_status finish(struct hub_replaying *replaying, struct hub_error *reterr) {
    struct writing *writing = replaying->state;
    HUB_TRY(flush(replaying, reterr));
    return fsync(fileno(writing->file)) == 0 ? HUB_OK : no_file(writing, reterr);
}

static enum hub_status open_file(struct hub_replaying *replaying, struct hub_replayed *ret_written,
                                 struct hub_error *reterr) {
    struct writing *writing = hub_allocate_zero(1, sizeof *writing);
    struct hub_file_facts facts;
    struct hub_error missing;
    replaying->state = writing;
    writing->path = replaying->ctl->to_file;
    writing->lines.size_max = HUB_CTL_LINE_SIZE_MAX + WRITE_SIZE;
    if (replaying->ctl->resume)
        return read_written(writing, ret_written, reterr);
    if (hub_file_facts(writing->path, &facts, &missing) == HUB_OK)
        return hub_fail(reterr, HUB_REJECT, "%s is there already; another name would pass",
                        writing->path);
    return HUB_OK;
}

static void close_file(struct hub_replaying *replaying) {
    struct writing *writing = replaying->state;
    if (writing == NULL)
        return;
    if (writing->file != NULL)
        fclose(writing->file);
    hub_buffer_free(&writing->lines);
    hub_release(writing);
}

const struct hub_replay_target hub_replay_to_file = {open_file, write_line, flush, finish,
                                                     close_file};
