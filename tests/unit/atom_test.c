/* atom: archived pages are walked back, and read forward; nothing is skipped or doubled. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/reading.h"
#include "tests/lib/web.h"

#include <stdlib.h>

enum { PAGE_SIZE = 3 };
static const int64_t start_ms = 1772323200000; /* 2026-03-01 */

/* A feed whose entries are numbers, three to an archived page. */
struct feed {
    struct reading reading;
    struct web *web;
    struct hub_arena arena;
    size_t count;          /* of entries */
    size_t overlap;        /* how many of the page before the current page repeats */
    const char *position;  /* as committed last */
    size_t taken;          /* entries that were committed, which are 0 to taken - 1 */
    bool is_open;
};

static int begin(void **state) {
    struct feed *feed = hub_allocate_zero(1, sizeof *feed);
    reading_set_clock(start_ms);
    feed->web = web_start(NULL, 0);
    *state = feed;
    return 0;
}

static int end(void **state) {
    struct feed *feed = *state;
    if (feed->reading.transport != NULL)
        reading_close(&feed->reading);
    web_stop(feed->web);
    hub_arena_destroy(&feed->arena);
    hub_release(feed);
    return 0;
}

static const char *page_path(struct feed *feed, size_t page) {
    return hub_arena_format(&feed->arena, "/feed/%zu", page);
}

static void route(struct feed *feed, const char *path, const char *body) {
    web_route(feed->web, path, &(struct web_answer){200, body, {0}});
}

/* A page with the entries [from, to), the newest first. */
static const char *make_page(struct feed *feed, size_t from, size_t to, const char *links) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "<feed xmlns='http://www.w3.org/2005/Atom'>%s", links);
    for (size_t i = to; i > from; i--)
        hub_buffer_append_format(&text,
                                 "<entry><id>e%zu</id><updated>2026-03-01T00:%02zu:00Z</updated>"
                                 "<content>%zu</content></entry>",
                                 i - 1, (i - 1) % 60, i - 1);
    hub_buffer_append_text(&text, "</feed>");
    return hub_arena_format(&feed->arena, "%s", hub_buffer_text(&text));
}

static const char *prev_link(struct feed *feed, size_t page) {
    return page == 0 ? ""
                     : hub_arena_format(&feed->arena, "<link rel='prev-archive' href='%s'/>",
                                        page_path(feed, page - 1));
}

/* The feed has grown to that many entries: pages 0 to the last but one are archived. */
static void grow(struct feed *feed, size_t count) {
    feed->count = count;
    size_t current = count == 0 ? 0 : (count - 1) / PAGE_SIZE;
    for (size_t page = 0; page < current; page++)
        route(feed, page_path(feed, page),
              make_page(feed, page * PAGE_SIZE, (page + 1) * PAGE_SIZE, prev_link(feed, page)));
    size_t from = current * PAGE_SIZE;
    from -= from < feed->overlap ? from : feed->overlap;
    const char *links = hub_arena_format(&feed->arena, "<link rel='via' href='%s'/>%s",
                                         page_path(feed, current), prev_link(feed, current));
    route(feed, "/recent", make_page(feed, from, count, links));
}

static void open_at(struct feed *feed, const char *position, const char *more) {
    if (feed->is_open)
        reading_close(&feed->reading);
    feed->reading.transport = NULL;
    reading_open(&feed->reading, "atom",
                 hub_arena_format(&feed->arena, "{url: '%s', interval_ms: 1000%s}",
                                  web_url(feed->web, "/recent"), more),
                 position);
    feed->is_open = true;
}

static void open_feed(struct feed *feed, const char *more) {
    open_at(feed, feed->position, more);
}

/* Polls until something comes or the walk is over; true where something came. */
static bool poll_on(struct feed *feed) {
    for (int i = 0; i < 1000; i++) {
        if (reading_poll(&feed->reading) > 0)
            return true;
        if (feed->reading.batch.exhausted)
            return false;
    }
    fail_msg("the walk has no end");
    return false;
}

