#include "hub/archive/tiles.h"

#include "hub/io/file.h"

#include <string.h>

enum { BUNDLE_SIZE_MAX = HUB_TILE_WIDTH * (2 + HUB_ENTRY_SIZE_MAX) };

/* The last tile of a level, which is not whole, and one that was read. */
struct level {
    struct hub_digest hashes[HUB_TILE_WIDTH];
    unsigned width;
    uint64_t number;
    unsigned safe_width; /* of it as of the last sync */
    struct hub_digest read[HUB_TILE_WIDTH];
    uint64_t read_number;
    bool was_read;
};

struct hub_tiles {
    char *folder;
    const struct hub_digester *digester;
    uint64_t size;
    struct level levels[HUB_TILE_LEVELS];
    struct hub_buffer bundle; /* of entries, not whole */
    unsigned safe_width;      /* of it */
    struct hub_buffer read;   /* a whole bundle that was read, and where its entries begin */
    uint64_t read_number;
    bool was_read;
    size_t starts[HUB_TILE_WIDTH + 1];
    char **partial;           /* folders of partial tiles whose whole is not safe yet */
    size_t partial_count, partial_capacity;
};

/* --- paths --- */

/* Three digits at a time, with an x before all but the last three. */
static void append_number(uint64_t number, struct hub_buffer *path) {
    uint64_t divisor = 1;
    while (number / divisor >= 1000)
        divisor *= 1000;
    for (; divisor > 1; divisor /= 1000)
        hub_buffer_append_format(path, "x%03u/", (unsigned)(number / divisor % 1000));
    hub_buffer_append_format(path, "%03u", (unsigned)(number % 1000));
}

void hub_tile_append_path(int level, uint64_t number, unsigned width, struct hub_buffer *path) {
    if (level == HUB_TILE_ENTRIES)
        hub_buffer_append_text(path, "tile/entries/");
    else
        hub_buffer_append_format(path, "tile/%d/", level);
    append_number(number, path);
    if (width < HUB_TILE_WIDTH)
        hub_buffer_append_format(path, ".p/%u", width);
}

static const char *path_of(const struct hub_tiles *tiles, int level, uint64_t number,
                           unsigned width, struct hub_buffer *path) {
    hub_buffer_clear(path);
    hub_buffer_append_format(path, "%s/", tiles->folder);
    hub_tile_append_path(level, number, width, path);
    return hub_buffer_text(path);
}

/* --- writing --- */

static enum hub_status write_part(struct hub_tiles *tiles, int level, uint64_t number,
                                  unsigned width, struct hub_bytes bytes,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    return hub_file_put(path_of(tiles, level, number, width, &path), bytes, reterr);
}

static struct hub_bytes bytes_of(const struct hub_digest *hashes, unsigned width) {
    return hub_bytes(hashes, width * sizeof *hashes);
}

/* Where a partial one was safe, it is to go when the whole one is. */
static void forget_partial(struct hub_tiles *tiles, int level, uint64_t number,
                           unsigned *safe_width) {
    HUB_SCOPED_BUFFER path = {0};
    if (*safe_width == 0)
        return;
    *safe_width = 0;
    path_of(tiles, level, number, HUB_TILE_WIDTH, &path);
    hub_buffer_append_text(&path, ".p");
    HUB_GROW(tiles->partial, tiles->partial_count, tiles->partial_capacity);
    tiles->partial[tiles->partial_count++] = hub_copy_text(hub_buffer_text(&path));
}

/* The node above `count` nodes, a power of two. */
static struct hub_digest join(const struct hub_digester *digester,
                              const struct hub_digest *hashes, size_t count) {
    if (count == 1)
        return hashes[0];
    struct hub_digest left = join(digester, hashes, count / 2);
    struct hub_digest right = join(digester, hashes + count / 2, count / 2);
    return hub_merkle_node(digester, &left, &right);
}

