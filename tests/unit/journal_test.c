/* journal: what a connector has read is there again, after a crash, a damage, a full disk and a change of keys; and
 * nowhere else, and no longer than it should be. */
#include "connectors/kit/journal.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char one_key[] = "0123456789abcdef0123456789abcdef";
static const char another_key[] = "fedcba9876543210fedcba9876543210";
static const int64_t day_ms = 86400000;
static const int64_t noon_ms = INT64_C(1780315200000); /* 2026-06-01T12:00:00Z */

enum { ENTRIES_MAX = 64 };

struct keeping {
    struct folder folder;
    struct hub_keys keys;
    struct hub_journal_config config;
    struct hub_journal *journal;
    int log, stderr_kept; /* what is logged goes into a file of the folder */
    /* What was read last. */
    char said[ENTRIES_MAX][64];
    size_t count, damaged;
};

static void load_keys(struct keeping *keeping) {
    struct hub_error error;
    assert_int_equal(hub_keys_load(folder_path(&keeping->folder, "keys"), &keeping->folder.arena,
                                   &keeping->keys, &error), HUB_OK);
}

static void open_at(struct keeping *keeping, int64_t now_ms) {
    struct hub_error error;
    hub_journal_close(keeping->journal);
    keeping->journal = NULL;
    if (hub_journal_open(&keeping->config, now_ms, &keeping->journal, &error) != HUB_OK)
        fail_msg("%s", error.text);
}

static int begin(void **state) {
    struct keeping *keeping = hub_allocate_zero(1, sizeof *keeping);
    folder_make(&keeping->folder);
    folder_write(&keeping->folder, "keys/journal/2026", one_key);
    load_keys(keeping);
    keeping->config = (struct hub_journal_config){.state_folder = keeping->folder.path,
                                                  .name = "slots",
                                                  .keys = &keeping->keys,
                                                  .days = 30};
    keeping->log = open(folder_path(&keeping->folder, "log"),
                        O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    keeping->stderr_kept = dup(STDERR_FILENO);
    dup2(keeping->log, STDERR_FILENO);
    open_at(keeping, noon_ms);
    *state = keeping;
    return 0;
}

static int end(void **state) {
    struct keeping *keeping = *state;
    dup2(keeping->stderr_kept, STDERR_FILENO);
    close(keeping->stderr_kept);
    close(keeping->log);
    hub_journal_close(keeping->journal);
    folder_remove(&keeping->folder);
    hub_release(keeping);
    return 0;
}

static const char *logged(struct keeping *keeping) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    assert_int_equal(hub_file_read(folder_path(&keeping->folder, "log"), &text, &error), HUB_OK);
    return hub_arena_text(&keeping->folder.arena, (const char *)text.data, text.size);
}

static void assert_logged(struct keeping *keeping, const char *part) {
    const char *text = logged(keeping);
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in the log: %s", part, text);
}

static enum hub_status try_to_keep(struct keeping *keeping, int64_t first, const char *text,
                                   int64_t now_ms, struct hub_error *reterr) {
    struct hub_raw_document document = {.name = "siu.hl7", .bytes = hub_bytes_of_text(text)};
    return hub_journal_append(keeping->journal, &document, 1, first, now_ms, reterr);
}

static void keep(struct keeping *keeping, int64_t sequence, const char *text) {
    struct hub_error error;
    if (try_to_keep(keeping, sequence, text, noon_ms, &error) != HUB_OK)
        fail_msg("%s", error.text);
}

static enum hub_status take(void *context, const struct hub_journal_entry *entry,
                            struct hub_error *reterr) {
    struct keeping *keeping = context;
    (void)reterr;
    assert_in_range(keeping->count, 0, ENTRIES_MAX - 1);
    snprintf(keeping->said[keeping->count++], sizeof *keeping->said, "%lld:%.*s%s",
             (long long)entry->sequence, (int)entry->document.bytes.size,
             (const char *)entry->document.bytes.data, entry->empty ? "(none)" : "");
    return HUB_OK;
}

static void read_all(struct keeping *keeping) {
    struct hub_error error;
    keeping->count = 0;
    if (hub_journal_read(&keeping->config, take, keeping, &keeping->damaged, &error) != HUB_OK)
        fail_msg("%s", error.text);
}

/* What is read, in one text; the journal is opened anew before. */
static void assert_reads(struct keeping *keeping, const char *wanted, size_t damaged) {
    HUB_SCOPED_BUFFER text = {0};
    read_all(keeping);
    for (size_t i = 0; i < keeping->count; i++)
        hub_buffer_append_format(&text, "%s%s", i == 0 ? "" : " ", keeping->said[i]);
    assert_string_equal(hub_buffer_text(&text), wanted);
    assert_int_equal(keeping->damaged, damaged);
}

