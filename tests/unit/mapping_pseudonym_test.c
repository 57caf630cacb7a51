/* mapping: what identifies joins while the institutions go from one shared key to the next. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <unistd.h>

static const char old_key[] = "0123456789abcdef0123456789abcdef";
static const char new_key[] = "fedcba9876543210fedcba9876543210";
static const char document[] = "{'a': 'P-1', 'b': 'plain'}";

#define OF_A "{from: a, pseudonym: shared}"
#define LINK(value)                                                                                \
    "{domain: {value: patient}, role: {value: donor}, identifier: {scheme: subject, value: " value \
    ", relation: self}}"

static const char fields[] = "identifiers: {scheme: subject, value: " OF_A ", relation: self}, "
                             "links: " LINK(OF_A) ", person_ref: " OF_A;

static void open_institution(struct source *source) {
    source_make(source);
    source->keys_folder = folder_path(&source->folder, "keys");
    folder_write(&source->folder, "keys/shared/2026", old_key);
}

static void name_key(struct source *source, const char *from, const char *to) {
    assert_int_equal(rename(folder_path(&source->folder, from), folder_path(&source->folder, to)),
                     0);
}

static void remove_key(struct source *source, const char *name) {
    assert_int_equal(unlink(folder_path(&source->folder, name)), 0);
}

/* What it says after it was started again. */
static const json_t *says(struct source *source, const char *of_fields) {
    source_load(source, source_configuration("exchange", of_fields, &source->arena));
    source_feed_json(source, document);
    assert_int_equal(source->list.counts.published, 1);
    return source_record(source, 0);
}

/* An identifier's value; of a link that of its identifier. */
static const char *value_at(const json_t *record, const char *field, size_t index) {
    const json_t *element = json_array_get(json_object_get(record, field), index);
    const json_t *identifier = json_object_get(element, "identifier");
    return json_string_value(json_object_get(identifier == NULL ? element : identifier, "value"));
}

static size_t count_of(const json_t *record, const char *field) {
    return json_array_size(json_object_get(record, field));
}

static bool share(const json_t *one, const json_t *other, const char *field) {
    for (size_t i = 0; i < count_of(one, field); i++)
        for (size_t k = 0; k < count_of(other, field); k++)
            if (strcmp(value_at(one, field, i), value_at(other, field, k)) == 0)
                return true;
    return false;
}

static void assert_they_join(struct source *one, struct source *other) {
    const json_t *said = says(one, fields), *answer = says(other, fields);
    assert_true(share(said, answer, "identifiers"));
    assert_true(share(said, answer, "links"));
}

static void two_institutions_join_at_every_step_of_a_rotation(void **state) {
    struct source one, other;
    (void)state;
    open_institution(&one);
    open_institution(&other);
    assert_they_join(&one, &other);
    folder_write(&one.folder, "keys/shared/2027.next", new_key);
    assert_they_join(&one, &other);
    folder_write(&other.folder, "keys/shared/2027.next", new_key);
    assert_they_join(&one, &other);
    name_key(&one, "keys/shared/2027.next", "keys/shared/2027");
    assert_they_join(&one, &other);
    name_key(&other, "keys/shared/2027.next", "keys/shared/2027");
    assert_they_join(&one, &other);
    remove_key(&one, "keys/shared/2026");
    assert_they_join(&one, &other);
    remove_key(&other, "keys/shared/2026");
    assert_they_join(&one, &other);
    assert_int_equal(count_of(says(&one, fields), "identifiers"), 1);
    source_close(&one);
    source_close(&other);
}

static void who_holds_the_old_key_alone_joins_nobody_who_holds_the_new_one_alone(void **state) {
    struct source one, other;
    (void)state;
    open_institution(&one);
    open_institution(&other);
    folder_write(&one.folder, "keys/shared/2027", new_key);
    remove_key(&one, "keys/shared/2026");
    const json_t *said = says(&one, fields), *answer = says(&other, fields);
    assert_false(share(said, answer, "identifiers"));
    assert_false(share(said, answer, "links"));
    source_close(&one);
    source_close(&other);
}

static void what_identifies_is_told_under_each_key_the_newest_first(void **state) {
    struct source source;
    (void)state;
    open_institution(&source);
    folder_write(&source.folder, "keys/shared/2025", new_key);
    folder_write(&source.folder, "keys/shared/2027", new_key);
    const json_t *said = says(&source, fields);
    for (const char *const *field = (const char *const[]){"identifiers", "links", NULL};
         *field != NULL; field++) {
        assert_int_equal(count_of(said, *field), 3);
        assert_says(value_at(said, *field, 0), "ps:2027:");
        assert_says(value_at(said, *field, 1), "ps:2026:");
        assert_says(value_at(said, *field, 2), "ps:2025:");
    }
    json_t *same = test_json("{'identifiers': [{'scheme': 'subject', 'relation': 'SELF'}, {'scheme': "
                             "'subject', 'relation': 'SELF'}, {'scheme': 'subject', 'relation': "
                             "'SELF'}], 'links': [{'domain': 'patient', 'role': 'donor'}, {'domain': "
                             "'patient', 'role': 'donor'}, {'domain': 'patient', 'role': 'donor'}]}");
    assert_true(source_has(said, same));
    json_decref(same);
    source_close(&source);
}

