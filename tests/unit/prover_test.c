/* prover: every record of a log on the disk, and every growth between its checkpoints, is proved. */
#include "hub/archive/prover.h"
#include "hub/archive/partition_log.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 300 };

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const uint64_t signed_at[] = {20, 256, SIZE};
static const char schema[] = "{\"type\": \"record\", \"name\": \"atmp.Slot\", \"fields\": [{\"name\": "
                             "\"suite\", \"type\": \"string\"}]}";

struct archive {
    struct folder folder;
    struct hub_note_key key;
    struct hub_prover *prover;
};

static void append(struct hub_partition_log *log) {
    char value[32];
    struct hub_error error;
    uint64_t index = hub_partition_log_size(log);
    snprintf(value + 1, sizeof value - 1, "SUITE-%03llu", (unsigned long long)index);
    value[0] = (char)(2 * strlen(value + 1));
    struct hub_archived record = {.offset = 3 * (int64_t)index + 1,
                                  .timestamp_ms = 1772323200000,
                                  .kind = HUB_ARCHIVED_AVRO,
                                  .value = hub_bytes(value, strlen(value + 1) + 1)};
    expect_ok(hub_partition_log_append(log, &record, 7, schema, &error), &error);
}

static void make_archive(struct archive *archive) {
    struct hub_partition_log *log = NULL;
    struct hub_error error;
    folder_make(&archive->folder);
    struct hub_partition_log_config config = {.folder = archive->folder.path,
                                              .deployment = "audit.example",
                                              .topic = "log.slot",
                                              .private = &private,
                                              .segment_size_max = 6000};
    expect_ok(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &private,
                                &archive->key, &error), &error);
    expect_ok(hub_partition_log_open(&config, &log, &error), &error);
    for (size_t i = 0; i < sizeof signed_at / sizeof *signed_at; i++) {
        while (hub_partition_log_size(log) < signed_at[i])
            append(log);
        expect_ok(hub_partition_log_sign(log, 3 * (int64_t)signed_at[i], &error), &error);
    }
    hub_partition_log_close(log);
    expect_ok(hub_prover_open(archive->folder.path, &archive->key, &archive->prover, &error),
              &error);
}

static void remove_archive(struct archive *archive) {
    hub_prover_close(archive->prover);
    folder_remove(&archive->folder);
}

static void every_record_is_proved_and_goes_with_its_proof(void **state) {
    struct archive archive;
    (void)state;
    make_archive(&archive);
    for (uint64_t i = 0; i < SIZE; i++) {
        HUB_SCOPED_BUFFER entry = {0}, file = {0}, record = {0};
        struct hub_leaf leaf;
        struct hub_inclusion inclusion;
        struct hub_checkpoint checkpoint;
        struct hub_error error;
        enum hub_proof_form form = i % 2 == 0 ? HUB_PROOF_SPICY : HUB_PROOF_TLOG;
        uint64_t found = SIZE;
        expect_ok(hub_prover_entry(archive.prover, i, &entry, &leaf, &error), &error);
        expect_ok(hub_prover_include(archive.prover, i, form, &file, &error), &error);
        expect_ok(hub_inclusion_check(hub_buffer_bytes(&file), hub_buffer_bytes(&entry),
                                      &archive.key, &inclusion, &checkpoint, &error), &error);
        assert_int_equal(inclusion.index, i);
        assert_int_equal(checkpoint.size, SIZE);
        expect_ok(hub_prover_record(archive.prover, &leaf, &record, &error), &error);
        expect_ok(hub_proof_check_record(hub_buffer_bytes(&record), i, &leaf, &error), &error);
        expect_ok(hub_prover_find(archive.prover, leaf.offset, &found, &error), &error);
        assert_int_equal(found, i);
    }
    remove_archive(&archive);
}

