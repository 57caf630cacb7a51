/* spool: what was acknowledged is there again after a kill at any moment, in its order, until it is settled; what a
 * disk has done to it is told and never passed over. */
#include "connectors/kit/spool.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char one_key[] = "0123456789abcdef0123456789abcdef";
static const char another_key[] = "fedcba9876543210fedcba9876543210";

enum { BLOCK = 4096 };

struct keeping {
    struct folder folder;
    struct hub_keys keys;
    struct hub_spool_config config;
    struct hub_spool *spool;
    struct hub_arena arena;
    struct hub_error error;
    int log, stderr_kept; /* what is logged goes into a file of the folder */
};

static void load_keys(struct keeping *keeping) {
    assert_int_equal(hub_keys_load(folder_path(&keeping->folder, "keys"), &keeping->folder.arena,
                                   &keeping->keys, &keeping->error), HUB_OK);
}

/* As if killed now: another process finds what is on the disk. */
static enum hub_status try_to_reopen(struct keeping *keeping) {
    hub_spool_close(keeping->spool);
    keeping->spool = NULL;
    return hub_spool_open(&keeping->config, &keeping->spool, &keeping->error);
}

static void reopen(struct keeping *keeping) {
    if (try_to_reopen(keeping) != HUB_OK)
        fail_msg("%s", keeping->error.text);
}

