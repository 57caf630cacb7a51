/* Checkpoints of the cache: all that was noted, and what it must add up to, in one transaction. */
#include "hub/base/memory.h"
#include "hub/io/cache_buckets.h"

#include <assert.h>
#include <string.h>

void hub_cache_note(struct hub_cache *cache, const char *space, struct hub_bytes key,
                    const struct hub_bytes *parts, size_t part_count) {
    struct hub_cache_slot start = hub_cache_first_slot(cache, space);
    if (!cache->given_up)
        hub_cache_noted_add(&cache->noted, start.bytes, key, parts, part_count, NULL, 0);
}

void hub_cache_note_hooked(struct hub_cache *cache, const struct hub_cache_shelf *shelf,
                           unsigned topic, struct hub_bytes key, const struct hub_bytes *parts,
                           size_t part_count, const struct hub_hook *hooks, size_t hook_count) {
    if (cache->given_up)
        return;
    assert(topic < shelf->space_count);
    if (shelf->is_retired) { /* its hooks would be taken for the other's */
        hub_cache_throw_away(cache);
        return;
    }
    hub_cache_noted_add(&cache->noted, shelf->spaces[topic].id, key, parts, part_count, hooks,
                        hook_count);
}

size_t hub_cache_noted_bytes(const struct hub_cache *cache) {
    return cache->noted.bytes;
}

/* --- records --- */

/* Where the old one is found the new one goes, so that the way to it is gone once. */
int hub_cache_write_record(MDB_cursor *cursor, struct hub_cache_placed *placed,
                           struct hub_cache_fact *fact, struct hub_cache_sums *sums) {
    MDB_val key = {HUB_CACHE_SLOT_SIZE, (void *)placed->slot.bytes}, old;
    MDB_val value = {placed->stored.size, (void *)placed->stored.data};
    uint64_t change = hub_cache_check_of(key, value);
    int code = mdb_cursor_get(cursor, &key, &old, MDB_SET);
    bool there = code == 0;
    if (there) {
        change ^= hub_cache_check_of(key, old);
        hub_cache_fact_take(fact, key, old);
        if (hub_cache_hooks_of(old) == hub_cache_hooks_of(value))
            placed->hook_count = 0; /* they lead to it already */
    } else if (code != MDB_NOTFOUND) {
        return code;
    }
    hub_cache_fact_add(fact, key, value);
    if (sums != NULL)
        hub_cache_sums_add(sums, hub_cache_sums_index(sums, hub_cache_slot_bits(placed->slot.bytes)),
                           change);
    return mdb_cursor_put(cursor, &key, &value, there ? MDB_CURRENT : 0);
}

static int write_records(const struct hub_cache *cache, MDB_txn *txn,
                         struct hub_cache_placed *placed, size_t count,
                         struct hub_cache_fact *fact, struct hub_cache_sums *sums) {
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, cache->records, &cursor);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = hub_cache_write_record(cursor, &placed[i], fact, sums);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return code;
}

/* LMDB keeps the pages that a transaction has changed in a sorted list, and moves half of it for each that it
 * adds: what is written in an inner transaction, whose list is short, joins those before it all at once. */
static int write_within(const struct hub_cache *cache, MDB_txn *txn,
                        struct hub_cache_placed *placed, size_t count,
                        struct hub_cache_fact *fact, struct hub_cache_sums *sums) {
    MDB_txn *inner = NULL;
    int code = mdb_txn_begin(cache->env, txn, 0, &inner);
    if (code == 0)
        code = write_records(cache, inner, placed, count, fact, sums);
    if (code == 0)
        return mdb_txn_commit(inner);
    if (inner != NULL)
        mdb_txn_abort(inner);
    return code;
}

/* Records of one space, after so many. Where the list is full, at 131,071 pages, LMDB makes room in it, but in an
 * inner transaction of those of its own only: once it was, what comes after so many records that they may fill
 * it goes without. */
static int write_space(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_placed *placed,
                       size_t count, size_t before) {
    enum { WITHIN = 512, WITHIN_MAX = 48 * 1024 };
    const uint8_t *space = placed->slot.bytes;
    struct hub_cache_fact fact;
    size_t topic = 0;
    struct hub_cache_shelf *shelf = hub_cache_shelf_of(cache, space, &topic);
    struct hub_cache_summed *summed = shelf == NULL ? NULL : &shelf->spaces[topic];
    struct hub_cache_sums *sums = summed == NULL ? NULL : &summed->sums;
    int code = hub_cache_read_fact(cache, txn, space, &fact);
    for (size_t from = 0, to = 0; code == 0 && from < count; from = to) {
        to = count - from > WITHIN ? from + WITHIN : count;
        code = (cache->is_wide && before + to > WITHIN_MAX ? write_records : write_within)(
            cache, txn, placed + from, to - from, &fact, sums);
    }
    if (code == 0 && summed != NULL)
        code = hub_cache_grow_sums(cache, txn, summed, &fact);
    return code == 0 ? hub_cache_write_fact(cache, txn, space, &fact) : code;
}

static int write_placed(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_placed *placed,
                        size_t count) {
    int code = 0;
    for (size_t from = 0, to = 0; code == 0 && from < count; from = to) {
        while (to < count && memcmp(placed[from].slot.bytes, placed[to].slot.bytes,
                                    HUB_CACHE_SPACE_SIZE) == 0)
            to++;
        code = write_space(cache, txn, placed + from, to - from, from);
    }
    return code;
}

