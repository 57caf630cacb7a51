/* file_drop: each file once, whole, and nobody else's. */
#include "connectors/kit/format.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/dropping.h"
#include "tests/lib/look.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- each file once --- */

static void files_come_in_the_order_of_their_names_and_once(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "b.json", "2");
    dropping_put(drop, "a.json", "1");
    dropping_put(drop, "c.json", "3");
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 3);
    assert_string_equal(reading_name(&drop->reading, 0), "a.json");
    assert_string_equal(reading_text(&drop->reading, 0), "1");
    assert_string_equal(reading_name(&drop->reading, 2), "c.json");
    assert_false(drop->reading.batch.exhausted);
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

static void what_was_not_committed_comes_again(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.json", "1");
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_int_equal(reading_poll(&drop->reading), 1);
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

static void a_restart_goes_on_where_the_position_says(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.json", "1");
    dropping_open(drop, "");
    reading_poll(&drop->reading);
    reading_restart(&drop->reading);
    dropping_put(drop, "b.json", "2");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(reading_name(&drop->reading, 0), "b.json");
}

static void a_file_that_is_replaced_is_read_again(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.json", "1");
    dropping_open(drop, "");
    reading_poll(&drop->reading);
    reading_commit(&drop->reading);
    reading_set_clock(dropping_start_ms + 60000);
    dropping_put(drop, "a.json", "2");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(reading_text(&drop->reading, 0), "2");
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

static void a_file_that_is_gone_is_forgotten(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.json", "1");
    dropping_open(drop, "");
    reading_poll(&drop->reading);
    reading_commit(&drop->reading);
    assert_non_null(strstr(drop->reading.batch.position, "a.json"));
    unlink(folder_path(&drop->folder, "a.json"));
    dropping_put(drop, "b.json", "2");
    reading_poll(&drop->reading);
    assert_null(strstr(drop->reading.batch.position, "a.json"));
}

static void many_files_come_in_several_batches(void **state) {
    struct dropping *drop = *state;
    for (int i = 0; i < 70; i++)
        dropping_put(drop, hub_arena_format(&drop->folder.arena, "%03d.json", i), "1");
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 64);
    reading_commit(&drop->reading);
    assert_int_equal(reading_poll(&drop->reading), 6);
    assert_string_equal(reading_name(&drop->reading, 0), "064.json");
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

/* --- whole files --- */

static void a_file_still_being_written_waits_until_it_is_settled(void **state) {
    struct dropping *drop = *state;
    folder_write(&drop->folder, "a.json", "hal");
    folder_set_time(&drop->folder, "a.json", dropping_start_ms - 499);
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 0);
    assert_false(drop->reading.batch.exhausted);
    folder_write(&drop->folder, "a.json", "half");
    folder_set_time(&drop->folder, "a.json", dropping_start_ms);
    reading_set_clock(dropping_start_ms + 499);
    assert_int_equal(reading_poll(&drop->reading), 0);
    reading_set_clock(dropping_start_ms + 500);
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(reading_text(&drop->reading, 0), "half");
}

static void a_file_whose_time_lies_ahead_settles_by_staying_the_same(void **state) {
    struct dropping *drop = *state;
    folder_write(&drop->folder, "a.json", "1");
    folder_set_time(&drop->folder, "a.json", dropping_start_ms + 86400000);
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 0);
    assert_false(drop->reading.batch.exhausted);
    reading_set_clock(dropping_start_ms + 400);
    folder_write(&drop->folder, "a.json", "12");
    folder_set_time(&drop->folder, "a.json", dropping_start_ms + 86400000);
    assert_int_equal(reading_poll(&drop->reading), 0);
    reading_set_clock(dropping_start_ms + 899);
    assert_int_equal(reading_poll(&drop->reading), 0);
    reading_set_clock(dropping_start_ms + 900);
    assert_int_equal(reading_poll(&drop->reading), 1);
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

static void names_of_unfinished_files_are_passed_over_until_they_are_renamed(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, ".a.json", "1");
    dropping_put(drop, "a.json.tmp", "1");
    dropping_put(drop, "a.json.part", "1");
    dropping_open(drop, "");
    dropping_expect_no_more(drop);
    rename(folder_path(&drop->folder, "a.json.part"), folder_path(&drop->folder, "a.json"));
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(reading_name(&drop->reading, 0), "a.json");
}

