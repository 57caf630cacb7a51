/* verify: an archive that is what was signed passes, and whatever is done to a file of it is found. */
#include "hub/archive/verify.h"
#include "hub/archive/partition_log.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 300, MUTATIONS = 1000, FILES_MAX = 100 };

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const char schema[] = "{\"type\": \"record\", \"name\": \"atmp.Slot\", \"fields\": [{\"name\": "
                             "\"suite\", \"type\": \"string\"}]}";

struct archive {
    struct folder folder;
    struct hub_note_key key;
    const char *files[FILES_MAX]; /* what a log of its size needs, within the folder */
    size_t file_count;
};

static struct hub_partition_log *open_log(struct archive *archive) {
    struct hub_partition_log_config config = {.folder = archive->folder.path,
                                              .deployment = "audit.example",
                                              .topic = "log.slot",
                                              .private = &private,
                                              .segment_size_max = 6000};
    struct hub_partition_log *log = NULL;
    struct hub_error error;
    expect_ok(hub_partition_log_open(&config, &log, &error), &error);
    return log;
}

static void append_until(struct hub_partition_log *log, uint64_t size, const char *suite) {
    struct hub_error error;
    char value[32];
    value[0] = (char)(2 * strlen(suite));
    strcpy(value + 1, suite);
    while (hub_partition_log_size(log) < size) {
        struct hub_archived record = {.offset = 3 * (int64_t)hub_partition_log_size(log),
                                      .timestamp_ms = 1772323200000,
                                      .has_key = true,
                                      .key = hub_bytes_of_text("mes/1"),
                                      .kind = HUB_ARCHIVED_AVRO,
                                      .value = hub_bytes(value, strlen(suite) + 1)};
        int32_t schema_id = hub_partition_log_size(log) % 3 == 0 ? 8 : 7; /* they take turns */
        expect_ok(hub_partition_log_append(log, &record, schema_id, schema, &error), &error);
    }
}

static void sign(struct hub_partition_log *log) {
    struct hub_error error;
    expect_ok(hub_partition_log_sign(log, 3 * (int64_t)hub_partition_log_size(log), &error), &error);
}

static struct archive *listing;

static int list(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    const char *name = path + strlen(listing->folder.path) + 1;
    (void)facts;
    (void)at;
    bool needed = strstr(name, ".p/") == NULL || strstr(name, ".p/44") != NULL ||
                  strcmp(name, "tile/1/000.p/1") == 0;
    if (kind == FTW_F && needed && strcmp(name, "log.vkey") != 0) {
        assert_true(listing->file_count < FILES_MAX);
        listing->files[listing->file_count++] =
            hub_arena_text(&listing->folder.arena, name, strlen(name));
    }
    return 0;
}

static void make_archive(struct archive *archive) {
    struct hub_error error;
    *archive = (struct archive){0};
    folder_make(&archive->folder);
    expect_ok(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &private,
                                &archive->key, &error), &error);
    struct hub_partition_log *log = open_log(archive);
    append_until(log, 20, "SUITE-A");
    sign(log);
    append_until(log, 256, "SUITE-B");
    sign(log);
    append_until(log, SIZE, "SUITE-C");
    sign(log);
    hub_partition_log_close(log);
    listing = archive;
    assert_int_equal(nftw(archive->folder.path, list, 16, FTW_PHYS), 0);
}

/* In one part, in two, ... in turn: they must come to the same. */
static enum hub_status verify(struct archive *archive, uint64_t from, uint64_t to,
                              struct hub_verified *ret_verified, struct hub_error *reterr) {
    struct hub_verify_config config = {
        .folder = archive->folder.path, .key = &archive->key, .from = from, .to = to};
    static size_t turn;
    config.parts = 1 + turn++ % 4;
    return hub_archive_verify(&config, ret_verified, reterr);
}

static void assert_found(struct archive *archive, const char *why) {
    struct hub_verified verified;
    struct hub_error error;
    assert_int_equal(verify(archive, 0, 0, &verified, &error), HUB_REJECT);
    assert_says(error.text, why);
}