static const char *file_of(struct keeping *keeping) {
    return folder_path(&keeping->folder, "journal/slots/2026-06-01");
}

static size_t size_of(struct keeping *keeping) {
    struct stat facts;
    assert_int_equal(stat(file_of(keeping), &facts), 0);
    return (size_t)facts.st_size;
}

static void change_byte(struct keeping *keeping, size_t at) {
    int descriptor = open(file_of(keeping), O_RDWR | O_CLOEXEC);
    uint8_t byte = 0;
    assert_int_equal(pread(descriptor, &byte, 1, (off_t)at), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(descriptor, &byte, 1, (off_t)at), 1);
    close(descriptor);
}

/* --- what was read --- */

static enum hub_status take_whole(void *context, const struct hub_journal_entry *entry,
                                  struct hub_error *reterr) {
    const struct hub_raw_document *document = &entry->document;
    (void)reterr;
    ++*(int *)context;
    assert_int_equal(entry->sequence, 7);
    assert_int_equal(entry->received_ms, noon_ms);
    assert_string_equal(document->name, "plan.csv");
    assert_true(hub_bytes_equal(document->bytes, hub_bytes("a\0b", 3)));
    assert_true(document->snapshot);
    assert_int_equal(document->withdraw_max_percent, 10);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(document->context, "file"), "name")),
        "plan.csv");
    assert_string_equal(document->refused, "over the limit");
    assert_string_equal(document->refused_code, "SIZE");
    return HUB_OK;
}

static void a_document_is_kept_with_all_that_maps_it(void **state) {
    struct keeping *keeping = *state;
    struct hub_error error;
    size_t damaged = 0;
    int taken = 0;
    struct hub_raw_document document = {.name = "plan.csv",
                                        .bytes = hub_bytes("a\0b", 3),
                                        .context = json_pack("{s:{s:s}}", "file", "name",
                                                             "plan.csv"),
                                        .snapshot = true,
                                        .withdraw_max_percent = 10,
                                        .refused = "over the limit",
                                        .refused_code = "SIZE"};
    assert_int_equal(hub_journal_append(keeping->journal, &document, 1, 7, noon_ms, &error), HUB_OK);
    json_decref(document.context);
    assert_int_equal(hub_journal_read(&keeping->config, take_whole, &taken, &damaged, &error),
                     HUB_OK);
    assert_int_equal(taken, 1);
    assert_int_equal(damaged, 0);
}

