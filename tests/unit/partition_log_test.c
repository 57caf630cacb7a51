/* partition_log: killed anywhere, it becomes what it would have been; and what was altered is found when it
 * is opened. */
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
#include <sys/stat.h>
#include <unistd.h>

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const char schema[] = "{\"type\": \"record\", \"name\": \"atmp.Slot\", \"fields\": [{\"name\": "
                             "\"suite\", \"type\": \"string\"}]}";

static struct hub_partition_log_config config_of(const char *folder) {
    return (struct hub_partition_log_config){.folder = folder,
                                             .deployment = "audit.example",
                                             .topic = "log.slot",
                                             .partition = 0,
                                             .private = &private,
                                             .segment_size_max = 4000};
}

static struct hub_partition_log *open_log(const char *folder) {
    struct hub_partition_log_config config = config_of(folder);
    struct hub_partition_log *log = NULL;
    struct hub_error error;
    expect_ok(hub_partition_log_open(&config, &log, &error), &error);
    return log;
}

/* Of three schemas, of which two take turns and one is followed by another. */
static int32_t schema_of(uint64_t number) {
    return number % 5 == 0 ? 9 : number < 200 ? 7 : 8;
}

/* Record N of the partition, at offset 2 * N: some are no Avro, some are null. */
static void append(struct hub_partition_log *log, uint64_t number) {
    struct hub_error error;
    char key[32], value[64];
    snprintf(key, sizeof key, "mes/%llu", (unsigned long long)number);
    int size = snprintf(value + 1, sizeof value - 1, "SUITE-%llu", (unsigned long long)number);
    value[0] = (char)(2 * size); /* as Avro writes a short string */
    struct hub_archived record = {.offset = 2 * (int64_t)number,
                                  .timestamp_ms = 1772323200000 + (int64_t)number,
                                  .has_key = true,
                                  .key = hub_bytes_of_text(key),
                                  .kind = number % 7 == 3   ? HUB_ARCHIVED_NULL
                                          : number % 7 == 5 ? HUB_ARCHIVED_BYTES
                                                            : HUB_ARCHIVED_AVRO,
                                  .value = hub_bytes(value, (size_t)size + 1)};
    expect_ok(hub_partition_log_append(log, &record, schema_of(number), schema, &error), &error);
}

static void append_until(struct hub_partition_log *log, uint64_t size) {
    while (hub_partition_log_size(log) < size)
        append(log, hub_partition_log_size(log));
}

static void sign(struct hub_partition_log *log) {
    struct hub_error error;
    expect_ok(hub_partition_log_sign(log, 2 * (int64_t)hub_partition_log_size(log), &error), &error);
}

static void a_log_goes_on_where_its_checkpoint_says(void **state) {
    struct folder folder;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder.path);
    assert_int_equal(hub_partition_log_next_offset(log), -1);
    append_until(log, 10);
    sign(log);
    append_until(log, 20);
    hub_partition_log_close(log);
    log = open_log(folder.path);
    assert_int_equal(hub_partition_log_next_offset(log), 20);
    assert_int_equal(hub_partition_log_size(log), 10);
    hub_partition_log_close(log);
    folder_remove(&folder);
}

static void a_log_of_nothing_may_be_signed_too(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder.path);
    expect_ok(hub_partition_log_sign(log, 5, &error), &error);
    hub_partition_log_close(log);
    log = open_log(folder.path);
    assert_int_equal(hub_partition_log_next_offset(log), 5);
    append_until(log, 1);
    sign(log);
    hub_partition_log_close(log);
    log = open_log(folder.path);
    assert_int_equal(hub_partition_log_size(log), 1);
    hub_partition_log_close(log);
    folder_remove(&folder);
}

static size_t count_segments(struct folder *folder) {
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    expect_ok(hub_file_list(folder_path(folder, "segments"), ".avro", &folder->arena, &names, &count,
                            &error), &error);
    return count;
}

/* Two schemas, and what is of none. */
static void records_of_schemas_that_take_turns_fill_a_few_segments(void **state) {
    struct folder folder;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder.path);
    append_until(log, 30);
    sign(log);
    hub_partition_log_close(log);
    assert_int_equal(count_segments(&folder), 3);
    folder_remove(&folder);
}