static int write_mark(struct hub_cache *cache, MDB_txn *txn, const struct hub_cache_mark *mark) {
    struct hub_cache_slot start = hub_cache_first_slot(cache, mark->space);
    struct hub_cache_fact fact;
    int code = hub_cache_read_fact(cache, txn, start.bytes, &fact);
    fact.next = mark->next;
    return code == 0 ? hub_cache_write_fact(cache, txn, start.bytes, &fact) : code;
}

/* --- checkpoints --- */

static int write_noted(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_placed *placed) {
    int code = hub_cache_read_shelves(cache, txn);
    if (code == 0)
        code = write_placed(cache, txn, placed, cache->noted.count);
    if (code == 0)
        code = hub_cache_write_hooks(cache, txn, placed, cache->noted.count);
    return code == 0 ? hub_cache_write_shelves(cache, txn) : code;
}

static int write_all(struct hub_cache *cache, struct hub_cache_placed *placed,
                     const struct hub_cache_mark *marks, size_t count) {
    MDB_txn *txn = NULL;
    hub_cache_rest_look(cache);
    int code = mdb_txn_begin(cache->env, NULL, 0, &txn);
    if (code == 0)
        code = write_noted(cache, txn, placed);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = write_mark(cache, txn, &marks[i]);
    if (code == 0)
        return mdb_txn_commit(txn);
    if (txn != NULL)
        mdb_txn_abort(txn);
    return code;
}

/* What became of the cache that had so much noted; `ret_code` is then what it was. */
static void judge(struct hub_cache *cache, size_t noted_bytes, int *ret_code) {
    *ret_code = hub_cache_what_it_was(cache, *ret_code);
    hub_cache_undo_shelves(cache);
    if (!hub_cache_is_full(*ret_code))
        hub_cache_throw_away(cache);
    else if (noted_bytes > HUB_CACHE_NOTED_BYTES_MAX)
        hub_cache_give_up(cache);
}

static int write_checkpoint(struct hub_cache *cache, const struct hub_cache_mark *marks,
                            size_t count) {
    size_t noted_bytes = cache->noted.bytes; /* as whoever wants checkpoints sees it */
    struct hub_cache_placed *placed = hub_cache_noted_place(&cache->noted, cache->digester);
    int code = write_all(cache, placed, marks, count);
    if (code == MDB_TXN_FULL && !cache->is_wide) {
        cache->is_wide = true;
        hub_cache_undo_shelves(cache);
        code = write_all(cache, placed, marks, count);
    }
    if (code == 0)
        hub_cache_forget(cache);
    else
        judge(cache, noted_bytes, &code);
    hub_release(placed);
    hub_cache_pages_let_go(&cache->pages);
    return code;
}

enum hub_status hub_cache_checkpoint(struct hub_cache *cache, const struct hub_cache_mark *marks,
                                     size_t count, struct hub_error *reterr) {
    if (cache->given_up)
        return HUB_OK;
    hub_cache_busy_set(&cache->busy, true);
    int code = write_checkpoint(cache, marks, count);
    hub_cache_busy_written(&cache->busy); /* memory that LMDB spoilt would be told of by now */
    if (code == 0)
        return HUB_OK;
    return hub_cache_failed(code, cache->given_up ? "checkpoint, given up" : "checkpoint", reterr);
}

/* --- dropping --- */

int hub_cache_delete_space(struct hub_cache *cache, MDB_txn *txn, const uint8_t *space) {
    MDB_val key = {HUB_CACHE_SPACE_SIZE, (void *)space};
    int code = hub_cache_delete_all(txn, cache->records, space);
    int gone = code == 0 ? mdb_del(txn, cache->facts, &key, NULL) : code;
    return gone == MDB_NOTFOUND ? 0 : gone;
}

/* The hooks that lead to its records stay. */
static int drop(struct hub_cache *cache, MDB_txn *txn, const uint8_t *space) {
    size_t topic = 0;
    struct hub_cache_shelf *shelf = hub_cache_shelf_of(cache, space, &topic);
    int code = hub_cache_read_shelves(cache, txn);
    if (code == 0)
        code = hub_cache_delete_space(cache, txn, space);
    if (shelf == NULL || code != 0)
        return code;
    hub_cache_sums_begin(&shelf->spaces[topic].sums, 0);
    code = hub_cache_delete_all(txn, cache->sums, space);
    return code == 0 ? hub_cache_write_shelves(cache, txn) : code;
}

void hub_cache_drop(struct hub_cache *cache, const char *space) {
    struct hub_cache_slot start = hub_cache_first_slot(cache, space);
    MDB_txn *txn = NULL;
    hub_cache_busy_set(&cache->busy, true);
    hub_cache_rest_look(cache);
    int code = mdb_txn_begin(cache->env, NULL, 0, &txn);
    if (code == 0)
        code = drop(cache, txn, start.bytes);
    if (code == 0)
        code = mdb_txn_commit(txn);
    else if (txn != NULL)
        mdb_txn_abort(txn);
    if (code != 0)
        hub_cache_throw_away(cache);
    hub_cache_busy_set(&cache->busy, false);
}