static void what_was_signed_passes(void **state) {
    struct archive archive;
    struct hub_verified verified;
    struct hub_error error;
    (void)state;
    make_archive(&archive);
    expect_ok(verify(&archive, 0, 0, &verified, &error), &error);
    assert_int_equal(verified.size, SIZE);
    assert_int_equal(verified.records, SIZE);
    assert_int_equal(verified.checkpoints, 3);
    assert_int_equal(verified.next_offset, 3 * SIZE);
    assert_int_equal(verified.unsigned_bytes, 0);
    struct hub_partition_log *log = open_log(&archive);
    append_until(log, SIZE + 200, "SUITE-D"); /* and is killed */
    hub_partition_log_close(log);
    expect_ok(verify(&archive, 0, 0, &verified, &error), &error);
    assert_int_equal(verified.records, SIZE);
    folder_remove(&archive.folder);
}

static void a_range_is_looked_at_by_itself(void **state) {
    struct archive archive;
    struct hub_verified verified;
    struct hub_error error;
    (void)state;
    make_archive(&archive);
    for (uint64_t from = 0; from < SIZE; from += 37) {
        uint64_t to = from + 50 > SIZE ? SIZE : from + 50;
        expect_ok(verify(&archive, from, to, &verified, &error), &error);
        assert_int_equal(verified.records, to - from);
    }
    folder_remove(&archive.folder);
}

/* --- what is done to it --- */

static void change(struct archive *archive, const char *name, size_t from_end, uint8_t mask) {
    HUB_SCOPED_BUFFER bytes = {0};
    struct hub_error error;
    expect_ok(hub_file_read(folder_path(&archive->folder, name), &bytes, &error), &error);
    bytes.data[bytes.size - from_end] ^= mask;
    expect_ok(hub_file_write(folder_path(&archive->folder, name), hub_buffer_bytes(&bytes), &error),
              &error);
}

static void the_first_that_fails_is_named(void **state) {
    struct archive archive;
    (void)state;
    make_archive(&archive);
    change(&archive, "tile/entries/001.p/44", 10, 1);
    assert_found(&archive, "record 299: its entry is not the one in its tile");
    change(&archive, "segments/0.avro", 16 + 3, 1);
    assert_found(&archive, "its bytes in segments/0.avro are not those that were archived");
    change(&archive, "tile/0/000", 32 * 6, 1);
    assert_found(&archive, "record 250: its entry is not the one in its tile");
    folder_remove(&archive.folder);
}

/* Somebody with the key of the log itself rolls it back, and then forks it. */
static void a_log_that_was_put_back_is_found_by_what_was_signed_later(void **state) {
    struct archive archive;
    HUB_SCOPED_BUFFER early = {0};
    struct hub_error error;
    (void)state;
    make_archive(&archive);
    expect_ok(hub_file_read(folder_path(&archive.folder, "checkpoints/256"), &early, &error), &error);
    expect_ok(hub_file_write(folder_path(&archive.folder, "checkpoint"), hub_buffer_bytes(&early),
                             &error), &error);
    assert_found(&archive, "checkpoints/300: a log of 300 entries was signed, and this one has 256: it was "
                           "put back");
    struct hub_partition_log *log = open_log(&archive);
    append_until(log, SIZE + 1, "SUITE-X");
    sign(log);
    hub_partition_log_close(log);
    assert_found(&archive, "checkpoints/300: the log does not begin with what was signed then");
    folder_remove(&archive.folder);
}

static void another_key_has_signed_nothing(void **state) {
    struct archive archive;
    struct hub_ed25519_key other = private;
    struct hub_error error;
    (void)state;
    make_archive(&archive);
    other.bytes[0] ^= 1;
    expect_ok(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &other, &archive.key,
                                &error), &error);
    assert_found(&archive, "checkpoint: 'audit.example/log.slot-0'");
    folder_remove(&archive.folder);
}

static void a_segment_that_no_entry_speaks_of_is_found(void **state) {
    struct archive archive;
    (void)state;
    make_archive(&archive);
    folder_write(&archive.folder, "segments/7.avro", "more");
    assert_found(&archive, "files, where the entries speak of");
    folder_remove(&archive.folder);
}

/* --- anything at all --- */

enum mutation { FLIP, CUT, REMOVE, INSERT, REPEAT, SWAP, MUTATION_COUNT };

