/* rollup: an archive whose logs are what the roll-up was told passes, and one of which a log was put back or
 * forked does not, though the log by itself is whole. */
#include "hub/archive/rollup.h"
#include "hub/archive/archive.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const char *const topics[] = {"log.slot", "unified.slot"};

static struct hub_archive *open_archive(struct folder *folder) {
    static struct hub_archive_config config;
    struct hub_archive *archive = NULL;
    struct hub_error error;
    config = (struct hub_archive_config){
        .folder = folder->path, .deployment = "audit.example", .private = &private};
    expect_ok(hub_archive_open(&config, &archive, &error), &error);
    return archive;
}

/* Five records to each log, and signs. */
static void write_round(struct hub_archive *archive, const char *said) {
    struct hub_error error;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        int64_t next = -1;
        expect_ok(hub_archive_next_offset(archive, topics[i], 0, &next, &error), &error);
        for (int64_t k = next < 0 ? 0 : next, end = k + 5; k < end; k++) {
            struct hub_archived record = {
                .offset = k, .kind = HUB_ARCHIVED_BYTES, .value = hub_bytes_of_text(said)};
            expect_ok(hub_archive_append(archive, topics[i], 0, &record, 0, NULL, &error), &error);
        }
    }
    expect_ok(hub_archive_sign(archive, &error), &error);
}

static void make_archive(struct folder *folder) {
    folder_make(folder);
    struct hub_archive *archive = open_archive(folder);
    write_round(archive, "first");
    write_round(archive, "second");
    hub_archive_close(archive);
    archive = open_archive(folder); /* started again, it tells what it finds */
    write_round(archive, "third");
    hub_archive_close(archive);
}

static enum hub_status verify(struct folder *folder, struct hub_rollup_verified *ret_verified,
                              struct hub_error *reterr) {
    struct hub_note_key key;
    expect_ok(hub_note_key_make("audit.example/rollup", HUB_NOTE_SIGNATURE, &private, &key, reterr),
              reterr);
    return hub_rollup_verify(folder->path, &key, ret_verified, reterr);
}

static void expect_found(struct folder *folder, const char *why) {
    struct hub_rollup_verified verified;
    struct hub_error error;
    assert_int_equal(verify(folder, &verified, &error), HUB_REJECT);
    assert_says(error.text, why);
}

static void copy(struct folder *folder, const char *from, const char *to) {
    HUB_SCOPED_BUFFER bytes = {0};
    struct hub_error error;
    expect_ok(hub_file_read(folder_path(folder, from), &bytes, &error), &error);
    expect_ok(hub_file_write(folder_path(folder, to), hub_buffer_bytes(&bytes), &error), &error);
}

static void every_checkpoint_is_told(void **state) {
    struct folder folder;
    struct hub_rollup_verified verified;
    struct hub_error error;
    (void)state;
    make_archive(&folder);
    expect_ok(verify(&folder, &verified, &error), &error);
    assert_int_equal(verified.logs, 2);
    assert_int_equal(verified.size, 6);
    folder_remove(&folder);
}

/* With all that would tell of it but the roll-up. */
static void put_back(struct folder *folder) {
    copy(folder, "log.slot-0/checkpoints/5", "log.slot-0/checkpoint");
    assert_int_equal(unlink(folder_path(folder, "log.slot-0/checkpoints/10")), 0);
    assert_int_equal(unlink(folder_path(folder, "log.slot-0/checkpoints/15")), 0);
}

static void a_log_that_was_put_back_is_found(void **state) {
    struct folder folder;
    (void)state;
    make_archive(&folder);
    put_back(&folder);
    expect_found(&folder, "rollup: entry 2: audit.example/log.slot-0 had 10 entries, and has 5 now: it was "
                          "put back");
    folder_remove(&folder);
}

/* Whoever has the key goes on from an earlier checkpoint. */
static void a_log_that_was_forked_is_found(void **state) {
    struct folder folder;
    (void)state;
    make_archive(&folder);
    put_back(&folder);
    struct hub_archive *archive = open_archive(&folder);
    write_round(archive, "another");
    write_round(archive, "another");
    write_round(archive, "another");
    hub_archive_close(archive);
    expect_found(&folder, "rollup: entry 2: audit.example/log.slot-0 does not begin with what was signed "
                          "then");
    folder_remove(&folder);
}

static void a_roll_up_that_was_put_back_is_found(void **state) {
    struct folder folder;
    (void)state;
    make_archive(&folder);
    copy(&folder, "rollup/checkpoints/4", "rollup/checkpoint");
    expect_found(&folder, "checkpoints/6: a log of 6 entries was signed, and this one has 4");
    folder_remove(&folder);
}

static void an_entry_that_was_changed_is_found(void **state) {
    struct folder folder;
    HUB_SCOPED_BUFFER bundle = {0};
    struct hub_error error;
    (void)state;
    make_archive(&folder);
    const char *path = folder_path(&folder, "rollup/tile/entries/000.p/6");
    expect_ok(hub_file_read(path, &bundle, &error), &error);
    bundle.data[bundle.size - 9] ^= 1;
    expect_ok(hub_file_write(path, hub_buffer_bytes(&bundle), &error), &error);
    expect_found(&folder, "rollup: entry 5: it is not the one in its tile");
    folder_remove(&folder);
}

/* A checkpoint counts from the moment its file is there; what comes after that is made up for. */
static void what_a_crash_left_undone_is_done(void **state) {
    struct folder folder;
    struct hub_file_facts facts;
    struct hub_error error;
    (void)state;
    make_archive(&folder);
    assert_int_equal(unlink(folder_path(&folder, "rollup/checkpoints/6")), 0);
    assert_int_equal(unlink(folder_path(&folder, "log.slot-0/checkpoints/15")), 0);
    struct hub_archive *archive = open_archive(&folder);
    write_round(archive, "fourth");
    hub_archive_close(archive);
    expect_ok(hub_file_facts(folder_path(&folder, "rollup/checkpoints/6"), &facts, &error), &error);
    expect_ok(hub_file_facts(folder_path(&folder, "log.slot-0/checkpoints/15"), &facts, &error), &error);
    folder_remove(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_checkpoint_is_told),
        cmocka_unit_test(a_log_that_was_put_back_is_found),
        cmocka_unit_test(a_log_that_was_forked_is_found),
        cmocka_unit_test(a_roll_up_that_was_put_back_is_found),
        cmocka_unit_test(an_entry_that_was_changed_is_found),
        cmocka_unit_test(what_a_crash_left_undone_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
