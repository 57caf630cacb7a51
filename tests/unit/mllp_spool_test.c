/* mllp with a spool: what is sent while Kafka is away is answered when it is on the disk, and comes first, in its order
 * and once, when Kafka is back, whenever the connector is killed. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/sender.h"
#include "tests/lib/spooling.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static const int64_t start_ms = 1772323200000; /* 2026-03-01 */

enum { BLOCK = 4096 };

struct test {
    struct reading reading;
    struct spooling spooling;
    struct sender sender;
    struct hub_arena arena;
    const char *position; /* as committed last */
    int port;
    bool connected;
};

static int begin(void **state) {
    struct test *test = hub_allocate_zero(1, sizeof *test);
    reading_set_clock(start_ms);
    spooling_begin(&test->spooling, &test->reading, "mllp", 400 * BLOCK);
    *state = test;
    return 0;
}

static int end(void **state) {
    struct test *test = *state;
    reading_close(&test->reading);
    spooling_end(&test->spooling);
    if (test->connected)
        sender_close(&test->sender);
    hub_arena_destroy(&test->arena);
    hub_release(test);
    return 0;
}

static const char *options_of(struct test *test, const char *more) {
    test->port = sender_free_port();
    return hub_arena_format(&test->arena, "{listen: '127.0.0.1:%d', while_away: spool%s}",
                            test->port, more);
}

static void connect_sender(struct test *test) {
    if (test->connected)
        sender_close(&test->sender);
    sender_open(&test->sender, test->port);
    test->connected = true;
}

static struct test *open_with(void **state, const char *more) {
    struct test *test = *state;
    reading_open(&test->reading, "mllp", options_of(test, more), NULL);
    connect_sender(test);
    return test;
}

/* Kafka is away: the session has failed, and nobody polls. */
static void go_away(struct test *test) {
    test->reading.transport->close(test->reading.state);
    memset(test->reading.state, 0, test->reading.transport->state_size);
}

