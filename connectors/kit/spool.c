#include "connectors/kit/spool.h"

#include "connectors/kit/format.h"
#include "connectors/kit/journal_entry.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "hub/io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A file has the document, and what came with it; its number has so many digits. */
enum { FILE_SIZE_MAX = HUB_DOCUMENT_SIZE_MAX + 1024 * 1024, DIGITS = 18, BLOCK_SIZE = 4096 };

#define LOCK_FILE "lock"

struct item {
    int64_t number;
    int64_t size_bytes; /* on the disk */
};

struct hub_spool {
    struct hub_spool_config config;
    struct hub_arena arena;
    const char *folder;
    int lock;
    struct hub_digest key; /* for what is written */
    struct item *items;    /* the first that came first */
    size_t count, capacity, taken;
    int64_t last;      /* number that was given */
    int64_t size_bytes; /* of all items */
    size_t settled;    /* since it was empty */
};

static const char *folder_of(const char *state_folder, const char *name, struct hub_arena *arena) {
    return hub_arena_format(arena, "%s/spool/%s", state_folder, name);
}

static const char *path_of(const struct hub_spool *spool, int64_t number,
                           struct hub_buffer *buffer) {
    hub_buffer_append_format(buffer, "%s/%0*lld", spool->folder, DIGITS, (long long)number);
    return hub_buffer_text(buffer);
}

static int64_t blocks_of(size_t size) {
    return (int64_t)((size + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE);
}

static struct hub_digest key_of(const struct hub_key *key, const struct hub_spool_config *config) {
    HUB_SCOPED_BUFFER purpose = {0};
    hub_buffer_append_format(&purpose, "atmp-hub spool 1/%s/%s", config->name, config->transport);
    return hub_hmac_sha256(key->bytes, hub_buffer_bytes(&purpose));
}

/* --- one file --- */

static enum hub_status find_key(const struct hub_spool *spool, const char *id,
                                struct hub_arena *arena, struct hub_digest *ret_key,
                                struct hub_error *reterr) {
    struct hub_key key;
    *ret_key = spool->key;
    if (strcmp(id, spool->config.keys->journal.id) == 0)
        return HUB_OK;
    HUB_TRY(hub_keys_find(spool->config.keys, HUB_JOURNAL_KEYS, id, arena, &key, reterr));
    *ret_key = key_of(&key, &spool->config);
    return HUB_OK;
}

/* HUB_FATAL where it is not what was written there. The bytes are in the arena, the context is the caller's. */
static enum hub_status read_item(const struct hub_spool *spool, int64_t number,
                                 struct hub_arena *arena, struct hub_journal_entry *ret_entry,
                                 size_t *ret_size, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER name = {0}, bytes = {.size_max = FILE_SIZE_MAX}, plain = {0};
    struct hub_journal_place place;
    struct hub_journal_entry entry = {0};
    struct hub_digest key;
    const char *path = path_of(spool, number, &name);
    if (hub_file_read_unlinked(path, &bytes, reterr) != HUB_OK)
        return HUB_FATAL;
    *ret_size = bytes.size;
    if (!hub_journal_entry_find(hub_buffer_bytes(&bytes), 0, &place) || place.from != 0 ||
        place.to != bytes.size)
        return hub_fail(reterr, HUB_FATAL, "%s: there is no whole document in it", path);
    if (find_key(spool, place.key_id, arena, &key, reterr) != HUB_OK)
        return HUB_FATAL;
    if (!hub_journal_entry_read(hub_buffer_bytes(&bytes), &place, &key, arena, &plain, &entry))
        return hub_fail(reterr, HUB_FATAL, "%s: it is not what this connector and transport "
                        "wrote with that key", path);
    if (entry.sequence != number) {
        json_decref(entry.document.context);
        return hub_fail(reterr, HUB_FATAL, "%s: what is in it is number %lld", path,
                        (long long)entry.sequence);
    }
    struct hub_bytes body = entry.document.bytes;
    entry.document.bytes =
        hub_bytes(hub_arena_text(arena, (const char *)body.data, body.size), body.size);
    *ret_entry = entry;
    return HUB_OK;
}

/* --- what is there --- */

enum kind { OTHER, DOCUMENT, GIVEN_UP, HALF };

/* What has another name is not ours. */
static enum kind kind_of(const char *name, int64_t *ret_number) {
    size_t digits = strspn(name, "0123456789");
    const char *rest = name + digits;
    if (digits != DIGITS)
        return OTHER;
    *ret_number = strtoll(name, NULL, 10);
    return *rest == '\0'                 ? DOCUMENT
           : strcmp(rest, ".lost") == 0 ? GIVEN_UP
           : strcmp(rest, ".tmp") == 0  ? HALF
                                         : OTHER;
}

/* What a crash left half written was never acknowledged. */
static enum hub_status remove_half(const struct hub_spool *spool, const char *name,
                                   struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%s/%s", spool->folder, name);
    if (unlink(hub_buffer_text(&path)) != 0)
        return hub_fail(reterr, HUB_FATAL, "spool: %s: %s", hub_buffer_text(&path),
                        strerror(errno));
    hub_log(HUB_LOG_WARNING, "spool_cut", "%s is removed: a document that was not written to its "
            "end, and not acknowledged", hub_buffer_text(&path));
    return HUB_OK;
}

static void add_item(struct hub_spool *spool, int64_t number, int64_t size_bytes) {
    HUB_GROW(spool->items, spool->count, spool->capacity);
    spool->items[spool->count++] = (struct item){number, size_bytes};
    spool->size_bytes += size_bytes;
}

/* Files go from the first on: behind it, none is missing. */
static enum hub_status list_items(struct hub_spool *spool, struct hub_error *reterr) {
    char **names = NULL;
    size_t count = 0;
    HUB_TRY(hub_file_list(spool->folder, "", &spool->arena, &names, &count, reterr));
    for (size_t i = 0; i < count; i++) {
        int64_t number = 0;
        enum kind kind = kind_of(names[i], &number);
        if (kind == HALF)
            HUB_TRY(remove_half(spool, names[i], reterr));
        if (kind != DOCUMENT && kind != GIVEN_UP)
            continue;
        if (spool->count > 0 && number > spool->last + 1)
            return hub_fail(reterr, HUB_FATAL, "spool: %s: number %lld is missing, a document that "
                            "was acknowledged; an empty file %0*lld.lost says that it is given up",
                            spool->folder, (long long)spool->last + 1, DIGITS,
                            (long long)spool->last + 1);
        spool->last = number > spool->last ? number : spool->last;
        if (kind == DOCUMENT)
            add_item(spool, number, 0);
    }
    return HUB_OK;
}

static enum hub_status check_items(struct hub_spool *spool, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_error first = {0}, why;
    size_t damaged = 0;
    for (size_t i = 0; i < spool->count; i++) {
        struct item *item = &spool->items[i];
        struct hub_journal_entry entry = {0};
        size_t size = 0;
        if (read_item(spool, item->number, &arena, &entry, &size, &why) != HUB_OK &&
            damaged++ == 0)
            first = why;
        json_decref(entry.document.context);
        item->size_bytes = blocks_of(size);
        spool->size_bytes += item->size_bytes;
        hub_arena_reset(&arena);
    }
    hub_arena_destroy(&arena);
    if (damaged == 0)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL, "spool: of %zu documents that were acknowledged %zu cannot "
                    "be read; %s; what is renamed to NUMBER.lost is given up", spool->count,
                    damaged, first.text);
}