static enum hub_status push(struct hub_tiles *tiles, int at, struct hub_digest hash,
                            struct hub_error *reterr) {
    for (;; at++) {
        assert(at < HUB_TILE_LEVELS);
        struct level *level = &tiles->levels[at];
        level->hashes[level->width++] = hash;
        if (level->width < HUB_TILE_WIDTH)
            return HUB_OK;
        HUB_TRY(write_part(tiles, at, level->number, HUB_TILE_WIDTH,
                           bytes_of(level->hashes, HUB_TILE_WIDTH), reterr));
        forget_partial(tiles, at, level->number, &level->safe_width);
        hash = join(tiles->digester, level->hashes, HUB_TILE_WIDTH);
        level->number++;
        level->width = 0;
    }
}

enum hub_status hub_tiles_append(struct hub_tiles *tiles, struct hub_bytes entry,
                                 struct hub_error *reterr) {
    uint64_t number = tiles->size / HUB_TILE_WIDTH;
    if (entry.size > HUB_ENTRY_SIZE_MAX)
        return hub_fail(reterr, HUB_REJECT, "an entry of %zu bytes; up to %d would pass",
                        entry.size, HUB_ENTRY_SIZE_MAX);
    hub_buffer_append_byte(&tiles->bundle, (uint8_t)(entry.size >> 8));
    hub_buffer_append_byte(&tiles->bundle, (uint8_t)entry.size);
    hub_buffer_append_bytes(&tiles->bundle, entry);
    tiles->size++;
    if (tiles->size % HUB_TILE_WIDTH == 0) {
        HUB_TRY(write_part(tiles, HUB_TILE_ENTRIES, number, HUB_TILE_WIDTH,
                           hub_buffer_bytes(&tiles->bundle), reterr));
        forget_partial(tiles, HUB_TILE_ENTRIES, number, &tiles->safe_width);
        hub_buffer_clear(&tiles->bundle);
    }
    return push(tiles, 0, hub_merkle_leaf(tiles->digester, entry), reterr);
}

static enum hub_status write_partial(struct hub_tiles *tiles, struct hub_error *reterr) {
    unsigned width = (unsigned)(tiles->size % HUB_TILE_WIDTH);
    if (width > tiles->safe_width)
        HUB_TRY(write_part(tiles, HUB_TILE_ENTRIES, tiles->size / HUB_TILE_WIDTH, width,
                           hub_buffer_bytes(&tiles->bundle), reterr));
    for (int at = 0; at < HUB_TILE_LEVELS; at++) {
        const struct level *level = &tiles->levels[at];
        if (level->width > level->safe_width)
            HUB_TRY(write_part(tiles, at, level->number, level->width,
                               bytes_of(level->hashes, level->width), reterr));
    }
    return HUB_OK;
}

static void remove_partial(struct hub_tiles *tiles) {
    for (size_t i = 0; i < tiles->partial_count; i++) {
        hub_file_remove_folder(tiles->partial[i]);
        hub_release(tiles->partial[i]);
    }
    tiles->partial_count = 0;
}

enum hub_status hub_tiles_sync(struct hub_tiles *tiles, struct hub_error *reterr) {
    HUB_TRY(write_partial(tiles, reterr));
    HUB_TRY(hub_file_sync_all(tiles->folder, reterr));
    tiles->safe_width = (unsigned)(tiles->size % HUB_TILE_WIDTH);
    for (int at = 0; at < HUB_TILE_LEVELS; at++)
        tiles->levels[at].safe_width = tiles->levels[at].width;
    remove_partial(tiles);
    return HUB_OK;
}

/* --- reading --- */

/* The whole one where it is there, though the log of this size had it in part only. */
static enum hub_status read_part(const struct hub_tiles *tiles, int level, uint64_t number,
                                 unsigned width, struct hub_buffer *bytes,
                                 struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    if (width < HUB_TILE_WIDTH &&
        hub_file_read(path_of(tiles, level, number, width, &path), bytes, reterr) == HUB_OK)
        return HUB_OK;
    hub_buffer_clear(bytes);
    return hub_file_read(path_of(tiles, level, number, HUB_TILE_WIDTH, &path), bytes, reterr) ==
                   HUB_OK
               ? HUB_OK
               : HUB_FATAL;
}

