/* status: reasons, as texts that can be published. */
#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "hub/base/text.h"
#include "tests/lib/cmocka.h"

#include <string.h>

static bool is_utf8(const struct hub_error *error) {
    return hub_text_is_utf8(hub_bytes_of_text(error->text));
}

static void a_failure_gives_its_status_and_its_reason(void **state) {
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_fail(&error, HUB_REJECT, "row %d", 3), HUB_REJECT);
    assert_string_equal(error.text, "row 3");
    assert_int_equal(hub_fail(NULL, HUB_FATAL, "nobody asks"), HUB_FATAL);
}

static void a_place_stands_before_the_reason(void **state) {
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_fail(&error, HUB_REJECT, "no number"), HUB_REJECT);
    assert_int_equal(hub_fail_at(&error, HUB_FATAL, "field %s", "count"), HUB_FATAL);
    assert_string_equal(error.text, "field count: no number");
}

static void bytes_that_are_no_text_become_question_marks(void **state) {
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_fail(&error, HUB_REJECT, "near '%s'", "a\xff\xc3;\xed\xa0\x80\xc3\xa5"),
                     HUB_REJECT);
    assert_string_equal(error.text, "near 'a??;???\xc3\xa5'");
    assert_int_equal(hub_fail_at(&error, HUB_REJECT, "%s", "\x80"), HUB_REJECT);
    assert_string_equal(error.text, "?: near 'a??;???\xc3\xa5'");
}

/* In memory of its own, so that the sanitizer sees what is written beyond. */
static void an_overlong_place_is_cut(void **state) {
    struct hub_error *error = hub_allocate_zero(1, sizeof *error);
    char place[HUB_ERROR_TEXT_MAX + 9];
    (void)state;
    memset(place, 'x', sizeof place);
    for (size_t size = HUB_ERROR_TEXT_MAX - 4; size < sizeof place; size++) {
        assert_int_equal(hub_fail(error, HUB_REJECT, "no number"), HUB_REJECT);
        assert_int_equal(hub_fail_at(error, HUB_REJECT, "%.*s", (int)size, place), HUB_REJECT);
        assert_int_equal(strlen(error->text), HUB_ERROR_TEXT_MAX - 1);
    }
    hub_release(error);
}

/* However many bytes stand before it, no letter is left in halves at the cut. */
static void an_overlong_reason_is_cut_and_stays_text(void **state) {
    struct hub_error error;
    char letters[2 * HUB_ERROR_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i + 2 < sizeof letters; i += 2)
        memcpy(letters + i, "\xc3\xa5", 3);
    for (int before = 0; before < 4; before++) {
        assert_int_equal(hub_fail(&error, HUB_REJECT, "%.*s%s", before, "xxxx", letters),
                         HUB_REJECT);
        assert_int_equal(strlen(error.text), HUB_ERROR_TEXT_MAX - 1);
        assert_true(is_utf8(&error));
        assert_int_equal(hub_fail_at(&error, HUB_REJECT, "%.*s", before, "xxxx"), HUB_REJECT);
        assert_true(is_utf8(&error));
    }
    assert_int_equal(hub_fail_at(&error, HUB_REJECT, "%s", letters), HUB_REJECT);
    assert_int_equal(strlen(error.text), HUB_ERROR_TEXT_MAX - 1);
    assert_true(is_utf8(&error));
}

static void nobody_has_to_ask_for_the_reason(void **state) {
    (void)state;
    assert_int_equal(hub_fail_at(NULL, HUB_RETRY, "a place"), HUB_RETRY);
}

static enum hub_status tried(enum hub_status status, int *reached) {
    HUB_TRY(status);
    ++*reached;
    return HUB_OK;
}

static void what_failed_is_returned_at_once(void **state) {
    int reached = 0;
    (void)state;
    assert_int_equal(tried(HUB_REJECT, &reached), HUB_REJECT);
    assert_int_equal(tried(HUB_RETRY, &reached), HUB_RETRY);
    assert_int_equal(reached, 0);
    assert_int_equal(tried(HUB_OK, &reached), HUB_OK);
    assert_int_equal(reached, 1);
}

static void every_status_has_a_name(void **state) {
    (void)state;
    assert_string_equal(hub_status_name(HUB_OK), "OK");
    assert_string_equal(hub_status_name(HUB_RETRY), "RETRY");
    assert_string_equal(hub_status_name(HUB_REJECT), "REJECT");
    assert_string_equal(hub_status_name(HUB_FATAL), "FATAL");
    assert_string_equal(hub_status_name((enum hub_status)9), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_to_ask_for_the_reason),
        cmocka_unit_test(what_failed_is_returned_at_once),
        cmocka_unit_test(every_status_has_a_name),
        cmocka_unit_test(a_failure_gives_its_status_and_its_reason),
        cmocka_unit_test(a_place_stands_before_the_reason),
        cmocka_unit_test(bytes_that_are_no_text_become_question_marks),
        cmocka_unit_test(an_overlong_place_is_cut),
        cmocka_unit_test(an_overlong_reason_is_cut_and_stays_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
