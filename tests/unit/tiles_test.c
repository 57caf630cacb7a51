/* tiles: a log in files is the log that was appended, at every size and after every crash. */
#include "hub/archive/tiles.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct hub_tiles *open_log(const char *path, uint64_t size) {
    struct hub_tiles *tiles = NULL;
    struct hub_error error;
    expect_ok(hub_tiles_open(path, size, &hub_sha256, &tiles, &error), &error);
    return tiles;
}

/* Entry N is its number, and of a size that goes up and down. */
static struct hub_bytes entry_of(uint64_t number, char text[64]) {
    int size = snprintf(text, 64, "%llu", (unsigned long long)number);
    memset(text + size, '.', number % 17);
    return hub_bytes(text, (size_t)size + number % 17);
}

static void append_to(struct hub_tiles *tiles, uint64_t size) {
    while (hub_tiles_size(tiles) < size) {
        char text[64];
        struct hub_error error;
        expect_ok(hub_tiles_append(tiles, entry_of(hub_tiles_size(tiles), text), &error), &error);
    }
}

static void sync_log(struct hub_tiles *tiles) {
    struct hub_error error;
    expect_ok(hub_tiles_sync(tiles, &error), &error);
}

/* As RFC 6962 has it, without any tile. */
static struct hub_digest root_of(uint64_t from, uint64_t to) {
    char text[64];
    uint64_t split = 1;
    if (to == from)
        return hub_sha256.digest(hub_bytes(NULL, 0));
    if (to - from == 1)
        return hub_merkle_leaf(&hub_sha256, entry_of(from, text));
    while (split * 2 < to - from)
        split *= 2;
    struct hub_digest left = root_of(from, from + split), right = root_of(from + split, to);
    return hub_merkle_node(&hub_sha256, &left, &right);
}

static void assert_log(struct hub_tiles *tiles, uint64_t size) {
    struct hub_digest root = hub_tiles_root(tiles), expected = root_of(0, size);
    assert_int_equal(hub_tiles_size(tiles), size);
    assert_memory_equal(&root, &expected, sizeof root);
}

static void assert_same_file(struct folder *folder, const char *one, const char *other,
                             const char *name) {
    HUB_SCOPED_BUFFER a = {0}, b = {0};
    struct hub_error error;
    expect_ok(hub_file_read(folder_path(folder, hub_arena_format(&folder->arena, "%s/%s", one, name)),
                            &a, &error), &error);
    expect_ok(hub_file_read(folder_path(folder, hub_arena_format(&folder->arena, "%s/%s", other, name)),
                            &b, &error), &error);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
}

/* Every file that a log of that size needs is the same in both. */
static void assert_same_log(struct folder *folder, const char *one, const char *other,
                            uint64_t size) {
    for (int level = HUB_TILE_ENTRIES; level < HUB_TILE_LEVELS; level++) {
        uint64_t count = level < 0 ? size : size >> 8 * level;
        for (uint64_t from = 0; from < count; from += HUB_TILE_WIDTH) {
            HUB_SCOPED_BUFFER path = {0};
            uint64_t width = count - from < HUB_TILE_WIDTH ? count - from : HUB_TILE_WIDTH;
            hub_tile_append_path(level, from / HUB_TILE_WIDTH, (unsigned)width, &path);
            assert_same_file(folder, one, other, hub_buffer_text(&path));
        }
    }
}

static void paths_are_as_specified(void **state) {
    static const struct {
        int level;
        uint64_t number;
        unsigned width;
        const char *path;
    } paths[] = {{0, 0, 256, "tile/0/000"},
                 {1, 999, 255, "tile/1/999.p/255"},
                 {0, 1000, 256, "tile/0/x001/000"},
                 {2, 1234067, 1, "tile/2/x001/x234/067.p/1"},
                 {HUB_TILE_ENTRIES, 1000000000, 256, "tile/entries/x001/x000/x000/000"}};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        HUB_SCOPED_BUFFER path = {0};
        hub_tile_append_path(paths[i].level, paths[i].number, paths[i].width, &path);
        assert_string_equal(hub_buffer_text(&path), paths[i].path);
    }
}

static void the_root_of_every_size_is_the_one_that_is_defined(void **state) {
    struct folder folder;
    (void)state;
    folder_make(&folder);
    struct hub_tiles *tiles = open_log(folder.path, 0);
    for (uint64_t size = 0; size < 600; size++) {
        append_to(tiles, size);
        assert_log(tiles, size);
    }
    hub_tiles_close(tiles);
    folder_remove(&folder);
}

/* Enough for a tile of the second level to be whole. */
static void a_log_is_read_back_as_it_was_written(void **state) {
    struct folder folder;
    struct hub_proof proof;
    const uint64_t size = 65536 + 700;
    (void)state;
    folder_make(&folder);
    struct hub_tiles *tiles = open_log(folder.path, 0);
    append_to(tiles, 300);
    sync_log(tiles);
    append_to(tiles, size);
    sync_log(tiles);
    hub_tiles_close(tiles);
    tiles = open_log(folder.path, size);
    assert_log(tiles, size);
    struct hub_merkle_tree tree = hub_tiles_tree(tiles);
    struct hub_digest root = hub_tiles_root(tiles);
    for (uint64_t i = 0; i < size; i += 977) {
        HUB_SCOPED_BUFFER entry = {0};
        struct hub_error error;
        char text[64];
        expect_ok(hub_tiles_entry(tiles, i, &entry, &error), &error);
        assert_true(hub_bytes_equal(hub_buffer_bytes(&entry), entry_of(i, text)));
        struct hub_digest leaf = hub_merkle_leaf(&hub_sha256, hub_buffer_bytes(&entry));
        assert_true(hub_merkle_prove(&tree, i, size, &proof));
        assert_true(hub_merkle_includes(&hub_sha256, &proof, i, &leaf, size, &root));
    }
    hub_tiles_close(tiles);
    tiles = open_log(folder.path, 300); /* what was partial then is whole now */
    assert_log(tiles, 300);
    hub_tiles_close(tiles);
    assert_int_not_equal(access(folder_path(&folder, "tile/0/001.p"), F_OK), 0);
    folder_remove(&folder);
}

