/* log: lines for people and machines, and what becomes of those that cannot be written. */
#include "hub/io/log.h"

#include "hub/base/bytes.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Standard error is the test's own while it writes there. */
struct writing {
    struct folder folder;
    int kept; /* the real one */
    struct hub_buffer text;
};

static void point_to(const char *path) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    dup2(descriptor, STDERR_FILENO);
    close(descriptor);
}

static void begin(struct writing *writing) {
    *writing = (struct writing){.kept = dup(STDERR_FILENO)};
    folder_make(&writing->folder);
    hub_log_open("test", "");
    point_to(folder_path(&writing->folder, "log"));
}

/* What has been written. */
static const char *written(struct writing *writing) {
    struct hub_error error;
    hub_buffer_clear(&writing->text);
    expect_ok(hub_file_read(folder_path(&writing->folder, "log"), &writing->text, &error), &error);
    return hub_buffer_text(&writing->text);
}

static void end(struct writing *writing) {
    dup2(writing->kept, STDERR_FILENO);
    close(writing->kept);
    hub_buffer_free(&writing->text);
    folder_remove(&writing->folder);
}

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void a_line_names_time_level_program_and_event(void **state) {
    struct writing writing;
    (void)state;
    begin(&writing);
    hub_log(HUB_LOG_WARNING, "tried", "%d of %d\n", 1, 2);
    const char *text = written(&writing);
    assert_int_equal(count_lines(text), 1);
    assert_non_null(strstr(text, "Z level=warning program=test event=tried msg=\"1 of 2\\n\"\n"));
    hub_log_open("test", "one");
    hub_log(HUB_LOG_INFO, "again", "so");
    assert_non_null(strstr(written(&writing), " level=info program=test instance=one event=again "));
    end(&writing);
}

static void lines_that_a_full_disk_has_no_room_for_are_told_of_afterwards(void **state) {
    struct writing writing;
    int64_t before = hub_log_lost();
    (void)state;
    begin(&writing);
    point_to("/dev/full");
    hub_log(HUB_LOG_ERROR, "first", "lost");
    hub_log(HUB_LOG_ERROR, "second", "lost");
    point_to(folder_path(&writing.folder, "log"));
    hub_log(HUB_LOG_INFO, "third", "written");
    hub_log(HUB_LOG_INFO, "fourth", "written");
    const char *text = written(&writing);
    assert_int_equal(hub_log_lost() - before, 2);
    assert_int_equal(count_lines(text), 3);
    assert_non_null(strstr(text, "event=log_lost msg=\"2 lines could not be written: No space left"));
    assert_true(strstr(text, "event=log_lost") < strstr(text, "event=third"));
    end(&writing);
}

static void a_line_that_was_cut_off_ends_before_the_next_begins(void **state) {
    struct writing writing;
    const struct rlimit small = {20, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    (void)state;
    begin(&writing);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small); /* a disk of 20 bytes */
    hub_log(HUB_LOG_ERROR, "first", "cut off");
    hub_log(HUB_LOG_ERROR, "second", "lost");
    setrlimit(RLIMIT_FSIZE, &none);
    hub_log(HUB_LOG_INFO, "third", "written");
    const char *text = written(&writing);
    assert_int_equal(strcspn(text, "\n"), 20);
    assert_int_equal(count_lines(text), 3);
    assert_non_null(strstr(text, "event=log_lost msg=\"2 lines could not be written: File too large"));
    assert_non_null(strstr(text, "event=third"));
    end(&writing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_time_level_program_and_event),
        cmocka_unit_test(lines_that_a_full_disk_has_no_room_for_are_told_of_afterwards),
        cmocka_unit_test(a_line_that_was_cut_off_ends_before_the_next_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
