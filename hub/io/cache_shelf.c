/* Shelves: their facts, and the sums that are in memory while they are open. */
#include "hub/base/memory.h"
#include "hub/io/cache_buckets.h"

#include <assert.h>
#include <string.h>

/* As stored: what is known of the shelf, and a check over it. */
struct stored_shelf {
    uint8_t id[HUB_CACHE_SPACE_SIZE];
    uint8_t tag[HUB_DIGEST_SIZE];
    uint64_t entry_count, near_count;
    struct {
        uint64_t level, check;
    } sums[1 + HUB_CACHE_SHELF_SPACES_MAX]; /* of the buckets, of the spaces */
    uint8_t check[HUB_CACHE_CHECK_SIZE];
};

static void seal(const struct hub_cache *cache, struct stored_shelf *stored) {
    struct hub_digest digest =
        cache->digester->digest(hub_bytes(stored, offsetof(struct stored_shelf, check)));
    memcpy(stored->check, digest.bytes, HUB_CACHE_CHECK_SIZE);
}

static struct stored_shelf pack(const struct hub_cache *cache,
                                const struct hub_cache_shelf *shelf) {
    struct stored_shelf stored = {.entry_count = shelf->entry_count,
                                  .near_count = shelf->near_count};
    memcpy(stored.id, shelf->id, sizeof stored.id);
    memcpy(stored.tag, shelf->tag.bytes, sizeof stored.tag);
    stored.sums[0].level = shelf->buckets.level;
    stored.sums[0].check = shelf->buckets.check;
    for (size_t i = 0; i < shelf->space_count; i++) {
        stored.sums[1 + i].level = shelf->spaces[i].sums.level;
        stored.sums[1 + i].check = shelf->spaces[i].sums.check;
    }
    seal(cache, &stored);
    return stored;
}

/* MDB_NOTFOUND where there is none. */
static int read_stored(const struct hub_cache *cache, MDB_txn *txn,
                       const struct hub_cache_shelf *shelf, struct stored_shelf *ret_stored) {
    MDB_val key = {HUB_CACHE_SPACE_SIZE, (void *)shelf->id}, value;
    int code = mdb_get(txn, cache->facts, &key, &value);
    if (code != 0)
        return code;
    if (value.mv_size != sizeof *ret_stored)
        return MDB_CORRUPTED;
    memcpy(ret_stored, value.mv_data, sizeof *ret_stored);
    struct stored_shelf wanted = *ret_stored;
    memcpy(wanted.id, shelf->id, sizeof wanted.id);
    seal(cache, &wanted);
    return memcmp(&wanted, ret_stored, sizeof wanted) == 0 ? 0 : MDB_CORRUPTED;
}

/* The sums of a space and its fact tell of the same records, though they lie in different pages. */
static int read_summed(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_summed *summed,
                       uint64_t level, uint64_t check) {
    struct hub_cache_fact fact;
    int code = hub_cache_sums_read(txn, cache->sums, summed->id, level, check, &summed->sums);
    if (code == 0)
        code = hub_cache_read_fact(cache, txn, summed->id, &fact);
    if (code != 0)
        return code;
    return hub_cache_sums_total(&summed->sums) == fact.checks ? 0 : MDB_CORRUPTED;
}

static int read_sums(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf,
                     const struct stored_shelf *stored) {
    int code = hub_cache_sums_read(txn, cache->sums, shelf->id, stored->sums[0].level,
                                   stored->sums[0].check, &shelf->buckets);
    for (size_t i = 0; code == 0 && i < shelf->space_count; i++)
        code = read_summed(cache, txn, &shelf->spaces[i], stored->sums[1 + i].level,
                           stored->sums[1 + i].check);
    shelf->entry_count = stored->entry_count;
    shelf->near_count = stored->near_count;
    shelf->is_read = code == 0;
    return code;
}

