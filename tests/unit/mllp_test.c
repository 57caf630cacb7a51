/* mllp: frames, answers in both modes, batches, what is no message, and what comes again. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/reading.h"
#include "tests/lib/sender.h"

#include <string.h>
#include <time.h>

static const int64_t start_ms = 1772323200000; /* 2026-03-01 */

static const char booked[] = "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|20260302071500||SIU^S12^SIU_S12|M-1|P|"
                             "2.5.1||||||8859/1\rSCH|PL-1|FS-1\r";
static const char moved[] = "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|20260302071600||SIU^S13|M-2|T|2.4\r"
                            "SCH|PL-1|FS-1\r";

struct test {
    struct reading reading;
    struct sender sender, other;
    struct hub_arena arena;
    int port;
    bool connected, other_connected;
};

static int begin(void **state) {
    *state = hub_allocate_zero(1, sizeof(struct test));
    reading_set_clock(start_ms);
    return 0;
}

static int end(void **state) {
    struct test *test = *state;
    if (test->reading.transport != NULL)
        reading_close(&test->reading);
    if (test->connected)
        sender_close(&test->sender);
    if (test->other_connected)
        sender_close(&test->other);
    hub_arena_destroy(&test->arena);
    hub_release(test);
    return 0;
}

static const char *options_of(struct test *test, const char *more) {
    test->port = sender_free_port();
    return hub_arena_format(&test->arena, "{listen: '127.0.0.1:%d'%s}", test->port, more);
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

/* Polls until so many documents come in one batch. */
static void receive(struct test *test, size_t count) {
    time_t deadline = time(NULL) + 10;
    while (reading_poll(&test->reading) == 0 && time(NULL) < deadline)
        continue;
    assert_int_equal(test->reading.batch.count, count);
}

/* Polls for a while: what was sent before is read, and comes to nothing. */
static void receive_nothing(struct test *test) {
    for (int i = 0; i < 20; i++)
        assert_int_equal(reading_poll(&test->reading), 0);
}

static const struct hub_raw_document *document(struct test *test, size_t index) {
    assert_true(index < test->reading.batch.count);
    return &test->reading.batch.documents[index];
}

static void assert_refused(struct test *test, size_t index, const char *code, const char *why) {
    const struct hub_raw_document *refused = document(test, index);
    assert_non_null(refused->refused);
    assert_string_equal(refused->refused_code, code);
    if (strstr(refused->refused, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, refused->refused);
}

/* A field of a segment, from 0 for its name; in MSH the separator counts. */
static const char *field(struct test *test, const char *message, const char *segment, int number) {
    const char *at = message;
    while (at != NULL && strncmp(at, segment, 3) != 0) {
        at = strchr(at, '\r');
        at = at == NULL || at[1] == '\0' ? NULL : at + 1;
    }
    if (at == NULL)
        return "(none)";
    size_t line = strcspn(at, "\r");
    for (int i = strcmp(segment, "MSH") == 0; i < number; i++) {
        const char *next = memchr(at, '|', line);
        if (next == NULL)
            return "";
        line -= (size_t)(next + 1 - at);
        at = next + 1;
    }
    size_t size = 0;
    while (size < line && at[size] != '|')
        size++;
    return hub_arena_text(&test->arena, at, size);
}

static void assert_answer(struct test *test, const char *code, const char *id) {
    const char *answer = sender_hears(&test->sender);
    assert_string_equal(field(test, answer, "MSA", 1), code);
    assert_string_equal(field(test, answer, "MSA", 2), id);
}

static void assert_error(struct test *test, const char *code, const char *place) {
    const char *answer = test->sender.frame;
    assert_string_equal(field(test, answer, "ERR", 2), place);
    assert_string_equal(field(test, answer, "ERR", 3), code);
    assert_string_equal(field(test, answer, "ERR", 4), "E");
    assert_string_equal(field(test, answer, "ERR", 8), field(test, answer, "MSA", 3));
}

/* --- one message --- */

static void a_message_is_answered_after_the_commit_and_not_before(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, booked);
    receive(test, 1);
    assert_string_equal(reading_text(&test->reading, 0), booked);
    assert_string_equal(reading_name(&test->reading, 0), "message 1");
    assert_null(document(test, 0)->refused);
    expect_json(document(test, 0)->context, "request.peer", "'127.0.0.1'");
    assert_true(sender_hears_nothing(&test->sender));
    reading_commit(&test->reading);
    assert_string_equal(sender_hears(&test->sender),
                        "MSH|^~\\&|HUB|ATMP|PLAN|LUMC|20260301000000+0000||ACK^S12^ACK|"
                        "1772323200000-1|P|2.5.1||||||8859/1\rMSA|AA|M-1\r");
    assert_true(sender_hears_nothing(&test->sender));
}

static void an_answer_has_the_separators_and_the_character_set_of_its_message(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, "MSH+-~:*+R\xe4gi+L+H+A+1++SIU-S12+M\xe5-1+D+2.5++++++8859/1\r");
    receive(test, 1);
    reading_commit(&test->reading);
    assert_string_equal(sender_hears(&test->sender),
                        "MSH+-~:*+H+A+R\xe4gi+L+20260301000000:F:0000++ACK-S12-ACK+"
                        "1772323200000:S:1+D+2.5++++++8859/1\rMSA+AA+M\xe5-1\r");
}

