/* options: a transport's or format's settings, from its table and a configuration. */
#include "connectors/kit/options.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"

#include <stdlib.h>

struct settings {
    const char *url;
    const char *mode;
    int64_t wait_ms;
    bool strict;
    const char *const *folders;
    const char *secret;
    const char *const *tokens;
};

static const char *const modes[] = {"documents", "snapshot", NULL};

static const struct hub_option options[] = {
    {.name = "url", HUB_TEXT_OPTION(struct settings, url), .required = true, .help = "Address."},
    {.name = "mode",
     HUB_TEXT_OPTION(struct settings, mode),
     .initial = "documents",
     .choices = modes,
     .help = "How."},
    {.name = "wait_ms",
     HUB_NUMBER_OPTION(struct settings, wait_ms),
     .initial = "500",
     .minimum = 10,
     .maximum = 1000,
     .help = "Between looks, in milliseconds."},
    {.name = "strict",
     HUB_FLAG_OPTION(struct settings, strict),
     .initial = "true",
     .help = "Whether."},
    {.name = "folders", HUB_TEXTS_OPTION(struct settings, folders), .help = "Where."},
    {.name = "tokens", HUB_TEXTS_OPTION(struct settings, tokens), .secret = true, .help = "Who."},
    {.name = "secret", HUB_TEXT_OPTION(struct settings, secret), .secret = true, .help = "Who."},
    {0},
};

struct reading {
    struct hub_arena arena;
    struct hub_node *node;
    struct settings settings;
    struct hub_error error;
};

static int begin(void **state) {
    *state = hub_allocate_zero(1, sizeof(struct reading));
    return 0;
}

static int end(void **state) {
    struct reading *reading = *state;
    hub_arena_destroy(&reading->arena);
    hub_release(reading);
    return 0;
}

static enum hub_status read_also(struct reading *reading, const char *text,
                                 const char *const *also) {
    assert_int_equal(hub_node_parse(hub_bytes_of_text(text), "c.yaml", &reading->arena,
                                    &reading->node, &reading->error),
                     HUB_OK);
    return hub_options_read(reading->node, options, also, &reading->arena, &reading->settings,
                            &reading->error);
}

static const struct settings *read(struct reading *reading, const char *text) {
    if (read_also(reading, text, NULL) != HUB_OK)
        fail_msg("%s", reading->error.text);
    return &reading->settings;
}

static void assert_refused(struct reading *reading, const char *text, const char *error) {
    assert_int_equal(read_also(reading, text, NULL), HUB_FATAL);
    assert_string_equal(reading->error.text, error);
}

static void what_is_not_set_has_its_default(void **state) {
    const struct settings *settings = read(*state, "{url: x}");
    assert_string_equal(settings->mode, "documents");
    assert_int_equal(settings->wait_ms, 500);
    assert_true(settings->strict);
    assert_null(settings->folders[0]);
}

static void what_is_set_is_read(void **state) {
    const struct settings *settings =
        read(*state, "{url: 'http://h', mode: snapshot, wait_ms: 10, strict: false, folders: [a, "
                     "b]}");
    assert_string_equal(settings->url, "http://h");
    assert_string_equal(settings->mode, "snapshot");
    assert_int_equal(settings->wait_ms, 10);
    assert_false(settings->strict);
    assert_string_equal(settings->folders[0], "a");
    assert_string_equal(settings->folders[1], "b");
    assert_null(settings->folders[2]);
}

static void one_text_is_a_list_of_one(void **state) {
    const struct settings *settings = read(*state, "{url: x, folders: a}");
    assert_string_equal(settings->folders[0], "a");
    assert_null(settings->folders[1]);
}

static void a_required_option_that_is_missing_is_named_with_its_help(void **state) {
    assert_refused(*state, "{mode: snapshot}", "c.yaml:1:1: 'url' is missing: Address.");
}

static void an_unknown_key_is_told_with_the_nearest(void **state) {
    assert_refused(*state, "url: x\nwait_m: 10\nmoed: snapshot",
                   "c.yaml:2:1: unknown key 'wait_m'; did you mean 'wait_ms'?");
}

static void keys_of_somebody_else_are_left_alone(void **state) {
    static const char *const also[] = {"format", NULL};
    struct reading *reading = *state;
    assert_int_equal(read_also(reading, "{url: x, format: csv}", also), HUB_OK);
    assert_int_equal(read_also(reading, "{url: x, format: csv}", NULL), HUB_FATAL);
}