static void a_file_over_the_limit_is_refused_once_and_the_next_goes_on(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.json", "1");
    assert_int_equal(truncate(folder_path(&drop->folder, "a.json"), HUB_DOCUMENT_SIZE_MAX + 1), 0);
    folder_set_time(&drop->folder, "a.json", dropping_start_ms - 1000);
    dropping_put(drop, "b.json", "2");
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 2);
    assert_string_equal(drop->reading.batch.documents[0].refused,
                        "a.json: 16777217 bytes, over the limit of 16777216");
    assert_string_equal(drop->reading.batch.documents[0].refused_code, "SIZE");
    assert_null(drop->reading.batch.documents[1].refused);
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

static void a_file_of_the_limit_is_read_and_an_empty_one_too(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.json", "1");
    assert_int_equal(truncate(folder_path(&drop->folder, "a.json"), HUB_DOCUMENT_SIZE_MAX), 0);
    folder_set_time(&drop->folder, "a.json", dropping_start_ms - 1000);
    dropping_put(drop, "b.json", "");
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_int_equal(dropping_only(drop)->bytes.size, HUB_DOCUMENT_SIZE_MAX);
    reading_commit(&drop->reading);
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_int_equal(dropping_only(drop)->bytes.size, 0);
    assert_null(dropping_only(drop)->refused);
}

/* --- nobody else's files --- */

static void a_symbolic_link_is_refused_and_never_followed(void **state) {
    struct dropping *drop = *state;
    folder_write(&drop->folder, "elsewhere/secret", "s3cret");
    folder_write(&drop->folder, "in/.keep", "");
    assert_int_equal(symlink("../elsewhere/secret", folder_path(&drop->folder, "in/a.json")), 0);
    assert_int_equal(symlink("nowhere", folder_path(&drop->folder, "in/b.json")), 0);
    reading_open(&drop->reading, "file-drop",
                 hub_arena_format(&drop->folder.arena, "{folder: %s/in, settle_ms: 0}",
                                  drop->folder.path),
                 NULL);
    reading_set_clock(INT64_MAX / 2);
    assert_int_equal(reading_poll(&drop->reading), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(strstr(drop->reading.batch.documents[i].refused,
                               "a symbolic link, a pipe or a device; a regular file would pass"));
        assert_string_equal(drop->reading.batch.documents[i].refused_code, "FILE");
        assert_int_equal(drop->reading.batch.documents[i].bytes.size, 0);
    }
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

static void a_pipe_is_refused_and_nobody_waits_for_it(void **state) {
    struct dropping *drop = *state;
    assert_int_equal(mkfifo(folder_path(&drop->folder, "a.json"), 0600), 0);
    folder_set_time(&drop->folder, "a.json", dropping_start_ms - 1000);
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(dropping_only(drop)->refused_code, "FILE");
}

static void folders_in_the_folder_are_not_looked_into(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "done/a.json", "1");
    dropping_open(drop, "");
    dropping_expect_no_more(drop);
}

static void a_pattern_cannot_lead_out_of_the_folder(void **state) {
    struct dropping *drop = *state;
    folder_write(&drop->folder, "in/.keep", "");
    dropping_put(drop, "a.json", "1");
    reading_open(&drop->reading, "file-drop",
                 hub_arena_format(&drop->folder.arena, "{folder: %s/in, pattern: '(\\.\\./)?.*'}",
                                  drop->folder.path),
                 NULL);
    dropping_expect_no_more(drop);
}