static void commit(struct feed *feed) {
    for (size_t i = 0; i < feed->reading.batch.count; i++) {
        char id[32];
        snprintf(id, sizeof id, "e%zu", feed->taken);
        assert_string_equal(look_text(feed->reading.batch.documents[i].context, "entry.id"), id);
        feed->taken++;
    }
    feed->position = hub_arena_format(&feed->arena, "%s", feed->reading.batch.position);
    reading_commit(&feed->reading);
}

static void take_all(struct feed *feed) {
    reading_set_clock(reading_clock() + 1000);
    while (poll_on(feed))
        commit(feed);
    assert_int_equal(feed->taken, feed->count);
}

static void assert_told(struct feed *feed, enum hub_status status, const char *error) {
    enum hub_status was = HUB_OK;
    for (int i = 0; i < 1000 && was == HUB_OK; i++) {
        was = reading_try(&feed->reading);
        assert_int_equal(feed->reading.batch.count, 0);
    }
    assert_int_equal(was, status);
    if (strstr(feed->reading.error.text, error) == NULL)
        fail_msg("'%s' is not in '%s'", error, feed->reading.error.text);
}

/* --- walking --- */

static void a_first_run_reads_from_the_oldest_entry_to_the_newest(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, "");
    take_all(feed);
    assert_string_equal(web_target(feed->web, 0), "/recent");
    assert_string_equal(web_target(feed->web, 2), "/feed/0");
    assert_int_equal(web_asked(feed->web), 5);
}

static void a_first_run_may_begin_with_the_current_page(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    feed->taken = 6;
    open_feed(feed, ", first_run: current");
    take_all(feed);
    assert_int_equal(web_asked(feed->web), 1);
}

static void what_is_new_is_read_wherever_it_was_archived_meanwhile(void **state) {
    struct feed *feed = *state;
    grow(feed, 1);
    open_feed(feed, "");
    for (size_t count = 1; count < 40; count += count % 7 + 1) {
        grow(feed, count);
        take_all(feed);
    }
}

static void nothing_is_asked_for_until_the_interval_has_passed(void **state) {
    struct feed *feed = *state;
    grow(feed, 2);
    open_feed(feed, "");
    take_all(feed);
    size_t asked = web_asked(feed->web);
    assert_false(poll_on(feed));
    assert_int_equal(web_asked(feed->web), asked);
}

static void a_source_is_asked_no_oftener_than_it_allows(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, ", requests_per_minute_max: 60");
    for (size_t asked = 1; asked <= 5; asked++, reading_set_clock(reading_clock() + 1000))
        for (size_t i = 0; i < 2; i++) {
            if (reading_poll(&feed->reading) > 0)
                commit(feed);
            assert_true(asked == 5 || !feed->reading.batch.exhausted);
            assert_int_equal(web_asked(feed->web), asked);
        }
    assert_int_equal(feed->taken, 8);
}

static void entries_may_come_the_oldest_first(void **state) {
    struct feed *feed = *state;
    route(feed, "/recent",
          "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>e0</id><updated>a</updated></entry>"
          "<entry><id>e1</id><updated>b</updated></entry></feed>");
    feed->count = 2;
    open_feed(feed, ", order: oldest-first");
    take_all(feed);
}

static void a_page_that_repeats_what_the_one_before_has_doubles_nothing(void **state) {
    struct feed *feed = *state;
    feed->overlap = 2;
    grow(feed, 4);
    open_feed(feed, "");
    take_all(feed);
    grow(feed, 11);
    take_all(feed);
    open_feed(feed, "");
    grow(feed, 12);
    take_all(feed);
}

static void a_page_that_grows_while_it_is_walked_skips_nothing(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, "");
    assert_true(poll_on(feed));
    commit(feed);
    grow(feed, 14); /* the current page of a moment ago is archived */
    take_all(feed);
}

/* Killed at any point: before, in and after a walk, with and without its commit, while it grows. */
static void nothing_is_skipped_or_doubled_wherever_it_is_killed(void **state) {
    struct feed *feed = *state;
    srand(6);
    for (int round = 0; round < 40; round++) {
        feed->count = feed->taken = 0;
        feed->position = NULL;
        feed->overlap = (size_t)rand() % 3;
        open_feed(feed, "");
        for (int step = 0; step < 60; step++) {
            if (rand() % 4 == 0 || feed->count == 0)
                grow(feed, feed->count + 1 + (size_t)rand() % 5);
            reading_set_clock(reading_clock() + 500);
            bool came = reading_poll(&feed->reading) > 0;
            if (came && rand() % 3 > 0)
                commit(feed);
            else if (came || rand() % 4 == 0)
                open_feed(feed, "");
        }
        take_all(feed);
        assert_true(feed->taken > 10);
    }
}