static void words_of_ours_never_separate(void **state) {
    struct test *test = open_with(state, ", size_max_bytes: 1024");
    struct hub_arena *arena = &test->arena;
    char *filling = hub_arena_take_zero(arena, 1, 1025);
    memset(filling, 'x', 1024);
    sender_says(&test->sender, hub_arena_format(arena, "MSH|_~|||||||SIU|1\rNTE|%s\r", filling));
    receive(test, 1);
    reading_commit(&test->reading);
    /* Without an escape character, what would separate is a space. */
    const char *answer = sender_hears(&test->sender);
    assert_non_null(strstr(answer, "its frame has more bytes than size max bytes says"));
}

static void a_message_without_trigger_or_version_is_answered_too(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, "MSH|^~\\&|||||||SIU|7\rSCH|1");
    receive(test, 1);
    reading_commit(&test->reading);
    assert_string_equal(sender_hears(&test->sender),
                        "MSH|^~\\&|||||20260301000000+0000||ACK|1772323200000-1|P|2||||||\r"
                        "MSA|AA|7\r");
}

static void an_acknowledgement_is_not_acknowledged(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, "MSH|^~\\&|A|B|C|D|1||ACK^S12|9|P|2.5\rMSA|AA|1\r");
    receive(test, 1);
    reading_commit(&test->reading);
    assert_true(sender_hears_nothing(&test->sender));
}

/* --- frames --- */

static void a_frame_may_come_byte_by_byte(void **state) {
    struct test *test = open_with(state, "");
    const char *frame = hub_arena_format(&test->arena, "\x0b%s\x1c\r", booked);
    for (size_t i = 0; i + 1 < strlen(frame); i++) {
        sender_sends(&test->sender, frame + i, 1);
        assert_int_equal(reading_poll(&test->reading), 0);
    }
    sender_sends(&test->sender, "\r", 1);
    receive(test, 1);
    assert_string_equal(reading_text(&test->reading, 0), booked);
}

static void frames_that_come_together_are_answered_in_their_order(void **state) {
    struct test *test = open_with(state, "");
    const char *frames = hub_arena_format(&test->arena, "\x0b%s\x1c\r\r\n\x0b%s\x1c\r", booked, moved);
    sender_sends(&test->sender, frames, strlen(frames));
    receive(test, 2);
    assert_string_equal(reading_text(&test->reading, 1), moved);
    reading_commit(&test->reading);
    assert_answer(test, "AA", "M-1");
    assert_answer(test, "AA", "M-2");
    assert_string_equal(field(test, test->sender.frame, "MSH", 12), "2.4");
}

static void two_senders_are_answered_each_its_own(void **state) {
    struct test *test = open_with(state, "");
    sender_open(&test->other, test->port);
    test->other_connected = true;
    sender_says(&test->other, moved);
    sender_says(&test->sender, booked);
    for (size_t documents = 0; documents < 2; documents += test->reading.batch.count) {
        reading_poll(&test->reading);
        reading_commit(&test->reading);
    }
    assert_answer(test, "AA", "M-1");
    assert_string_equal(field(test, sender_hears(&test->other), "MSA", 2), "M-2");
}

static void more_frames_than_a_batch_has_wait_for_the_next(void **state) {
    struct test *test = open_with(state, "");
    HUB_SCOPED_BUFFER frames = {0};
    for (int i = 0; i < 130; i++)
        hub_buffer_append_format(&frames, "\x0bMSH|^~\\&|||||||SIU^S12|%d|P|2.5\r\x1c\r", i);
    sender_sends(&test->sender, (const char *)frames.data, frames.size);
    receive(test, 128);
    reading_commit(&test->reading);
    receive(test, 2);
    reading_commit(&test->reading);
    for (int i = 0; i < 130; i++)
        assert_answer(test, "AA", hub_arena_format(&test->arena, "%d", i));
}

static void half_an_end_belongs_to_the_message(void **state) {
    struct test *test = open_with(state, "");
    static const char message[] = "MSH|^~\\&|||||||SIU|7\rNTE|\x1c\x1cx\x1c|\r";
    sender_says(&test->sender, message);
    receive(test, 1);
    assert_string_equal(reading_text(&test->reading, 0), message);
}