static void begin_empty(struct hub_cache_shelf *shelf) {
    hub_cache_sums_begin(&shelf->buckets, 0);
    for (size_t i = 0; i < shelf->space_count; i++)
        hub_cache_sums_begin(&shelf->spaces[i].sums, 0);
    shelf->entry_count = shelf->near_count = 0;
    shelf->is_read = true;
}

int hub_cache_read_shelf(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf) {
    struct stored_shelf stored;
    if (shelf->is_read)
        return 0;
    int code = read_stored(cache, txn, shelf, &stored);
    if (code == MDB_NOTFOUND) { /* it was opened, and no checkpoint has succeeded yet */
        begin_empty(shelf);
        return 0;
    }
    return code == 0 ? read_sums(cache, txn, shelf, &stored) : code;
}

int hub_cache_read_shelves(struct hub_cache *cache, MDB_txn *txn) {
    int code = 0;
    for (struct hub_cache_shelf *shelf = cache->shelves; code == 0 && shelf != NULL;
         shelf = shelf->next)
        code = hub_cache_read_shelf(cache, txn, shelf);
    return code;
}

void hub_cache_undo_shelves(struct hub_cache *cache) {
    for (struct hub_cache_shelf *shelf = cache->shelves; shelf != NULL; shelf = shelf->next)
        shelf->is_read = false;
}

static int write_shelf(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf) {
    int code = hub_cache_sums_write(txn, cache->sums, shelf->id, &shelf->buckets);
    for (size_t i = 0; code == 0 && i < shelf->space_count; i++)
        code = hub_cache_sums_write(txn, cache->sums, shelf->spaces[i].id, &shelf->spaces[i].sums);
    if (code != 0)
        return code;
    struct stored_shelf stored = pack(cache, shelf);
    MDB_val key = {HUB_CACHE_SPACE_SIZE, shelf->id}, value = {sizeof stored, &stored};
    return mdb_put(txn, cache->facts, &key, &value, 0);
}

int hub_cache_write_shelves(struct hub_cache *cache, MDB_txn *txn) {
    int code = 0;
    for (struct hub_cache_shelf *shelf = cache->shelves; code == 0 && shelf != NULL;
         shelf = shelf->next)
        code = write_shelf(cache, txn, shelf);
    return code;
}

/* --- spaces --- */

struct hub_cache_shelf *hub_cache_shelf_of(const struct hub_cache *cache, const uint8_t *space,
                                           size_t *ret_topic) {
    for (struct hub_cache_shelf *shelf = cache->shelves; shelf != NULL; shelf = shelf->next)
        for (size_t i = 0; i < shelf->space_count; i++)
            if (memcmp(shelf->spaces[i].id, space, HUB_CACHE_SPACE_SIZE) == 0) {
                *ret_topic = i;
                return shelf;
            }
    return NULL;
}

uint64_t hub_cache_slot_bits(const uint8_t *slot) {
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof bits; i++)
        bits = bits << 8 | slot[HUB_CACHE_SPACE_SIZE + i];
    return bits;
}

static int sum_records(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_summed *summed) {
    MDB_cursor *cursor = NULL;
    MDB_val key = {HUB_CACHE_SPACE_SIZE, summed->id}, value;
    const uint8_t *before = NULL;
    int code = mdb_cursor_open(txn, cache->records, &cursor);
    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && key.mv_size == HUB_CACHE_SLOT_SIZE &&
           memcmp(key.mv_data, summed->id, HUB_CACHE_SPACE_SIZE) == 0) {
        size_t index = hub_cache_sums_index(&summed->sums, hub_cache_slot_bits(key.mv_data));
        hub_cache_sums_add(&summed->sums, index, hub_cache_check_of(key, value));
        code = hub_cache_in_order(&before, key) ? mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
                                                : MDB_CORRUPTED;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

int hub_cache_grow_sums(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_summed *summed,
                        const struct hub_cache_fact *fact) {
    unsigned level = summed->sums.level;
    while (fact->count >> level > HUB_CACHE_SUM_RECORDS && level < HUB_CACHE_SUMS_LEVEL_MAX)
        level++;
    if (level == summed->sums.level)
        return 0;
    hub_cache_sums_begin(&summed->sums, level);
    int code = sum_records(cache, txn, summed);
    if (code != 0)
        return code;
    return hub_cache_sums_total(&summed->sums) == fact->checks ? 0 : MDB_CORRUPTED;
}

/* --- opening --- */

static void set_id(const struct hub_cache *cache, const char *before, const char *name,
                   uint8_t *ret_id) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "%s%s", before, name);
    struct hub_digest digest = cache->digester->digest(hub_buffer_bytes(&text));
    memcpy(ret_id, digest.bytes, HUB_CACHE_SPACE_SIZE);
}