static enum hub_status read_tile(const struct hub_tiles *tiles, int level, uint64_t number,
                                 unsigned width, struct hub_digest *ret_hashes,
                                 struct hub_error *reterr) {
    HUB_SCOPED_BUFFER bytes = {.size_max = HUB_TILE_WIDTH * HUB_DIGEST_SIZE};
    HUB_TRY(read_part(tiles, level, number, width, &bytes, reterr));
    size_t size = width * sizeof *ret_hashes;
    if (bytes.size != size && bytes.size != HUB_TILE_WIDTH * sizeof *ret_hashes)
        return hub_fail(reterr, HUB_FATAL, "%s: tile %llu of level %d has %zu bytes; %zu would pass",
                        tiles->folder, (unsigned long long)number, level, bytes.size, size);
    memcpy(ret_hashes, bytes.data, size);
    return HUB_OK;
}

static bool take_entry(struct hub_cursor *cursor, struct hub_bytes *ret_entry) {
    uint8_t high = 0, low = 0;
    return hub_cursor_byte(cursor, &high) && hub_cursor_byte(cursor, &low) &&
           hub_cursor_take(cursor, (uint64_t)high << 8 | low, ret_entry);
}

/* The part of a bundle that its first `width` entries are; false where it has fewer. */
static bool cut_bundle(struct hub_bytes bundle, unsigned width, struct hub_bytes *ret_part,
                       struct hub_bytes *ret_last) {
    struct hub_cursor cursor = hub_cursor(bundle);
    for (unsigned i = 0; i < width; i++)
        if (!take_entry(&cursor, ret_last))
            return false;
    *ret_part = hub_bytes_part(bundle, 0, cursor.position);
    return true;
}

static enum hub_status read_bundle(const struct hub_tiles *tiles, uint64_t number, unsigned width,
                                   struct hub_buffer *bytes, struct hub_error *reterr) {
    bytes->size_max = BUNDLE_SIZE_MAX;
    return read_part(tiles, HUB_TILE_ENTRIES, number, width, bytes, reterr);
}

static enum hub_status no_bundle(const struct hub_tiles *tiles, uint64_t number,
                                 struct hub_error *reterr) {
    return hub_fail(reterr, HUB_FATAL, "%s: bundle %llu of entries is cut or damaged",
                    tiles->folder, (unsigned long long)number);
}

static const struct hub_digest *keep_tile(struct hub_tiles *tiles, int at, uint64_t number) {
    struct level *level = &tiles->levels[at];
    struct hub_error error;
    level->was_read = number < level->number &&
                      read_tile(tiles, at, number, HUB_TILE_WIDTH, level->read, &error) == HUB_OK;
    level->read_number = number;
    return level->was_read ? level->read : NULL;
}

static const struct hub_digest *find_tile(struct hub_tiles *tiles, int at, uint64_t number) {
    const struct level *level = &tiles->levels[at];
    if (number == level->number)
        return level->hashes;
    if (level->was_read && level->read_number == number)
        return level->read;
    return keep_tile(tiles, at, number);
}

static bool node_of(void *tiles_, unsigned level, uint64_t index, struct hub_digest *ret_digest) {
    struct hub_tiles *tiles = tiles_;
    int at = (int)(level / HUB_TILE_LEVELS);
    size_t count = (size_t)1 << level % HUB_TILE_LEVELS;
    uint64_t first = index * count;
    size_t place = (size_t)(first % HUB_TILE_WIDTH);
    if (at >= HUB_TILE_LEVELS || first + count > tiles->size >> 8 * at)
        return false;
    const struct hub_digest *hashes = find_tile(tiles, at, first / HUB_TILE_WIDTH);
    if (hashes == NULL)
        return false;
    *ret_digest = join(tiles->digester, hashes + place, count);
    return true;
}

struct hub_merkle_tree hub_tiles_tree(struct hub_tiles *tiles) {
    return (struct hub_merkle_tree){tiles->digester, node_of, tiles};
}

struct hub_digest hub_tiles_root(struct hub_tiles *tiles) {
    struct hub_merkle_tree tree = hub_tiles_tree(tiles);
    struct hub_digest root;
    bool had = hub_merkle_root(&tree, tiles->size, &root);
    assert(had);
    return root;
}

uint64_t hub_tiles_size(const struct hub_tiles *tiles) {
    return tiles->size;
}