static void some_bytes_between_frames_mean_nothing(void **state) {
    struct test *test = open_with(state, "");
    sender_sends(&test->sender, "hello\r\n\r\n\0", 10);
    sender_says(&test->sender, booked);
    receive(test, 1);
    assert_string_equal(reading_text(&test->reading, 0), booked);
}

static void ends_of_lines_between_frames_may_be_many(void **state) {
    struct test *test = open_with(state, "");
    char lines[4000];
    memset(lines, '\n', sizeof lines);
    memset(lines, '\r', sizeof lines / 2);
    sender_sends(&test->sender, lines, sizeof lines);
    receive_nothing(test);
    sender_says(&test->sender, booked);
    receive(test, 1);
    assert_string_equal(reading_text(&test->reading, 0), booked);
}

static void many_bytes_between_frames_are_refused_and_end_the_connection(void **state) {
    struct test *test = open_with(state, "");
    char noise[1100];
    memset(noise, 'x', sizeof noise);
    sender_sends(&test->sender, noise, sizeof noise);
    receive(test, 1);
    assert_refused(test, 0, "FRAME", "it is in no frame");
    assert_int_equal(document(test, 0)->bytes.size, 1025);
    reading_commit(&test->reading);
    assert_answer(test, "AR", "");
    receive_nothing(test);
    assert_true(sender_is_left(&test->sender));
}

static void a_message_in_no_frame_is_refused_in_time(void **state) {
    struct test *test = open_with(state, "");
    sender_sends(&test->sender, booked, strlen(booked));
    receive_nothing(test);
    reading_set_clock(start_ms + 30000);
    receive_nothing(test);
    reading_set_clock(start_ms + 30001);
    receive(test, 1);
    assert_refused(test, 0, "FRAME", "it is in no frame");
    reading_commit(&test->reading);
    assert_answer(test, "AR", "M-1");
    receive_nothing(test);
    assert_true(sender_is_left(&test->sender));
}

static void a_large_frame_is_refused_and_the_next_goes_on(void **state) {
    struct test *test = open_with(state, ", size_max_bytes: 1024");
    char *large = hub_arena_take_zero(&test->arena, 1, 100001);
    memset(large, 'x', 100000);
    memcpy(large, booked, strlen(booked));
    sender_says(&test->sender, large);
    receive(test, 1);
    assert_refused(test, 0, "SIZE", "more bytes than size_max_bytes says");
    assert_int_equal(document(test, 0)->bytes.size, 1024);
    assert_memory_equal(document(test, 0)->bytes.data, large, 1024);
    reading_commit(&test->reading);
    assert_answer(test, "AR", "M-1");
    assert_error(test, "207^Application internal error^HL70357", "");
    sender_says(&test->sender, moved);
    receive(test, 1);
    assert_null(document(test, 0)->refused);
}

static void a_frame_that_does_not_end_in_time_is_refused(void **state) {
    struct test *test = open_with(state, ", frame_timeout_ms: 1000");
    sender_sends(&test->sender, "\x0b", 1);
    sender_sends(&test->sender, booked, strlen(booked));
    receive_nothing(test);
    reading_set_clock(start_ms + 900);
    sender_sends(&test->sender, "NTE", 3); /* whoever goes on slowly gains no time */
    receive_nothing(test);
    reading_set_clock(start_ms + 1001);
    receive(test, 1);
    assert_refused(test, 0, "FRAME", "did not end within frame_timeout_ms");
    assert_int_equal(document(test, 0)->bytes.size, strlen(booked) + 3);
    reading_commit(&test->reading);
    assert_answer(test, "AR", "M-1");
    receive_nothing(test);
    assert_true(sender_is_left(&test->sender));
}

static void a_frame_that_begins_in_another_refuses_the_first(void **state) {
    struct test *test = open_with(state, "");
    sender_sends(&test->sender, "\x0b", 1);
    sender_sends(&test->sender, booked, strlen(booked));
    sender_says(&test->sender, moved);
    receive(test, 2);
    assert_refused(test, 0, "FRAME", "another frame began before its own ended");
    assert_string_equal(reading_text(&test->reading, 0), booked);
    assert_null(document(test, 1)->refused);
    reading_commit(&test->reading);
    assert_answer(test, "AR", "M-1");
    assert_answer(test, "AA", "M-2");
}

static void a_frame_that_breaks_off_with_its_connection_comes_to_nothing(void **state) {
    struct test *test = open_with(state, "");
    sender_sends(&test->sender, "\x0b", 1);
    sender_sends(&test->sender, booked, strlen(booked));
    connect_sender(test);
    receive_nothing(test);
    sender_says(&test->sender, booked);
    receive(test, 1);
    assert_null(document(test, 0)->refused);
}

/* --- what is no message --- */