static enum hub_status lock_folder(struct hub_spool *spool, struct hub_error *reterr) {
    const char *path = hub_arena_format(&spool->arena, "%s/" LOCK_FILE, spool->folder);
    spool->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (spool->lock < 0)
        return hub_fail(reterr, errno == ENOSPC || errno == EDQUOT ? HUB_RETRY : HUB_FATAL,
                        "spool: %s: %s", path, strerror(errno));
    if (flock(spool->lock, LOCK_EX | LOCK_NB) != 0)
        return hub_fail(reterr, HUB_FATAL, "spool: %s: another process runs this connector; one "
                        "would pass", path);
    return HUB_OK;
}

/* --- opening --- */

static enum hub_status sync_folder(const char *folder, struct hub_error *reterr) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = descriptor >= 0 && fsync(descriptor) == 0;
    int code = errno;
    if (descriptor >= 0)
        close(descriptor);
    return done ? HUB_OK
                : hub_fail(reterr, HUB_FATAL, "spool: %s: %s", folder, strerror(code));
}

/* A folder that is new is safe when those above it are. */
static enum hub_status make_folder(struct hub_spool *spool, struct hub_error *reterr) {
    const char *state_folder = spool->config.state_folder;
    HUB_TRY(hub_file_make_folder(spool->folder, reterr));
    HUB_TRY(sync_folder(hub_arena_format(&spool->arena, "%s/spool", state_folder), reterr));
    return sync_folder(state_folder, reterr);
}

enum hub_status hub_spool_open(const struct hub_spool_config *config,
                               struct hub_spool **ret_spool, struct hub_error *reterr) {
    if (config->keys->journal.id == NULL)
        return hub_fail(reterr, HUB_FATAL, "'while_away: spool' needs a key: a file of 32 random "
                        "bytes in the part 'journal' of the keys folder (--keys) would pass");
    struct hub_spool *spool = hub_allocate_zero(1, sizeof *spool);
    spool->config = *config;
    spool->lock = -1;
    spool->folder = folder_of(config->state_folder, config->name, &spool->arena);
    spool->key = key_of(&config->keys->journal, config);
    enum hub_status status = make_folder(spool, reterr);
    if (status == HUB_OK)
        status = lock_folder(spool, reterr);
    if (status == HUB_OK)
        status = list_items(spool, reterr);
    if (status == HUB_OK)
        status = check_items(spool, reterr);
    if (status != HUB_OK)
        hub_spool_close(spool);
    else
        *ret_spool = spool;
    return status;
}