static struct hub_cache_shelf *make_shelf(struct hub_cache *cache, const char *name,
                                          const char *tag, const char *const *spaces,
                                          size_t space_count) {
    struct hub_cache_shelf *shelf = hub_allocate_zero(1, sizeof *shelf);
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "%s#near", name);
    shelf->name = hub_copy_text(name);
    shelf->near_space = hub_copy_text(hub_buffer_text(&text));
    set_id(cache, "shelf ", name, shelf->id);
    hub_buffer_clear(&text);
    hub_buffer_append(&text, tag, strlen(tag) + 1);
    assert(space_count <= HUB_CACHE_SHELF_SPACES_MAX);
    shelf->space_count = space_count;
    for (size_t i = 0; i < space_count; i++) {
        shelf->spaces[i].name = hub_copy_text(spaces[i]);
        set_id(cache, "", spaces[i], shelf->spaces[i].id);
        hub_buffer_append(&text, spaces[i], strlen(spaces[i]) + 1);
    }
    shelf->tag = cache->digester->digest(hub_buffer_bytes(&text));
    return shelf;
}

static void free_sums(struct hub_cache_shelf *shelf) {
    for (size_t i = 0; i < shelf->space_count; i++)
        hub_cache_sums_free(&shelf->spaces[i].sums);
    hub_cache_sums_free(&shelf->buckets);
}

static void free_shelf(struct hub_cache_shelf *shelf) {
    free_sums(shelf);
    for (size_t i = 0; i < shelf->space_count; i++)
        hub_release(shelf->spaces[i].name);
    hub_release(shelf->name);
    hub_release(shelf->near_space);
    hub_release(shelf);
}

static void free_all(struct hub_cache_shelf *first) {
    while (first != NULL) {
        struct hub_cache_shelf *shelf = first;
        first = shelf->next;
        free_shelf(shelf);
    }
}

void hub_cache_close_shelves(struct hub_cache *cache) {
    free_all(cache->shelves);
    free_all(cache->retired);
    cache->shelves = cache->retired = NULL;
}

/* Whether something is known of its spaces. */
static int look_for_spaces(struct hub_cache *cache, MDB_txn *txn,
                           const struct hub_cache_shelf *shelf, bool *ret_any) {
    struct hub_cache_fact fact;
    int code = 0;
    for (size_t i = 0; code == 0 && i < shelf->space_count; i++) {
        code = hub_cache_read_fact(cache, txn, shelf->spaces[i].id, &fact);
        *ret_any |= fact.next >= 0 || fact.count > 0;
    }
    return code;
}

/* Reads it where it stands under its tag; otherwise `ret_rest` tells whether something is in its
 * place. */