/* Where its entries begin; the last is where it ends. */
static bool find_starts(struct hub_tiles *tiles) {
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&tiles->read));
    struct hub_bytes entry;
    for (unsigned i = 0; i < HUB_TILE_WIDTH; i++) {
        tiles->starts[i] = cursor.position;
        if (!take_entry(&cursor, &entry))
            return false;
    }
    tiles->starts[HUB_TILE_WIDTH] = cursor.position;
    return hub_cursor_left(&cursor) == 0;
}

/* The bundle is kept: entries are asked for one after the other. */
static enum hub_status keep_bundle(struct hub_tiles *tiles, uint64_t number,
                                   struct hub_error *reterr) {
    if (tiles->was_read && tiles->read_number == number)
        return HUB_OK;
    tiles->was_read = false;
    hub_buffer_clear(&tiles->read);
    HUB_TRY(read_bundle(tiles, number, HUB_TILE_WIDTH, &tiles->read, reterr));
    if (!find_starts(tiles))
        return no_bundle(tiles, number, reterr);
    tiles->was_read = true;
    tiles->read_number = number;
    return HUB_OK;
}

enum hub_status hub_tiles_entry(struct hub_tiles *tiles, uint64_t index,
                                struct hub_buffer *buffer, struct hub_error *reterr) {
    uint64_t number = index / HUB_TILE_WIDTH;
    unsigned place = (unsigned)(index % HUB_TILE_WIDTH);
    struct hub_bytes part, entry = {0};
    assert(index < tiles->size);
    if (number < tiles->size / HUB_TILE_WIDTH) {
        HUB_TRY(keep_bundle(tiles, number, reterr));
        entry = hub_bytes_part(hub_buffer_bytes(&tiles->read), tiles->starts[place] + 2,
                               tiles->starts[place + 1]);
    } else if (!cut_bundle(hub_buffer_bytes(&tiles->bundle), place + 1, &part, &entry)) {
        return no_bundle(tiles, number, reterr);
    }
    hub_buffer_append_bytes(buffer, entry);
    return HUB_OK;
}

/* --- opening --- */

static enum hub_status load(struct hub_tiles *tiles, struct hub_error *reterr) {
    uint64_t count = tiles->size;
    unsigned width = (unsigned)(count % HUB_TILE_WIDTH);
    struct hub_bytes part, last;
    HUB_SCOPED_BUFFER bundle = {0};
    for (int at = 0; at < HUB_TILE_LEVELS; at++, count /= HUB_TILE_WIDTH) {
        struct level *level = &tiles->levels[at];
        level->number = count / HUB_TILE_WIDTH;
        level->width = level->safe_width = (unsigned)(count % HUB_TILE_WIDTH);
        if (level->width > 0)
            HUB_TRY(read_tile(tiles, at, level->number, level->width, level->hashes, reterr));
    }
    tiles->safe_width = width;
    if (width == 0)
        return HUB_OK;
    HUB_TRY(read_bundle(tiles, tiles->size / HUB_TILE_WIDTH, width, &bundle, reterr));
    if (!cut_bundle(hub_buffer_bytes(&bundle), width, &part, &last))
        return no_bundle(tiles, tiles->size / HUB_TILE_WIDTH, reterr);
    hub_buffer_append_bytes(&tiles->bundle, part);
    return HUB_OK;
}

void hub_tiles_close(struct hub_tiles *tiles) {
    if (tiles == NULL)
        return;
    for (size_t i = 0; i < tiles->partial_count; i++)
        hub_release(tiles->partial[i]);
    hub_release(tiles->partial);
    hub_buffer_free(&tiles->bundle);
    hub_buffer_free(&tiles->read);
    hub_release(tiles->folder);
    hub_release(tiles);
}

enum hub_status hub_tiles_open(const char *folder, uint64_t size,
                               const struct hub_digester *digester,
                               struct hub_tiles **ret_tiles, struct hub_error *reterr) {
    struct hub_tiles *tiles = hub_allocate_zero(1, sizeof *tiles);
    tiles->folder = hub_copy_text(folder);
    tiles->digester = digester;
    tiles->size = size;
    tiles->bundle.size_max = BUNDLE_SIZE_MAX;
    enum hub_status status = size == 0 ? hub_file_make_folder(folder, reterr)
                                       : load(tiles, reterr);
    if (status == HUB_OK)
        *ret_tiles = tiles;
    else
        hub_tiles_close(tiles);
    return status;
}