static void what_is_no_message_is_refused_with_its_bytes(void **state) {
    static const struct {
        const char *sent, *why, *id, *code, *place;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", "a message begins with MSH", "",
         "100^Segment sequence error^HL70357", ""},
        {"", "there is no message in it", "", "100^Segment sequence error^HL70357", ""},
        {"\r\n", "there is no message in it", "", "100^Segment sequence error^HL70357", ""},
        {"PID|1\rMSH|^~\\&|||||||SIU|1\r", "a message begins with MSH", "",
         "100^Segment sequence error^HL70357", ""},
        {"MSH|^~\\&|||||||SIU||P|2.5\r", "no control id (MSH-10)", "",
         "101^Required field missing^HL70357", "MSH^1^10"},
        {"MSH|^~\\&|||||||SIU|\"\"|P|2.5\r", "no control id (MSH-10)", "",
         "101^Required field missing^HL70357", "MSH^1^10"},
        {"MSH", "the separators cannot be told", "", "102^Data type error^HL70357", "MSH^1^2"},
        {"MSH|", "the separators cannot be told", "", "102^Data type error^HL70357", "MSH^1^2"},
        {"MSH|^^|1\r", "the separators cannot be told", "", "102^Data type error^HL70357",
         "MSH^1^2"},
        {"MSHA^~\\&A1\r", "the separators cannot be told", "", "102^Data type error^HL70357",
         "MSH^1^2"},
        {"MSH|^~\\&|\tx||||||SIU|1\r", "control characters", "1", "102^Data type error^HL70357",
         "MSH^1^3"},
        {"BHS|^~\\&\rMSH|^~\\&|||||||SIU|1\r", "ends before its BTS or FTS", "1",
         "100^Segment sequence error^HL70357", ""},
    };
    struct test *test = open_with(state, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sender_says(&test->sender, cases[i].sent);
        receive(test, 1);
        assert_refused(test, 0, "FRAME", cases[i].why);
        assert_string_equal(reading_text(&test->reading, 0), cases[i].sent);
        reading_commit(&test->reading);
        assert_answer(test, "AR", cases[i].id);
        assert_error(test, cases[i].code, cases[i].place);
    }
}

static void a_field_that_is_too_long_is_not_repeated(void **state) {
    struct test *test = open_with(state, "");
    char *longer = hub_arena_take_zero(&test->arena, 1, 514);
    memset(longer, '7', 513);
    sender_says(&test->sender,
                hub_arena_format(&test->arena, "MSH|^~\\&|||||||SIU|%s|P|2.5\r", longer));
    receive(test, 1);
    assert_refused(test, 0, "FRAME", "more than 512 bytes");
    reading_commit(&test->reading);
    assert_answer(test, "AR", "");
    assert_error(test, "102^Data type error^HL70357", "MSH^1^10");
}

static void a_refused_message_in_another_mode_is_answered_in_that(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, "MSH|^~\\&|||||||SIU||P|2.5|||AL|NE\r");
    receive(test, 1);
    reading_commit(&test->reading);
    assert_answer(test, "CR", "");
    assert_error(test, "101^Required field missing^HL70357", "MSH^1^10");
}

/* --- enhanced mode --- */

static void each_kind_of_acknowledgement_is_sent_where_it_is_asked_for(void **state) {
    static const struct {
        const char *accept, *application, *codes[3];
    } cases[] = {
        {"AL", "NE", {"CA"}},     {"AL", "", {"CA"}}, {"AL", "AL", {"CA", "AA"}},
        {"NE", "AL", {"AA"}},     {"NE", "NE", {0}},  {"ER", "NE", {0}},
        {"SU", "ER", {"CA"}},     {"SU", "SU", {"CA", "AA"}}, {"ER", "SU", {"AA"}},
        {"", "AL", {"AA"}},       {"", "NE", {0}},    {"\"\"", "\"\"", {"AA"}},
        {"??", "NE", {"CA"}},
    };
    struct test *test = open_with(state, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *id = hub_arena_format(&test->arena, "%zu", i);
        sender_says(&test->sender,
                    hub_arena_format(&test->arena, "MSH|^~\\&|A|B|C|D|1||SIU^S12|%s|P|2.5|||%s|%s\r",
                                     id, cases[i].accept, cases[i].application));
        receive(test, 1);
        reading_commit(&test->reading);
        for (size_t k = 0; cases[i].codes[k] != NULL; k++)
            assert_answer(test, cases[i].codes[k], id);
        assert_true(sender_hears_nothing(&test->sender));
    }
}