static void nothing_of_it_is_in_clear_and_nobody_else_may_open_it(void **state) {
    struct keeping *keeping = *state;
    HUB_SCOPED_BUFFER bytes = {0};
    struct hub_error error;
    struct stat facts;
    keep(keeping, 1, "19121212-1212 Tolvan Tolvansson");
    assert_int_equal(hub_file_read(file_of(keeping), &bytes, &error), HUB_OK);
    assert_null(memmem(bytes.data, bytes.size, "Tolvan", 6));
    assert_null(memmem(bytes.data, bytes.size, "siu.hl7", 7));
    assert_int_equal(stat(file_of(keeping), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void a_sequence_without_a_document_is_told_where_it_must(void **state) {
    struct keeping *keeping = *state;
    struct hub_error error;
    assert_int_equal(hub_journal_append(keeping->journal, NULL, 0, 4, noon_ms, &error), HUB_OK);
    keep(keeping, 5, "a");
    size_t size = size_of(keeping);
    assert_int_equal(hub_journal_append(keeping->journal, NULL, 0, 6, noon_ms, &error), HUB_OK);
    assert_int_equal(size_of(keeping), size);
    assert_int_equal(hub_journal_append(keeping->journal, NULL, 0, 5, noon_ms, &error), HUB_OK);
    assert_reads(keeping, "4:(none) 5:a 5:(none)", 0);
}

/* --- crashes and damage --- */

static void a_torn_tail_is_cut_off_at_the_next_open_wherever_it_was_torn(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, 1, "a");
    size_t whole = size_of(keeping);
    keep(keeping, 2, "bb");
    size_t size = size_of(keeping);
    for (size_t torn = size - 1; torn > whole; torn -= torn > whole + 7 ? 7 : 1) {
        assert_int_equal(truncate(file_of(keeping), (off_t)torn), 0);
        open_at(keeping, noon_ms);
        assert_int_equal(size_of(keeping), whole);
        assert_reads(keeping, "1:a", 0);
        keep(keeping, 2, "bb");
        assert_reads(keeping, "1:a 2:bb", 0);
    }
    assert_logged(keeping, "journal_cut");
}

static void a_tail_of_zeros_is_cut_off_too(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, 1, "a");
    size_t whole = size_of(keeping);
    assert_int_equal(truncate(file_of(keeping), (off_t)whole + 4096), 0);
    open_at(keeping, noon_ms);
    assert_int_equal(size_of(keeping), whole);
}

static void a_damaged_entry_is_told_with_its_place_and_the_rest_is_read(void **state) {
    struct keeping *keeping = *state;
    char place[64];
    keep(keeping, 1, "a");
    size_t from = size_of(keeping);
    keep(keeping, 2, "bb");
    size_t to = size_of(keeping);
    keep(keeping, 3, "c");
    for (size_t at = from; at < to; at++) {
        change_byte(keeping, at);
        open_at(keeping, noon_ms); /* which cuts off nothing */
        assert_reads(keeping, "1:a 3:c", 1);
        change_byte(keeping, at);
    }
    assert_reads(keeping, "1:a 2:bb 3:c", 0);
    snprintf(place, sizeof place, "2026-06-01: bytes %zu to %zu cannot be read", from, to);
    assert_logged(keeping, place);
}

/* As after a write that failed and could not be undone. */
static void entries_behind_half_an_entry_are_read(void **state) {
    struct keeping *keeping = *state;
    HUB_SCOPED_BUFFER bytes = {0};
    struct hub_error error;
    keep(keeping, 1, "a rather long document");
    size_t whole = size_of(keeping);
    keep(keeping, 2, "b");
    keep(keeping, 3, "c");
    assert_int_equal(hub_file_read(file_of(keeping), &bytes, &error), HUB_OK);
    HUB_SCOPED_BUFFER torn = {0};
    hub_buffer_append(&torn, bytes.data, whole - 10);
    hub_buffer_append_bytes(&torn, hub_bytes_part(hub_buffer_bytes(&bytes), whole, bytes.size));
    folder_write_bytes(&keeping->folder, "journal/slots/2026-06-01", hub_buffer_bytes(&torn));
    assert_reads(keeping, "2:b 3:c", 1);
}

/* --- keys --- */

static void with_another_key_nothing_is_read(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, 1, "a");
    folder_write(&keeping->folder, "keys/journal/2026", another_key);
    assert_reads(keeping, "", 1);
    assert_logged(keeping, "cannot be read: it is not what this connector wrote");
}

static void what_an_older_key_has_sealed_is_read_as_long_as_the_key_is_there(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, 1, "a");
    folder_write(&keeping->folder, "keys/journal/2027", another_key);
    load_keys(keeping);
    open_at(keeping, noon_ms);
    keep(keeping, 2, "b");
    assert_reads(keeping, "1:a 2:b", 0);
    assert_int_equal(unlink(folder_path(&keeping->folder, "keys/journal/2026")), 0);
    assert_reads(keeping, "2:b", 1);
    assert_logged(keeping, "there is no key of that id");
}

static void a_file_that_was_put_elsewhere_is_not_read(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, 1, "a");
    assert_int_equal(
        rename(file_of(keeping), folder_path(&keeping->folder, "journal/slots/2026-06-02")), 0);
    assert_reads(keeping, "", 1);
    hub_journal_close(keeping->journal);
    keeping->journal = NULL;
    assert_int_equal(rename(folder_path(&keeping->folder, "journal/slots"),
                            folder_path(&keeping->folder, "journal/batches")), 0);
    keeping->config.name = "batches";
    assert_reads(keeping, "", 1);
}

/* --- days --- */

static bool has_day(struct keeping *keeping, const char *day) {
    struct stat facts;
    return stat(hub_arena_format(&keeping->folder.arena, "%s/journal/slots/%s",
                                 keeping->folder.path, day), &facts) == 0;
}

static void each_day_has_its_file_and_old_ones_go(void **state) {
    struct keeping *keeping = *state;
    struct hub_error error;
    keeping->config.days = 2;
    open_at(keeping, noon_ms);
    folder_write(&keeping->folder, "journal/slots/notes", "somebody else's");
    for (int64_t i = 0; i < 4; i++)
        assert_int_equal(try_to_keep(keeping, i + 1, "a", noon_ms + i * day_ms, &error), HUB_OK);
    assert_false(has_day(keeping, "2026-06-01"));
    assert_true(has_day(keeping, "2026-06-02") && has_day(keeping, "2026-06-04"));
    assert_reads(keeping, "2:a 3:a 4:a", 0);
    open_at(keeping, noon_ms + 5 * day_ms);
    assert_false(has_day(keeping, "2026-06-03"));
    assert_true(has_day(keeping, "notes"));
}