static void a_choice_that_is_none_is_refused_with_those_there_are(void **state) {
    assert_refused(*state, "{url: x, mode: all}",
                   "c.yaml:1:16: 'mode' is 'all'; one of documents, snapshot would pass");
}

static void a_number_out_of_range_or_that_is_none_is_refused_with_the_range(void **state) {
    static const char range[] = "c.yaml:1:19: 'wait_ms' must be a number from 10 to 1000 (Between "
                                "looks, in milliseconds.)";
    assert_refused(*state, "{url: x, wait_ms: 9}", range);
    assert_refused(*state, "{url: x, wait_ms: 1001}", range);
    assert_refused(*state, "{url: x, wait_ms: 10s}", range);
    assert_refused(*state, "{url: x, wait_ms: '100'}", range);
    assert_refused(*state, "{url: x, wait_ms: 99999999999999999999}", range);
}

static void a_flag_is_true_or_false_and_nothing_else(void **state) {
    assert_refused(*state, "{url: x, strict: yes}", "c.yaml:1:18: 'strict' must be true or false");
}

static void a_text_option_takes_no_list_and_a_list_no_mapping(void **state) {
    assert_refused(*state, "{url: [x]}", "c.yaml:1:7: 'url' must be a text (Address.)");
    assert_refused(*state, "{url: x, folders: [{a: b}]}",
                   "c.yaml:1:20: a text or a list of texts would pass");
}

static void the_environment_is_put_in(void **state) {
    setenv("OPTIONS_TEST_HOST", "example.org", 1);
    unsetenv("OPTIONS_TEST_NONE");
    const struct settings *settings =
        read(*state, "{url: 'https://${env:OPTIONS_TEST_HOST}/a', folders: "
                     "'${env:OPTIONS_TEST_NONE:-here}/${env:OPTIONS_TEST_HOST:-there}'}");
    assert_string_equal(settings->url, "https://example.org/a");
    assert_string_equal(settings->folders[0], "here/example.org");
}

static void a_default_may_be_empty_and_a_set_variable_may_be_too(void **state) {
    setenv("OPTIONS_TEST_EMPTY", "", 1);
    unsetenv("OPTIONS_TEST_NONE");
    const struct settings *settings = read(
        *state, "{url: 'a${env:OPTIONS_TEST_NONE:-}b', folders: 'c${env:OPTIONS_TEST_EMPTY:-x}d'}");
    assert_string_equal(settings->url, "ab");
    assert_string_equal(settings->folders[0], "cd");
}

static void a_variable_that_is_not_there_is_an_error_with_its_place(void **state) {
    unsetenv("OPTIONS_TEST_NONE");
    assert_refused(*state, "{url: '${env:OPTIONS_TEST_NONE}'}",
                   "c.yaml:1:7: the environment has no OPTIONS_TEST_NONE");
}

static void a_file_is_put_in_without_its_last_line_end(void **state) {
    struct folder folder;
    folder_make(&folder);
    folder_write(&folder, "secret", "s3cret\n\n");
    const char *text = hub_arena_format(&folder.arena, "{url: 'Bearer ${file:%s}'}",
                                        folder_path(&folder, "secret"));
    assert_string_equal(read(*state, text)->url, "Bearer s3cret");
    folder_remove(&folder);
}

static void a_file_that_is_not_there_is_an_error_with_its_place(void **state) {
    assert_refused(*state, "{url: '${file:/none/such}'}",
                   "c.yaml:1:7: /none/such: No such file or directory");
}

static void references_that_are_malformed_are_refused(void **state) {
    assert_refused(*state, "{url: '${env:A'}", "c.yaml:1:7: a ${ without }");
    assert_refused(*state, "{url: '${HOME}'}",
                   "c.yaml:1:7: ${env:NAME} or ${file:/path} would pass");
}

static void the_table_is_its_own_manual(void **state) {
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    hub_options_describe(options, &text);
    const char *manual = hub_buffer_text(&text);
    assert_non_null(strstr(manual, "Address. Required.\n"));
    assert_non_null(strstr(manual, "How. Default documents. One of documents, snapshot\n"));
    assert_non_null(strstr(manual, "Between looks, in milliseconds. Default 500.\n"));
}

