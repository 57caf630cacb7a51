/* replay: the records of several logs come in one order, the same each time, and nothing is passed over that
 * was not looked at. */
#include "hub/archive/replay.h"
#include "hub/archive/partition_log.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOGS = 5, RECORDS_MAX = 301, TIMES = 40 };

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const char schema[] = "{\"type\": \"record\", \"name\": \"atmp.Slot\", \"fields\": [{\"name\": "
                             "\"suite\", \"type\": \"string\"}]}";
static const struct {
    const char *topic;
    int32_t partition;
    int count;
} written[LOGS] = {{"log.slot", 0, 300},    {"log.slot", 1, 17}, {"ingest.sus.slot", 0, 260},
                   {"ingest.sus.slot", 1, 1}, {"log.slot", 10, 40}};

struct archive {
    struct folder folder;
    struct hub_replay_log logs[LOGS];
    int64_t times_ms[LOGS][RECORDS_MAX];
};

/* --- an archive --- */

static struct hub_partition_log *open_log(struct archive *archive, size_t number) {
    struct hub_partition_log_config config = {.folder = archive->logs[number].folder,
                                              .deployment = "audit.example",
                                              .topic = written[number].topic,
                                              .partition = written[number].partition,
                                              .private = &private,
                                              .segment_size_max = 3000};
    struct hub_partition_log *log = NULL;
    struct hub_error error;
    expect_ok(hub_partition_log_open(&config, &log, &error), &error);
    return log;
}

static void append(struct hub_partition_log *log, int64_t timestamp_ms) {
    int64_t offset = (int64_t)hub_partition_log_size(log);
    struct hub_error error;
    struct hub_archived record = {.offset = offset,
                                  .timestamp_ms = timestamp_ms,
                                  .kind = HUB_ARCHIVED_AVRO,
                                  .value = hub_bytes("\x02x", 2)};
    expect_ok(hub_partition_log_append(log, &record, 1 + (int32_t)(offset % 2), schema, &error),
              &error);
}

static void sign(struct hub_partition_log *log) {
    struct hub_error error;
    expect_ok(hub_partition_log_sign(log, (int64_t)hub_partition_log_size(log), &error), &error);
}

/* Times go on, are equal, and now and then go back. */
static void make(struct archive *archive, unsigned seed) {
    char name[64];
    struct hub_error error;
    folder_make(&archive->folder);
    srand(seed);
    for (size_t i = 0; i < LOGS; i++) {
        int64_t time_ms = 0;
        snprintf(name, sizeof name, "%s-%d", written[i].topic, written[i].partition);
        archive->logs[i] = (struct hub_replay_log){.folder = folder_path(&archive->folder, name)};
        snprintf(name, sizeof name, "audit.example/%s-%d", written[i].topic, written[i].partition);
        expect_ok(hub_note_key_make(name, HUB_NOTE_SIGNATURE, &private, &archive->logs[i].key,
                                    &error), &error);
        struct hub_partition_log *log = open_log(archive, i);
        for (int k = 0; k < written[i].count; k++) {
            time_ms += rand() % 20 == 0 ? -(rand() % 5) : rand() % 2;
            append(log, archive->times_ms[i][k] = time_ms);
        }
        sign(log);
        hub_partition_log_close(log);
    }
}

static void damage(struct archive *archive, const char *name, size_t at) {
    struct hub_error error;
    HUB_SCOPED_BUFFER bytes = {0};
    expect_ok(hub_file_read(folder_path(&archive->folder, name), &bytes, &error), &error);
    bytes.data[at] ^= 1;
    folder_write_bytes(&archive->folder, name, hub_buffer_bytes(&bytes));
}

static struct hub_replay_config config_of(const struct archive *archive, int64_t from_ms,
                                          int64_t to_ms) {
    return (struct hub_replay_config){
        .logs = archive->logs, .log_count = LOGS, .from_ms = from_ms, .to_ms = to_ms};
}

static struct hub_replay *open_replay(const struct hub_replay_config *config) {
    struct hub_replay *replay = NULL;
    struct hub_error error;
    expect_ok(hub_replay_open(config, &replay, &error), &error);
    return replay;
}

static const struct hub_archive_record *next(struct hub_replay *replay) {
    const struct hub_archive_record *record = NULL;
    struct hub_error error;
    expect_ok(hub_replay_next(replay, &record, &error), &error);
    return record;
}

/* --- the order, as it is defined --- */

struct heads {
    const struct archive *archive;
    int64_t from_ms, to_ms;
    int at[LOGS];
};

static bool is_outside(struct heads *heads, size_t i) {
    int64_t time_ms = heads->archive->times_ms[i][heads->at[i]];
    return heads->at[i] < written[i].count &&
           (time_ms < heads->from_ms || time_ms >= heads->to_ms);
}

