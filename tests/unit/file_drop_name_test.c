/* file_drop: names that go nowhere, and folders and servers that are none. */
#include "tests/lib/cmocka.h"
#include "tests/lib/dropping.h"

#include <sys/stat.h>

/* --- names --- */

static void a_name_with_a_control_character_is_refused_once(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a\nb.csv", "1");
    dropping_put(drop, "c\x1b[1m.csv", "1");
    dropping_put(drop, "d\x7f.csv", "1");
    dropping_put(drop, "z.csv", "2");
    dropping_open(drop, "");
    assert_string_equal(dropping_take(drop),
                        "a%0Ab.csv!FILE c%1B[1m.csv!FILE d%7F.csv!FILE z.csv=2");
    assert_string_equal(drop->reading.batch.documents[0].refused,
                        "a%0Ab.csv: a name with a / or a control character in it; one without "
                        "would pass");
    dropping_expect_no_more(drop);
}

/* In nothing that leaves: not in what is told, and not in the position. */
static void assert_untold(const struct dropping *drop, const char *number) {
    const struct hub_batch *batch = &drop->reading.batch;
    assert_null(strstr(batch->position, number));
    for (size_t i = 0; i < batch->count; i++) {
        const struct hub_raw_document *document = &batch->documents[i];
        char *context = json_dumps(document->context, 0);
        assert_null(strstr(document->name, number));
        assert_null(strstr(context, number));
        assert_true(document->refused == NULL || strstr(document->refused, number) == NULL);
        free(context);
    }
}

static void a_file_whose_name_holds_a_persons_number_is_read_and_its_name_goes_nowhere(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "of 19121212-1212.csv", "1");
    dropping_put(drop, "sheet_191212121212.csv", "2");
    dropping_put(drop, "z.csv", "3");
    dropping_open(drop, "");
    assert_string_equal(dropping_take(drop), "(held back)=1 (held back)=2 z.csv=3");
    assert_untold(drop, "1212");
    dropping_expect_no_more(drop);
    assert_untold(drop, "1212");
    dropping_put(drop, "zz.csv", "4");
    assert_string_equal(dropping_take(drop), "zz.csv=4");
    assert_untold(drop, "1212");
    reading_restart(&drop->reading);
    dropping_expect_no_more(drop);
}

static void a_link_with_such_a_name_is_refused_without_it(void **state) {
    struct dropping *drop = *state;
    assert_int_equal(mkfifo(folder_path(&drop->folder, "of 19121212-1212.csv"), 0600), 0);
    folder_set_time(&drop->folder, "of 19121212-1212.csv", dropping_start_ms - 1000);
    dropping_open(drop, "");
    assert_string_equal(dropping_take(drop), "(held back)!FILE");
    assert_untold(drop, "1212");
}

static void a_time_that_looks_like_a_persons_number_loses_nobody_a_file(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "slots_20260301-0816.csv", "1"); /* passes the check, as one time in ten */
    dropping_open(drop, "");
    assert_string_equal(dropping_take(drop), "(held back)=1");
    dropping_put(drop, "slots_20260301-0816.csv", "22");
    assert_string_equal(dropping_take(drop), "(held back)=22");
    dropping_expect_no_more(drop);
}

static void a_folder_that_is_called_by_a_persons_number_is_refused(void **state) {
    struct dropping *drop = *state;
    const char *why =
        reading_refusal(&drop->reading, "file-drop", "{folder: '/x/19121212-1212'}", NULL);
    assert_non_null(strstr(why, "a folder's name holds what looks like a personnummer"));
    assert_null(strstr(why, "1212"));
}

/* --- servers --- */