/* It is back, and has what was committed. */
static void come_back(struct test *test) {
    struct reading *reading = &test->reading;
    reading->env.position = test->position;
    if (reading->transport->open(reading->state, reading->options, &reading->env,
                                 &reading->error) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

static void commit_in_kafka(struct test *test) {
    const char *position = test->reading.batch.position;
    test->position = hub_arena_text(&test->arena, position, strlen(position));
}

static void commit(struct test *test) {
    commit_in_kafka(test);
    reading_commit(&test->reading);
}

static void kill_now(struct test *test) {
    spooling_kill(&test->spooling, &test->reading, options_of(test, ""), test->position);
    connect_sender(test);
}

static void say(struct test *test, const char *id) {
    sender_says(&test->sender, hub_arena_format(&test->arena, "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|1||"
                                                "SIU^S12|%s|P|2.5\r", id));
}

static void assert_hears(struct test *test, const char *code, const char *id) {
    const char *answer = sender_hears(&test->sender);
    const char *wanted = hub_arena_format(&test->arena, "\rMSA|%s|%s", code, id);
    if (strstr(answer, wanted) == NULL)
        fail_msg("'%s' is not in '%s'", wanted, answer);
}

static void tell(struct test *test, const char *id) {
    say(test, id);
    assert_hears(test, "AA", id);
}

/* The ids of the next batch, each with a space behind it. Polls until something comes, where something should. */
static void assert_comes(struct test *test, const char *wanted) {
    HUB_SCOPED_BUFFER ids = {0};
    time_t deadline = time(NULL) + 10;
    while (reading_poll(&test->reading) == 0 && *wanted != '\0' && time(NULL) < deadline)
        continue;
    for (size_t i = 0; i < test->reading.batch.count; i++) {
        const char *at = strstr(reading_text(&test->reading, i), "S12|");
        assert_non_null(at);
        hub_buffer_append(&ids, at + 4, strcspn(at + 4, "|"));
        hub_buffer_append_byte(&ids, ' ');
    }
    assert_string_equal(hub_buffer_text(&ids), wanted);
}

/* Polls for a while: what was sent before is read, and comes to nothing. */
static void assert_nothing_comes(struct test *test) {
    for (int i = 0; i < 20; i++)
        assert_int_equal(reading_poll(&test->reading), 0);
}

/* What is in Kafka is answered and handed on no second time. */
static void tell_known(struct test *test, const char *id) {
    say(test, id);
    assert_nothing_comes(test);
    assert_hears(test, "AA", id);
}

static void with_kafka_it_is_answered_after_the_commit_and_not_before(void **state) {
    struct test *test = open_with(state, "");
    say(test, "M-1");
    assert_comes(test, "M-1 ");
    assert_true(sender_hears_nothing(&test->sender));
    assert_int_equal(spooling_count(&test->spooling), 0);
    commit(test);
    assert_hears(test, "AA", "M-1");
}

static void what_is_sent_while_kafka_is_away_is_kept_and_comes_first_when_it_is_back(void **state) {
    struct test *test = open_with(state, "");
    assert_nothing_comes(test);
    go_away(test);
    tell(test, "M-1");
    tell(test, "M-2");
    connect_sender(test); /* whoever comes anew is let in, too */
    tell(test, "M-3");
    assert_int_equal(spooling_count(&test->spooling), 3);
    come_back(test);
    say(test, "M-4"); /* on the connection that stayed */
    assert_comes(test, "M-1 M-2 M-3 ");
    assert_string_equal(reading_name(&test->reading, 0), "message 1");
    expect_json(test->reading.batch.documents[0].context, "request.peer", "'127.0.0.1'");
    assert_true(sender_hears_nothing(&test->sender));
    commit(test);
    assert_int_equal(spooling_count(&test->spooling), 0);
    assert_comes(test, "M-4 ");
    assert_string_equal(reading_name(&test->reading, 0), "message 4");
    commit(test);
    assert_hears(test, "AA", "M-4");
}

static void the_answer_is_what_the_mode_and_the_message_ask_for(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    sender_says(&test->sender, "MSH|^~\\&|A|B|C|D|1||SIU^S12|M-1|P|2.5|||AL|NE\r");
    assert_hears(test, "CA", "M-1");
    sender_says(&test->sender, "no message");
    assert_hears(test, "AR", "");
    come_back(test);
    assert_int_equal(reading_poll(&test->reading), 2);
    assert_null(test->reading.batch.documents[0].refused);
    assert_non_null(strstr(test->reading.batch.documents[1].refused, "a message begins with MSH"));
    assert_string_equal(reading_text(&test->reading, 1), "no message");
}

/* A frame that was refused for how it came is that when it comes from the spool, too. */
static void what_became_of_a_frame_is_kept_with_it(void **state) {
    struct test *test = open_with(state, ", size_max_bytes: 1024");
    char *large = hub_arena_take_zero(&test->arena, 1, 3001);
    memset(large, 'x', 3000);
    go_away(test);
    sender_says(&test->sender, large);
    assert_non_null(strstr(sender_hears(&test->sender), "MSA|AR|"));
    come_back(test);
    assert_int_equal(reading_poll(&test->reading), 1);
    assert_string_equal(test->reading.batch.documents[0].refused_code, "SIZE");
    assert_int_equal(test->reading.batch.documents[0].bytes.size, 1024);
}

static void what_was_with_a_session_that_failed_comes_once_whether_it_was_safe_or_not(void **state) {
    struct test *test = open_with(state, "");
    for (int safe = 0; safe < 2; safe++) {
        const char *id = hub_arena_format(&test->arena, "M-%d", safe);
        say(test, id);
        assert_comes(test, hub_arena_format(&test->arena, "%s ", id));
        if (safe)
            commit_in_kafka(test); /* and nobody heard of it */
        go_away(test);
        assert_hears(test, "AA", id);
        assert_int_equal(spooling_count(&test->spooling), 1);
        come_back(test);
        if (safe)
            assert_nothing_comes(test);
        else
            assert_comes(test, "M-0 ");
        if (!safe)
            commit(test);
        assert_int_equal(spooling_count(&test->spooling), 0);
    }
}

static void what_is_sent_again_while_it_is_kept_is_answered_and_told_once(void **state) {
    struct test *test = open_with(state, "");
    say(test, "M-1");
    assert_comes(test, "M-1 ");
    go_away(test);
    assert_hears(test, "AA", "M-1");
    tell(test, "M-1");
    tell(test, "M-2");
    tell(test, "M-2");
    assert_int_equal(spooling_count(&test->spooling), 2);
    come_back(test);
    assert_comes(test, "M-1 M-2 ");
    commit(test);
    tell_known(test, "M-2");
}

/* --- kills --- */

static void a_kill_at_any_moment_loses_nothing_and_doubles_nothing(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    tell(test, "M-1");
    tell(test, "M-2");
    kill_now(test); /* kept */
    assert_comes(test, "M-1 M-2 ");
    kill_now(test); /* taken */
    assert_comes(test, "M-1 M-2 ");
    commit_in_kafka(test);
    kill_now(test); /* committed, and not removed */
    assert_int_equal(spooling_count(&test->spooling), 2);
    assert_nothing_comes(test);
    assert_int_equal(spooling_count(&test->spooling), 0);
    tell_known(test, "M-2");
    go_away(test);
    tell(test, "M-3");
    kill_now(test);
    assert_comes(test, "M-3 ");
    commit(test);
    kill_now(test); /* committed and removed */
    assert_nothing_comes(test);
}

static void what_was_committed_is_known_after_a_kill_by_another_configuration_too(void **state) {
    struct test *test = *state;
    test->reading.env.configuration = "one";
    open_with(state, "");
    go_away(test);
    tell(test, "M-1");
    come_back(test);
    assert_comes(test, "M-1 ");
    commit_in_kafka(test);
    test->reading.env.configuration = "two";
    kill_now(test);
    assert_nothing_comes(test);
    assert_int_equal(spooling_count(&test->spooling), 0);
}

static void more_than_a_batch_comes_in_batches_and_each_is_known_after_a_kill(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    for (int i = 0; i < 300; i++)
        tell(test, hub_arena_format(&test->arena, "M-%03d", i));
    come_back(test);
    assert_int_equal(reading_poll(&test->reading), 128);
    commit(test);
    assert_int_equal(reading_poll(&test->reading), 128);
    assert_non_null(strstr(reading_text(&test->reading, 127), "|M-255|"));
    commit_in_kafka(test);
    assert_int_equal(unlink(folder_path(&test->spooling.folder,
                                        "spool/called/000000000000000129")), 0);
    kill_now(test);
    assert_comes(test, "M-256 "); /* with 127 that are known */
    commit(test);
    assert_int_equal(reading_poll(&test->reading), 43);
    commit(test);
    assert_int_equal(spooling_count(&test->spooling), 0);
}

/* --- the end of what it does --- */

static void without_room_the_sender_is_asked_to_send_again(void **state) {
    struct test *test = *state;
    spooling_end(&test->spooling);
    spooling_begin(&test->spooling, &test->reading, "mllp", 2 * BLOCK);
    open_with(state, "");
    go_away(test);
    tell(test, "M-1");
    tell(test, "M-2");
    for (int i = 0; i < 2; i++) { /* nor is it taken for one that is kept */
        say(test, "M-3");
        assert_hears(test, "AE", "M-3");
    }
    tell(test, "M-2");
    come_back(test);
    assert_comes(test, "M-1 M-2 ");
    commit(test);
    say(test, "M-3");
    assert_comes(test, "M-3 ");
    commit(test);
    assert_hears(test, "AA", "M-3");
}

static void a_session_that_is_told_to_end_keeps_nothing(void **state) {
    struct test *test = open_with(state, "");
    say(test, "M-1");
    assert_comes(test, "M-1 ");
    spooling_kill(&test->spooling, &test->reading, options_of(test, ""), test->position);
    assert_hears(test, "AE", "M-1");
    assert_int_equal(spooling_count(&test->spooling), 0);
}

static void damage_is_for_a_person(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    tell(test, "M-1");
    tell(test, "M-2");
    assert_int_equal(truncate(folder_path(&test->spooling.folder,
                                          "spool/called/000000000000000002"), 90), 0);
    come_back(test);
    assert_int_equal(reading_try(&test->reading), HUB_FATAL);
    assert_non_null(strstr(test->reading.error.text, "there is no whole document in it"));
    assert_int_equal(spooling_count(&test->spooling), 2);
}

static void without_a_spool_of_the_runtime_it_nacks_and_listens_no_more(void **state) {
    struct test *test = *state;
    test->reading.env.spool = NULL;
    open_with(state, "");
    say(test, "M-1");
    assert_comes(test, "M-1 ");
    go_away(test);
    assert_hears(test, "AE", "M-1");
    assert_true(sender_is_left(&test->sender));
    assert_null(test->reading.kept);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(with_kafka_it_is_answered_after_the_commit_and_not_before),
        cmocka_unit_test(what_is_sent_while_kafka_is_away_is_kept_and_comes_first_when_it_is_back),
        cmocka_unit_test(the_answer_is_what_the_mode_and_the_message_ask_for),
        cmocka_unit_test(what_became_of_a_frame_is_kept_with_it),
        cmocka_unit_test(what_was_with_a_session_that_failed_comes_once_whether_it_was_safe_or_not),
        cmocka_unit_test(what_is_sent_again_while_it_is_kept_is_answered_and_told_once),
        cmocka_unit_test(a_kill_at_any_moment_loses_nothing_and_doubles_nothing),
        cmocka_unit_test(what_was_committed_is_known_after_a_kill_by_another_configuration_too),
        cmocka_unit_test(more_than_a_batch_comes_in_batches_and_each_is_known_after_a_kill),
        cmocka_unit_test(without_room_the_sender_is_asked_to_send_again),
        cmocka_unit_test(a_session_that_is_told_to_end_keeps_nothing),
        cmocka_unit_test(damage_is_for_a_person),
        cmocka_unit_test(without_a_spool_of_the_runtime_it_nacks_and_listens_no_more),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
