/* file_drop: with manifests a file is read when its own says that it is whole. */
#include "tests/lib/cmocka.h"
#include "tests/lib/dropping.h"

#include "hub/io/crypto.h"

#include <unistd.h>

static const char beside[] = ", manifest: beside, manifest_wait_ms: 60000";
static const char listing[] = ", manifest: listing, manifest_wait_ms: 60000";

static const char *digest_of(struct dropping *drop, const char *text) {
    struct hub_digest digest = hub_sha256.digest(hub_bytes_of_text(text));
    char *digits = hub_arena_take(&drop->folder.arena, HUB_DIGEST_TEXT_SIZE);
    hub_digest_text(&digest, HUB_DIGEST_SIZE, digits);
    return digits;
}

static void put_beside(struct dropping *drop, const char *name, const char *text) {
    struct hub_arena *arena = &drop->folder.arena;
    dropping_put(drop, hub_arena_format(arena, "%s.sha256", name),
                 hub_arena_format(arena, "%s  %s\n", digest_of(drop, text), name));
}

/* Of files whose names are their contents. */
static void put_listing(struct dropping *drop, const char *first, const char *second) {
    struct hub_arena *arena = &drop->folder.arena;
    const char *text = hub_arena_format(arena, "%s  %s\n", digest_of(drop, first), first);
    if (second != NULL)
        text = hub_arena_format(arena, "%s%s *./%s\n", text, digest_of(drop, second), second);
    dropping_put(drop, "SHA256SUMS", text);
}

static void later(int64_t milliseconds) {
    reading_set_clock(reading_clock() + milliseconds);
}

/* --- beside --- */

static void a_file_waits_for_its_manifest_and_is_read_once(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, beside);
    dropping_put(drop, "a.csv", "1");
    assert_string_equal(dropping_take(drop), "");
    assert_false(drop->reading.batch.exhausted);
    put_beside(drop, "a.csv", "1");
    assert_string_equal(dropping_take(drop), "a.csv=1");
    dropping_expect_no_more(drop);
    unlink(folder_path(&drop->folder, "a.csv.sha256"));
    dropping_expect_no_more(drop);
}

static void without_manifests_a_manifest_is_a_file(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, "");
    dropping_put(drop, "a.csv.sha256", "x");
    dropping_put(drop, "SHA256SUMS", "y");
    assert_string_equal(dropping_take(drop), "SHA256SUMS=y a.csv.sha256=x");
}

static void a_file_that_does_not_match_is_refused_until_either_changes(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, beside);
    dropping_put(drop, "a.csv", "half");
    put_beside(drop, "a.csv", "whole");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(dropping_only(drop)->refused_code, "DIGEST");
    assert_string_equal(dropping_only(drop)->refused,
                        "a.csv: its SHA-256 is not the one that a.csv.sha256 tells; both as they "
                        "were written would pass");
    assert_int_equal(dropping_only(drop)->bytes.size, 0);
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
    later(60000);
    put_beside(drop, "a.csv", "other");
    assert_string_equal(dropping_take(drop), "a.csv!DIGEST");
    dropping_put(drop, "a.csv", "other");
    assert_string_equal(dropping_take(drop), "a.csv=other");
    dropping_expect_no_more(drop);
}

static void a_file_waits_until_its_manifest_is_written(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, beside);
    dropping_put(drop, "a.csv", "1");
    put_beside(drop, "a.csv", "1");
    folder_set_time(&drop->folder, "a.csv.sha256", dropping_start_ms - 499);
    assert_string_equal(dropping_take(drop), "");
    assert_false(drop->reading.batch.exhausted);
    later(1);
    assert_string_equal(dropping_take(drop), "a.csv=1");
}