static void a_file_that_may_not_be_read_is_told_after_the_others(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.json", "1");
    dropping_put(drop, "b.json", "2");
    assert_int_equal(chmod(folder_path(&drop->folder, "a.json"), 0), 0);
    assert_int_equal(chmod(folder_path(&drop->folder, "b.json"), 0644), 0);
    assert_int_equal(chmod(drop->folder.path, 0755), 0);
    dropping_open(drop, "");
    uid_t user = geteuid();
    if (user == 0)
        assert_int_equal(seteuid(65534), 0); /* root may read everything */
    size_t count = reading_poll(&drop->reading);
    reading_commit(&drop->reading);
    enum hub_status status = reading_try(&drop->reading);
    if (user == 0)
        assert_int_equal(seteuid(user), 0);
    assert_int_equal(count, 1);
    assert_int_equal(status, HUB_RETRY);
    assert_non_null(strstr(drop->reading.error.text, "a.json: Permission denied"));
    assert_int_equal(chmod(folder_path(&drop->folder, "a.json"), 0600), 0);
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(reading_name(&drop->reading, 0), "a.json");
}

/* --- names --- */

static void a_pattern_matches_the_whole_name_and_its_groups_are_told(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "trials-2026-03-01.csv", "1");
    dropping_put(drop, "trials-2026-03-01.csv.old", "1");
    dropping_put(drop, "my-trials-2026-03-01.csv", "1");
    dropping_open(drop, ", pattern: 'trials-(?<date>[0-9-]+)\\.csv'");
    assert_int_equal(reading_poll(&drop->reading), 1);
    expect_json(dropping_only(drop)->context, "file.name", "'trials-2026-03-01.csv'");
    expect_json(dropping_only(drop)->context, "file.match", "{'date': '2026-03-01'}");
}

static void a_name_that_is_no_text_is_read_once_under_one_that_is(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "pris\xe5r.json", "1");
    dropping_open(drop, "");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(reading_name(&drop->reading, 0), "pris%E5r.json");
    expect_json(dropping_only(drop)->context, "file.name", "'pris%E5r.json'");
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
    reading_restart(&drop->reading);
    dropping_expect_no_more(drop);
}

static void several_folders_are_read_in_their_order_and_a_missing_one_has_no_files(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "two/a.json", "2");
    dropping_put(drop, "one/b.json", "1");
    reading_open(&drop->reading, "file-drop",
                 hub_arena_format(&drop->folder.arena, "{folder: [%s/one, %s/none, %s/two]}",
                                  drop->folder.path, drop->folder.path, drop->folder.path),
                 NULL);
    assert_int_equal(reading_poll(&drop->reading), 2);
    assert_string_equal(reading_name(&drop->reading, 0), "b.json");
    expect_json(drop->reading.batch.documents[0].context, "file.folder", "'one'");
    expect_json(drop->reading.batch.documents[1].context, "file.folder", "'two'");
}

static void a_relative_folder_begins_at_the_configurations_own(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "samples/a.json", "1");
    drop->reading.env.folder = folder_path(&drop->folder, "lu");
    folder_write(&drop->folder, "lu/.keep", "");
    reading_open(&drop->reading, "file-drop", "{folder: ../samples}", NULL);
    assert_int_equal(reading_poll(&drop->reading), 1);
}

/* --- modes --- */

static void a_snapshot_comes_alone_and_says_what_it_is(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.csv", "1");
    dropping_put(drop, "b.csv", "2");
    dropping_open(drop, ", mode: snapshot, withdraw_max_percent: 35");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_true(dropping_only(drop)->snapshot);
    assert_int_equal(dropping_only(drop)->withdraw_max_percent, 35);
    reading_commit(&drop->reading);
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(reading_name(&drop->reading, 0), "b.csv");
    assert_true(drop->reading.transport->rereads(drop->reading.options));
}

static void documents_are_no_snapshots(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.csv", "1");
    dropping_open(drop, "");
    reading_poll(&drop->reading);
    assert_false(dropping_only(drop)->snapshot);
    assert_false(drop->reading.transport->rereads(drop->reading.options));
}

