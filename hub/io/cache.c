#include "hub/io/cache.h"

#include "hub/base/memory.h"
#include "hub/io/cache_buckets.h"
#include "hub/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT = 6, DATABASES = 4 };
static const size_t MAP_SIZE = (size_t)64 << 30; /* address space, not disk */
static const int64_t AGE_MAX_MS = 7LL * 24 * 3600 * 1000;

bool hub_cache_is_full(int code) {
    return code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT || code == EFBIG;
}

enum hub_status hub_cache_failed(int code, const char *what, struct hub_error *reterr) {
    return hub_fail(reterr, hub_cache_is_full(code) ? HUB_RETRY : HUB_FATAL, "cache: %s: %s", what,
                    mdb_strerror(code));
}

/* 0, or why a file of the folder cannot have that many bytes. */
static int reserve(const char *folder, const char *name, off_t size) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%s/%s", folder, name);
    int descriptor = open(hub_buffer_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return errno;
    int code = posix_fallocate(descriptor, 0, size);
    close(descriptor);
    return code;
}

/* 0, or why there is no room; whether there is is tried, for nobody knows all that limits it. */
static int try_room(const char *folder, off_t size) {
    HUB_SCOPED_BUFFER path = {0};
    int code = reserve(folder, "room", size);
    hub_buffer_append_format(&path, "%s/room", folder);
    unlink(hub_buffer_text(&path));
    return code;
}

bool hub_cache_has_room(const char *folder) {
    enum { ENOUGH_BYTES = 16 * 1024 * 1024 };
    return try_room(folder, ENOUGH_BYTES) == 0;
}

int hub_cache_what_it_was(const struct hub_cache *cache, int code) {
    enum { PROBE_BYTES = 1024 * 1024 };
    int room = code == EIO ? try_room(cache->folder, PROBE_BYTES) : 0;
    return hub_cache_is_full(room) ? room : code;
}

/* --- opening --- */

/* Whether the file has all pages that it speaks of; behind its end the map has none. */
static bool is_whole(const struct hub_cache *cache) {
    HUB_SCOPED_BUFFER path = {0};
    MDB_envinfo info;
    MDB_stat facts;
    struct stat file;
    hub_buffer_append_format(&path, "%s/data.mdb", cache->folder);
    return stat(hub_buffer_text(&path), &file) == 0 &&
           mdb_env_stat(cache->env, &facts) == 0 && mdb_env_info(cache->env, &info) == 0 &&
           (uint64_t)file.st_size >= (uint64_t)(info.me_last_pgno + 1) * facts.ms_psize;
}

/* LMDB has seen pages that cannot be, and ends the process: the next one need not try them again. */
static void on_assertion(MDB_env *env, const char *message) {
    struct hub_cache *cache = mdb_env_get_userctx(env);
    (void)message; /* it prints it */
    hub_cache_busy_condemn(&cache->busy);
}

static void find_pages(struct hub_cache *cache) {
    mdb_filehandle_t descriptor = -1;
    if (mdb_env_get_fd(cache->env, &descriptor) == 0)
        hub_cache_pages_find(&cache->pages, descriptor);
}

/* LMDB writes to its lock file through a map: where the disk has no block for it, that ends in a
 * signal and not in an error. */
static int open_environment(struct hub_cache *cache) {
    enum { LOCK_BYTES = 16 * 1024 };
    const struct {
        const char *name;
        MDB_dbi *dbi;
    } databases[DATABASES] = {{"records", &cache->records},
                              {"facts", &cache->facts},
                              {"hooks", &cache->hooks},
                              {"sums", &cache->sums}};
    MDB_txn *txn = NULL;
    int code = reserve(cache->folder, "lock.mdb", LOCK_BYTES);
    if (code == 0)
        code = mdb_env_create(&cache->env);
    if (code == 0)
        code = mdb_env_set_userctx(cache->env, cache);
    if (code == 0)
        code = mdb_env_set_assert(cache->env, on_assertion);
    if (code == 0)
        code = mdb_env_set_mapsize(cache->env, MAP_SIZE);
    if (code == 0)
        code = mdb_env_set_maxdbs(cache->env, DATABASES);
    if (code == 0) /* a look-up's transaction rests while others are open in its thread */
        code = mdb_env_open(cache->env, cache->folder, MDB_NORDAHEAD | MDB_NOTLS, 0600);
    if (code == 0 && !is_whole(cache))
        code = MDB_CORRUPTED;
    if (code == 0)
        code = mdb_txn_begin(cache->env, NULL, 0, &txn);
    for (size_t i = 0; code == 0 && i < DATABASES; i++)
        code = mdb_dbi_open(txn, databases[i].name, MDB_CREATE, databases[i].dbi);
    if (code == 0)
        find_pages(cache);
    if (code == 0)
        return mdb_txn_commit(txn);
    if (txn != NULL)
        mdb_txn_abort(txn);
    return code;
}

