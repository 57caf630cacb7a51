/* reader: what was appended is read from anywhere, and what is in no entry is found at the end. */
#include "hub/archive/reader.h"
#include "hub/archive/partition_log.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = 400, SCHEMAS = 3 };

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const char schema[] = "{\"type\": \"record\", \"name\": \"atmp.Slot\", \"fields\": [{\"name\": "
                             "\"suite\", \"type\": \"string\"}]}";

static struct hub_partition_log *open_log(struct folder *folder) {
    struct hub_partition_log_config config = {.folder = folder->path,
                                              .deployment = "audit.example",
                                              .topic = "log.slot",
                                              .private = &private,
                                              .segment_size_max = 3000};
    struct hub_partition_log *log = NULL;
    struct hub_error error;
    expect_ok(hub_partition_log_open(&config, &log, &error), &error);
    return log;
}

static int32_t schema_of(uint64_t number) {
    return 1 + (int32_t)(number * number % SCHEMAS);
}

static void append_until(struct hub_partition_log *log, uint64_t size) {
    struct hub_error error;
    for (uint64_t i; (i = hub_partition_log_size(log)) < size;) {
        char value[32];
        int length = snprintf(value + 1, sizeof value - 1, "SUITE-%llu", (unsigned long long)i);
        value[0] = (char)(2 * length);
        struct hub_archived record = {.offset = 2 * (int64_t)i,
                                      .timestamp_ms = 5,
                                      .kind = HUB_ARCHIVED_AVRO,
                                      .value = hub_bytes(value, (size_t)length + 1)};
        expect_ok(hub_partition_log_append(log, &record, schema_of(i), schema, &error), &error);
    }
}

static void make_log(struct folder *folder) {
    struct hub_error error;
    folder_make(folder);
    struct hub_partition_log *log = open_log(folder);
    append_until(log, SIZE);
    expect_ok(hub_partition_log_sign(log, 2 * SIZE, &error), &error);
    append_until(log, SIZE + 20); /* and is killed */
    hub_partition_log_close(log);
    log = open_log(folder);
    hub_partition_log_close(log);
}

static struct hub_archive_reader *open_reader(struct folder *folder, uint64_t from) {
    struct hub_archive_reader *reader = NULL;
    struct hub_note_key key;
    struct hub_error error;
    expect_ok(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &private, &key,
                                &error), &error);
    expect_ok(hub_archive_reader_open(folder->path, &key, from, &reader, &error), &error);
    return reader;
}

static void expect_rest(struct hub_archive_reader *reader, uint64_t from) {
    for (uint64_t i = from; i < SIZE; i++) {
        struct hub_archive_record record;
        struct hub_error error;
        char value[32];
        expect_ok(hub_archive_reader_next(reader, &record, &error), &error);
        snprintf(value, sizeof value, "SUITE-%llu", (unsigned long long)i);
        assert_int_equal(record.index, i);
        assert_int_equal(record.record.offset, 2 * i);
        assert_int_equal(record.segment->schema_id, schema_of(i));
        assert_memory_equal(record.record.value.data + 1, value, strlen(value));
    }
}

static void what_was_appended_is_read_from_anywhere(void **state) {
    struct folder folder;
    (void)state;
    make_log(&folder);
    for (uint64_t from = 0; from <= SIZE; from++) {
        struct hub_archive_reader *reader = open_reader(&folder, from);
        assert_int_equal(hub_archive_reader_checkpoint(reader)->size, SIZE);
        expect_rest(reader, from);
        hub_archive_reader_close(reader);
    }
    folder_remove(&folder);
}

static void a_record_is_found_by_its_offset(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    make_log(&folder);
    for (int64_t offset = 0; offset < 2 * SIZE + 5; offset += 3) {
        struct hub_archive_reader *reader = open_reader(&folder, 0);
        uint64_t index = (uint64_t)(offset + 1) / 2; /* every other offset is one's */
        expect_ok(hub_archive_reader_seek(reader, offset, &error), &error);
        assert_int_equal(hub_archive_reader_has_next(reader), index < SIZE);
        expect_rest(reader, index);
        assert_false(hub_archive_reader_has_next(reader));
        hub_archive_reader_close(reader);
    }
    folder_remove(&folder);
}

/* Of two parts the second begins where the first ends; of what is left out a gap is told. */
static void parts_must_meet(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    make_log(&folder);
    for (uint64_t middle = 1; middle < SIZE; middle += 7) {
        for (uint64_t gap = 0; gap < 2; gap++) {
            struct hub_spans whole = {0}, part = {0};
            struct hub_archive_reader *first = open_reader(&folder, 0);
            struct hub_archive_reader *second = open_reader(&folder, middle + gap);
            for (uint64_t i = 0; i < middle; i++) {
                struct hub_archive_record record;
                expect_ok(hub_archive_reader_next(first, &record, &error), &error);
            }
            expect_rest(second, middle + gap);
            hub_archive_reader_append_spans(first, &part);
            expect_ok(hub_spans_join(&whole, part.items, part.count, &error), &error);
            part.count = 0;
            hub_archive_reader_append_spans(second, &part);
            enum hub_status status = hub_spans_join(&whole, part.items, part.count, &error);
            assert_true(status == HUB_OK || (gap == 1 && status == HUB_REJECT));
            hub_spans_free(&whole);
            hub_spans_free(&part);
            hub_archive_reader_close(first);
            hub_archive_reader_close(second);
        }
    }
    folder_remove(&folder);
}

static enum hub_status finish(struct folder *folder, struct hub_error *reterr) {
    struct hub_archive_reader *reader = open_reader(folder, 0);
    struct hub_spans spans = {0};
    uint64_t unsigned_bytes = 0;
    expect_rest(reader, 0);
    hub_archive_reader_append_spans(reader, &spans);
    enum hub_status status = hub_spans_finish(&spans, folder->path,
                                              hub_archive_reader_checkpoint(reader),
                                              &unsigned_bytes, reterr);
    hub_spans_free(&spans);
    hub_archive_reader_close(reader);
    return status;
}

static void what_no_entry_speaks_of_is_found_at_the_end(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    make_log(&folder);
    expect_ok(finish(&folder, &error), &error);
    expect_ok(hub_file_extend(folder_path(&folder, "segments/0.avro"), hub_bytes("x", 1), &error),
              &error);
    assert_int_equal(finish(&folder, &error), HUB_REJECT);
    assert_says(error.text, "segments/0.avro: 1 bytes at its end that no entry speaks of");
    folder_remove(&folder);
}

static void a_segment_that_is_none_is_found_at_the_end(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    make_log(&folder);
    folder_write(&folder, "segments/7.avro", "more");
    assert_int_equal(finish(&folder, &error), HUB_REJECT);
    assert_says(error.text, "files, where the entries speak of");
    folder_remove(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_appended_is_read_from_anywhere),
        cmocka_unit_test(a_record_is_found_by_its_offset),
        cmocka_unit_test(parts_must_meet),
        cmocka_unit_test(what_no_entry_speaks_of_is_found_at_the_end),
        cmocka_unit_test(a_segment_that_is_none_is_found_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