static void a_refusal_is_told_once_at_the_level_that_asks_for_it(void **state) {
    static const struct {
        const char *accept, *application, *codes;
    } cases[] = {
        {"AL", "AL", "CR"}, {"ER", "ER", "CR"}, {"SU", "AL", "AR"}, {"NE", "ER", "AR"},
        {"SU", "SU", ""},   {"NE", "NE", ""},   {"", "", "AR"},
    };
    struct test *test = open_with(state, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sender_says(&test->sender, hub_arena_format(&test->arena,
                                                    "MSH|^~\\&|A\t|B|C|D|1||SIU^S12|%zu|P|2.5|||%s|%s"
                                                    "\r", i, cases[i].accept, cases[i].application));
        receive(test, 1);
        reading_commit(&test->reading);
        if (cases[i].codes[0] == '\0')
            assert_true(sender_hears_nothing(&test->sender));
        else
            assert_answer(test, cases[i].codes, hub_arena_format(&test->arena, "%zu", i));
        assert_true(sender_hears_nothing(&test->sender));
    }
}

static void an_application_acknowledgement_asks_for_none_itself(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, "MSH|^~\\&|A|B|C|D|1||SIU^S12|1|P|2.5|||AL|AL\r");
    receive(test, 1);
    reading_commit(&test->reading);
    assert_string_equal(field(test, sender_hears(&test->sender), "MSH", 15), "");
    assert_string_equal(field(test, sender_hears(&test->sender), "MSH", 15), "NE");
    assert_string_equal(field(test, test->sender.frame, "MSH", 16), "NE");
}

/* --- batches --- */

static const char batch[] =
    "FHS|^~\\&|PLAN|LUMC|HUB|ATMP|1||f.hl7||F-1\rBHS|^~\\&|PLAN|LUMC|HUB|ATMP|1||||B-1\r"
    "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|1||SIU^S12|M-1|P|2.5\rSCH|1\r"
    "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|1||SIU^S13||P|2.5\rSCH|2\r"
    "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|1||SIU^S15|M-3|P|2.5\rSCH|3\rBTS|3\rFTS|1\r";

static void each_message_of_a_batch_is_a_document_and_is_answered(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, batch);
    receive(test, 3);
    assert_string_equal(reading_text(&test->reading, 0),
                        "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|1||SIU^S12|M-1|P|2.5\rSCH|1\r");
    assert_null(document(test, 0)->refused);
    assert_refused(test, 1, "FRAME", "no control id");
    assert_string_equal(reading_text(&test->reading, 2),
                        "MSH|^~\\&|PLAN|LUMC|HUB|ATMP|1||SIU^S15|M-3|P|2.5\rSCH|3\r");
    reading_commit(&test->reading);
    assert_string_equal(
        sender_hears(&test->sender),
        "FHS|^~\\&|HUB|ATMP|PLAN|LUMC|20260301000000+0000||||1772323200000-1|F-1\r"
        "BHS|^~\\&|HUB|ATMP|PLAN|LUMC|20260301000000+0000||||1772323200000-2|B-1\r"
        "MSH|^~\\&|HUB|ATMP|PLAN|LUMC|20260301000000+0000||ACK^S12^ACK|1772323200000-3|P|2.5||||||\r"
        "MSA|AA|M-1\r"
        "MSH|^~\\&|HUB|ATMP|PLAN|LUMC|20260301000000+0000||ACK^S13^ACK|1772323200000-4|P|2.5||||||\r"
        "MSA|AR||the message has no control id (MSH-10), by which its answer would be known\r"
        "ERR||MSH^1^10|101^Required field missing^HL70357|E||||the message has no control id "
        "(MSH-10), by which its answer would be known\r"
        "MSH|^~\\&|HUB|ATMP|PLAN|LUMC|20260301000000+0000||ACK^S15^ACK|1772323200000-5|P|2.5||||||\r"
        "MSA|AA|M-3\rBTS|3\rFTS|1\r");
    assert_true(sender_hears_nothing(&test->sender));
}

static void a_batch_that_is_not_whole_is_refused_as_one(void **state) {
    static const struct {
        const char *sent, *why;
    } cases[] = {
        {"BHS|^~\\&\rMSH|^~\\&|||||||SIU|1\rBTS|2\r", "another number of messages"},
        {"BHS|^~\\&\rMSH|^~\\&|||||||SIU|1\rBTS|x\r", "another number of messages"},
        {"FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|||||||SIU|1\rBTS|1\r", "ends before its BTS or FTS"},
        {"BHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|||||||SIU|1\rBTS|1\r", "stands where none may"},
        {"MSH|^~\\&|||||||SIU|1\rBTS|1\r", "stands where none may"},
        {"MSH|^~\\&|||||||SIU|1\rFTS|1\r", "stands where none may"},
        {"FHS|^~\\&\rFHS|^~\\&\r", "stands where none may"},
        {"BHS|^~\\&\rPID|1\rBTS\r", "a message begins with MSH"},
        {"BHS|^~\\&\rBTS\r", "there is no message in it"},
    };
    struct test *test = open_with(state, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sender_says(&test->sender, cases[i].sent);
        receive(test, 1);
        assert_refused(test, 0, "FRAME", cases[i].why);
        assert_string_equal(reading_text(&test->reading, 0), cases[i].sent);
        reading_commit(&test->reading);
        assert_string_equal(field(test, sender_hears(&test->sender), "MSA", 1), "AR");
    }
}

