/* presence: what a connector tells, and what it is told, in files. */
#include "connectors/kit/presence.h"
#include "connectors/kit/presence_files.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct telling {
    struct folder folder;
    struct hub_presence *presence;
};

static int begin(void **state) {
    struct telling *telling = hub_allocate_zero(1, sizeof *telling);
    folder_make(&telling->folder);
    telling->presence = hub_presence_open(telling->folder.path, "slots");
    *state = telling;
    return 0;
}

static int end(void **state) {
    struct telling *telling = *state;
    hub_presence_close(telling->presence, HUB_STOPPED, NULL);
    folder_remove(&telling->folder);
    hub_release(telling);
    return 0;
}

static void assert_tells(struct telling *telling, const char *name, const char *wanted) {
    json_t *status = hub_presence_read(telling->folder.path, "slots");
    assert_non_null(status);
    const char *text = json_string_value(json_object_get(status, name));
    if (wanted == NULL)
        assert_null(text);
    else
        assert_string_equal(text, wanted);
    json_decref(status);
}

static enum hub_status wish(struct telling *telling, const char *name, enum hub_wish what) {
    struct hub_error error;
    return hub_presence_wish(telling->folder.path, name, what, "anna", "the source is moved", &error);
}

/* It looks at the file no more often than twice a second. */
static bool is_paused_soon(struct telling *telling, bool wanted, const char **ret_why) {
    enum { TRIES = 1000, STEP_US = 10000 };
    for (int i = 0; i < TRIES; i++) {
        if (hub_presence_is_paused(telling->presence, ret_why) == wanted)
            return true;
        usleep(STEP_US);
    }
    return false;
}

static void a_state_is_told_with_its_reason_until_there_is_another(void **state) {
    struct telling *telling = *state;
    assert_tells(telling, "state", "RESTARTING");
    hub_presence_tell(telling->presence, HUB_RUNNING, NULL);
    assert_tells(telling, "state", "RUNNING");
    hub_presence_tell(telling->presence, HUB_RESTARTING, "no broker answers");
    assert_tells(telling, "state", "RESTARTING");
    assert_tells(telling, "why", "no broker answers");
    hub_presence_tell(telling->presence, HUB_RUNNING, NULL);
    assert_tells(telling, "why", NULL);
}

static void a_source_that_is_idle_and_one_that_cannot_be_reached_are_two_words(void **state) {
    struct telling *telling = *state;
    hub_presence_tell_source(telling->presence, HUB_SOURCE_IDLE, NULL);
    assert_tells(telling, "source", "IDLE");
    json_t *status = hub_presence_read(telling->folder.path, "slots");
    json_int_t reached = json_integer_value(json_object_get(status, "reached"));
    assert_true(reached > 0);
    json_decref(status);
    hub_presence_tell_source(telling->presence, HUB_SOURCE_STALLED, "connection refused");
    assert_tells(telling, "source", "STALLED");
    assert_tells(telling, "source_why", "connection refused");
    status = hub_presence_read(telling->folder.path, "slots");
    assert_int_equal(json_integer_value(json_object_get(status, "reached")), reached);
    json_decref(status);
}

static void a_position_is_told(void **state) {
    struct telling *telling = *state;
    json_t *counts = json_pack("{s:i}", "read", 412);
    hub_presence_tell(telling->presence, HUB_RUNNING, NULL);
    hub_presence_tell_position(telling->presence, "{\"page\":7}", 42, counts);
    json_decref(counts);
    hub_presence_tell(telling->presence, HUB_PAUSED, "anna: look"); /* it is written with what changes */
    assert_tells(telling, "position", "{\"page\":7}");
    json_t *status = hub_presence_read(telling->folder.path, "slots");
    assert_int_equal(json_integer_value(json_object_get(status, "sequence")), 42);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(status, "counts"), "read")), 412);
    json_decref(status);
}

static void who_is_told_to_rest_rests_until_told_to_go_on(void **state) {
    struct telling *telling = *state;
    const char *why = NULL;
    assert_false(hub_presence_is_paused(telling->presence, &why));
    assert_int_equal(wish(telling, "slots", HUB_WISH_PAUSE), HUB_OK);
    assert_true(is_paused_soon(telling, true, &why));
    assert_string_equal(why, "anna: the source is moved");
    assert_int_equal(wish(telling, "slots", HUB_WISH_RETRY), HUB_OK);
    assert_true(is_paused_soon(telling, true, &why)); /* that is no leave to go on */
    assert_int_equal(wish(telling, "slots", HUB_WISH_RESUME), HUB_OK);
    assert_true(is_paused_soon(telling, false, &why));
}

static void whatever_it_is_told_is_kept_with_who_and_why(void **state) {
    static const struct {
        enum hub_wish wish;
        const char *word;
        bool was_paused, paused;
    } wishes[] = {{HUB_WISH_PAUSE, "PAUSE", false, true},
                  {HUB_WISH_RETRY, "RETRY", true, true},
                  {HUB_WISH_RESUME, "RESUME", true, false}};
    struct telling *telling = *state;
    HUB_SCOPED_BUFFER path = {0}, text = {0};
    struct hub_error error;
    struct hub_bytes line, rest;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(wish(telling, "slots", wishes[i].wish), HUB_OK);
    hub_buffer_append_format(&path, "%s/connectors/slots/wishes.jsonl", telling->folder.path);
    expect_ok(hub_file_read(hub_buffer_text(&path), &text, &error), &error);
    rest = hub_buffer_bytes(&text);
    for (size_t i = 0; i < 3; i++) {
        assert_true(hub_bytes_cut(rest, '\n', &line, &rest));
        json_t *kept = json_loadb((const char *)line.data, line.size, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(kept, "wish")), wishes[i].word);
        assert_string_equal(json_string_value(json_object_get(kept, "who")), "anna");
        assert_string_equal(json_string_value(json_object_get(kept, "why")), "the source is moved");
        assert_int_equal(json_is_true(json_object_get(kept, "was_paused")), wishes[i].was_paused);
        assert_int_equal(json_is_true(json_object_get(kept, "paused")), wishes[i].paused);
        assert_int_equal(json_string_length(json_object_get(kept, "time")), 24);
        json_decref(kept);
    }
    assert_int_equal(rest.size, 0);
}