/* What was not safe is torn: cut to half, all of it. */
static void tear(struct folder *folder, uint64_t safe, uint64_t size) {
    for (uint64_t number = safe / HUB_TILE_WIDTH; number < size / HUB_TILE_WIDTH; number++)
        for (int level = HUB_TILE_ENTRIES; level <= 0; level++) {
            HUB_SCOPED_BUFFER path = {0};
            hub_buffer_append_text(&path, "log/");
            hub_tile_append_path(level, number, HUB_TILE_WIDTH, &path);
            const char *file = folder_path(folder, hub_buffer_text(&path));
            struct stat facts;
            assert_int_equal(stat(file, &facts), 0);
            assert_int_equal(truncate(file, facts.st_size / 2), 0);
        }
}

static void a_log_that_was_interrupted_anywhere_becomes_the_same(void **state) {
    struct folder folder;
    const uint64_t size = 1500;
    (void)state;
    folder_make(&folder);
    struct hub_tiles *tiles = open_log(folder_path(&folder, "whole"), 0);
    append_to(tiles, size);
    sync_log(tiles);
    hub_tiles_close(tiles);
    tiles = open_log(folder_path(&folder, "log"), 0);
    for (uint64_t safe = 0; safe < size;) {
        uint64_t next = safe + 1 + safe * 31 % 400;
        append_to(tiles, next + 300); /* and is killed */
        hub_tiles_close(tiles);
        tear(&folder, safe, next + 300);
        tiles = open_log(folder_path(&folder, "log"), safe);
        assert_log(tiles, safe);
        safe = next > size ? size : next;
        append_to(tiles, safe);
        sync_log(tiles);
    }
    assert_log(tiles, size);
    hub_tiles_close(tiles);
    assert_same_log(&folder, "whole", "log", size);
    folder_remove(&folder);
}

static void assert_cannot_open(struct folder *folder, uint64_t size, const char *why) {
    struct hub_tiles *tiles = NULL;
    struct hub_error error;
    assert_int_equal(hub_tiles_open(folder->path, size, &hub_sha256, &tiles, &error), HUB_FATAL);
    assert_says(error.text, why);
}

static void what_is_missing_or_cut_is_for_a_person(void **state) {
    struct folder folder;
    (void)state;
    folder_make(&folder);
    struct hub_tiles *tiles = open_log(folder.path, 0);
    append_to(tiles, 700);
    sync_log(tiles);
    hub_tiles_close(tiles);
    assert_cannot_open(&folder, 701, "tile/0/002: No such file");
    assert_int_equal(truncate(folder_path(&folder, "tile/0/002.p/188"), 187 * 32), 0);
    assert_cannot_open(&folder, 700, "tile 2 of level 0 has 5984 bytes; 6016 would pass");
    assert_int_equal(truncate(folder_path(&folder, "tile/0/002.p/188"), 188 * 32), 0);
    assert_int_equal(truncate(folder_path(&folder, "tile/entries/002.p/188"), 100), 0);
    assert_cannot_open(&folder, 700, "bundle 2 of entries is cut or damaged");
    assert_int_equal(unlink(folder_path(&folder, "tile/1/000.p/2")), 0);
    assert_cannot_open(&folder, 700, "tile/1/000: No such file");
    folder_remove(&folder);
}

static void an_entry_has_a_limit(void **state) {
    struct folder folder;
    struct hub_error error;
    char *large = hub_allocate_zero(1, HUB_ENTRY_SIZE_MAX + 1);
    HUB_SCOPED_BUFFER entry = {0};
    (void)state;
    folder_make(&folder);
    struct hub_tiles *tiles = open_log(folder.path, 0);
    assert_int_equal(hub_tiles_append(tiles, hub_bytes(large, HUB_ENTRY_SIZE_MAX + 1), &error),
                     HUB_REJECT);
    assert_says(error.text, "an entry of 65536 bytes; up to 65535 would pass");
    assert_int_equal(hub_tiles_size(tiles), 0);
    expect_ok(hub_tiles_append(tiles, hub_bytes(large, HUB_ENTRY_SIZE_MAX), &error), &error);
    expect_ok(hub_tiles_append(tiles, hub_bytes(NULL, 0), &error), &error);
    sync_log(tiles);
    hub_tiles_close(tiles);
    tiles = open_log(folder.path, 2);
    expect_ok(hub_tiles_entry(tiles, 0, &entry, &error), &error);
    assert_int_equal(entry.size, HUB_ENTRY_SIZE_MAX);
    expect_ok(hub_tiles_entry(tiles, 1, &entry, &error), &error);
    assert_int_equal(entry.size, HUB_ENTRY_SIZE_MAX);
    hub_tiles_close(tiles);
    hub_release(large);
    folder_remove(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_as_specified),
        cmocka_unit_test(the_root_of_every_size_is_the_one_that_is_defined),
        cmocka_unit_test(a_log_is_read_back_as_it_was_written),
        cmocka_unit_test(a_log_that_was_interrupted_anywhere_becomes_the_same),
        cmocka_unit_test(what_is_missing_or_cut_is_for_a_person),
        cmocka_unit_test(an_entry_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