static void several_batches_and_an_end_without_a_count_are_fine(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, "FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|||||||SIU|1\rBTS\rBHS|^~\\&\r"
                               "MSH|^~\\&|||||||SIU|2\rMSH|^~\\&|||||||SIU|3\rBTS|2\rFTS\r");
    receive(test, 3);
    for (size_t i = 0; i < 3; i++)
        assert_null(document(test, i)->refused);
}

static void more_messages_than_the_limit_are_refused_as_one(void **state) {
    struct test *test = open_with(state, "");
    HUB_SCOPED_BUFFER frame = {0};
    for (int i = 0; i <= 10000; i++)
        hub_buffer_append_text(&frame, "MSH|^~\\&|||||||ACK|1\r");
    sender_says(&test->sender, hub_buffer_text(&frame));
    receive(test, 1);
    assert_refused(test, 0, "FRAME", "more than 10000 messages");
}

/* --- what fails, and what comes again --- */

static void a_session_that_fails_asks_to_send_again(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, booked);
    sender_says(&test->sender, "MSH|^~\\&|||||||SIU|2|P|2.5|||AL|AL\r");
    sender_says(&test->sender, "PID|1\r");
    receive(test, 3);
    reading_close(&test->reading);
    test->reading.transport = NULL;
    assert_answer(test, "AE", "M-1");
    assert_error(test, "207^Application internal error^HL70357", "");
    assert_answer(test, "CE", "2");
    assert_answer(test, "AE", "");
    assert_true(sender_is_left(&test->sender));
}

static void while_away_may_be_silence(void **state) {
    struct test *test = open_with(state, ", while_away: wait");
    sender_says(&test->sender, booked);
    receive(test, 1);
    reading_close(&test->reading);
    test->reading.transport = NULL;
    assert_true(sender_is_left(&test->sender));
}

static void what_was_not_committed_is_handed_on_again(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, booked);
    receive(test, 1);
    receive_nothing(test); /* a poll that a commit should have come before */
    assert_answer(test, "AE", "M-1");
    sender_says(&test->sender, booked);
    receive(test, 1);
    assert_string_equal(reading_name(&test->reading, 0), "message 1");
    reading_commit(&test->reading);
    assert_answer(test, "AA", "M-1");
}

static void what_comes_again_is_answered_and_not_handed_on(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, booked);
    sender_says(&test->sender, batch);
    sender_says(&test->sender, "PID|1\r");
    receive(test, 5);
    reading_restart(&test->reading); /* killed before it could answer */
    connect_sender(test);
    sender_says(&test->sender, booked);
    sender_says(&test->sender, batch);
    sender_says(&test->sender, "PID|1\r");
    receive_nothing(test);
    assert_answer(test, "AA", "M-1");
    assert_non_null(strstr(sender_hears(&test->sender), "MSA|AA|M-3\r"));
    assert_answer(test, "AR", "");
    sender_says(&test->sender, moved);
    receive(test, 1);
    assert_string_equal(reading_name(&test->reading, 0), "message 6");
}

static void what_comes_twice_in_one_batch_is_handed_on_once(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, booked);
    sender_says(&test->sender, booked);
    receive(test, 1);
    assert_true(sender_hears_nothing(&test->sender));
    reading_commit(&test->reading);
    assert_answer(test, "AA", "M-1");
    assert_answer(test, "AA", "M-1");
}

static void other_bytes_under_the_same_id_are_another_message(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, "MSH|^~\\&|||||||SIU|7\rSCH|1\r");
    receive(test, 1);
    reading_commit(&test->reading);
    sender_says(&test->sender, "MSH|^~\\&|||||||SIU|7\rSCH|2\r");
    receive(test, 1);
}

static void what_was_refused_half_is_handed_on_when_it_comes_whole(void **state) {
    struct test *test = open_with(state, "");
    sender_sends(&test->sender, "\x0b", 1);
    sender_sends(&test->sender, booked, strlen(booked));
    sender_says(&test->sender, booked);
    receive(test, 2);
    assert_non_null(document(test, 0)->refused);
    assert_null(document(test, 1)->refused);
}

static void another_configuration_reads_again_what_is_sent_again(void **state) {
    struct test *test = *state;
    test->reading.env.configuration = "one";
    open_with(state, "");
    sender_says(&test->sender, booked);
    receive(test, 1);
    reading_commit(&test->reading);
    test->reading.env.configuration = "two";
    reading_restart(&test->reading);
    connect_sender(test);
    sender_says(&test->sender, booked);
    receive(test, 1);
    assert_string_equal(reading_name(&test->reading, 0), "message 2");
}