static void what_is_no_text_is_not_done(void **state) {
    struct telling *telling = *state;
    struct hub_error error;
    const char *why = NULL;
    assert_int_equal(hub_presence_wish(telling->folder.path, "slots", HUB_WISH_PAUSE, "anna", "\xff",
                                       &error), HUB_REJECT);
    assert_false(hub_presence_is_paused(telling->presence, &why));
}

static void nobody_is_told_who_has_never_run(void **state) {
    struct telling *telling = *state;
    assert_int_equal(wish(telling, "theatre", HUB_WISH_PAUSE), HUB_REJECT);
    assert_null(hub_presence_read(telling->folder.path, "theatre"));
}

static void a_wait_shows_until_when_and_a_wish_ends_it(void **state) {
    enum { LONG_MS = 600000 };
    struct telling *telling = *state;
    pid_t other = fork();
    if (other == 0) {
        for (;;) { /* until the wait is seen */
            json_t *status = hub_presence_read(telling->folder.path, "slots");
            if (json_is_integer(json_object_get(status, "next_try")))
                break;
            usleep(10000);
        }
        _exit(wish(telling, "slots", HUB_WISH_RETRY) == HUB_OK ? 0 : 1);
    }
    hub_presence_wait_ms(telling->presence, LONG_MS);
    int result = -1;
    waitpid(other, &result, 0);
    assert_int_equal(result, 0);
    hub_presence_tell(telling->presence, HUB_RUNNING, NULL);
    json_t *status = hub_presence_read(telling->folder.path, "slots");
    assert_true(json_is_null(json_object_get(status, "next_try")));
    json_decref(status);
}

static void who_ended_without_a_word_has_failed(void **state) {
    struct telling *telling = *state;
    pid_t other = fork();
    if (other == 0) {
        struct hub_presence *presence = hub_presence_open(telling->folder.path, "theatre");
        hub_presence_tell(presence, HUB_RUNNING, NULL);
        _exit(0);
    }
    waitpid(other, NULL, 0);
    json_t *status = hub_presence_read(telling->folder.path, "theatre");
    assert_string_equal(json_string_value(json_object_get(status, "state")), "FAILED");
    assert_string_equal(json_string_value(json_object_get(status, "why")),
                        "it ended without a word");
    json_decref(status);
}

static void one_that_stopped_says_so_and_runs_no_more(void **state) {
    struct telling *telling = *state;
    assert_true(hub_presence_runs(telling->folder.path, "slots"));
    hub_presence_close(telling->presence, HUB_STOPPED, NULL);
    telling->presence = NULL;
    assert_tells(telling, "state", "STOPPED");
    assert_false(hub_presence_runs(telling->folder.path, "slots"));
}

static void of_two_of_one_name_the_first_tells(void **state) {
    struct telling *telling = *state;
    hub_presence_tell(telling->presence, HUB_RUNNING, NULL);
    struct hub_presence *second = hub_presence_open(telling->folder.path, "slots");
    hub_presence_tell(second, HUB_FAILED, "fenced");
    assert_tells(telling, "state", "RUNNING");
    hub_presence_close(second, HUB_STOPPED, NULL);
    assert_true(hub_presence_runs(telling->folder.path, "slots"));
    assert_tells(telling, "state", "RUNNING");
}

static void a_folder_that_cannot_be_written_stops_nobody(void **state) {
    struct telling *telling = *state;
    const char *why = NULL;
    folder_write(&telling->folder, "file", "no folder");
    struct hub_presence *presence =
        hub_presence_open(folder_path(&telling->folder, "file"), "slots");
    hub_presence_tell(presence, HUB_RUNNING, NULL);
    hub_presence_tell_source(presence, HUB_SOURCE_IDLE, NULL);
    assert_false(hub_presence_is_paused(presence, &why));
    hub_presence_close(presence, HUB_STOPPED, NULL);
}

static void a_wish_that_is_no_json_is_none(void **state) {
    struct telling *telling = *state;
    const char *why = NULL;
    folder_write(&telling->folder, "connectors/slots/" HUB_WISH_FILE, "{\"paused\": tr");
    assert_false(hub_presence_is_paused(telling->presence, &why));
    assert_null(why);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_told_with_its_reason_until_there_is_another),
        cmocka_unit_test(a_source_that_is_idle_and_one_that_cannot_be_reached_are_two_words),
        cmocka_unit_test(a_position_is_told),
        cmocka_unit_test(who_is_told_to_rest_rests_until_told_to_go_on),
        cmocka_unit_test(whatever_it_is_told_is_kept_with_who_and_why),
        cmocka_unit_test(what_is_no_text_is_not_done),
        cmocka_unit_test(nobody_is_told_who_has_never_run),
        cmocka_unit_test(a_wait_shows_until_when_and_a_wish_ends_it),
        cmocka_unit_test(who_ended_without_a_word_has_failed),
        cmocka_unit_test(one_that_stopped_says_so_and_runs_no_more),
        cmocka_unit_test(of_two_of_one_name_the_first_tells),
        cmocka_unit_test(a_folder_that_cannot_be_written_stops_nobody),
        cmocka_unit_test(a_wish_that_is_no_json_is_none),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
