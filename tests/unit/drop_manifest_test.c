/* drop_manifest: digests as sha256sum writes them, and nothing that only looks like one. */
#include "connectors/transports/drop_manifest.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"

/* 64 digits. */
#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define LETTERS "abcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd"
#define CAPITALS "ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD"

static void the_digest_of_one_file_may_have_its_name(void **state) {
    static const struct {
        const char *text, *digest;
    } cases[] = {{ONE "  a.csv\n", ONE},   {ONE " *a.csv", ONE},       {ONE, ONE},
                 {ONE "\r\n", ONE},        {"\n" ONE "\n\n", ONE},     {CAPITALS "  a\n", LETTERS},
                 {ONE "  /out/a b.csv\r\n", ONE}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char digest[HUB_DIGEST_TEXT_SIZE];
        struct hub_error error;
        if (hub_manifest_one(hub_bytes_of_text(cases[i].text), digest, &error) != HUB_OK)
            fail_msg("'%s': %s", cases[i].text, error.text);
        assert_string_equal(digest, cases[i].digest);
    }
}

static void what_is_not_one_digest_is_refused(void **state) {
    static const char *const texts[] = {
        "", "\n", "a.csv", "11", ONE "1", ONE "x", ONE " a.csv", ONE "\ta.csv", ONE " ",
        "g" ONE, ONE "  a.csv\n" TWO "  b.csv\n", "SHA256 (a.csv) = " ONE};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char digest[HUB_DIGEST_TEXT_SIZE];
        struct hub_error error;
        assert_int_equal(hub_manifest_one(hub_bytes_of_text(texts[i]), digest, &error), HUB_REJECT);
        assert_non_null(strstr(error.text, "64 hexadecimal digits, two spaces and the name"));
    }
}

static json_t *read_all(const char *text) {
    json_t *digests = NULL;
    struct hub_error error;
    if (hub_manifest_all(hub_bytes_of_text(text), &digests, &error) != HUB_OK)
        fail_msg("%s", error.text);
    return digests;
}

static void the_digests_of_many_files_are_found_by_their_names(void **state) {
    (void)state;
    json_t *digests = read_all(ONE "  a b.csv\r\n\n" TWO " *./c.csv\n" ONE "  sub/d.csv\n\\" TWO
                                   "  e\\nf\n" ONE "  a b.csv\n" CAPITALS "  g");
    assert_int_equal(json_object_size(digests), 4);
    assert_string_equal(json_string_value(json_object_get(digests, "a b.csv")), ONE);
    assert_string_equal(json_string_value(json_object_get(digests, "c.csv")), TWO);
    assert_string_equal(json_string_value(json_object_get(digests, "sub/d.csv")), ONE);
    assert_string_equal(json_string_value(json_object_get(digests, "g")), LETTERS);
    json_decref(digests);
    digests = read_all("");
    assert_int_equal(json_object_size(digests), 0);
    json_decref(digests);
}

static void a_name_may_be_no_text(void **state) {
    (void)state;
    json_t *digests = read_all(ONE "  pris\xe5r.csv\n");
    assert_string_equal(json_string_value(json_object_get(digests, "pris\xe5r.csv")), ONE);
    json_decref(digests);
}

static void a_line_that_is_none_is_told_by_its_number(void **state) {
    static const struct {
        const char *text, *why;
    } cases[] = {{ONE "  a\n\nb\n", "line 3: not as sha256sum writes it"},
                 {ONE, "line 1: not as"},
                 {ONE "  ", "line 1: not as"},
                 {ONE " a", "line 1: not as"},
                 {ONE "  a\n" TWO "  ./a\n", "line 2: an earlier line has another digest"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *digests = NULL;
        struct hub_error error;
        assert_int_equal(hub_manifest_all(hub_bytes_of_text(cases[i].text), &digests, &error),
                         HUB_REJECT);
        assert_non_null(strstr(error.text, cases[i].why));
        assert_null(digests);
    }
}

static void a_zero_byte_ends_no_name(void **state) {
    (void)state;
    json_t *digests = NULL;
    struct hub_error error;
    assert_int_equal(
        hub_manifest_all(hub_bytes(ONE "  a\0b\n", sizeof ONE "  a\0b"), &digests, &error),
        HUB_REJECT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_of_one_file_may_have_its_name),
        cmocka_unit_test(what_is_not_one_digest_is_refused),
        cmocka_unit_test(the_digests_of_many_files_are_found_by_their_names),
        cmocka_unit_test(a_name_may_be_no_text),
        cmocka_unit_test(a_line_that_is_none_is_told_by_its_number),
        cmocka_unit_test(a_zero_byte_ends_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