static void mutate(struct archive *archive, enum mutation mutation, const char *name,
                   const char *other, size_t at, struct hub_bytes was) {
    HUB_SCOPED_BUFFER changed = {0}, second = {0};
    struct hub_error error;
    const char *path = folder_path(&archive->folder, name);
    hub_buffer_append_bytes(&changed, hub_bytes_part(was, 0, at));
    switch (mutation) {
    case FLIP:
        hub_buffer_append_byte(&changed, was.data[at] ^ (uint8_t)(1 << at % 8));
        hub_buffer_append_bytes(&changed, hub_bytes_part(was, at + 1, was.size));
        break;
    case INSERT:
        hub_buffer_append_byte(&changed, (uint8_t)at);
        hub_buffer_append_bytes(&changed, hub_bytes_part(was, at, was.size));
        break;
    case REPEAT:
        hub_buffer_append_bytes(&changed, was);
        break;
    case REMOVE:
        hub_buffer_append_bytes(&changed, hub_bytes_part(was, at + 1, was.size));
        break;
    case SWAP:
        expect_ok(hub_file_read(folder_path(&archive->folder, other), &second, &error), &error);
        expect_ok(hub_file_write(path, hub_buffer_bytes(&second), &error), &error);
        return;
    default:
        break; /* CUT */
    }
    expect_ok(hub_file_write(path, hub_buffer_bytes(&changed), &error), &error);
}


/* The last checkpoint stands in two files. */
static bool is_same_file(struct archive *archive, const char *name, struct hub_bytes was) {
    HUB_SCOPED_BUFFER now = {0};
    struct hub_error error;
    expect_ok(hub_file_read(folder_path(&archive->folder, name), &now, &error), &error);
    return hub_bytes_equal(hub_buffer_bytes(&now), was);
}

static void whatever_is_done_to_a_file_is_found(void **state) {
    struct archive archive;
    struct hub_verified verified;
    struct hub_error error;
    unsigned short seed[3] = {1, 2, 3};
    (void)state;
    make_archive(&archive);
    for (size_t i = 0; i < MUTATIONS; i++) {
        HUB_SCOPED_BUFFER was = {0};
        enum mutation mutation = (enum mutation)(nrand48(seed) % MUTATION_COUNT);
        const char *name = archive.files[(size_t)nrand48(seed) % archive.file_count];
        const char *other = archive.files[(size_t)nrand48(seed) % archive.file_count];
        expect_ok(hub_file_read(folder_path(&archive.folder, name), &was, &error), &error);
        size_t at = (size_t)nrand48(seed) % was.size;
        mutate(&archive, mutation, name, other, at, hub_buffer_bytes(&was));
        if (!is_same_file(&archive, name, hub_buffer_bytes(&was)) &&
            verify(&archive, 0, 0, &verified, &error) == HUB_OK)
            fail_msg("mutation %d of %s at %zu of %zu (%s) was not found", (int)mutation, name, at,
                     was.size, other);
        expect_ok(hub_file_write(folder_path(&archive.folder, name), hub_buffer_bytes(&was), &error),
                  &error);
    }
    expect_ok(verify(&archive, 0, 0, &verified, &error), &error);
    folder_remove(&archive.folder);
}

static void a_file_that_is_missing_is_found(void **state) {
    struct archive archive;
    struct hub_verified verified;
    struct hub_error error;
    (void)state;
    make_archive(&archive);
    for (size_t i = 0; i < archive.file_count; i++) {
        HUB_SCOPED_BUFFER was = {0};
        const char *path = folder_path(&archive.folder, archive.files[i]);
        if (strncmp(archive.files[i], "checkpoints/", 12) == 0)
            continue; /* of what a log was once, nothing but that is lost */
        expect_ok(hub_file_read(path, &was, &error), &error);
        assert_int_equal(unlink(path), 0);
        if (verify(&archive, 0, 0, &verified, &error) == HUB_OK)
            fail_msg("%s is missing, and was not missed", archive.files[i]);
        expect_ok(hub_file_write(path, hub_buffer_bytes(&was), &error), &error);
    }
    folder_remove(&archive.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_passes),
        cmocka_unit_test(a_range_is_looked_at_by_itself),
        cmocka_unit_test(the_first_that_fails_is_named),
        cmocka_unit_test(a_log_that_was_put_back_is_found_by_what_was_signed_later),
        cmocka_unit_test(another_key_has_signed_nothing),
        cmocka_unit_test(a_segment_that_no_entry_speaks_of_is_found),
        cmocka_unit_test(whatever_is_done_to_a_file_is_found),
        cmocka_unit_test(a_file_that_is_missing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