void hub_spool_close(struct hub_spool *spool) {
    if (spool == NULL)
        return;
    if (spool->lock >= 0)
        close(spool->lock);
    hub_release(spool->items);
    hub_arena_destroy(&spool->arena);
    hub_release(spool);
}

enum hub_status hub_spool_count(const char *state_folder, const char *name, size_t *ret_count,
                                struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char **names = NULL;
    size_t listed = 0, count = 0;
    const char *folder = folder_of(state_folder, name, &arena);
    enum hub_status status = HUB_OK;
    if (hub_file_is_folder(folder))
        status = hub_file_list(folder, "", &arena, &names, &listed, reterr);
    for (size_t i = 0; status == HUB_OK && i < listed; i++) {
        int64_t number = 0;
        count += kind_of(names[i], &number) == DOCUMENT;
    }
    hub_arena_destroy(&arena);
    if (status == HUB_OK)
        *ret_count = count;
    return status;
}

/* --- in and out --- */

enum hub_status hub_spool_append(struct hub_spool *spool, const struct hub_raw_document *document,
                                 struct hub_error *reterr) {
    HUB_SCOPED_BUFFER bytes = {.size_max = SIZE_MAX / 2}, name = {0};
    struct hub_journal_entry entry = {
        .sequence = spool->last + 1,
        .document = {.name = document->name,
                     .bytes = document->bytes,
                     .context = document->context}};
    HUB_TRY(hub_journal_entry_append(&entry, &spool->key, spool->config.keys->journal.id, &bytes,
                                     reterr));
    int64_t size_bytes = blocks_of(bytes.size);
    if (bytes.size > FILE_SIZE_MAX ||
        spool->size_bytes + size_bytes > spool->config.size_max_bytes)
        return hub_fail(reterr, HUB_RETRY, "spool: %s: %lld bytes are there, and %lld more would be "
                        "over the limit of %lld", spool->folder, (long long)spool->size_bytes,
                        (long long)size_bytes, (long long)spool->config.size_max_bytes);
    const char *path = path_of(spool, entry.sequence, &name);
    enum hub_status status = hub_file_write(path, hub_buffer_bytes(&bytes), reterr);
    if (status != HUB_OK) {
        unlink(path); /* it may be there, and only its name not be safe */
        return status;
    }
    spool->last = entry.sequence;
    add_item(spool, entry.sequence, size_bytes);
    return HUB_OK;
}

bool hub_spool_is_empty(const struct hub_spool *spool) {
    return spool->count == 0;
}

enum hub_status hub_spool_take(struct hub_spool *spool, struct hub_arena *arena,
                               struct hub_raw_document *ret_document, bool *ret_some,
                               struct hub_error *reterr) {
    struct hub_journal_entry entry = {0};
    size_t size = 0;
    *ret_some = false;
    if (spool->taken == spool->count)
        return HUB_OK;
    HUB_TRY(read_item(spool, spool->items[spool->taken].number, arena, &entry, &size, reterr));
    spool->taken++;
    *ret_document = entry.document;
    *ret_some = true;
    return HUB_OK;
}

enum hub_status hub_spool_settle(struct hub_spool *spool, size_t count,
                                 struct hub_error *reterr) {
    assert(count <= spool->taken);
    spool->taken = 0;
    if (count == 0)
        return HUB_OK;
    for (size_t i = 0; i < count; i++) {
        HUB_SCOPED_BUFFER name = {0};
        const char *path = path_of(spool, spool->items[i].number, &name);
        if (unlink(path) != 0 && errno != ENOENT)
            return hub_fail(reterr, HUB_FATAL, "spool: %s: %s", path, strerror(errno));
        spool->size_bytes -= spool->items[i].size_bytes;
    }
    spool->count -= count;
    spool->settled += count;
    memmove(spool->items, spool->items + count, spool->count * sizeof *spool->items);
    HUB_TRY(sync_folder(spool->folder, reterr));
    if (spool->count > 0)
        return HUB_OK;
    hub_log(HUB_LOG_INFO, "spool_empty", "%zu documents that were acknowledged while Kafka was away "
            "are in Kafka", spool->settled);
    spool->settled = 0;
    return HUB_OK;
}

void hub_spool_put_back(struct hub_spool *spool) {
    spool->taken = 0;
}