static void the_position_tells_nothing_of_a_message_and_does_not_grow(void **state) {
    struct test *test = *state;
    size_t size = 0;
    test->reading.env.configuration = "one";
    open_with(state, "");
    for (int i = 0; i < 300; i++) {
        sender_says(&test->sender,
                    hub_arena_format(&test->arena, "MSH|^~\\&|19121212-1212|||||||M%d\r", i));
        receive(test, 1);
        reading_commit(&test->reading);
        assert_null(strstr(test->reading.batch.position, "1212-1212"));
        size_t now = strlen(test->reading.batch.position);
        assert_true(i <= 256 || now == size);
        size = now;
    }
    assert_true(size < 8192);
}

static void a_position_of_another_transport_is_for_a_person(void **state) {
    static const char *const positions[] = {
        "{\"files\": {}}", "[]", "x", "{\"received\": 1}", "{\"received\": \"1\", \"recent\": []}",
        "{\"received\": 1, \"recent\": [7], \"configuration\": \"one\"}",
        "{\"received\": 1, \"recent\": [\"F1\"], \"configuration\": \"one\"}"};
    struct test *test = *state;
    test->reading.env.configuration = "one";
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        const char *why =
            reading_refusal(&test->reading, "mllp", options_of(test, ""), positions[i]);
        assert_non_null(strstr(why, "the position is not one of mllp"));
        reading_close(&test->reading);
    }
    test->reading.transport = NULL;
}

/* --- connections --- */

static void one_connection_too_many_is_closed(void **state) {
    struct test *test = open_with(state, ", connections_max: 1");
    receive_nothing(test);
    sender_open(&test->other, test->port);
    test->other_connected = true;
    receive_nothing(test);
    assert_true(sender_is_left(&test->other));
    sender_says(&test->sender, booked);
    receive(test, 1);
}

static void an_idle_connection_is_closed(void **state) {
    struct test *test = open_with(state, ", idle_timeout_ms: 60000");
    receive_nothing(test);
    reading_set_clock(start_ms + 59000);
    sender_says(&test->sender, booked);
    receive(test, 1);
    reading_commit(&test->reading);
    assert_answer(test, "AA", "M-1");
    reading_set_clock(start_ms + 119000);
    receive_nothing(test);
    assert_true(sender_hears_nothing(&test->sender));
    reading_set_clock(start_ms + 119001);
    receive_nothing(test);
    assert_true(sender_is_left(&test->sender));
    assert_true(test->reading.batch.exhausted);
}

static void a_sender_that_has_ended_still_hears_its_answer(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, booked);
    sender_ends(&test->sender);
    receive(test, 1);
    reading_commit(&test->reading);
    assert_answer(test, "AA", "M-1");
    receive_nothing(test);
    assert_true(sender_is_left(&test->sender));
}

static void a_sender_that_has_gone_is_missed_by_nobody(void **state) {
    struct test *test = open_with(state, "");
    sender_says(&test->sender, booked);
    receive(test, 1);
    connect_sender(test);
    reading_commit(&test->reading);
    receive_nothing(test);
    sender_says(&test->sender, booked);
    receive_nothing(test);
    assert_answer(test, "AA", "M-1");
}

static void nothing_more_is_to_come_where_nobody_is_connected(void **state) {
    struct test *test = open_with(state, "");
    receive_nothing(test);
    assert_false(test->reading.batch.exhausted);
    sender_close(&test->sender);
    test->connected = false;
    receive_nothing(test);
    assert_true(test->reading.batch.exhausted);
}

/* --- options --- */

static void options_that_cannot_be_are_told(void **state) {
    static const struct {
        const char *options, *why;
    } cases[] = {
        {"{listen: localhost}", "no address to listen on"},
        {"{listen: 'localhost:2575'}", "no address to listen on"},
        {"{listen: '127.0.0.1:'}", "no address to listen on"},
        {"{listen: '127.0.0.1:0'}", "no address to listen on"},
        {"{listen: '127.0.0.1:65536'}", "no address to listen on"},
        {"{listen: '::1:2575'}", "no address to listen on"},
        {"{listen: ':2575'}", "no address to listen on"},
        {"{listen: '192.0.2.1:2575'}", "cannot listen on 192.0.2.1:2575"},
        {"{listen: '127.0.0.1:2575', tls_key: k}", "tls_certificate and tls_key need each other"},
        {"{listen: '127.0.0.1:2575', tls_certificate: c}", "need each other"},
        {"{listen: '127.0.0.1:2575', tls_client_ca: a}", "needs tls_certificate"},
        {"{listen: '127.0.0.1:2575', tls_certificate: /none, tls_key: /none}",
         "certificate /none: No such file or directory"},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = reading_refusal(&test->reading, "mllp", cases[i].options, NULL);
        if (strstr(why, cases[i].why) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].why, why);
        test->reading.transport->close(test->reading.state);
        hub_release(test->reading.state);
        hub_arena_destroy(&test->reading.arena);
    }
    test->reading.transport = NULL;
}