static void close_environment(struct hub_cache *cache) {
    hub_cache_close_look(cache);
    cache->pages = (struct hub_cache_pages){0};
    if (cache->env != NULL)
        mdb_env_close(cache->env);
    cache->env = NULL;
}

static void remove_files(const char *folder) {
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    for (size_t i = 0; i < 2; i++) {
        HUB_SCOPED_BUFFER path = {0};
        hub_buffer_append_format(&path, "%s/%s", folder, names[i]);
        unlink(hub_buffer_text(&path));
    }
}

static const char identity_name[] = "identity"; /* longer than a space's 8 bytes */

/* The identity and the day of birth that this content must have. */
static bool is_ours(struct hub_cache *cache, const char *identity, int64_t now_ms) {
    MDB_txn *txn = NULL;
    MDB_val key = {sizeof identity_name, (void *)identity_name}, value;
    bool ours = false;
    if (mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &txn) != 0)
        return false;
    if (mdb_get(txn, cache->facts, &key, &value) == 0 && value.mv_size > sizeof(int64_t)) {
        int64_t born_ms = 0;
        size_t size = strlen(identity);
        memcpy(&born_ms, value.mv_data, sizeof born_ms);
        ours = value.mv_size == sizeof born_ms + size &&
               memcmp((char *)value.mv_data + sizeof born_ms, identity, size) == 0 &&
               born_ms <= now_ms && now_ms - born_ms <= AGE_MAX_MS;
    }
    mdb_txn_abort(txn);
    return ours;
}

static int write_identity(struct hub_cache *cache, const char *identity, int64_t now_ms) {
    MDB_txn *txn = NULL;
    HUB_SCOPED_BUFFER fact = {0};
    hub_buffer_append(&fact, &now_ms, sizeof now_ms);
    hub_buffer_append_text(&fact, identity);
    MDB_val key = {sizeof identity_name, (void *)identity_name}, value = {fact.size, fact.data};
    int code = mdb_txn_begin(cache->env, NULL, 0, &txn);
    if (code == 0)
        code = mdb_put(txn, cache->facts, &key, &value, 0);
    if (code == 0)
        return mdb_txn_commit(txn);
    if (txn != NULL)
        mdb_txn_abort(txn);
    return code;
}

static int open_ours(struct hub_cache *cache, const char *identity, int64_t now_ms) {
    int code = open_environment(cache);
    return code == 0 && !is_ours(cache, identity, now_ms) ? MDB_INVALID : code;
}

/* Without what is there, which may be what fills the disk. */
static int open_anew(struct hub_cache *cache, const char *identity, int64_t now_ms) {
    close_environment(cache);
    remove_files(cache->folder);
    int code = open_environment(cache);
    return code == 0 ? write_identity(cache, identity, now_ms) : code;
}

enum hub_status hub_cache_open(const char *folder, const char *identity,
                               const struct hub_digester *digester, int64_t now_ms,
                               struct hub_cache **ret_cache, struct hub_error *reterr) {
    HUB_TRY(hub_file_make_folder(folder, reterr));
    struct hub_cache *cache = hub_allocate_zero(1, sizeof *cache);
    HUB_SCOPED_BUFFER whole = {0};
    hub_buffer_append_format(&whole, "format %d, %s", FORMAT, identity);
    const char *text = hub_buffer_text(&whole);
    cache->digester = digester;
    cache->folder = hub_copy_text(folder);
    hub_cache_busy_open(&cache->busy, folder);
    bool deadly = hub_cache_busy_was_deadly(&cache->busy);
    if (hub_cache_mark_clear(folder) || deadly)
        remove_files(folder);
    hub_cache_mark_set(cache->folder);
    int code = open_ours(cache, text, now_ms);
    if (code != 0)
        code = open_anew(cache, text, now_ms);
    hub_cache_mark_clear(cache->folder);
    if (code != 0) {
        code = hub_cache_what_it_was(cache, code);
        hub_cache_close(cache);
        return hub_cache_failed(code, folder, reterr);
    }
    *ret_cache = cache;
    return HUB_OK;
}

void hub_cache_forget(struct hub_cache *cache) {
    hub_cache_noted_clear(&cache->noted);
}

void hub_cache_close(struct hub_cache *cache) {
    if (cache == NULL)
        return;
    hub_cache_noted_free(&cache->noted);
    hub_cache_close_shelves(cache);
    close_environment(cache);
    hub_cache_busy_close(&cache->busy);
    hub_release(cache->folder);
    hub_release(cache);
}

/* --- reading --- */