static void a_manifest_that_is_none_refuses_its_file(void **state) {
    struct dropping *drop = *state;
    static char many[9000];
    memset(many, 'x', sizeof many - 1);
    dropping_open(drop, beside);
    dropping_put(drop, "a.csv", "1");
    dropping_put(drop, "a.csv.sha256", "abc");
    dropping_put(drop, "b.csv", "1");
    dropping_put(drop, "b.csv.sha256", many);
    dropping_put(drop, "c.csv", "1");
    put_beside(drop, "c.csv", "1");
    assert_int_equal(reading_poll(&drop->reading), 3);
    const struct hub_raw_document *documents = drop->reading.batch.documents;
    assert_string_equal(documents[0].refused_code, "MANIFEST");
    assert_non_null(strstr(documents[0].refused,
                           "a.csv: its manifest a.csv.sha256 is not as sha256sum writes it"));
    assert_non_null(strstr(documents[1].refused, "b.csv.sha256 is over the limit of 8192 bytes"));
    assert_null(documents[2].refused);
    reading_commit(&drop->reading);
    dropping_expect_no_more(drop);
}

static void a_link_is_no_manifest(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, beside);
    dropping_put(drop, "a.csv", "1");
    put_beside(drop, ".b", "1");
    assert_int_equal(symlink(".b.sha256", folder_path(&drop->folder, "a.csv.sha256")), 0);
    assert_string_equal(dropping_take(drop), "");
}

static void a_manifest_that_does_not_come_is_told_now_and_then(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, beside);
    dropping_put(drop, "a.csv", "1");
    dropping_put(drop, "b.csv", "1");
    assert_string_equal(dropping_take(drop), "");
    later(59999);
    assert_string_equal(dropping_take(drop), "");
    assert_null(drop->reading.batch.note);
    assert_false(drop->reading.batch.exhausted);
    later(1);
    dropping_expect_no_more(drop);
    assert_string_equal(drop->reading.batch.note,
                        "a.csv: a.csv.sha256 has told nothing of it for 60 s, and it is not read; "
                        "so wait 1 more");
    dropping_expect_no_more(drop);
    assert_null(drop->reading.batch.note);
    later(60000);
    dropping_expect_no_more(drop);
    assert_non_null(drop->reading.batch.note);
    put_beside(drop, "a.csv", "1");
    put_beside(drop, "b.csv", "1");
    assert_string_equal(dropping_take(drop), "a.csv=1 b.csv=1");
}

static void manifests_that_are_asked_for_later_read_nothing_again(void **state) {
    struct dropping *drop = *state;
    dropping_put(drop, "a.csv", "1");
    put_beside(drop, "a.csv", "1");
    dropping_open(drop, ", pattern: 'a\\.csv'");
    assert_string_equal(dropping_take(drop), "a.csv=1");
    const char *position = hub_arena_text(&drop->folder.arena, drop->reading.batch.position,
                                          strlen(drop->reading.batch.position));
    reading_close(&drop->reading);
    reading_open(&drop->reading, "file-drop",
                 hub_arena_format(&drop->folder.arena, "{folder: %s, manifest: beside}",
                                  drop->folder.path),
                 position);
    dropping_expect_no_more(drop);
}

/* --- listing --- */

static void a_listing_tells_of_its_files_and_of_no_other(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, listing);
    dropping_put(drop, "a", "a");
    dropping_put(drop, "b", "b");
    assert_string_equal(dropping_take(drop), "");
    put_listing(drop, "a", NULL);
    assert_string_equal(dropping_take(drop), "a=a");
    later(1000);
    put_listing(drop, "a", "b");
    assert_string_equal(dropping_take(drop), "b=b");
    dropping_expect_no_more(drop);
    unlink(folder_path(&drop->folder, "SHA256SUMS"));
    dropping_expect_no_more(drop);
    reading_restart(&drop->reading);
    dropping_expect_no_more(drop);
}

