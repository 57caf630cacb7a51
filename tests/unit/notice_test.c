/* form, notice: what a notice says, and what is none. */
#include "connectors/transports/form.h"
#include "connectors/transports/notice.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"

#include <string.h>

static const char *const no_texts[] = {NULL};
static const char *const hei[] = {"sending_hei_id", NULL};

static struct hub_notice_options options_of(const char *const *fields) {
    return (struct hub_notice_options){
        .id_field = "omobility_id", .fields = fields, .ids_max = 3, .senders = no_texts};
}

static void expect_requests(const struct hub_notice_options *options, const char *form,
                            const char *wanted) {
    struct hub_error error;
    json_t *requests = NULL;
    if (hub_notice_read(options, hub_bytes_of_text(form), &requests, &error) != HUB_OK)
        fail_msg("%s: %s", form, error.text);
    expect_json(requests, "", wanted);
    json_decref(requests);
}

static void expect_refused(const struct hub_notice_options *options, struct hub_bytes form,
                           const char *why) {
    struct hub_error error;
    json_t *requests = NULL;
    assert_int_equal(hub_notice_read(options, form, &requests, &error), HUB_REJECT);
    assert_null(requests);
    if (strstr(error.text, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, error.text);
}

/* --- forms --- */

struct visits {
    struct hub_buffer text;
};

static void on_field(void *visits_, struct hub_bytes name, struct hub_bytes value) {
    struct visits *visits = visits_;
    hub_buffer_append_format(&visits->text, "[%.*s=%.*s]", (int)name.size,
                             (const char *)name.data, (int)value.size, (const char *)value.data);
}

static void a_form_is_decoded_field_by_field(void **state) {
    static const struct {
        const char *form, *fields;
    } cases[] = {{"", ""},
                 {"a=1", "[a=1]"},
                 {"a=1&b=2&a=3", "[a=1][b=2][a=3]"},
                 {"&&a=1&", "[a=1]"},
                 {"a", "[a=]"},
                 {"a=", "[a=]"},
                 {"=b", "[=b]"},
                 {"a=b=c", "[a=b=c]"},
                 {"a+b=c%20d%2Be", "[a b=c d+e]"},
                 {"r%C3%A4tt=%e5", "[r\xc3\xa4tt=\xe5]"},
                 {"a=%zz%", "[a=%zz%]"},
                 {"a%26=%3D", "[a&==]"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visits visits = {0};
        assert_true(hub_form_each(hub_bytes_of_text(cases[i].form), 3, on_field, &visits));
        assert_string_equal(hub_buffer_text(&visits.text), cases[i].fields);
        hub_buffer_free(&visits.text);
    }
}

static void a_form_with_too_many_fields_is_none(void **state) {
    struct visits visits = {0};
    (void)state;
    assert_false(hub_form_each(hub_bytes_of_text("a=1&b=2&c=3"), 2, on_field, &visits));
    assert_string_equal(hub_buffer_text(&visits.text), "[a=1][b=2]");
    hub_buffer_free(&visits.text);
}

/* --- notices --- */

static void ids_come_with_the_other_fields(void **state) {
    struct hub_notice_options options = options_of(hei);
    (void)state;
    expect_requests(&options, "sending_hei_id=lu.se&omobility_id=a&omobility_id=b",
                    "[{'id': 'a', 'sending_hei_id': 'lu.se'}, "
                    "{'id': 'b', 'sending_hei_id': 'lu.se'}]");
    expect_requests(&options, "omobility_id=a&noise=1&sending_hei_id=lu.se",
                    "[{'id': 'a', 'sending_hei_id': 'lu.se'}]");
}

static void an_id_that_is_named_twice_is_one(void **state) {
    struct hub_notice_options options = options_of(no_texts);
    (void)state;
    expect_requests(&options, "omobility_id=a&omobility_id=b&omobility_id=%61",
                    "[{'id': 'a'}, {'id': 'b'}]");
}

/* What would be read as something else where it is put must be written so that it is not. */
static void an_id_may_have_any_character_of_a_name(void **state) {
    struct hub_notice_options options = options_of(no_texts);
    (void)state;
    expect_requests(&options, "omobility_id=..%2F..%2Fadmin%3Fa%3D1%26b%23%22%7B%7D",
                    "[{'id': '../../admin?a=1&b#\\\"{}'}]");
}

static void what_is_no_notice_is_refused(void **state) {
    static const struct {
        const char *form, *why;
    } cases[] = {
        {"", "no omobility_id; a form that has one would pass"},
        {"{\"omobility_id\": \"a\"}", "no omobility_id"},
        {"OMOBILITY_ID=a&sending_hei_id=lu.se", "no omobility_id"},
        {"omobility_id=a", "no sending_hei_id; a form that has one would pass"},
        {"omobility_id=&sending_hei_id=lu.se", "omobility_id is no name: 1 to 256 bytes"},
        {"omobility_id=a%00b&sending_hei_id=lu.se", "omobility_id is no name"},
        {"omobility_id=a%0d%0aHost:x&sending_hei_id=lu.se", "omobility_id is no name"},
        {"omobility_id=a%7f&sending_hei_id=lu.se", "omobility_id is no name"},
        {"omobility_id=a%ff&sending_hei_id=lu.se", "omobility_id is no name"},
        {"omobility_id=..&sending_hei_id=lu.se", "omobility_id is no name"},
        {"omobility_id=%2e&sending_hei_id=lu.se", "omobility_id is no name"},
        {"omobility_id=a&sending_hei_id=%0a", "sending_hei_id is no name"},
        {"omobility_id=a&sending_hei_id=lu.se&sending_hei_id=lu.se",
         "sending_hei_id comes twice; once would pass"},
        {"omobility_id=a&omobility_id=b&omobility_id=c&omobility_id=d&sending_hei_id=lu.se",
         "more than 3 of omobility_id; the same in several notices would pass"},
    };
    struct hub_notice_options options = options_of(hei);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(&options, hub_bytes_of_text(cases[i].form), cases[i].why);
}

static void a_name_has_256_bytes_at_most_and_a_notice_75_fields(void **state) {
    struct hub_notice_options options = options_of(no_texts);
    HUB_SCOPED_BUFFER form = {0};
    (void)state;
    hub_buffer_append_text(&form, "omobility_id=");
    for (int i = 0; i < 256; i++)
        hub_buffer_append_byte(&form, 'a');
    struct hub_error error;
    json_t *requests = NULL;
    assert_int_equal(hub_notice_read(&options, hub_buffer_bytes(&form), &requests, &error), HUB_OK);
    json_decref(requests);
    hub_buffer_append_byte(&form, 'a');
    expect_refused(&options, hub_buffer_bytes(&form), "1 to 256 bytes");
    hub_buffer_clear(&form);
    for (int i = 0; i < 76; i++)
        hub_buffer_append_text(&form, "a=1&");
    expect_refused(&options, hub_buffer_bytes(&form), "more than 75 fields");
}

/* --- senders --- */

static void senders_are_addresses_or_parts_of_them(void **state) {
    static const char *const senders[] = {"192.0.2.7", "10.1.0.0/16", NULL};
    struct hub_notice_options options = options_of(no_texts);
    (void)state;
    assert_true(hub_notice_is_from(&options, 0x7f000001));
    options.senders = senders;
    assert_true(hub_notice_is_from(&options, 0xc0000207));
    assert_false(hub_notice_is_from(&options, 0xc0000208));
    assert_true(hub_notice_is_from(&options, 0x0a01fffe));
    assert_false(hub_notice_is_from(&options, 0x0a020001));
    assert_false(hub_notice_is_from(&options, 0));
}

static void options_that_make_no_sense_are_refused(void **state) {
    static const char *const bad[] = {"192.0.2", "192.0.2.7/33", "192.0.2.7/0", "192.0.2.7/",
                                      "192.0.2.7/8x", "::1", "localhost", ""};
    struct hub_error error;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const senders[] = {bad[i], NULL};
        struct hub_notice_options options = options_of(no_texts);
        options.senders = senders;
        assert_int_equal(hub_notice_check(&options, &error), HUB_FATAL);
        assert_non_null(strstr(error.text, "192.0.2.0/24 would pass"));
    }
    const char *const itself[] = {"omobility_id", NULL}, *const id[] = {"id", NULL};
    struct hub_notice_options options = options_of(itself);
    assert_int_equal(hub_notice_check(&options, &error), HUB_FATAL);
    options.fields = id;
    assert_int_equal(hub_notice_check(&options, &error), HUB_FATAL);
    const char *const many[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", NULL};
    options.fields = many;
    assert_int_equal(hub_notice_check(&options, &error), HUB_FATAL);
    options.fields = hei;
    assert_int_equal(hub_notice_check(&options, &error), HUB_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_decoded_field_by_field),
        cmocka_unit_test(a_form_with_too_many_fields_is_none),
        cmocka_unit_test(ids_come_with_the_other_fields),
        cmocka_unit_test(an_id_that_is_named_twice_is_one),
        cmocka_unit_test(an_id_may_have_any_character_of_a_name),
        cmocka_unit_test(what_is_no_notice_is_refused),
        cmocka_unit_test(a_name_has_256_bytes_at_most_and_a_notice_75_fields),
        cmocka_unit_test(senders_are_addresses_or_parts_of_them),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