/* --- what may be lost is told --- */

static void an_archived_page_that_has_changed_is_for_a_person(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, "");
    assert_true(poll_on(feed));
    commit(feed); /* page 0 */
    route(feed, "/feed/0", make_page(feed, 1, 3, ""));
    open_feed(feed, "");
    assert_told(feed, HUB_FATAL,
                "/feed/0: it is archived and has changed since it gave entry 'e2' of "
                "2026-03-01T00:02:00Z, which was read last");
}

static void an_archived_page_without_the_last_entry_is_for_a_person(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, "");
    assert_true(poll_on(feed));
    commit(feed);
    assert_true(poll_on(feed));
    commit(feed);
    route(feed, "/feed/1", make_page(feed, 3, 5, prev_link(feed, 1)));
    open_feed(feed, "");
    assert_told(feed, HUB_FATAL, "/feed/1: it no longer has entry 'e5'");
}

static void a_page_that_was_archived_without_the_last_entry_is_for_a_person(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, "");
    take_all(feed);
    grow(feed, 12);
    route(feed, "/feed/2", make_page(feed, 8, 9, prev_link(feed, 2)));
    reading_set_clock(reading_clock() + 1000);
    assert_told(feed, HUB_FATAL, "/feed/2: it no longer has entry 'e7'");
}

static void a_feed_without_the_last_entry_is_for_a_person(void **state) {
    struct feed *feed = *state;
    grow(feed, 4);
    open_at(feed, "{\"id\": \"e2\", \"updated\": \"another\", \"feed\": \"gone\"}", "");
    assert_told(feed, HUB_FATAL,
                "/feed/0: it is the oldest page, and no page has entry 'e2' of another, which was "
                "read last; what came after it cannot be known, and a person must set the position");
}

static void an_archived_page_that_leads_elsewhere_than_before_is_for_a_person(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, "");
    assert_true(poll_on(feed));
    commit(feed);
    route(feed, "/feed/1", make_page(feed, 3, 6, ""));
    assert_told(feed, HUB_FATAL,
                "/feed/1: it is archived and has changed: its prev-archive was http://127.0.0.1:");
}

static void an_archive_without_an_end_is_for_a_person(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, ", archive_max: 1");
    assert_told(feed, HUB_FATAL, "/feed/1: more than 1 archived pages (archive_max)");
    route(feed, "/feed/0", make_page(feed, 0, 3, prev_link(feed, 2)));
    open_feed(feed, "");
    assert_told(feed, HUB_FATAL, "leads in a circle");
}

static void a_link_to_another_host_is_never_followed(void **state) {
    struct feed *feed = *state;
    route(feed, "/recent",
          make_page(feed, 0, 1, "<link rel='prev-archive' href='http://127.0.0.1:1/'/>"));
    open_feed(feed, "");
    assert_told(feed, HUB_FATAL, "its link leads elsewhere");
    route(feed, "/recent", make_page(feed, 0, 1, "<link rel='via' href='file:///etc/passwd'/>"));
    open_feed(feed, "");
    assert_told(feed, HUB_FATAL, "its link ");
}

static void a_page_that_is_no_feed_is_for_a_person(void **state) {
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"<feed/>", "/recent: its root is no feed of http://www.w3.org/2005/Atom"},
        {"<a:entry xmlns:a='http://www.w3.org/2005/Atom'/>", "its root is no feed"},
        {"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id></entry></feed>",
         "entry 1 has no id or no updated"},
        {"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id xmlns=''>1</id><updated>2</updated>"
         "</entry></feed>",
         "entry 1 has no id or no updated"},
        {"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>urn:19121212-1212</id>"
         "<updated>2</updated></entry></feed>",
         "the id or updated of entry 1 is a person's number"},
        {"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id>"
         "<updated>191212121212</updated></entry></feed>",
         "the id or updated of entry 1 is a person's number"},
    };
    struct feed *feed = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        route(feed, "/recent", cases[i].body);
        open_feed(feed, "");
        assert_told(feed, HUB_FATAL, cases[i].error);
    }
}

