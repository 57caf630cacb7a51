/* counts: what rides in the metadata of an offset commit comes back as it was. */
#include "hub/engine/counts.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdint.h>
#include <string.h>

static void counts_of_admit_come_back(void **state) {
    const struct hub_admit_counts counts = {1, 2, 3, 4, 5, 6, 7, 8, INT64_MAX};
    struct hub_admit_counts read = {0};
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    hub_counts_render_admit(&counts, &text);
    expect_ok(hub_counts_parse_admit(hub_buffer_text(&text), &read, &error), &error);
    assert_memory_equal(&read, &counts, sizeof counts);
}

static void counts_of_fold_come_back(void **state) {
    struct hub_committed_fold fold = {
        .gauges = {101, 102, 103, 104, 105}, .core = 7, .rules = "0123456789abcdef"};
    struct hub_committed_fold read;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof fold.counts / sizeof(int64_t); i++)
        ((int64_t *)&fold.counts)[i] = (int64_t)i + 1;
    hub_counts_render_fold(&fold, &text);
    expect_ok(hub_counts_parse_fold(hub_buffer_text(&text), &read, &error), &error);
    assert_memory_equal(&read.counts, &fold.counts, sizeof fold.counts);
    assert_memory_equal(&read.gauges, &fold.gauges, sizeof fold.gauges);
    assert_int_equal(read.core, 7);
    assert_string_equal(read.rules, "0123456789abcdef");
}

static void counts_of_refer_come_back_with_how_far_it_follows(void **state) {
    const struct hub_refer_counts counts = {3, 2};
    struct hub_refer_counts read = {0};
    struct hub_error error;
    int64_t offset = -1;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    hub_counts_render_refer(&counts, &text);
    expect_ok(hub_counts_parse_refer(hub_buffer_text(&text), &read, &error), &error);
    assert_memory_equal(&read, &counts, sizeof counts);
    assert_false(hub_counts_followed(hub_buffer_text(&text), "trial", &offset));
    hub_buffer_append_text(&text, " trials=3 trial=17");
    expect_ok(hub_counts_parse_refer(hub_buffer_text(&text), &read, &error), &error);
    assert_true(hub_counts_followed(hub_buffer_text(&text), "trial", &offset));
    assert_int_equal(offset, 17);
    assert_false(hub_counts_followed(NULL, "trial", &offset));
    expect_ok(hub_counts_parse_refer(NULL, &read, &error), &error);
    assert_int_equal(read.read, 0);
}

static void no_metadata_is_a_beginning_from_zero(void **state) {
    const struct hub_admit_counts no_admit = {0};
    const struct hub_fold_counts no_fold = {0};
    struct hub_admit_counts admit = {.read = 7};
    struct hub_committed_fold fold = {.counts = {.read = 7}, .rules = "x"};
    struct hub_error error;
    (void)state;
    expect_ok(hub_counts_parse_admit(NULL, &admit, &error), &error);
    expect_ok(hub_counts_parse_fold(NULL, &fold, &error), &error);
    assert_string_equal(fold.rules, "");
    assert_memory_equal(&admit, &no_admit, sizeof admit);
    assert_memory_equal(&fold.counts, &no_fold, sizeof no_fold);
}

/* Whoever else commits under the group's name must not be counted on. */
static void other_metadata_is_refused_and_leaves_the_counts(void **state) {
    static const char *const texts[] = {"", "v2 read=1", "v1 read=1", "nonsense"};
    struct hub_admit_counts admit = {.read = 7};
    struct hub_committed_fold fold = {.counts = {.read = 7}, .rules = "0123456789abcdef"};
    struct hub_refer_counts refer = {.read = 7};
    struct hub_error error;
    HUB_SCOPED_BUFFER longer = {0}, other = {0};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(hub_counts_parse_admit(texts[i], &admit, &error), HUB_FATAL);
        assert_int_equal(hub_counts_parse_fold(texts[i], &fold, &error), HUB_FATAL);
        assert_int_equal(hub_counts_parse_refer(texts[i], &refer, &error), HUB_FATAL);
    }
    assert_int_equal(hub_counts_parse_refer("v1 read=1 facts=2x", &refer, &error), HUB_FATAL);
    assert_int_equal(refer.read, 7);
    hub_counts_render_admit(&admit, &longer);
    assert_int_equal(hub_counts_parse_fold(hub_buffer_text(&longer), &fold, &error), HUB_FATAL);
    hub_buffer_append_text(&longer, " more=1");
    assert_int_equal(hub_counts_parse_admit(hub_buffer_text(&longer), &admit, &error), HUB_FATAL);
    hub_counts_render_fold(&fold, &other);
    hub_buffer_append_text(&other, "0x"); /* longer than any hash */
    assert_int_equal(hub_counts_parse_fold(hub_buffer_text(&other), &fold, &error), HUB_FATAL);
    assert_int_equal(admit.read, 7);
    assert_int_equal(fold.counts.read, 7);
}

static void counts_come_back_from_behind_the_schemas(void **state) {
    const struct hub_catalogue *catalogue = test_catalogue();
    const struct hub_admit_counts counts = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct hub_admit_counts read = {0};
    struct hub_error error;
    HUB_SCOPED_BUFFER stamp = {0}, text = {0};
    (void)state;
    hub_catalogue_stamp(catalogue, &hub_sha256, &stamp);
    hub_counts_render_schemas(hub_buffer_text(&stamp), &text);
    hub_counts_render_admit(&counts, &text);
    expect_ok(hub_counts_check_schemas(hub_buffer_text(&text), catalogue, &hub_sha256, &error),
              &error);
    expect_ok(hub_counts_parse_admit(hub_buffer_text(&text), &read, &error), &error);
    assert_memory_equal(&read, &counts, sizeof counts);
}

static void schemas_that_are_not_here_are_refused_and_none_are_not(void **state) {
    static const char *const unknown[] = {"schemas=999999:0123456789abcdef v1 read=1",
                                          "schemas=100001:0123456789abcdef v1 read=1",
                                          "schemas= v1 read=1", "schemas=x"};
    const struct hub_catalogue *catalogue = test_catalogue();
    struct hub_error error;
    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        expect_refusal(hub_counts_check_schemas(unknown[i], catalogue, &hub_sha256, &error),
                       HUB_FATAL, &error, "was worked on with schemas up to", "would pass");
    expect_ok(hub_counts_check_schemas(NULL, catalogue, &hub_sha256, &error), &error);
    expect_ok(hub_counts_check_schemas("v1 read=1", catalogue, &hub_sha256, &error), &error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_admit_come_back),
        cmocka_unit_test(counts_of_fold_come_back),
        cmocka_unit_test(counts_of_refer_come_back_with_how_far_it_follows),
        cmocka_unit_test(counts_come_back_from_behind_the_schemas),
        cmocka_unit_test(schemas_that_are_not_here_are_refused_and_none_are_not),
        cmocka_unit_test(no_metadata_is_a_beginning_from_zero),
        cmocka_unit_test(other_metadata_is_refused_and_leaves_the_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
