/* letters: which dead letters are open, and why. */
#include "connectors/kit/letters.h"

#include "hub/io/crypto.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <string.h>

static void take(struct hub_letters *letters, int64_t offset, struct hub_bytes message,
                 const char *id) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    struct hub_bytes body;
    int32_t schema_id = 0;
    expect_ok(hub_frame_open(message, &schema_id, &body, &error), &error);
    const struct hub_type *type = hub_catalogue_by_id(test_catalogue(), schema_id)->root;
    expect_ok(hub_walk(type, body, &limits, &walk, &error), &error);
    hub_letters_take(letters, offset, type, body, hub_bytes_of_text(id));
}

static struct hub_deadletter letter_of(const char *original) {
    return (struct hub_deadletter){.stage = "map",
                                   .code = "TABLE",
                                   .reason = "status: it is not in the table",
                                   .path = "status",
                                   .institution = "sus",
                                   .connector = "sus-list",
                                   .document = "list.csv#line=2",
                                   .key = hub_bytes_of_text("sus-trials/A"),
                                   .original = hub_bytes_of_text(original),
                                   .original_hash = hub_sha256.digest(hub_bytes_of_text(original)),
                                   .security = true};
}

static void take_letter(struct hub_letters *letters, int64_t offset, const char *id) {
    HUB_SCOPED_BUFFER value = {0};
    struct hub_deadletter letter = letter_of("A,paused");
    hub_frame_append(&value, hub_catalogue_latest(test_catalogue(), "deadletter")->id);
    hub_deadletter_encode(&letter, &value);
    take(letters, offset, hub_buffer_bytes(&value), id);
}

/* Of the letter as it is known, with another reason where one is given. */
static void settle(struct hub_letters *letters, int64_t offset, int64_t about,
                   enum hub_letter_outcome outcome, const char *reason) {
    struct hub_arena arena = {0};
    struct hub_outgoing outgoing;
    struct hub_open_letter letter = *hub_letters_find(letters, about);
    letter.reason = reason == NULL ? letter.reason : reason;
    struct hub_settlement settlement = {.catalogue = test_catalogue(),
                                        .institution = "sus",
                                        .id = "sus-list/9/0",
                                        .letter = &letter,
                                        .about = {.offset = about,
                                                  .outcome = outcome,
                                                  .because = "a table was wrong",
                                                  .by = "anna",
                                                  .time_ms = 1234}};
    hub_letter_settle(&settlement, &arena, &outgoing);
    assert_true(outgoing.dead);
    take(letters, offset, outgoing.value, settlement.id);
    hub_arena_destroy(&arena);
}

static void a_letter_is_open_until_it_is_told_what_became_of_it(void **state) {
    struct hub_letters letters = {0};
    (void)state;
    take_letter(&letters, 3, "sus-list/7/0");
    take_letter(&letters, 5, "sus-list/8/0");
    settle(&letters, 8, 3, HUB_LETTER_PUBLISHED, NULL);
    assert_int_equal(letters.count, 2);
    const struct hub_open_letter *letter = hub_letters_find(&letters, 3);
    assert_string_equal(hub_letter_state(letter), "PUBLISHED");
    assert_string_equal(letter->because, "a table was wrong");
    assert_string_equal(letter->by, "anna");
    assert_int_equal(letter->time_ms, 1234);
    letter = hub_letters_find(&letters, 5);
    assert_string_equal(hub_letter_state(letter), "OPEN");
    assert_int_equal(letter->sequence, 8);
    assert_string_equal(letter->key, "sus-trials/A");
    assert_true(letter->security);
    assert_null(hub_letters_find(&letters, 8));
    hub_letters_free(&letters);
}

static void what_is_refused_again_is_open_for_its_new_reason(void **state) {
    struct hub_letters letters = {0};
    (void)state;
    take_letter(&letters, 3, "sus-list/7/0");
    settle(&letters, 4, 3, HUB_LETTER_REFUSED, "status: another reason");
    const struct hub_open_letter *letter = hub_letters_find(&letters, 3);
    assert_true(letter->open && letter->has_outcome);
    assert_string_equal(hub_letter_state(letter), "OPEN");
    assert_string_equal(letter->reason, "status: another reason");
    settle(&letters, 6, 3, HUB_LETTER_DISCARDED, NULL);
    assert_string_equal(hub_letter_state(hub_letters_find(&letters, 3)), "DISCARDED");
    hub_letters_free(&letters);
}

static void what_two_people_settle_at_once_is_as_the_first_says(void **state) {
    struct hub_letters letters = {0};
    (void)state;
    take_letter(&letters, 3, "sus-list/7/0");
    settle(&letters, 4, 3, HUB_LETTER_SUPERSEDED, NULL);
    settle(&letters, 5, 3, HUB_LETTER_DISCARDED, NULL);
    assert_string_equal(hub_letter_state(hub_letters_find(&letters, 3)), "SUPERSEDED");
    hub_letters_free(&letters);
}