static int read_standing(struct hub_cache *cache, struct hub_cache_shelf *shelf, bool *ret_rest) {
    MDB_txn *txn = NULL;
    struct stored_shelf stored;
    int code = mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &txn);
    if (code != 0)
        return code;
    code = read_stored(cache, txn, shelf, &stored);
    *ret_rest = code == 0 && memcmp(stored.tag, shelf->tag.bytes, sizeof stored.tag) != 0;
    if (code == MDB_NOTFOUND)
        code = look_for_spaces(cache, txn, shelf, ret_rest);
    else if (code == 0 && !*ret_rest)
        code = read_sums(cache, txn, shelf, &stored);
    mdb_txn_abort(txn);
    return code;
}

/* Nothing of it is left, but maybe records of spaces that it had under another tag only. */
static int drop_rest(struct hub_cache *cache, struct hub_cache_shelf *shelf) {
    MDB_txn *txn = NULL;
    struct hub_cache_slot near_space = hub_cache_first_slot(cache, shelf->near_space);
    MDB_val key = {HUB_CACHE_SPACE_SIZE, shelf->id};
    hub_cache_rest_look(cache);
    int code = mdb_txn_begin(cache->env, NULL, 0, &txn);
    for (size_t i = 0; code == 0 && i < shelf->space_count; i++) {
        code = hub_cache_delete_space(cache, txn, shelf->spaces[i].id);
        if (code == 0)
            code = hub_cache_delete_all(txn, cache->sums, shelf->spaces[i].id);
    }
    if (code == 0)
        code = hub_cache_delete_space(cache, txn, near_space.bytes);
    if (code == 0)
        code = hub_cache_delete_all(txn, cache->hooks, shelf->id);
    if (code == 0)
        code = hub_cache_delete_all(txn, cache->sums, shelf->id);
    if (code == 0) {
        int gone = mdb_del(txn, cache->facts, &key, NULL);
        code = gone == MDB_NOTFOUND ? 0 : gone;
    }
    if (code == 0)
        return mdb_txn_commit(txn);
    if (txn != NULL)
        mdb_txn_abort(txn);
    return code;
}

static struct hub_cache_shelf *take_out(struct hub_cache *cache, const char *name) {
    struct hub_cache_shelf **at = &cache->shelves;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    struct hub_cache_shelf *shelf = *at;
    if (shelf != NULL)
        *at = shelf->next;
    return shelf;
}

static void put_in(struct hub_cache *cache, struct hub_cache_shelf *shelf) {
    shelf->next = cache->shelves;
    cache->shelves = shelf;
}


static void retire(struct hub_cache *cache, struct hub_cache_shelf *shelf) {
    free_sums(shelf);
    shelf->is_retired = true;
    shelf->next = cache->retired;
    cache->retired = shelf;
}

enum hub_status hub_cache_open_shelf(struct hub_cache *cache, const char *name, const char *tag,
                                     const char *const *spaces, size_t space_count,
                                     struct hub_cache_shelf **ret_shelf,
                                     struct hub_error *reterr) {
    bool rest = false;
    if (cache->given_up)
        return hub_fail(reterr, HUB_RETRY, "cache: it was given up, and %s with it", name);
    struct hub_cache_shelf *open = take_out(cache, name);
    struct hub_cache_shelf *shelf = make_shelf(cache, name, tag, spaces, space_count);
    if (open != NULL && memcmp(&open->tag, &shelf->tag, sizeof open->tag) == 0) {
        free_shelf(shelf);
        put_in(cache, *ret_shelf = open);
        return HUB_OK;
    }
    if (open != NULL)
        retire(cache, open);
    put_in(cache, shelf);
    hub_cache_mark_set(cache->folder);
    int code = read_standing(cache, shelf, &rest);
    if (code == 0 && rest)
        code = drop_rest(cache, shelf);
    hub_cache_mark_clear(cache->folder);
    if (code == 0 && !shelf->is_read)
        begin_empty(shelf);
    *ret_shelf = shelf;
    if (code == 0)
        return HUB_OK;
    hub_cache_throw_away(cache);
    return hub_fail(reterr, HUB_RETRY, "cache: %s: %s; it is thrown away", name,
                    mdb_strerror(code));
}