static void what_is_no_folder_of_a_server_is_refused(void **state) {
    static const struct {
        const char *options, *why;
    } cases[] = {
        {"folder: 'sftp://hub:s3cret@host/out'", "an address with a password in it"},
        {"folder: 'sftp://host/out'", "sftp://host/out: sftp://USER@HOST[:PORT]/FOLDER would pass"},
        {"folder: 'sftp://hub@host/a/../b'", "would pass"},
        {"folder: 'sftp://hub@host/a/%2e%2e'", "would pass"},
        {"folder: 'sftp://hub@host/a?b'", "would pass"},
        {"folder: 'sftp://hub@host/a#b'", "would pass"},
        {"folder: 'sftp://hub@host:port/a'", "an address that is none"},
        {"folder: [., 'sftp:hub@host']", "would pass"},
        {"folder: 'sftp://hub@host/a', sftp_key: k", "sftp_known_hosts is missing"},
        {"folder: 'sftp://hub@host/a', sftp_known_hosts: h", "one of sftp_key and sftp_password"},
        {"folder: 'sftp://hub@host/a', sftp_known_hosts: h, sftp_key: k, "
         "sftp_password: '${env:PATH}'",
         "one of sftp_key and sftp_password would pass"},
        {"folder: ., sftp_key_passphrase: '${env:PATH}'", "sftp_key_passphrase needs sftp_key"},
        {"folder: 'sftp://hub@host/a', sftp_known_hosts: /nowhere/h, sftp_key: k",
         "/nowhere/h: No such file or directory"},
        {"folder: 'sftp://hub@host/a', sftp_known_hosts: /dev/null, sftp_key: /nowhere/k",
         "/nowhere/k: No such file or directory"},
    };
    struct dropping *drop = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = reading_refusal(
            &drop->reading, "file-drop",
            hub_arena_format(&drop->folder.arena, "{%s}", cases[i].options), NULL);
        if (strstr(why, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].options, why);
        assert_null(strstr(why, "s3cret"));
        reading_close(&drop->reading);
        drop->reading.transport = NULL;
    }
}

static void a_server_that_cannot_be_reached_keeps_what_was_read_of_it(void **state) {
    struct dropping *drop = *state;
    /* Nobody listens on port 1. */
    reading_open(&drop->reading, "file-drop",
                 hub_arena_format(&drop->folder.arena,
                                  "{folder: ['sftp://hub@127.0.0.1:1/out/', %s], "
                                  "sftp_known_hosts: /dev/null, sftp_key: /dev/null}",
                                  drop->folder.path),
                 "{\"files\": {\"sftp://hub@127.0.0.1:1/out/a.csv\": \"1-2\", "
                 "\"/gone/b\": \"1-2\"}}");
    assert_int_equal(reading_try(&drop->reading), HUB_RETRY);
    assert_non_null(strstr(drop->reading.error.text, "sftp://hub@127.0.0.1:1/out/: "));
    dropping_put(drop, "here.csv", "1");
    assert_string_equal(dropping_take(drop), "here.csv=1");
    assert_non_null(
        strstr(drop->reading.batch.position, "\"sftp://hub@127.0.0.1:1/out/a.csv\":\"1-2\""));
    assert_null(strstr(drop->reading.batch.position, "/gone/b"));
}

/* --- how often --- */

static void a_folder_is_looked_at_as_often_as_it_should_be(void **state) {
    struct dropping *drop = *state;
    struct reading *reading = &drop->reading;
    struct hub_batch batch = {0};
    dropping_open(drop, "");
    reading_close(reading);
    reading_open(reading, "file-drop",
                 hub_arena_format(&drop->folder.arena, "{folder: %s, poll_interval_ms: 25}",
                                  drop->folder.path),
                 NULL);
    dropping_expect_no_more(drop);
    dropping_put(drop, "a.csv", "1");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            reading->transport->poll(reading->state, /* timeout_ms= */ 10, &batch, &reading->error),
            HUB_OK);
        assert_int_equal(batch.count, i < 2 ? 0 : 1);
        assert_false(batch.exhausted);
        hub_batch_free(&batch);
    }
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_with_a_control_character_is_refused_once),
        cmocka_unit_test(a_file_whose_name_holds_a_persons_number_is_read_and_its_name_goes_nowhere),
        cmocka_unit_test(a_link_with_such_a_name_is_refused_without_it),
        cmocka_unit_test(a_time_that_looks_like_a_persons_number_loses_nobody_a_file),
        cmocka_unit_test(a_folder_that_is_called_by_a_persons_number_is_refused),
        cmocka_unit_test(what_is_no_folder_of_a_server_is_refused),
        cmocka_unit_test(a_server_that_cannot_be_reached_keeps_what_was_read_of_it),
        cmocka_unit_test(a_folder_is_looked_at_as_often_as_it_should_be),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = dropping_begin;
        tests[i].teardown_func = dropping_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