static void a_page_that_cannot_be_had_is_for_a_person(void **state) {
    struct feed *feed = *state;
    grow(feed, 5);
    web_route(feed->web, "/feed/0", &(struct web_answer){404, "", {0}});
    open_feed(feed, "");
    assert_told(feed, HUB_FATAL, "/feed/0: HTTP 404; 200 would pass");
    web_route(feed->web, "/feed/0", &(struct web_answer){302, "", {"Location: /recent"}});
    open_feed(feed, "");
    assert_told(feed, HUB_FATAL, "/feed/0: HTTP 302");
    grow(feed, 5);
    open_feed(feed, ", size_max_bytes: 1024");
    route(feed, "/feed/0", make_page(feed, 0, 30, ""));
    assert_told(feed, HUB_FATAL, "/feed/0: the answer passes the limit of 1024 bytes");
}

/* --- sources that are not well --- */

static void a_busy_source_keeps_the_walk(void **state) {
    struct feed *feed = *state;
    grow(feed, 8);
    open_feed(feed, "");
    web_route(feed->web, "/feed/0", &(struct web_answer){503, "", {"Retry-After: 7"}});
    assert_told(feed, HUB_RETRY, "/feed/0: HTTP 503");
    assert_int_equal(feed->reading.batch.retry_after_ms, 7000);
    size_t asked = web_asked(feed->web);
    grow(feed, 8);
    take_all(feed);
    assert_int_equal(web_asked(feed->web), asked + 3);
}

static void a_page_that_is_no_xml_is_tried_again(void **state) {
    struct feed *feed = *state;
    route(feed, "/recent", "<feed xmlns='http://www.w3.org/2005/Atom'><entry>");
    open_feed(feed, "");
    assert_told(feed, HUB_RETRY, "/recent: line 1: ");
    route(feed, "/recent", "<!DOCTYPE feed [<!ENTITY a 'b'>]><feed>&a;</feed>");
    assert_told(feed, HUB_RETRY, "/recent: a document type declaration");
    grow(feed, 2);
    take_all(feed);
}

static void a_page_that_has_not_changed_does_not_come_again(void **state) {
    struct feed *feed = *state;
    web_route(feed->web, "/recent",
              &(struct web_answer){200, make_page(feed, 0, 2, ""), {"ETag: \"v1\""}});
    feed->count = 2;
    open_feed(feed, "");
    take_all(feed);
    web_route(feed->web, "/recent", &(struct web_answer){304, "", {0}});
    take_all(feed);
    assert_null(web_header(feed->web, 0, "If-None-Match"));
    assert_string_equal(web_header(feed->web, 1, "If-None-Match"), "\"v1\"");
    open_feed(feed, ""); /* nobody has asked for less than the whole */
    assert_told(feed, HUB_FATAL, "HTTP 304");
}

static void a_position_of_another_transport_is_refused(void **state) {
    struct feed *feed = *state;
    assert_non_null(strstr(reading_refusal(&feed->reading, "atom", "{url: x}", "{\"files\": {}}"),
                           "the position is not one of atom"));
}

/* --- what an entry becomes --- */

static const char nested[] =
    "<a:feed xmlns:a='http://www.w3.org/2005/Atom' xmlns:u='urn:u'><a:title>all</a:title>"
    "<entry xmlns=''><id>no</id></entry>"
    "<a:entry><a:category term='urn:one'/><a:category term='urn:two'/><a:id> urn:1 </a:id>"
    "<a:updated>2026-03-01T00:00:00Z</a:updated><a:title>One</a:title>"
    "<a:content type='application/xml'><u:Event kind='u:x'><entry xmlns=''><key>sv</key></entry>"
    "</u:Event></a:content></a:entry></a:feed>";

