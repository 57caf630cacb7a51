/* mapping_folder: what the documents of a folder say, by a reference to one of their parts. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 10000, MIB = 1024 * 1024 };

static const char slots[] =
    "connector: lumc-slots\n"
    "institution: lumc\n"
    "system: lumc-mes\n"
    "source: {transport: file-drop, format: json, folder: .}\n"
    "target: {domain: gmp-slot}\n"
    "records:\n"
    "  - key: id\n"
    "    version: {tie: position}\n"
    "    fields:\n"
    "      facility: {value: \"ror:05xvt9f17\"}\n"
    "      suite: {ref: {from: schedule.reference, folder: schedules, among: %s, by: %s, take: %s, "
    "else: %s}}\n";

#define BY_NAME "{join: [resourceType, id], with: /}"
#define SCHEDULE(id, name)                                                                         \
    "{\"resourceType\": \"Schedule\", \"id\": \"" id "\", \"name\": \"" name "\"}"
#define SLOT "{'resourceType': 'Slot', 'id': '1', 'schedule': {'reference': 'Schedule/a'}}"

static const char *configuration(struct source *source, const char *among, const char *by,
                                 const char *take, const char *otherwise) {
    return hub_arena_format(&source->arena, slots, among, by, take, otherwise);
}

/* With one schedule, "a", in the folder. */
static void begin(struct source *source) {
    source_make(source);
    folder_write(&source->folder, "schedules/one.json", SCHEDULE("a", "SUITE-A"));
}

static void load(struct source *source, const char *otherwise) {
    source_load(source, configuration(source, ".", BY_NAME, "name", otherwise));
}

static const char *suite(struct source *source) {
    source_feed_json(source, SLOT);
    assert_int_equal(source->list.counts.published, 1);
    return source_text(source, 0, "suite");
}

/* What is wrong with the folder. */
static const char *refusal(struct source *source) {
    return source_refusal(source, configuration(source, ".", BY_NAME, "name", "reject"));
}

static void a_part_of_a_document_there_is_found_by_what_it_is_called(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    folder_write(&source.folder, "schedules/another.json", SCHEDULE("b", "SUITE-B"));
    load(&source, "reject");
    assert_string_equal(suite(&source), "SUITE-A");
    source_feed_json(&source, "{'id': '2', 'schedule': {'reference': 'Schedule/b'}}");
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-B");
    source_close(&source);
}

static void a_document_there_may_have_many_parts_and_things_around_them(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    folder_write(&source.folder, "schedules/bundle.json",
                 "{\"site\": \"LEIDEN\", \"entry\": [{\"resource\": " SCHEDULE("b", "B") "}, "
                 "{\"resource\": " SCHEDULE("a", "SUITE-A") "}]}");
    source_load(&source, configuration(&source, "entry.resource", BY_NAME,
                                       "{join: [^.site, name], with: ' '}", "reject"));
    assert_string_equal(suite(&source), "LEIDEN SUITE-A");
    source_close(&source);
}

static void of_two_of_one_name_the_first_by_its_files_name_is_meant(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    folder_write(&source.folder, "schedules/zero.json", SCHEDULE("a", "SUITE-Z"));
    folder_write(&source.folder, "schedules/early.json", SCHEDULE("a", "SUITE-E"));
    load(&source, "reject");
    assert_string_equal(suite(&source), "SUITE-E");
    source_close(&source);
}

static void the_documents_own_parts_are_not_meant(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    load(&source, "null");
    source_feed_json(&source, "{'resourceType': 'Slot', 'id': '1', 'schedule': {'reference': "
                              "'Slot/1'}, 'name': 'OWN'}");
    assert_int_equal(source.list.counts.published, 1);
    assert_null(source_text(&source, 0, "suite"));
    source_close(&source);
}