static void a_file_is_looked_at_again_when_its_line_changes(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, listing);
    dropping_put(drop, "a", "aa");
    put_listing(drop, "a", NULL);
    assert_string_equal(dropping_take(drop), "a!DIGEST");
    dropping_expect_no_more(drop);
    later(1000);
    dropping_put(drop, "SHA256SUMS",
                 hub_arena_format(&drop->folder.arena, "%s  a\n", digest_of(drop, "aa")));
    assert_string_equal(dropping_take(drop), "a=aa");
}

static void a_listing_is_read_when_it_is_written(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, listing);
    dropping_put(drop, "a", "a");
    put_listing(drop, "a", NULL);
    folder_set_time(&drop->folder, "SHA256SUMS", dropping_start_ms - 499);
    assert_string_equal(dropping_take(drop), "");
    assert_false(drop->reading.batch.exhausted);
    later(1);
    assert_string_equal(dropping_take(drop), "a=a");
}

static void a_listing_that_is_none_is_refused_once_and_its_files_wait(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, listing);
    dropping_put(drop, "a", "a");
    dropping_put(drop, "SHA256SUMS", "junk\n");
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(dropping_only(drop)->name, "SHA256SUMS");
    assert_non_null(strstr(dropping_only(drop)->refused, "SHA256SUMS: line 1: not as sha256sum"));
    assert_string_equal(dropping_take(drop), "SHA256SUMS!MANIFEST"); /* it was not committed */
    assert_string_equal(dropping_take(drop), "");
    reading_restart(&drop->reading);
    later(60000);
    assert_string_equal(dropping_take(drop), "");
    later(1000);
    put_listing(drop, "a", NULL);
    assert_string_equal(dropping_take(drop), "a=a");
    dropping_expect_no_more(drop);
}

static void a_listing_over_the_limit_is_refused(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, listing);
    dropping_put(drop, "a", "a");
    put_listing(drop, "a", NULL);
    assert_int_equal(truncate(folder_path(&drop->folder, "SHA256SUMS"), 4 * 1024 * 1024 + 1), 0);
    folder_set_time(&drop->folder, "SHA256SUMS", dropping_start_ms - 1000);
    assert_int_equal(reading_poll(&drop->reading), 1);
    assert_string_equal(dropping_only(drop)->refused,
                        "SHA256SUMS: over the limit of 4194304 bytes");
}

static void a_snapshot_is_read_when_its_manifest_has_come(void **state) {
    struct dropping *drop = *state;
    dropping_open(drop, ", manifest: beside, mode: snapshot");
    dropping_put(drop, "a.csv", "1");
    dropping_put(drop, "b.csv", "2");
    put_beside(drop, "b.csv", "2");
    assert_string_equal(dropping_take(drop), "b.csv=2");
    assert_true(dropping_only(drop)->snapshot);
    put_beside(drop, "a.csv", "1");
    assert_string_equal(dropping_take(drop), "a.csv=1");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_waits_for_its_manifest_and_is_read_once),
        cmocka_unit_test(without_manifests_a_manifest_is_a_file),
        cmocka_unit_test(a_file_that_does_not_match_is_refused_until_either_changes),
        cmocka_unit_test(a_file_waits_until_its_manifest_is_written),
        cmocka_unit_test(a_manifest_that_is_none_refuses_its_file),
        cmocka_unit_test(a_link_is_no_manifest),
        cmocka_unit_test(a_manifest_that_does_not_come_is_told_now_and_then),
        cmocka_unit_test(manifests_that_are_asked_for_later_read_nothing_again),
        cmocka_unit_test(a_listing_tells_of_its_files_and_of_no_other),
        cmocka_unit_test(a_file_is_looked_at_again_when_its_line_changes),
        cmocka_unit_test(a_listing_is_read_when_it_is_written),
        cmocka_unit_test(a_listing_that_is_none_is_refused_once_and_its_files_wait),
        cmocka_unit_test(a_listing_over_the_limit_is_refused),
        cmocka_unit_test(a_snapshot_is_read_when_its_manifest_has_come),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = dropping_begin;
        tests[i].teardown_func = dropping_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