static void a_secret_stands_elsewhere_and_is_not_told(void **state) {
    static const char *const texts[] = {"hunter2", "${env:OPTIONS_TEST}x", "x${env:OPTIONS_TEST}",
                                        "${env:NOT_SET:-hunter2}",
                                        "${env:OPTIONS_TEST}${env:OPTIONS_TEST}"};
    struct reading *reading = *state;
    setenv("OPTIONS_TEST", "of the environment", 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refused(reading,
                       hub_arena_format(&reading->arena, "{url: x, secret: '%s'}", texts[i]),
                       "c.yaml:1:18: 'secret' is a secret, which does not stand in a configuration; "
                       "${env:NAME} or ${file:/path} would pass");
    assert_string_equal(read(reading, "{url: x, secret: '${env:OPTIONS_TEST}'}")->secret,
                        "of the environment");
}

static void a_secret_that_is_not_there_is_missed_where_a_source_is_asked(void **state) {
    static const char *const texts[][2] = {
        {"{url: x, secret: '${env:OPTIONS_TEST_NONE}'}",
         "c.yaml:1:18: the environment has no OPTIONS_TEST_NONE"},
        {"{url: x, tokens: ['${env:OPTIONS_TEST_HOST}', '${file:/none/such}']}",
         "c.yaml:1:47: /none/such: No such file or directory"},
    };
    setenv("OPTIONS_TEST_HOST", "example.org", 1);
    unsetenv("OPTIONS_TEST_NONE");
    struct reading *reading = *state;
    for (size_t i = 0; i < 2; i++) {
        struct hub_error error = {0};
        assert_non_null(read(reading, texts[i][0]));
        assert_int_equal(hub_options_need_secrets(reading->node, options, &error), HUB_FATAL);
        assert_string_equal(error.text, texts[i][1]);
    }
    assert_refused(reading, "{url: x, secret: '${other:A}'}",
                   "c.yaml:1:18: ${env:NAME} or ${file:/path} would pass");
    struct hub_error error = {0};
    assert_non_null(read(reading, "{url: x, tokens: '${env:OPTIONS_TEST_HOST}'}"));
    assert_int_equal(hub_options_need_secrets(reading->node, options, &error), HUB_OK);
}

static void each_secret_of_a_list_stands_elsewhere(void **state) {
    struct reading *reading = *state;
    setenv("OPTIONS_TEST", "of the environment", 1);
    assert_refused(reading, "{url: x, tokens: ['${env:OPTIONS_TEST}', hunter2]}",
                   "c.yaml:1:42: 'tokens' is a secret, which does not stand in a configuration; "
                   "${env:NAME} or ${file:/path} would pass");
    assert_string_equal(read(reading, "{url: x, tokens: '${env:OPTIONS_TEST}'}")->tokens[0],
                        "of the environment");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_stands_elsewhere_and_is_not_told),
        cmocka_unit_test(a_secret_that_is_not_there_is_missed_where_a_source_is_asked),
        cmocka_unit_test(each_secret_of_a_list_stands_elsewhere),
        cmocka_unit_test(what_is_not_set_has_its_default),
        cmocka_unit_test(what_is_set_is_read),
        cmocka_unit_test(one_text_is_a_list_of_one),
        cmocka_unit_test(a_required_option_that_is_missing_is_named_with_its_help),
        cmocka_unit_test(an_unknown_key_is_told_with_the_nearest),
        cmocka_unit_test(keys_of_somebody_else_are_left_alone),
        cmocka_unit_test(a_choice_that_is_none_is_refused_with_those_there_are),
        cmocka_unit_test(a_number_out_of_range_or_that_is_none_is_refused_with_the_range),
        cmocka_unit_test(a_flag_is_true_or_false_and_nothing_else),
        cmocka_unit_test(a_text_option_takes_no_list_and_a_list_no_mapping),
        cmocka_unit_test(the_environment_is_put_in),
        cmocka_unit_test(a_default_may_be_empty_and_a_set_variable_may_be_too),
        cmocka_unit_test(a_variable_that_is_not_there_is_an_error_with_its_place),
        cmocka_unit_test(a_file_is_put_in_without_its_last_line_end),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error_with_its_place),
        cmocka_unit_test(references_that_are_malformed_are_refused),
        cmocka_unit_test(the_table_is_its_own_manual),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