static int begin(void **state) {
    struct keeping *keeping = hub_allocate_zero(1, sizeof *keeping);
    folder_make(&keeping->folder);
    folder_write(&keeping->folder, "keys/journal/2026", one_key);
    load_keys(keeping);
    keeping->config = (struct hub_spool_config){.state_folder = keeping->folder.path,
                                                .name = "slots",
                                                .transport = "mllp",
                                                .keys = &keeping->keys,
                                                .size_max_bytes = 64 * BLOCK};
    keeping->log = open(folder_path(&keeping->folder, "log"),
                        O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    keeping->stderr_kept = dup(STDERR_FILENO);
    dup2(keeping->log, STDERR_FILENO);
    reopen(keeping);
    *state = keeping;
    return 0;
}

static int end(void **state) {
    struct keeping *keeping = *state;
    dup2(keeping->stderr_kept, STDERR_FILENO);
    close(keeping->stderr_kept);
    close(keeping->log);
    hub_spool_close(keeping->spool);
    hub_arena_destroy(&keeping->arena);
    folder_remove(&keeping->folder);
    hub_release(keeping);
    return 0;
}

static void assert_says(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

static void assert_logged(struct keeping *keeping, const char *part) {
    HUB_SCOPED_BUFFER text = {0};
    assert_int_equal(hub_file_read(folder_path(&keeping->folder, "log"), &text, &keeping->error),
                     HUB_OK);
    assert_says(hub_buffer_text(&text), part);
}

static void assert_fatal(struct keeping *keeping, const char *why) {
    assert_int_equal(try_to_reopen(keeping), HUB_FATAL);
    assert_null(keeping->spool);
    assert_says(keeping->error.text, why);
}

/* --- in and out --- */

static enum hub_status try_to_keep(struct keeping *keeping, const char *text) {
    struct hub_raw_document document = {.name = "F", .bytes = hub_bytes_of_text(text)};
    return hub_spool_append(keeping->spool, &document, &keeping->error);
}

static void keep(struct keeping *keeping, const char *text) {
    if (try_to_keep(keeping, text) != HUB_OK)
        fail_msg("%s", keeping->error.text);
}

/* Takes up to `most`, and compares what came, each with a space behind it. */
static void assert_takes(struct keeping *keeping, size_t most, const char *wanted) {
    HUB_SCOPED_BUFFER text = {0};
    bool some = true;
    for (size_t i = 0; i < most; i++) {
        struct hub_raw_document document = {0};
        if (hub_spool_take(keeping->spool, &keeping->arena, &document, &some, &keeping->error) !=
            HUB_OK)
            fail_msg("%s", keeping->error.text);
        if (!some)
            break;
        hub_buffer_append_bytes(&text, document.bytes);
        hub_buffer_append_byte(&text, ' ');
        json_decref(document.context);
    }
    assert_string_equal(hub_buffer_text(&text), wanted);
}

static void assert_all(struct keeping *keeping, const char *wanted) {
    hub_spool_put_back(keeping->spool);
    assert_takes(keeping, 100, wanted);
    hub_spool_put_back(keeping->spool);
}

static void settle(struct keeping *keeping, size_t count) {
    if (hub_spool_settle(keeping->spool, count, &keeping->error) != HUB_OK)
        fail_msg("%s", keeping->error.text);
}

static const char *file(struct keeping *keeping, int number, const char *more) {
    return folder_path(&keeping->folder,
                       hub_arena_format(&keeping->arena, "spool/slots/%018d%s", number, more));
}

static bool is_there(struct keeping *keeping, int number) {
    return access(file(keeping, number, ""), F_OK) == 0;
}

static void what_was_kept_is_there_whole_and_nothing_of_it_in_clear(void **state) {
    struct keeping *keeping = *state;
    HUB_SCOPED_BUFFER bytes = {0};
    struct stat facts;
    bool some = false;
    struct hub_raw_document document = {
        .name = "msg_1",
        .bytes = hub_bytes("a\0Tolvan", 8),
        .context = json_pack("{s:{s:s}}", "header", "x-ward", "thorax")};
    assert_int_equal(hub_spool_append(keeping->spool, &document, &keeping->error), HUB_OK);
    json_decref(document.context);
    reopen(keeping);
    assert_int_equal(hub_spool_take(keeping->spool, &keeping->arena, &document, &some,
                                    &keeping->error), HUB_OK);
    assert_true(some);
    assert_string_equal(document.name, "msg_1");
    assert_true(hub_bytes_equal(document.bytes, hub_bytes("a\0Tolvan", 8)));
    const json_t *header = json_object_get(document.context, "header");
    assert_string_equal(json_string_value(json_object_get(header, "x-ward")), "thorax");
    json_decref(document.context);
    assert_int_equal(hub_file_read(file(keeping, 1, ""), &bytes, &keeping->error), HUB_OK);
    assert_null(memmem(bytes.data, bytes.size, "Tolvan", 6));
    assert_null(memmem(bytes.data, bytes.size, "msg_1", 5));
    assert_null(memmem(bytes.data, bytes.size, "thorax", 6));
    assert_int_equal(stat(file(keeping, 1, ""), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void it_comes_in_its_order_until_it_is_settled_and_goes_from_the_disk_then(void **state) {
    struct keeping *keeping = *state;
    assert_true(hub_spool_is_empty(keeping->spool));
    for (int i = 0; i < 12; i++)
        keep(keeping, hub_arena_format(&keeping->arena, "%d", i));
    assert_takes(keeping, 3, "0 1 2 ");
    assert_takes(keeping, 1, "3 ");
    settle(keeping, 2); /* the other two have no place yet */
    assert_false(is_there(keeping, 1) || is_there(keeping, 2));
    assert_true(is_there(keeping, 3));
    assert_takes(keeping, 3, "2 3 4 ");
    keep(keeping, "12");
    hub_spool_put_back(keeping->spool);
    assert_takes(keeping, 100, "2 3 4 5 6 7 8 9 10 11 12 ");
    assert_false(hub_spool_is_empty(keeping->spool));
    settle(keeping, 11);
    assert_true(hub_spool_is_empty(keeping->spool));
    assert_logged(keeping, "13 documents that were acknowledged");
    keep(keeping, "13");
    assert_all(keeping, "13 ");
}

static void a_kill_between_any_two_steps_loses_nothing_and_brings_nothing_back(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, "a");
    reopen(keeping);
    assert_all(keeping, "a ");
    keep(keeping, "b");
    keep(keeping, "c");
    reopen(keeping);
    assert_takes(keeping, 2, "a b ");
    reopen(keeping); /* taken, and perhaps in Kafka: whoever takes it knows */
    assert_takes(keeping, 2, "a b ");
    settle(keeping, 1);
    reopen(keeping);
    assert_all(keeping, "b c ");
    keep(keeping, "d");
    reopen(keeping);
    assert_takes(keeping, 3, "b c d ");
    settle(keeping, 3);
    reopen(keeping);
    assert_true(hub_spool_is_empty(keeping->spool));
    keep(keeping, "e");
    reopen(keeping);
    assert_all(keeping, "e ");
}

/* --- crashes and damage --- */

/* The file's bytes, as far as `size`, stand under another name. */
static void write_half(struct keeping *keeping, struct hub_bytes bytes, int number, size_t size) {
    folder_write_bytes(&keeping->folder,
                       hub_arena_format(&keeping->arena, "spool/slots/%018d.tmp", number),
                       hub_bytes_part(bytes, 0, size));
}

static void what_was_torn_before_it_was_acknowledged_is_removed_wherever_it_was_torn(void **state) {
    struct keeping *keeping = *state;
    HUB_SCOPED_BUFFER bytes = {0};
    keep(keeping, "a");
    keep(keeping, "b");
    assert_int_equal(hub_file_read(file(keeping, 2, ""), &bytes, &keeping->error), HUB_OK);
    for (size_t torn = 0; torn <= bytes.size; torn++) {
        write_half(keeping, hub_buffer_bytes(&bytes), 3, torn);
        reopen(keeping);
        assert_int_equal(access(file(keeping, 3, ".tmp"), F_OK), -1);
        assert_all(keeping, "a b ");
    }
    assert_logged(keeping, "spool_cut");
    assert_logged(keeping, "000000000000000003.tmp is removed");
    keep(keeping, "c");
    assert_all(keeping, "a b c ");
}

static void what_was_acknowledged_and_is_torn_is_for_a_person(void **state) {
    struct keeping *keeping = *state;
    HUB_SCOPED_BUFFER bytes = {0};
    keep(keeping, "a");
    keep(keeping, "b");
    assert_int_equal(hub_file_read(file(keeping, 2, ""), &bytes, &keeping->error), HUB_OK);
    for (size_t torn = 0; torn < bytes.size; torn++) {
        assert_int_equal(truncate(file(keeping, 2, ""), (off_t)torn), 0);
        assert_fatal(keeping, "of 2 documents that were acknowledged 1 cannot be read");
        assert_says(keeping->error.text, "000000000000000002: ");
        folder_write_bytes(&keeping->folder, "spool/slots/000000000000000002",
                           hub_buffer_bytes(&bytes));
    }
    reopen(keeping);
    assert_all(keeping, "a b ");
}

static void a_flipped_bit_is_told_and_nothing_is_skipped(void **state) {
    struct keeping *keeping = *state;
    HUB_SCOPED_BUFFER bytes = {0};
    keep(keeping, "a");
    keep(keeping, "b");
    keep(keeping, "c");
    assert_int_equal(hub_file_read(file(keeping, 2, ""), &bytes, &keeping->error), HUB_OK);
    for (size_t at = 0; at < bytes.size; at++) {
        bytes.data[at] ^= (uint8_t)(1 << at % 8);
        folder_write_bytes(&keeping->folder, "spool/slots/000000000000000002",
                           hub_buffer_bytes(&bytes));
        assert_fatal(keeping, "of 3 documents that were acknowledged 1 cannot be read");
        bytes.data[at] ^= (uint8_t)(1 << at % 8);
    }
    hub_buffer_append_byte(&bytes, 0);
    folder_write_bytes(&keeping->folder, "spool/slots/000000000000000002", hub_buffer_bytes(&bytes));
    assert_fatal(keeping, "1 cannot be read");
    assert_int_equal(rename(file(keeping, 2, ""), file(keeping, 2, ".lost")), 0);
    reopen(keeping); /* somebody has given it up */
    assert_all(keeping, "a c ");
}

static void damage_that_comes_while_it_is_open_is_told_too(void **state) {
    struct keeping *keeping = *state;
    struct hub_raw_document document;
    bool some = false;
    keep(keeping, "a");
    assert_int_equal(truncate(file(keeping, 1, ""), 100), 0);
    assert_int_equal(hub_spool_take(keeping->spool, &keeping->arena, &document, &some,
                                    &keeping->error), HUB_FATAL);
    assert_says(keeping->error.text, "there is no whole document in it");
    assert_false(hub_spool_is_empty(keeping->spool));
}

static void one_that_is_missing_or_stands_in_anothers_place_is_for_a_person(void **state) {
    struct keeping *keeping = *state;
    for (int i = 0; i < 4; i++)
        keep(keeping, hub_arena_format(&keeping->arena, "%d", i));
    assert_int_equal(rename(file(keeping, 2, ""), file(keeping, 9, "")), 0);
    assert_fatal(keeping, "number 2 is missing");
    assert_int_equal(rename(file(keeping, 3, ""), file(keeping, 2, "")), 0);
    assert_int_equal(rename(file(keeping, 9, ""), file(keeping, 3, "")), 0);
    assert_fatal(keeping, "of 4 documents that were acknowledged 2 cannot be read");
    assert_says(keeping->error.text, "what is in it is number 3");
}

static void a_file_of_somebody_elses_is_let_alone(void **state) {
    struct keeping *keeping = *state;
    folder_write(&keeping->folder, "spool/slots/notes", "by hand");
    folder_write(&keeping->folder, "spool/slots/1", "by hand");
    folder_write(&keeping->folder, "spool/slots/000000000000000007.old", "by hand");
    keep(keeping, "a");
    reopen(keeping);
    assert_all(keeping, "a ");
    assert_int_equal(access(folder_path(&keeping->folder, "spool/slots/notes"), F_OK), 0);
}

/* --- room --- */

static void beyond_its_limit_nothing_is_kept_until_something_is_settled(void **state) {
    struct keeping *keeping = *state;
    keeping->config.size_max_bytes = 3 * BLOCK;
    reopen(keeping);
    keep(keeping, "a");
    char *large = hub_arena_take_zero(&keeping->arena, 1, BLOCK + 1);
    memset(large, 'x', BLOCK); /* with its head it takes two blocks */
    keep(keeping, large);
    assert_int_equal(try_to_keep(keeping, "b"), HUB_RETRY);
    assert_says(keeping->error.text, "over the limit of 12288");
    reopen(keeping); /* which counts what is there */
    assert_int_equal(try_to_keep(keeping, "b"), HUB_RETRY);
    assert_takes(keeping, 1, "a ");
    settle(keeping, 1);
    keep(keeping, "b");
    assert_int_equal(try_to_keep(keeping, "c"), HUB_RETRY);
}

static void what_cannot_be_written_is_not_there(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, "a");
    folder_write(&keeping->folder, "spool/slots/000000000000000002.tmp/x", "a folder in its way");
    assert_int_not_equal(try_to_keep(keeping, "b"), HUB_OK);
    assert_all(keeping, "a ");
    assert_int_equal(unlink(file(keeping, 2, ".tmp/x")), 0);
    assert_int_equal(rmdir(file(keeping, 2, ".tmp")), 0);
    keep(keeping, "c");
    reopen(keeping);
    assert_all(keeping, "a c ");
}

/* --- keys and processes --- */

static void without_a_key_of_the_journal_there_is_none(void **state) {
    struct keeping *keeping = *state;
    keeping->keys.journal = (struct hub_key){0};
    assert_fatal(keeping, "a file of 32 random bytes in the part 'journal' of the keys folder");
}

static void what_an_older_key_has_sealed_is_read_as_long_as_the_key_is_there(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, "a");
    folder_write(&keeping->folder, "keys/journal/2027", another_key);
    load_keys(keeping);
    reopen(keeping);
    keep(keeping, "b");
    reopen(keeping);
    assert_all(keeping, "a b ");
    assert_int_equal(unlink(folder_path(&keeping->folder, "keys/journal/2026")), 0);
    assert_fatal(keeping, "there is no key of that id");
}

static void what_another_key_connector_or_transport_wrote_is_not_taken_for_ours(void **state) {
    struct keeping *keeping = *state;
    keep(keeping, "a");
    keeping->config.transport = "webhook";
    assert_fatal(keeping, "it is not what this connector and transport wrote");
    keeping->config.transport = "mllp";
    folder_write(&keeping->folder, "keys/journal/2026", another_key);
    load_keys(keeping);
    assert_fatal(keeping, "it is not what this connector and transport wrote");
    folder_write(&keeping->folder, "keys/journal/2026", one_key);
    load_keys(keeping);
    assert_int_equal(rename(folder_path(&keeping->folder, "spool/slots"),
                            folder_path(&keeping->folder, "spool/batches")), 0);
    keeping->config.name = "batches";
    assert_fatal(keeping, "it is not what this connector and transport wrote");
}

static void of_two_processes_one_has_it(void **state) {
    struct keeping *keeping = *state;
    struct hub_spool *second = NULL;
    assert_int_equal(hub_spool_open(&keeping->config, &second, &keeping->error), HUB_FATAL);
    assert_says(keeping->error.text, "another process runs this connector");
    reopen(keeping);
}

static void what_is_left_is_counted_without_opening_it(void **state) {
    struct keeping *keeping = *state;
    size_t count = 99;
    keep(keeping, "a");
    keep(keeping, "b");
    folder_write(&keeping->folder, "spool/slots/000000000000000003.tmp", "half");
    assert_int_equal(hub_spool_count(keeping->folder.path, "slots", &count, &keeping->error),
                     HUB_OK);
    assert_int_equal(count, 2);
    assert_int_equal(hub_spool_count(keeping->folder.path, "none", &count, &keeping->error),
                     HUB_OK);
    assert_int_equal(count, 0);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_there_whole_and_nothing_of_it_in_clear),
        cmocka_unit_test(it_comes_in_its_order_until_it_is_settled_and_goes_from_the_disk_then),
        cmocka_unit_test(a_kill_between_any_two_steps_loses_nothing_and_brings_nothing_back),
        cmocka_unit_test(what_was_torn_before_it_was_acknowledged_is_removed_wherever_it_was_torn),
        cmocka_unit_test(what_was_acknowledged_and_is_torn_is_for_a_person),
        cmocka_unit_test(a_flipped_bit_is_told_and_nothing_is_skipped),
        cmocka_unit_test(damage_that_comes_while_it_is_open_is_told_too),
        cmocka_unit_test(one_that_is_missing_or_stands_in_anothers_place_is_for_a_person),
        cmocka_unit_test(a_file_of_somebody_elses_is_let_alone),
        cmocka_unit_test(beyond_its_limit_nothing_is_kept_until_something_is_settled),
        cmocka_unit_test(what_cannot_be_written_is_not_there),
        cmocka_unit_test(without_a_key_of_the_journal_there_is_none),
        cmocka_unit_test(what_an_older_key_has_sealed_is_read_as_long_as_the_key_is_there),
        cmocka_unit_test(what_another_key_connector_or_transport_wrote_is_not_taken_for_ours),
        cmocka_unit_test(of_two_processes_one_has_it),
        cmocka_unit_test(what_is_left_is_counted_without_opening_it),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