static void an_offset_that_no_record_has_is_said_to_have_none(void **state) {
    static const struct {
        int64_t offset;
        const char *why;
    } none[] = {{0, "would stand before record 0"},
                {3, "would stand before record 1"},
                {900, "would stand before record 300"}};
    struct archive archive;
    struct hub_error error;
    HUB_SCOPED_BUFFER entry = {0};
    struct hub_leaf leaf;
    uint64_t index = 0;
    (void)state;
    make_archive(&archive);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(hub_prover_find(archive.prover, none[i].offset, &index, &error),
                         HUB_REJECT);
        assert_says(error.text, none[i].why);
    }
    assert_int_equal(hub_prover_entry(archive.prover, SIZE, &entry, &leaf, &error), HUB_REJECT);
    assert_says(error.text, "0 to 299 would pass");
    remove_archive(&archive);
}

static void growth_between_all_checkpoints_is_proved(void **state) {
    enum { COUNT = sizeof signed_at / sizeof *signed_at };
    struct archive archive;
    struct hub_error error;
    HUB_SCOPED_BUFFER none = {0};
    (void)state;
    make_archive(&archive);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = i; j < COUNT; j++) {
            HUB_SCOPED_BUFFER file = {0};
            struct hub_checkpoint from, to;
            expect_ok(hub_prover_growth(archive.prover, signed_at[i], signed_at[j], &file, &error),
                      &error);
            expect_ok(hub_growth_check(hub_buffer_bytes(&file), &archive.key, &from, &to, &error),
                      &error);
            assert_int_equal(from.size, signed_at[i]);
            assert_int_equal(to.size, signed_at[j]);
        }
    assert_int_equal(hub_prover_growth(archive.prover, 256, 20, &none, &error), HUB_REJECT);
    assert_int_equal(hub_prover_growth(archive.prover, 20, 301, &none, &error), HUB_REJECT);
    assert_int_equal(hub_prover_growth(archive.prover, 21, 256, &none, &error), HUB_FATAL);
    assert_says(error.text, "checkpoints/21");
    remove_archive(&archive);
}

static void a_record_whose_bytes_were_changed_does_not_go_with_its_proof(void **state) {
    struct archive archive;
    struct hub_error error;
    struct hub_leaf leaf;
    HUB_SCOPED_BUFFER entry = {0}, segment = {0}, record = {0};
    (void)state;
    make_archive(&archive);
    expect_ok(hub_file_read(folder_path(&archive.folder, "segments/0.avro"), &segment, &error), &error);
    expect_ok(hub_prover_entry(archive.prover, 3, &entry, &leaf, &error), &error);
    segment.data[leaf.at + leaf.size - 1] ^= 1;
    folder_write_bytes(&archive.folder, "segments/0.avro", hub_buffer_bytes(&segment));
    assert_int_equal(hub_prover_record(archive.prover, &leaf, &record, &error), HUB_REJECT);
    assert_says(error.text, "are not those that were archived");
    remove_archive(&archive);
}

static void what_another_has_signed_or_lacks_tiles_is_not_opened(void **state) {
    static const struct hub_ed25519_key others = {{9}};
    struct archive archive;
    struct hub_error error;
    struct hub_note_key key;
    struct hub_prover *prover = NULL;
    (void)state;
    make_archive(&archive);
    expect_ok(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &others, &key,
                                &error), &error);
    assert_int_equal(hub_prover_open(archive.folder.path, &key, &prover, &error), HUB_REJECT);
    assert_says(error.text, "has not signed it");
    assert_int_equal(unlink(folder_path(&archive.folder, "tile/0/001.p/44")), 0);
    assert_int_equal(hub_prover_open(archive.folder.path, &archive.key, &prover, &error),
                     HUB_FATAL);
    remove_archive(&archive);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_is_proved_and_goes_with_its_proof),
        cmocka_unit_test(an_offset_that_no_record_has_is_said_to_have_none),
        cmocka_unit_test(growth_between_all_checkpoints_is_proved),
        cmocka_unit_test(a_record_whose_bytes_were_changed_does_not_go_with_its_proof),
        cmocka_unit_test(what_another_has_signed_or_lacks_tiles_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