static void an_entry_is_a_document_with_the_prefixes_of_its_page(void **state) {
    struct feed *feed = *state;
    route(feed, "/recent", nested);
    open_feed(feed, "");
    assert_true(poll_on(feed));
    assert_int_equal(feed->reading.batch.count, 1);
    assert_string_equal(
        reading_text(&feed->reading, 0),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<a:entry xmlns:a=\"http://www.w3.org/2005/Atom\" xmlns:u=\"urn:u\"><a:category "
        "term=\"urn:one\"/><a:category term=\"urn:two\"/><a:id> urn:1 </a:id>"
        "<a:updated>2026-03-01T00:00:00Z</a:updated><a:title>One</a:title><a:content "
        "type=\"application/xml\"><u:Event kind=\"u:x\"><entry xmlns=\"\"><key>sv</key></entry>"
        "</u:Event></a:content></a:entry>\n");
    const json_t *context = feed->reading.batch.documents[0].context;
    expect_json(context, "entry.id", "'urn:1'");
    expect_json(context, "entry.updated", "'2026-03-01T00:00:00Z'");
    expect_json(context, "entry.title", "'One'");
    expect_json(context, "entry.category", "'urn:one'");
    expect_json(context, "entry.published", NULL);
    assert_string_equal(look_text(context, "entry.feed"), web_url(feed->web, "/recent"));
    assert_string_equal(reading_name(&feed->reading, 0),
                        hub_arena_format(&feed->arena, "%s#urn:1", web_url(feed->web, "/recent")));
}

static void the_content_of_an_entry_may_be_the_document(void **state) {
    struct feed *feed = *state;
    route(feed, "/recent", nested);
    open_feed(feed, ", document: content");
    assert_true(poll_on(feed));
    assert_string_equal(reading_text(&feed->reading, 0),
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<u:Event xmlns:u=\"urn:u\" xmlns:a=\"http://www.w3.org/2005/Atom\" "
                        "kind=\"u:x\"><entry xmlns=\"\"><key>sv</key></entry></u:Event>\n");
    route(feed, "/recent",
          "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><updated>2</updated>"
          "<content type='application/json'>{\"a\": 1}</content></entry></feed>");
    open_feed(feed, ", document: content");
    assert_true(poll_on(feed));
    assert_string_equal(reading_text(&feed->reading, 0), "{\"a\": 1}");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_run_reads_from_the_oldest_entry_to_the_newest),
        cmocka_unit_test(a_first_run_may_begin_with_the_current_page),
        cmocka_unit_test(what_is_new_is_read_wherever_it_was_archived_meanwhile),
        cmocka_unit_test(nothing_is_asked_for_until_the_interval_has_passed),
        cmocka_unit_test(a_source_is_asked_no_oftener_than_it_allows),
        cmocka_unit_test(entries_may_come_the_oldest_first),
        cmocka_unit_test(a_page_that_repeats_what_the_one_before_has_doubles_nothing),
        cmocka_unit_test(a_page_that_grows_while_it_is_walked_skips_nothing),
        cmocka_unit_test(nothing_is_skipped_or_doubled_wherever_it_is_killed),
        cmocka_unit_test(an_archived_page_that_has_changed_is_for_a_person),
        cmocka_unit_test(an_archived_page_without_the_last_entry_is_for_a_person),
        cmocka_unit_test(a_page_that_was_archived_without_the_last_entry_is_for_a_person),
        cmocka_unit_test(a_feed_without_the_last_entry_is_for_a_person),
        cmocka_unit_test(an_archived_page_that_leads_elsewhere_than_before_is_for_a_person),
        cmocka_unit_test(an_archive_without_an_end_is_for_a_person),
        cmocka_unit_test(a_link_to_another_host_is_never_followed),
        cmocka_unit_test(a_page_that_is_no_feed_is_for_a_person),
        cmocka_unit_test(a_page_that_cannot_be_had_is_for_a_person),
        cmocka_unit_test(a_busy_source_keeps_the_walk),
        cmocka_unit_test(a_page_that_is_no_xml_is_tried_again),
        cmocka_unit_test(a_page_that_has_not_changed_does_not_come_again),
        cmocka_unit_test(a_position_of_another_transport_is_refused),
        cmocka_unit_test(an_entry_is_a_document_with_the_prefixes_of_its_page),
        cmocka_unit_test(the_content_of_an_entry_may_be_the_document),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