/* Of more schemas than may have a segment that goes on, the oldest ends, and begins another. */
static void there_are_not_more_schemas_at_once_than_may_be(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder.path);
    for (int i = 0; i < 2 * HUB_OPEN_SEGMENTS_MAX + 2; i++) {
        struct hub_archived record = {
            .offset = i, .kind = HUB_ARCHIVED_AVRO, .value = hub_bytes("\x02x", 2)};
        expect_ok(hub_partition_log_append(log, &record, 1 + i % (HUB_OPEN_SEGMENTS_MAX + 1), schema,
                                           &error), &error);
        if (i % 9 == 0) {
            sign(log);
            hub_partition_log_close(log);
            log = open_log(folder.path);
        }
    }
    sign(log);
    hub_partition_log_close(log);
    assert_int_equal(count_segments(&folder), 2 * HUB_OPEN_SEGMENTS_MAX + 2);
    folder_remove(&folder);
}

/* --- killed anywhere --- */

static struct {
    struct folder *folder;
    size_t from_size; /* of the path of the first folder */
    const char *other;
    size_t count;
} comparing;

static int compare(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    HUB_SCOPED_BUFFER one = {0}, two = {0};
    struct hub_error error;
    (void)facts;
    (void)at;
    const char *name = path + comparing.from_size + 1;
    if (kind != FTW_F || strncmp(name, "checkpoints/", 12) == 0)
        return 0;
    expect_ok(hub_file_read(path, &one, &error), &error);
    expect_ok(hub_file_read(hub_arena_format(&comparing.folder->arena, "%s/%s", comparing.other, name),
                            &two, &error), &error);
    if (!hub_bytes_equal(hub_buffer_bytes(&one), hub_buffer_bytes(&two)))
        fail_msg("%s is another", name);
    comparing.count++;
    return 0;
}

/* Every file of the one is the same in the other, which may have signed oftener. */
static void assert_same(struct folder *folder, const char *one, const char *other) {
    const char *from = folder_path(folder, one);
    comparing.folder = folder;
    comparing.from_size = strlen(from);
    comparing.other = folder_path(folder, other);
    comparing.count = 0;
    assert_int_equal(nftw(from, compare, 16, FTW_PHYS), 0);
    assert_true(comparing.count > 20);
}

/* Tears what is beyond the checkpoint: it was never waited for. */
static void tear(struct folder *folder, const char *name, uint64_t safe) {
    struct hub_arena arena = {0};
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    const char *segments = folder_path(folder, hub_arena_format(&folder->arena, "%s/segments", name));
    expect_ok(hub_file_list(segments, ".avro", &arena, &names, &count, &error), &error);
    for (size_t i = 0; i < count; i++) {
        const char *file = hub_arena_format(&arena, "%s/%s", segments, names[i]);
        if (strtoull(names[i], NULL, 10) >= safe)
            assert_int_equal(truncate(file, 10), 0);
    }
    hub_arena_destroy(&arena);
}

static void killed_anywhere_it_becomes_what_it_would_have_been(void **state) {
    struct folder folder;
    const uint64_t size = 700;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder_path(&folder, "whole"));
    append_until(log, size);
    sign(log);
    hub_partition_log_close(log);
    for (uint64_t safe = 0; safe < size;) {
        uint64_t next = safe + 1 + safe * 13 % 90;
        log = open_log(folder_path(&folder, "killed"));
        assert_int_equal(hub_partition_log_size(log), safe);
        append_until(log, next > size ? size : next);
        sign(log);
        safe = hub_partition_log_size(log);
        append_until(log, safe + 80); /* and is killed */
        hub_partition_log_close(log);
        tear(&folder, "killed", safe);
    }
    hub_partition_log_close(open_log(folder_path(&folder, "killed")));
    assert_same(&folder, "whole", "killed");
    folder_remove(&folder);
}

/* --- altered --- */

static void assert_cannot_open(struct folder *folder, const struct hub_ed25519_key *key,
                               const char *topic, const char *why) {
    struct hub_partition_log_config config = config_of(folder->path);
    struct hub_partition_log *log = NULL;
    struct hub_error error;
    config.private = key;
    config.topic = topic;
    assert_int_equal(hub_partition_log_open(&config, &log, &error), HUB_FATAL);
    assert_says(error.text, why);
}