static void where_nothing_is_called_so_the_record_is_refused_or_states_none(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    folder_write(&source.folder, "schedules/one.json", SCHEDULE("b", "SUITE-B"));
    load(&source, "reject");
    source_feed_json(&source, SLOT);
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "code"), "REFERENCE");
    assert_string_equal(source_text(&source, 0, "path"), "suite");
    assert_says(source_text(&source, 0, "reason"), "nothing among . in the documents of ");
    assert_says(source_text(&source, 0, "reason"), "schedules is called as the reference of line 11 "
                "says; one that is there before the connector is started would pass");
    load(&source, "null");
    assert_null(suite(&source));
    source_close(&source);
}

/* So that the same document is the same record in a dry run, in a simulation and when it comes again. */
static void what_is_saved_there_later_is_known_to_the_next_start(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    load(&source, "reject");
    folder_write(&source.folder, "schedules/early.json", SCHEDULE("a", "SUITE-E"));
    assert_string_equal(suite(&source), "SUITE-A");
    assert_int_equal(unlink(folder_path(&source.folder, "schedules/one.json")), 0);
    assert_string_equal(suite(&source), "SUITE-A");
    load(&source, "reject");
    assert_string_equal(suite(&source), "SUITE-E");
    source_close(&source);
}

static void folders_and_hidden_files_in_it_are_passed_over(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    folder_write(&source.folder, "schedules/before/no.json", "no JSON");
    folder_write(&source.folder, "schedules/.no.json", "no JSON");
    load(&source, "reject");
    assert_string_equal(suite(&source), "SUITE-A");
    source_close(&source);
}

static void documents_there_are_in_the_sources_own_format(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    folder_write(&source.folder, "rooms/1.csv", "room,name\nr1,SUITE-A\nr2,SUITE-B\n");
    source_load(&source, "connector: lumc-slots\n"
                         "institution: lumc\n"
                         "system: lumc-mes\n"
                         "source: {transport: file-drop, format: csv, folder: .}\n"
                         "target: {domain: gmp-slot}\n"
                         "records:\n"
                         "  - key: id\n"
                         "    version: {tie: position}\n"
                         "    fields:\n"
                         "      facility: {value: \"ror:05xvt9f17\"}\n"
                         "      suite: {ref: {from: room, folder: rooms, among: rows, by: room, take: "
                         "name, else: reject}}\n");
    source_feed(&source, "slots.csv", "id,room\n1,r2\n");
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-B");
    folder_write(&source.folder, "rooms/2.csv", "room,name\nr3\n");
    assert_says(source_refusal(&source, "connector: lumc-slots\n"
                                        "institution: lumc\n"
                                        "system: lumc-mes\n"
                                        "source: {transport: file-drop, format: csv, folder: .}\n"
                                        "target: {domain: gmp-slot}\n"
                                        "records:\n"
                                        "  - key: id\n"
                                        "    version: {tie: position}\n"
                                        "    fields: {facility: {ref: {from: room, folder: rooms, "
                                        "among: rows, by: room, take: name, else: reject}}}\n"),
                "rooms/2.csv: line 2: ");
    source_close(&source);
}

/* Such a word in the other document says of what it is that was taken. */
static void a_persons_number_that_is_told_there_is_held_back(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    folder_write(&source.folder, "schedules/one.json", SCHEDULE("a", "8112189876"));
    load(&source, "reject");
    assert_string_equal(suite(&source), "8112189876");
    folder_write(&source.folder, "schedules/word.json", "{\"personnummer\": \"none\"}");
    load(&source, "reject");
    source_feed_json(&source, SLOT);
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "code"), "PERSONAL");
    source_close(&source);
}

/* --- refusals --- */

static void a_folder_that_is_not_there_is_refused(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    const char *told = refusal(&source);
    assert_says(told, "11:55: ");
    assert_says(told, "schedules: No such file or directory");
    source_close(&source);
}

static void a_document_that_cannot_be_read_is_refused(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    folder_write(&source.folder, "schedules/two.json", "{\"id\": ");
    assert_says(refusal(&source), "schedules/two.json: line 1 column ");
    assert_int_equal(unlink(folder_path(&source.folder, "schedules/two.json")), 0);
    assert_int_equal(symlink("nowhere", folder_path(&source.folder, "schedules/two.json")), 0);
    assert_says(refusal(&source), "schedules/two.json: No such file or directory");
    source_close(&source);
}