static void a_document_from_elsewhere_is_dressed_as_one_of_the_folder(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, ", mode: snapshot, pattern: 'trials-(?<date>[0-9-]+)\\.csv'");
    struct hub_raw_document document = {.name = "trials-2026-03-01.csv"};
    document.context = json_pack("{s:{s:s, s:{}}}", "file", "name", document.name, "match");
    drop->reading.transport->dress(drop->reading.options, &document);
    assert_true(document.snapshot);
    assert_int_equal(document.withdraw_max_percent, 20);
    expect_json(document.context, "file.match", "{'date': '2026-03-01'}");
    document.name = "other.csv";
    json_decref(document.context);
    document.context = json_pack("{s:{s:s, s:{}}}", "file", "name", document.name, "match");
    drop->reading.transport->dress(drop->reading.options, &document);
    expect_json(document.context, "file.match", "{}");
    json_decref(document.context);
}

/* --- what cannot be --- */

static void a_pattern_that_is_none_is_refused(void **state) {
    struct dropping *drop = *state;
    assert_non_null(strstr(
        reading_refusal(&drop->reading, "file-drop", "{folder: ., pattern: 'a('}", NULL),
        "pattern 'a(' at character 3: "));
}

static void a_position_of_another_transport_is_refused(void **state) {
    static const char *const positions[] = {"", "{}", "[]", "{\"files\": 1}", "junk"};
    struct dropping *drop = *state;
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        assert_non_null(
            strstr(reading_refusal(&drop->reading, "file-drop", "{folder: .}", positions[i]),
                   "the position is not one of file-drop"));
        reading_close(&drop->reading);
        drop->reading.transport = NULL;
    }
}

static void a_folder_with_too_many_files_is_for_a_person(void **state) {
    struct dropping *drop = *state;
    for (int i = 0; i < 5001; i++) {
        const char *path =
            folder_path(&drop->folder, hub_arena_format(&drop->folder.arena, "%d", i));
        assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
    }
    dropping_open(drop, "");
    assert_int_equal(reading_try(&drop->reading), HUB_FATAL);
    assert_non_null(strstr(drop->reading.error.text, "5001 files, over the limit of 5000"));
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_the_order_of_their_names_and_once),
        cmocka_unit_test(what_was_not_committed_comes_again),
        cmocka_unit_test(a_restart_goes_on_where_the_position_says),
        cmocka_unit_test(a_file_that_is_replaced_is_read_again),
        cmocka_unit_test(a_file_that_is_gone_is_forgotten),
        cmocka_unit_test(many_files_come_in_several_batches),
        cmocka_unit_test(a_file_still_being_written_waits_until_it_is_settled),
        cmocka_unit_test(a_file_whose_time_lies_ahead_settles_by_staying_the_same),
        cmocka_unit_test(names_of_unfinished_files_are_passed_over_until_they_are_renamed),
        cmocka_unit_test(a_file_over_the_limit_is_refused_once_and_the_next_goes_on),
        cmocka_unit_test(a_file_of_the_limit_is_read_and_an_empty_one_too),
        cmocka_unit_test(a_symbolic_link_is_refused_and_never_followed),
        cmocka_unit_test(a_pipe_is_refused_and_nobody_waits_for_it),
        cmocka_unit_test(folders_in_the_folder_are_not_looked_into),
        cmocka_unit_test(a_pattern_cannot_lead_out_of_the_folder),
        cmocka_unit_test(a_file_that_may_not_be_read_is_told_after_the_others),
        cmocka_unit_test(a_pattern_matches_the_whole_name_and_its_groups_are_told),
        cmocka_unit_test(a_name_that_is_no_text_is_read_once_under_one_that_is),
        cmocka_unit_test(several_folders_are_read_in_their_order_and_a_missing_one_has_no_files),
        cmocka_unit_test(a_relative_folder_begins_at_the_configurations_own),
        cmocka_unit_test(a_snapshot_comes_alone_and_says_what_it_is),
        cmocka_unit_test(documents_are_no_snapshots),
        cmocka_unit_test(a_document_from_elsewhere_is_dressed_as_one_of_the_folder),
        cmocka_unit_test(a_pattern_that_is_none_is_refused),
        cmocka_unit_test(a_position_of_another_transport_is_refused),
        cmocka_unit_test(a_folder_with_too_many_files_is_for_a_person),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = dropping_begin;
        tests[i].teardown_func = dropping_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