/* The log whose next record comes next; LOGS at the end. */
static size_t least(struct heads *heads) {
    size_t found = LOGS;
    for (size_t i = 0; i < LOGS; i++) {
        while (is_outside(heads, i))
            heads->at[i]++;
        if (heads->at[i] == written[i].count)
            continue;
        int64_t time_ms = heads->archive->times_ms[i][heads->at[i]];
        int64_t best_ms = found == LOGS ? 0 : heads->archive->times_ms[found][heads->at[found]];
        int topics = found == LOGS ? -1 : strcmp(written[i].topic, written[found].topic);
        if (found == LOGS || time_ms < best_ms ||
            (time_ms == best_ms &&
             (topics < 0 ||
              (topics == 0 && written[i].partition < written[found].partition))))
            found = i;
    }
    return found;
}

static int expect_range(const struct archive *archive, int64_t from_ms, int64_t to_ms) {
    struct heads heads = {.archive = archive, .from_ms = from_ms, .to_ms = to_ms};
    const struct hub_replay_config config = config_of(archive, from_ms, to_ms);
    struct hub_replay *replay = open_replay(&config);
    const struct hub_archive_record *record = NULL;
    int count = 0;
    while ((record = next(replay)) != NULL) {
        size_t log = least(&heads);
        assert_true(log < LOGS);
        assert_string_equal(record->leaf.topic, written[log].topic);
        assert_int_equal(record->leaf.partition, written[log].partition);
        assert_int_equal(record->record.offset, heads.at[log]++);
        count++;
    }
    assert_int_equal(least(&heads), LOGS);
    assert_int_equal(hub_replay_done(replay), hub_replay_size(replay));
    hub_replay_close(replay);
    return count;
}

static void records_come_by_time_then_topic_then_partition(void **state) {
    (void)state;
    for (unsigned seed = 1; seed < 4; seed++) {
        struct archive archive;
        make(&archive, seed);
        assert_int_equal(expect_range(&archive, INT64_MIN, INT64_MAX), 300 + 17 + 260 + 1 + 40);
        folder_remove(&archive.folder);
    }
}

static void a_record_never_overtakes_one_before_it_in_its_partition(void **state) {
    static const int64_t times_ms[] = {100, 101, 50, 51, 102};
    struct archive archive = {0};
    struct hub_error error;
    (void)state;
    folder_make(&archive.folder);
    archive.logs[0].folder = folder_path(&archive.folder, "log.slot-0");
    expect_ok(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &private,
                                &archive.logs[0].key, &error), &error);
    struct hub_partition_log *log = open_log(&archive, 0);
    for (size_t i = 0; i < 5; i++)
        append(log, times_ms[i]);
    sign(log);
    hub_partition_log_close(log);
    struct hub_replay_config config = config_of(&archive, 50, 102);
    config.log_count = 1;
    struct hub_replay *replay = open_replay(&config);
    for (int i = 0; i < 4; i++)
        assert_int_equal(next(replay)->record.offset, i);
    assert_null(next(replay));
    hub_replay_close(replay);
    folder_remove(&archive.folder);
}

static void a_range_has_what_is_of_its_time_and_nothing_else(void **state) {
    struct archive archive;
    int empty = 0;
    (void)state;
    make(&archive, 7);
    for (int64_t from_ms = -6; from_ms < 2 * TIMES; from_ms += 9)
        for (int64_t to_ms = from_ms; to_ms < 5 * TIMES; to_ms += 13)
            empty += expect_range(&archive, from_ms, to_ms) == 0;
    assert_true(empty > 0);
    folder_remove(&archive.folder);
}

static void expect_same(struct hub_digest a, struct hub_digest b) {
    assert_memory_equal(&a, &b, sizeof a);
}

static void whoever_passes_over_what_he_has_goes_on_with_the_rest(void **state) {
    struct archive archive;
    struct hub_tally whole = {0};
    const struct hub_archive_record *record = NULL;
    (void)state;
    make(&archive, 9);
    const struct hub_replay_config config = config_of(&archive, 3, 100);
    struct hub_replay *replay = open_replay(&config);
    struct hub_digest digests[5 * RECORDS_MAX];
    for (; (record = next(replay)) != NULL; hub_tally_add(&whole, &record->leaf.digest))
        digests[whole.count] = record->leaf.digest;
    hub_replay_close(replay);
    assert_true(whole.count > 100);
    for (uint64_t had = 0; had <= whole.count; had += 7) {
        struct hub_tally tally = {0};
        for (uint64_t i = 0; i < had; i++)
            hub_tally_add(&tally, &digests[i]);
        replay = open_replay(&config);
        for (uint64_t i = 0; i < had; i++)
            assert_memory_equal(&next(replay)->leaf.digest, &digests[i], sizeof digests[i]);
        while ((record = next(replay)) != NULL)
            hub_tally_add(&tally, &record->leaf.digest);
        assert_int_equal(tally.count, whole.count);
        expect_same(hub_tally_digest(&tally), hub_tally_digest(&whole));
        hub_replay_close(replay);
    }
    folder_remove(&archive.folder);
}