static void a_port_that_is_taken_is_waited_for(void **state) {
    struct test *test = open_with(state, "");
    struct hub_error error;
    void *second = hub_allocate_zero(1, test->reading.transport->state_size);
    assert_int_equal(test->reading.transport->open(second, test->reading.options,
                                                   &test->reading.env, &error),
                     HUB_RETRY);
    test->reading.transport->close(second);
    hub_release(second);
}

static void it_listens_on_ipv6_too(void **state) {
    struct test *test = *state;
    test->port = sender_free_port();
    reading_open(&test->reading, "mllp",
                 hub_arena_format(&test->arena, "{listen: '[::1]:%d'}", test->port), NULL);
    receive_nothing(test);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_answered_after_the_commit_and_not_before),
        cmocka_unit_test(an_answer_has_the_separators_and_the_character_set_of_its_message),
        cmocka_unit_test(words_of_ours_never_separate),
        cmocka_unit_test(a_message_without_trigger_or_version_is_answered_too),
        cmocka_unit_test(an_acknowledgement_is_not_acknowledged),
        cmocka_unit_test(a_frame_may_come_byte_by_byte),
        cmocka_unit_test(frames_that_come_together_are_answered_in_their_order),
        cmocka_unit_test(two_senders_are_answered_each_its_own),
        cmocka_unit_test(more_frames_than_a_batch_has_wait_for_the_next),
        cmocka_unit_test(half_an_end_belongs_to_the_message),
        cmocka_unit_test(some_bytes_between_frames_mean_nothing),
        cmocka_unit_test(ends_of_lines_between_frames_may_be_many),
        cmocka_unit_test(many_bytes_between_frames_are_refused_and_end_the_connection),
        cmocka_unit_test(a_message_in_no_frame_is_refused_in_time),
        cmocka_unit_test(a_large_frame_is_refused_and_the_next_goes_on),
        cmocka_unit_test(a_frame_that_does_not_end_in_time_is_refused),
        cmocka_unit_test(a_frame_that_begins_in_another_refuses_the_first),
        cmocka_unit_test(a_frame_that_breaks_off_with_its_connection_comes_to_nothing),
        cmocka_unit_test(what_is_no_message_is_refused_with_its_bytes),
        cmocka_unit_test(a_field_that_is_too_long_is_not_repeated),
        cmocka_unit_test(a_refused_message_in_another_mode_is_answered_in_that),
        cmocka_unit_test(each_kind_of_acknowledgement_is_sent_where_it_is_asked_for),
        cmocka_unit_test(a_refusal_is_told_once_at_the_level_that_asks_for_it),
        cmocka_unit_test(an_application_acknowledgement_asks_for_none_itself),
        cmocka_unit_test(each_message_of_a_batch_is_a_document_and_is_answered),
        cmocka_unit_test(a_batch_that_is_not_whole_is_refused_as_one),
        cmocka_unit_test(several_batches_and_an_end_without_a_count_are_fine),
        cmocka_unit_test(more_messages_than_the_limit_are_refused_as_one),
        cmocka_unit_test(a_session_that_fails_asks_to_send_again),
        cmocka_unit_test(while_away_may_be_silence),
        cmocka_unit_test(what_was_not_committed_is_handed_on_again),
        cmocka_unit_test(what_comes_again_is_answered_and_not_handed_on),
        cmocka_unit_test(what_comes_twice_in_one_batch_is_handed_on_once),
        cmocka_unit_test(other_bytes_under_the_same_id_are_another_message),
        cmocka_unit_test(what_was_refused_half_is_handed_on_when_it_comes_whole),
        cmocka_unit_test(another_configuration_reads_again_what_is_sent_again),
        cmocka_unit_test(the_position_tells_nothing_of_a_message_and_does_not_grow),
        cmocka_unit_test(a_position_of_another_transport_is_for_a_person),
        cmocka_unit_test(one_connection_too_many_is_closed),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_sender_that_has_ended_still_hears_its_answer),
        cmocka_unit_test(a_sender_that_has_gone_is_missed_by_nobody),
        cmocka_unit_test(nothing_more_is_to_come_where_nobody_is_connected),
        cmocka_unit_test(options_that_cannot_be_are_told),
        cmocka_unit_test(a_port_that_is_taken_is_waited_for),
        cmocka_unit_test(it_listens_on_ipv6_too),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