bool hub_cache_open_stored(MDB_val stored, struct hub_bytes *ret_key,
                           struct hub_bytes *ret_value) {
    struct hub_bytes all = hub_bytes(stored.mv_data, stored.mv_size);
    struct hub_cache_stored head;
    size_t from = sizeof head;
    if (all.size < from)
        return false;
    memcpy(&head, all.data, from);
    uint64_t check = hub_cache_check(hub_bytes_part(all, HUB_CACHE_CHECK_SIZE, all.size));
    if (check != head.check || head.key_size > all.size - from)
        return false;
    *ret_key = hub_bytes_part(all, from, from + head.key_size);
    *ret_value = hub_bytes_part(all, from + head.key_size, all.size);
    return true;
}

struct hub_cache_slot hub_cache_first_slot(const struct hub_cache *cache, const char *space) {
    struct hub_cache_slot slot = {{0}};
    struct hub_digest digest = cache->digester->digest(hub_bytes_of_text(space));
    memcpy(slot.bytes, digest.bytes, HUB_CACHE_SPACE_SIZE);
    return slot;
}

static enum hub_status read_space(struct hub_cache *cache, MDB_txn *txn,
                                  const struct hub_cache_slot *start,
                                  enum hub_status (*take)(void *context, struct hub_bytes key,
                                                          struct hub_bytes value,
                                                          struct hub_error *reterr),
                                  void *context, struct hub_cache_fact *ret_found,
                                  bool *ret_damaged, struct hub_error *reterr) {
    MDB_cursor *cursor = NULL;
    enum hub_status status = HUB_OK;
    MDB_val key = {HUB_CACHE_SLOT_SIZE, (void *)start->bytes}, value;
    const uint8_t *before = NULL;
    int code = mdb_cursor_open(txn, cache->records, &cursor);
    if (code == 0)
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && status == HUB_OK && key.mv_size == HUB_CACHE_SLOT_SIZE &&
           memcmp(key.mv_data, start->bytes, HUB_CACHE_SPACE_SIZE) == 0) {
        struct hub_bytes own_key, own_value;
        *ret_damaged = !hub_cache_in_order(&before, key) ||
                       !hub_cache_open_stored(value, &own_key, &own_value);
        if (*ret_damaged)
            break;
        hub_cache_fact_add(ret_found, key, value);
        status = take(context, own_key, own_value, reterr);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    *ret_damaged |= code != 0 && code != MDB_NOTFOUND;
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return status;
}

void hub_cache_give_up(struct hub_cache *cache) {
    hub_cache_forget(cache);
    cache->given_up = true;
}

void hub_cache_throw_away(struct hub_cache *cache) {
    hub_cache_mark_set(cache->folder); /* first: nobody knows what is still sound in memory */
    hub_cache_give_up(cache);
}

bool hub_cache_keeps(const struct hub_cache *cache) {
    return !cache->given_up;
}

int64_t hub_cache_next(const struct hub_cache *cache, const char *space) {
    struct hub_cache_slot start = hub_cache_first_slot(cache, space);
    struct hub_cache_fact fact = {.next = -1};
    MDB_txn *txn = NULL;
    if (cache->given_up || mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &txn) != 0)
        return -1;
    int code = hub_cache_read_fact(cache, txn, start.bytes, &fact);
    mdb_txn_abort(txn);
    return code == 0 ? fact.next : -1;
}

enum hub_status hub_cache_load(struct hub_cache *cache, const char *space,
                               enum hub_status (*take)(void *context, struct hub_bytes key,
                                                       struct hub_bytes value,
                                                       struct hub_error *reterr),
                               void *context, int64_t *ret_next, struct hub_error *reterr) {
    struct hub_cache_slot start = hub_cache_first_slot(cache, space);
    struct hub_cache_fact fact = {.next = -1}, found = {0};
    MDB_txn *txn = NULL;
    enum hub_status status = HUB_OK;
    *ret_next = -1;
    if (cache->given_up)
        return HUB_OK;
    hub_cache_mark_set(cache->folder);
    int code = mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &txn);
    if (code == 0)
        code = hub_cache_read_fact(cache, txn, start.bytes, &fact);
    bool damaged = code != 0;
    if (fact.next >= 0)
        status = read_space(cache, txn, &start, take, context, &found, &damaged, reterr);
    if (fact.next >= 0 && status == HUB_OK)
        damaged |= found.count != fact.count || found.checks != fact.checks;
    if (txn != NULL)
        mdb_txn_abort(txn);
    hub_cache_mark_clear(cache->folder);
    *ret_next = fact.next;
    if (!damaged)
        return status;
    hub_cache_throw_away(cache); /* nothing is mended in pages that lie */
    return hub_fail(reterr, HUB_RETRY, "cache: %s was damaged and is thrown away", space);
}