/* Topics keep what they keep. */
static void what_is_told_of_a_letter_that_is_gone_is_passed_over(void **state) {
    struct hub_letters letters = {0}, later = {0};
    (void)state;
    take_letter(&letters, 3, "sus-list/7/0");
    struct hub_arena arena = {0};
    struct hub_outgoing outgoing;
    struct hub_settlement settlement = {.catalogue = test_catalogue(),
                                        .institution = "sus",
                                        .id = "sus-list/9/0",
                                        .letter = &letters.items[0],
                                        .about = {.offset = 3, .because = "", .by = ""}};
    hub_letter_settle(&settlement, &arena, &outgoing);
    take(&later, 4, outgoing.value, "sus-list/9/0");
    assert_int_equal(later.count, 0);
    hub_arena_destroy(&arena);
    hub_letters_free(&letters);
    hub_letters_free(&later);
}

/* As connectors wrote them before there were outcomes: the same without its last field. */
static void a_letter_of_the_first_version_is_open(void **state) {
    enum { FIRST_ID = 100003 };
    struct hub_letters letters = {0};
    HUB_SCOPED_BUFFER value = {0};
    struct hub_deadletter letter = {.stage = "parse", .code = "PARSE", .reason = "no JSON"};
    (void)state;
    hub_frame_append(&value, FIRST_ID);
    hub_deadletter_encode(&letter, &value);
    value.size--; /* the null of `about` */
    take(&letters, 0, hub_buffer_bytes(&value), "sus-list/7/0");
    const struct hub_open_letter *taken = hub_letters_find(&letters, 0);
    assert_string_equal(hub_letter_state(taken), "OPEN");
    assert_null(taken->connector);
    assert_null(taken->key);
    assert_int_equal(taken->sequence, -1); /* no connector has read it */
    hub_letters_free(&letters);
}

static void an_event_that_was_not_delivered_is_of_no_document(void **state) {
    static const char *const ids[] = {"sus-list/17", "other/17/0", "sus-list/x/0", "sus-list//0", ""};
    struct hub_letters letters = {0};
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        take_letter(&letters, (int64_t)i, ids[i]);
        assert_int_equal(letters.items[i].sequence, -1);
    }
    hub_letters_free(&letters);
}

static void a_place_names_one_letter_of_the_institution(void **state) {
    static const char *const not[] = {"deadletter.lu/0@12",  "deadletter.sus/1@12",
                                      "deadletter.sus/0@",   "deadletter.sus/0@-1",
                                      "deadletter.sus/0@1x", "deadletter.sus/0@1234567890123456789",
                                      "deadletter.sus", "12"};
    int64_t offset = -1;
    (void)state;
    assert_true(hub_letter_place_read("deadletter.sus/0@12", "sus", &offset));
    assert_int_equal(offset, 12);
    for (size_t i = 0; i < sizeof not / sizeof *not; i++)
        assert_false(hub_letter_place_read(not[i], "sus", &offset));
}

/* By it a connector knows what it has told, though it has no original bytes of it any more. */
static void a_letter_is_known_again_by_all_but_its_original(void **state) {
    struct hub_letters letters = {0};
    HUB_SCOPED_BUFFER told = {0}, read = {0}, other = {0};
    (void)state;
    struct hub_deadletter letter = letter_of("A,paused");
    take_letter(&letters, 3, "sus-list/7/0");
    hub_deadletter_identity(&letter, &told);
    hub_letter_identity("sus", &letters.items[0], &read);
    assert_true(hub_bytes_equal(hub_buffer_bytes(&told), hub_buffer_bytes(&read)));
    letter = letter_of("A,lost");
    hub_deadletter_identity(&letter, &other);
    assert_false(hub_bytes_equal(hub_buffer_bytes(&told), hub_buffer_bytes(&other)));
    hub_letters_free(&letters);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_open_until_it_is_told_what_became_of_it),
        cmocka_unit_test(what_is_refused_again_is_open_for_its_new_reason),
        cmocka_unit_test(what_two_people_settle_at_once_is_as_the_first_says),
        cmocka_unit_test(what_is_told_of_a_letter_that_is_gone_is_passed_over),
        cmocka_unit_test(a_letter_of_the_first_version_is_open),
        cmocka_unit_test(an_event_that_was_not_delivered_is_of_no_document),
        cmocka_unit_test(a_letter_is_known_again_by_all_but_its_original),
        cmocka_unit_test(a_place_names_one_letter_of_the_institution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