static void a_tally_tells_orders_apart(void **state) {
    struct hub_tally a = {0}, b = {0};
    const struct hub_digest one = {{1}}, two = {{2}};
    char text[HUB_DIGEST_TEXT_SIZE];
    (void)state;
    hub_tally_add(&a, &one);
    hub_tally_add(&a, &two);
    struct hub_digest digest = hub_tally_digest(&a);
    hub_digest_text(&digest, HUB_DIGEST_SIZE, text);
    /* python3: sha256(b"\1" + bytes(31) + b"\2" + bytes(31)) */
    assert_string_equal(text, "ff55c97976a840b4ced964ed49e3794594ba3f675238b5fd25d282b60f70a194");
    hub_tally_add(&b, &two);
    hub_tally_add(&b, &one);
    assert_int_equal(a.count, 2);
    struct hub_digest other = hub_tally_digest(&b);
    assert_memory_not_equal(&digest, &other, sizeof digest);
}

static void a_log_that_grew_is_read_as_it_was(void **state) {
    struct archive archive;
    (void)state;
    make(&archive, 11);
    for (size_t i = 0; i < LOGS; i++) {
        struct hub_partition_log *log = open_log(&archive, i);
        archive.logs[i].size = hub_partition_log_size(log);
        for (int k = 0; k < 10; k++)
            append(log, k);
        sign(log);
        hub_partition_log_close(log);
    }
    assert_int_equal(expect_range(&archive, INT64_MIN, INT64_MAX), 618);
    const struct hub_replay_config config = config_of(&archive, 2, 50);
    struct hub_replay *replay = open_replay(&config);
    assert_int_equal(hub_replay_checkpoint(replay, 0)->size, 300);
    hub_replay_close(replay);
    folder_remove(&archive.folder);
}

/* --- what is not as it was signed --- */

static enum hub_status run(const struct archive *archive, int64_t from_ms,
                           struct hub_error *reterr) {
    const struct hub_replay_config config = config_of(archive, from_ms, INT64_MAX);
    const struct hub_archive_record *record = NULL;
    struct hub_replay *replay = NULL;
    enum hub_status status = hub_replay_open(&config, &replay, reterr);
    if (status != HUB_OK)
        return status;
    do
        status = hub_replay_next(replay, &record, reterr);
    while (status == HUB_OK && record != NULL);
    hub_replay_close(replay);
    return status;
}

static void expect_found(const char *name, size_t at, int64_t from_ms, const char *words) {
    struct archive archive;
    struct hub_error error = {{0}};
    make(&archive, 13);
    expect_ok(run(&archive, from_ms, &error), &error);
    damage(&archive, name, at);
    expect_refusal(run(&archive, from_ms, &error), HUB_REJECT, &error, "audit.example/log.slot-0: ",
                   words);
    folder_remove(&archive.folder);
}

static void a_record_that_was_altered_ends_it_by_its_name(void **state) {
    (void)state;
    expect_found("log.slot-0/segments/0.avro", 2000, INT64_MIN, "record ");
}

static void what_is_passed_over_is_looked_at_too(void **state) {
    (void)state;
    expect_found("log.slot-0/tile/entries/000", 80, 50, "its entry is not the one in its tile");
    expect_found("log.slot-0/tile/0/000", 80, 50, "is not that of the tile below it");
}

static void a_log_that_was_put_back_is_refused(void **state) {
    struct archive archive;
    struct hub_error error;
    (void)state;
    make(&archive, 15);
    archive.logs[2].size = 261;
    expect_refusal(run(&archive, 0, &error), HUB_REJECT, &error, "audit.example/ingest.sus.slot-0: ",
                   "it was put back");
    folder_remove(&archive.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_by_time_then_topic_then_partition),
        cmocka_unit_test(a_record_never_overtakes_one_before_it_in_its_partition),
        cmocka_unit_test(a_range_has_what_is_of_its_time_and_nothing_else),
        cmocka_unit_test(whoever_passes_over_what_he_has_goes_on_with_the_rest),
        cmocka_unit_test(a_tally_tells_orders_apart),
        cmocka_unit_test(a_log_that_grew_is_read_as_it_was),
        cmocka_unit_test(a_record_that_was_altered_ends_it_by_its_name),
        cmocka_unit_test(what_is_passed_over_is_looked_at_too),
        cmocka_unit_test(a_log_that_was_put_back_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