static void every_other_field_is_told_under_the_newest_only(void **state) {
    struct source source;
    (void)state;
    open_institution(&source);
    folder_write(&source.folder, "keys/shared/2027.next", new_key);
    assert_says(json_string_value(json_object_get(says(&source, fields), "person_ref")), "ps:2026:");
    name_key(&source, "keys/shared/2027.next", "keys/shared/2027");
    assert_says(json_string_value(json_object_get(says(&source, fields), "person_ref")), "ps:2027:");
    source_close(&source);
}

/* A statement that gives two values of an exclusive scheme states neither. */
static void of_an_exclusive_scheme_one_value_is_told_and_in_a_link_each(void **state) {
    struct source source;
    (void)state;
    open_institution(&source);
    folder_write(&source.folder, "keys/shared/2027", new_key);
    const json_t *said =
        says(&source, "identifiers: {scheme: coi, value: " OF_A ", relation: self}, links: {domain: "
                      "{value: batch}, role: {value: for}, identifier: {scheme: coi, value: " OF_A
                      ", relation: related}}");
    assert_int_equal(count_of(said, "identifiers"), 1);
    assert_says(value_at(said, "identifiers", 0), "PS:2027:");
    assert_int_equal(count_of(said, "links"), 2);
    assert_says(value_at(said, "links", 1), "PS:2026:");
    source_close(&source);
}

static void what_is_no_pseudonym_is_told_once(void **state) {
    struct source source;
    (void)state;
    open_institution(&source);
    folder_write(&source.folder, "keys/shared/2027", new_key);
    const json_t *said =
        says(&source, "identifiers: [{scheme: subject, value: b, relation: self}, {scheme: subject, "
                      "value: {first: [b, " OF_A "]}, relation: self}], links: [" LINK("b") ", "
                      LINK("{first: [b, " OF_A "]}") "]");
    assert_int_equal(count_of(said, "identifiers"), 2);
    assert_int_equal(count_of(said, "links"), 2);
    assert_string_equal(value_at(said, "links", 1), "plain");
    source_close(&source);
}

static void a_pseudonym_within_another_value_is_told_under_each_key(void **state) {
    struct source source;
    (void)state;
    open_institution(&source);
    folder_write(&source.folder, "keys/shared/2027", new_key);
    const json_t *said =
        says(&source, "identifiers: {scheme: subject, value: {join: [b, {first: [none, " OF_A
                      "]}], with: '-'}, relation: self}, links: {for_each: ., domain: {value: "
                      "patient}, role: b, identifier: {scheme: subject, value: {first: [none, " OF_A
                      "]}, relation: self}}");
    assert_int_equal(count_of(said, "identifiers"), 2);
    assert_says(value_at(said, "identifiers", 1), "plain-ps:2026:");
    assert_int_equal(count_of(said, "links"), 2);
    source_close(&source);
}

static void what_identifies_a_record_is_the_newest_key_s(void **state) {
    struct source source;
    (void)state;
    open_institution(&source);
    folder_write(&source.folder, "keys/shared/2027", new_key);
    source_load(&source, "connector: trying\n"
                         "institution: lu\n"
                         "system: lu-guests\n"
                         "source: {transport: file-drop, format: json, folder: .}\n"
                         "target: {domain: exchange}\n"
                         "records:\n"
                         "  - key: " OF_A "\n"
                         "    version: {tie: position}\n"
                         "    fields: {identifiers: {scheme: subject, value: " OF_A
                         ", relation: self}}\n"
                         "  - key: b\n"
                         "    version: " OF_A "\n"
                         "    fields: {person_ref: " OF_A "}\n");
    source_feed_json(&source, document);
    assert_int_equal(source.list.counts.published, 2);
    assert_true(source_tells(&source, "lu-guests/ps:2027:"));
    assert_false(source_tells(&source, "lu-guests/ps:2026:"));
    assert_says(source_text(&source, 1, "statement.version"), "ps:2027:");
    assert_says(source_text(&source, 1, "person_ref"), "ps:2027:");
    source_close(&source);
}

static void a_local_pseudonym_within_another_value_identifies_nothing_either(void **state) {
    (void)state;
    assert_misconfigured("exchange",
                         "identifiers: {scheme: subject, value: {first: [b, {from: a, pseudonym: "
                         "local}]}, relation: self}",
                         "a local pseudonym identifies nothing outside; shared would pass");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_institutions_join_at_every_step_of_a_rotation),
        cmocka_unit_test(who_holds_the_old_key_alone_joins_nobody_who_holds_the_new_one_alone),
        cmocka_unit_test(what_identifies_is_told_under_each_key_the_newest_first),
        cmocka_unit_test(every_other_field_is_told_under_the_newest_only),
        cmocka_unit_test(of_an_exclusive_scheme_one_value_is_told_and_in_a_link_each),
        cmocka_unit_test(what_is_no_pseudonym_is_told_once),
        cmocka_unit_test(a_pseudonym_within_another_value_is_told_under_each_key),
        cmocka_unit_test(what_identifies_a_record_is_the_newest_key_s),
        cmocka_unit_test(a_local_pseudonym_within_another_value_identifies_nothing_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
