/* charset: what cannot be converted from is said when the configuration is loaded. */
#include "connectors/formats/charset.h"

#include "hub/base/memory.h"
#include "tests/lib/cmocka.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void what_the_system_can_convert_from_passes(void **state) {
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_charset_check("windows-1252", &error), HUB_OK);
    assert_int_equal(hub_charset_check("iso-8859-15", &error), HUB_OK);
}

static void what_it_cannot_is_refused_by_name(void **state) {
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_charset_check("no-such-set", &error), HUB_FATAL);
    assert_string_equal(error.text, "this system cannot convert from no-such-set");
}

static void a_converter_converts_to_utf8(void **state) {
    char in[] = "\xe5", out[4] = {0}, *from = in, *to = out;
    size_t size = 1, room = sizeof out;
    (void)state;
    iconv_t converter = hub_charset_open("iso-8859-1");
    assert_int_equal(iconv(converter, &from, &size, &to, &room), 0);
    iconv_close(converter);
    assert_string_equal(out, "\xc3\xa5");
}

/* As for want of memory: no document is to blame. */
static void a_converter_that_was_there_and_is_not_ends_the_process(void **state) {
    int status = 0;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        hub_charset_open("no-such-set");
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), HUB_MEMORY_EXIT_CODE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_system_can_convert_from_passes),
        cmocka_unit_test(what_it_cannot_is_refused_by_name),
        cmocka_unit_test(a_converter_converts_to_utf8),
        cmocka_unit_test(a_converter_that_was_there_and_is_not_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