static void a_name_that_cannot_be_read_is_refused(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    folder_write(&source.folder, "schedules/two.json",
                 "{\"resourceType\": \"Schedule\", \"id\": {\"x\": 1}}");
    assert_says(refusal(&source), "what its parts are called: path id leads to an object");
    source_close(&source);
}

static void only_what_is_in_a_document_there_can_be_looked_among(void **state) {
    static const char *const paths[] = {"^", "^.entry", "\"@request.x\""};
    struct source source;
    (void)state;
    begin(&source);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_says(source_refusal(&source,
                                   configuration(&source, paths[i], "id", "name", "reject")),
                    "with 'folder' a path from the beginning of each document would pass");
    assert_misconfigured("trial",
                         "acronym: {ref: {from: a, among: b, by: c, take: d, else: null, folder: "
                         "[x]}}", "the path of a folder would pass");
    assert_misconfigured("trial", "acronym: {ref: {from: a, among: b, by: c, take: d, folder: x}}",
                         "with folder: PATH for parts of other documents");
    source_close(&source);
}

static void more_files_than_it_may_have_are_refused_with_both_numbers(void **state) {
    struct source source;
    char name[64];
    (void)state;
    begin(&source);
    for (int i = 0; i < FILES_MAX; i++) {
        snprintf(name, sizeof name, "schedules/%05d", i);
        int file = open(folder_path(&source.folder, name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(file >= 0);
        close(file);
    }
    assert_says(refusal(&source), "schedules: 10001 files; at most 10000 would pass");
    source_close(&source);
}

static void write_wide(struct source *source, const char *name, size_t size) {
    char *text = hub_allocate(size + 1);
    memset(text, ' ', size);
    text[0] = '{';
    text[1] = '}';
    text[size] = '\0';
    folder_write(&source->folder, name, text);
    hub_release(text);
}

static void more_bytes_than_it_may_have_are_refused_with_both_numbers(void **state) {
    struct source source;
    char name[64];
    (void)state;
    begin(&source);
    write_wide(&source, "schedules/a", 16 * MIB + 1);
    assert_says(refusal(&source), "schedules/a: ");
    for (char letter = 'a'; letter < 'e'; letter++) {
        snprintf(name, sizeof name, "schedules/%c", letter);
        write_wide(&source, name, 16 * MIB - 32);
    }
    load(&source, "null");
    write_wide(&source, "schedules/e", 129);
    assert_says(refusal(&source), "schedules/e: with those before it 67108865 bytes; at most 67108864 in "
                                  "all would pass");
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_a_document_there_is_found_by_what_it_is_called),
        cmocka_unit_test(a_document_there_may_have_many_parts_and_things_around_them),
        cmocka_unit_test(of_two_of_one_name_the_first_by_its_files_name_is_meant),
        cmocka_unit_test(the_documents_own_parts_are_not_meant),
        cmocka_unit_test(where_nothing_is_called_so_the_record_is_refused_or_states_none),
        cmocka_unit_test(what_is_saved_there_later_is_known_to_the_next_start),
        cmocka_unit_test(folders_and_hidden_files_in_it_are_passed_over),
        cmocka_unit_test(documents_there_are_in_the_sources_own_format),
        cmocka_unit_test(a_persons_number_that_is_told_there_is_held_back),
        cmocka_unit_test(a_folder_that_is_not_there_is_refused),
        cmocka_unit_test(a_document_that_cannot_be_read_is_refused),
        cmocka_unit_test(a_name_that_cannot_be_read_is_refused),
        cmocka_unit_test(only_what_is_in_a_document_there_can_be_looked_among),
        cmocka_unit_test(more_files_than_it_may_have_are_refused_with_both_numbers),
        cmocka_unit_test(more_bytes_than_it_may_have_are_refused_with_both_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