static void flip(struct folder *folder, const char *name, size_t at) {
    HUB_SCOPED_BUFFER bytes = {0};
    struct hub_error error;
    expect_ok(hub_file_read(folder_path(folder, name), &bytes, &error), &error);
    bytes.data[at] ^= 1;
    expect_ok(hub_file_write(folder_path(folder, name), hub_buffer_bytes(&bytes), &error), &error);
}

static void what_was_altered_is_found(void **state) {
    struct folder folder;
    struct hub_ed25519_key other = private;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder.path);
    append_until(log, 300);
    sign(log);
    hub_partition_log_close(log);
    other.bytes[31] ^= 1;
    assert_cannot_open(&folder, &other, "log.slot", "has not signed it");
    assert_cannot_open(&folder, &private, "log.other", "has not signed it");
    flip(&folder, "checkpoint", 30); /* of its size */
    assert_cannot_open(&folder, &private, "log.slot", "is not of this text");
    flip(&folder, "checkpoint", 30);
    flip(&folder, "tile/0/001.p/44", 77);
    assert_cannot_open(&folder, &private, "log.slot", "its tiles are not those of its checkpoint");
    flip(&folder, "tile/0/001.p/44", 77);
    hub_partition_log_close(open_log(folder.path));
    folder_remove(&folder);
}

static void a_segment_that_is_short_is_found(void **state) {
    struct folder folder;
    struct stat facts;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder.path);
    append_until(log, 5);
    sign(log);
    hub_partition_log_close(log);
    const char *file = folder_path(&folder, "segments/0.avro");
    assert_int_equal(stat(file, &facts), 0);
    assert_int_equal(truncate(file, facts.st_size - 1), 0);
    assert_cannot_open(&folder, &private, "log.slot", "are needed");
    assert_int_equal(unlink(file), 0);
    assert_cannot_open(&folder, &private, "log.slot", "No such file");
    folder_remove(&folder);
}

/* The descriptors are where the records are. */
static void every_descriptor_is_of_its_record(void **state) {
    struct folder folder;
    (void)state;
    folder_make(&folder);
    struct hub_partition_log *log = open_log(folder.path);
    append_until(log, 256);
    sign(log);
    hub_partition_log_close(log);
    HUB_SCOPED_BUFFER bundle = {0};
    struct hub_error error;
    expect_ok(hub_file_read(folder_path(&folder, "tile/entries/000"), &bundle, &error), &error);
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&bundle));
    for (int64_t i = 0; i < 256; i++) {
        uint8_t high = 0, low = 0;
        struct hub_bytes text;
        struct hub_leaf leaf;
        HUB_SCOPED_BUFFER segment = {0};
        assert_true(hub_cursor_byte(&cursor, &high) && hub_cursor_byte(&cursor, &low) &&
                    hub_cursor_take(&cursor, (uint64_t)high << 8 | low, &text));
        expect_ok(hub_leaf_read(text, &leaf, &error), &error);
        assert_int_equal(leaf.offset, 2 * i);
        expect_ok(hub_file_read(folder_path(&folder, hub_arena_format(&folder.arena, "segments/%llu.avro",
                                                                      (unsigned long long)leaf.segment)),
                                &segment, &error), &error);
        struct hub_digest digest = hub_sha256.digest(
            hub_bytes_part(hub_buffer_bytes(&segment), leaf.at, leaf.at + leaf.size));
        assert_memory_equal(&digest, &leaf.digest, sizeof digest);
    }
    folder_remove(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_goes_on_where_its_checkpoint_says),
        cmocka_unit_test(a_log_of_nothing_may_be_signed_too),
        cmocka_unit_test(records_of_schemas_that_take_turns_fill_a_few_segments),
        cmocka_unit_test(there_are_not_more_schemas_at_once_than_may_be),
        cmocka_unit_test(killed_anywhere_it_becomes_what_it_would_have_been),
        cmocka_unit_test(what_was_altered_is_found),
        cmocka_unit_test(a_segment_that_is_short_is_found),
        cmocka_unit_test(every_descriptor_is_of_its_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