static void of_no_days_nothing_stays(void **state) {
    struct keeping *keeping = *state;
    struct hub_error error;
    keep(keeping, 1, "a");
    keeping->config.days = 0;
    assert_int_equal(hub_journal_expire(&keeping->config, noon_ms, &error), HUB_OK);
    assert_false(has_day(keeping, "2026-06-01"));
}

/* --- a full disk --- */

static void limit_files_to(size_t size) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size == 0 ? limit.rlim_max : size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_a_matter_of_time_and_leaves_the_file_as_it_was(void **state) {
    struct keeping *keeping = *state;
    struct hub_error error;
    signal(SIGXFSZ, SIG_IGN);
    keep(keeping, 1, "a");
    size_t whole = size_of(keeping);
    limit_files_to(whole + 100);
    enum hub_status status = try_to_keep(keeping, 2, "a document for which there is no room",
                                         noon_ms, &error);
    limit_files_to(0);
    assert_int_equal(status, HUB_RETRY);
    assert_non_null(strstr(error.text, "nothing is published that could not be kept"));
    assert_int_equal(size_of(keeping), whole);
    keep(keeping, 2, "there is room");
    assert_reads(keeping, "1:a 2:there is room", 0);
}

/* --- which entries count --- */

static void list(struct hub_journal_list *list, const char *sequences) {
    for (const char *at = sequences; *at != '\0'; at++)
        hub_journal_list_take(list, &(struct hub_journal_item){.sequence = *at - '0',
                                                               .received_ms = at - sequences});
}

static void assert_counts(const struct hub_journal_list *list, const char *received) {
    char text[ENTRIES_MAX] = {0};
    for (size_t i = 0; i < list->count; i++)
        text[i] = (char)('0' + list->items[i].received_ms);
    assert_string_equal(text, received);
}

static void the_last_entry_of_a_sequence_counts_and_ends_those_that_were_to_follow(void **state) {
    struct hub_journal_list journal = {0};
    (void)state;
    list(&journal, "123" "23" "4");
    assert_counts(&journal, "0345");
    list(&journal, "3");
    assert_int_equal(journal.count, 3);
    hub_journal_list_free(&journal);
}

static void what_is_beyond_the_committed_position_does_not_count(void **state) {
    struct hub_journal_list journal = {0};
    (void)state;
    list(&journal, "1234");
    hub_journal_list_end(&journal, 2);
    assert_counts(&journal, "01");
    assert_true(hub_journal_list_has(
        &journal, &(struct hub_journal_item){.sequence = 2, .received_ms = 1}));
    assert_false(hub_journal_list_has(
        &journal, &(struct hub_journal_item){.sequence = 2, .received_ms = 9}));
    assert_false(hub_journal_list_has(
        &journal, &(struct hub_journal_item){.sequence = 3, .received_ms = 2}));
    hub_journal_list_end(&journal, 0);
    assert_false(hub_journal_list_has(&journal, &(struct hub_journal_item){.sequence = 1}));
    hub_journal_list_free(&journal);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_kept_with_all_that_maps_it),
        cmocka_unit_test(nothing_of_it_is_in_clear_and_nobody_else_may_open_it),
        cmocka_unit_test(a_sequence_without_a_document_is_told_where_it_must),
        cmocka_unit_test(a_torn_tail_is_cut_off_at_the_next_open_wherever_it_was_torn),
        cmocka_unit_test(a_tail_of_zeros_is_cut_off_too),
        cmocka_unit_test(a_damaged_entry_is_told_with_its_place_and_the_rest_is_read),
        cmocka_unit_test(entries_behind_half_an_entry_are_read),
        cmocka_unit_test(with_another_key_nothing_is_read),
        cmocka_unit_test(what_an_older_key_has_sealed_is_read_as_long_as_the_key_is_there),
        cmocka_unit_test(a_file_that_was_put_elsewhere_is_not_read),
        cmocka_unit_test(each_day_has_its_file_and_old_ones_go),
        cmocka_unit_test(of_no_days_nothing_stays),
        cmocka_unit_test(a_full_disk_is_a_matter_of_time_and_leaves_the_file_as_it_was),
        cmocka_unit_test(the_last_entry_of_a_sequence_counts_and_ends_those_that_were_to_follow),
        cmocka_unit_test(what_is_beyond_the_committed_position_does_not_count),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
