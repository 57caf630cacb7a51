/* mapping: a field that is sealed goes out as its subject's key makes it, and in no other way. */
#include "connectors/kit/subject.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <string.h>

#define MAIL "anna.lind@example.org"
#define CONTACT "contact: {from: mail, seal: {subject: number}}"

static const char document[] = "{'mail': '" MAIL "', 'number': '0000-0002-1825-0097', 'unit': 'CTF'}";
static const char key[] = "0123456789abcdef0123456789abcdef";
static const char another[] = "fedcba9876543210fedcba9876543210";

/* An institution whose connector publishes. */
static void open_institution(struct source *source, const char *fields) {
    source_make(source);
    source->keys_folder = folder_path(&source->folder, "keys");
    folder_write(&source->folder, "keys/local/2026", another);
    folder_write(&source->folder, "keys/sealing/2026", key);
    source_load(source, source_configuration("exchange", fields, &source->arena));
    source->connector->keys.subjects = HUB_SUBJECTS_MADE;
}

/* What the outgoing record's contact says to who has the keys. */
static enum hub_unsealed unseal(struct source *source, const char *origin, const char **ret_plain) {
    HUB_SCOPED_BUFFER bytes = {0}, plain = {0};
    struct hub_error error;
    enum hub_unsealed unsealed = HUB_UNSEALED_NO_KEY;
    const char *text = source_text(source, 0, "contact.ciphertext");
    for (unsigned byte = 0; sscanf(text, "%2x", &byte) == 1; text += 2)
        hub_buffer_append_byte(&bytes, (uint8_t)byte);
    expect_ok(hub_subject_unseal(&source->connector->keys, source_text(source, 0, "contact.key_id"),
                                 origin, hub_buffer_bytes(&bytes), &unsealed, &plain, &error), &error);
    *ret_plain = hub_arena_text(&source->arena, (const char *)plain.data, plain.size);
    return unsealed;
}

/* --- records --- */

static void what_is_sealed_is_read_with_the_subjects_key_alone(void **state) {
    struct source source;
    const char *plain = NULL;
    (void)state;
    open_institution(&source, CONTACT ", host_unit: unit");
    source_feed_json(&source, document);
    assert_int_equal(source.list.counts.published, 1);
    assert_true(source_tells(&source, "CTF")); /* the control */
    assert_false(source_tells(&source, MAIL));
    assert_false(source_tells(&source, "0000-0002-1825-0097"));
    assert_true(hub_key_id_is(source_text(&source, 0, "contact.key_id")));
    assert_string_equal(source_text(&source, 0, "contact.origin"), "lu-guests/one#contact");
    assert_int_equal(unseal(&source, "lu-guests/one#contact", &plain), HUB_UNSEALED_PLAIN);
    assert_string_equal(plain, MAIL);
    assert_int_equal(unseal(&source, "lu-guests/two#contact", &plain), HUB_UNSEALED_DAMAGED);
    source_close(&source);
}

static void what_is_read_again_is_no_change(void **state) {
    struct source source;
    (void)state;
    open_institution(&source, CONTACT);
    source_remember(&source);
    source_feed_json(&source, document);
    assert_int_equal(source.list.counts.published, 1);
    source_commit(&source);
    source_feed_json(&source, document);
    assert_int_equal(source.list.counts.unchanged, 1);
    source_feed_json(&source, "{'mail': 'anna@example.org', 'number': '0000-0002-1825-0097'}");
    assert_int_equal(source.list.counts.published, 1);
    source_close(&source);
}

static void what_the_source_leaves_out_is_null(void **state) {
    (void)state;
    assert_maps("exchange", CONTACT ", host_unit: unit", "{'number': '1', 'unit': 'CTF'}",
                "{'contact': null, 'host_unit': 'CTF'}");
}

static void nothing_is_sealed_for_nobody(void **state) {
    (void)state;
    assert_refuses("exchange", CONTACT, "{'mail': '" MAIL "'}", "MISSING", "contact");
}

static void what_is_told_again_is_not_sealed_anew(void **state) {
    struct source source;
    (void)state;
    open_institution(&source, CONTACT ", host_unit: unit");
    source.connector->keys.subjects = HUB_SUBJECTS_KNOWN;
    source_feed_json(&source, document);
    assert_int_equal(source.list.counts.published, 1);
    assert_true(json_is_null(json_object_get(source_record(&source, 0), "contact")));
    assert_false(source_tells(&source, MAIL));
    source_close(&source);
}

static void a_key_that_cannot_be_read_is_not_the_documents_fault(void **state) {
    struct source source;
    struct hub_subject *subjects = NULL;
    struct hub_error error;
    size_t count = 0;
    (void)state;
    open_institution(&source, CONTACT);
    source_feed_json(&source, document);
    assert_int_equal(source.list.failed, HUB_OK);
    expect_ok(hub_subjects_find(&source.connector->keys, "0000-0002-1825-0097", &source.arena, &subjects,
                                &count, &error), &error);
    folder_write(&source.folder,
                 hub_arena_format(&source.arena, "keys/subjects/%s", subjects[0].name), "damaged");
    source_feed_json(&source, document);
    assert_int_equal(source.list.failed, HUB_FATAL);
    assert_says(source.list.failure, "it is no subject's key");
    source_close(&source);
}

/* --- nothing goes another way --- */

static void a_dead_letter_has_no_original(void **state) {
    struct source source;
    (void)state;
    open_institution(&source, CONTACT ", kind: {from: kind, table: {a: TEACHING}, else: reject}");
    source_feed_json(&source, "{'mail': '" MAIL "', 'number': '1', 'kind': 'b'}");
    assert_int_equal(source.list.counts.dead, 1);
    assert_null(source_original(&source, 0).data);
    assert_null(source.list.items[0].held.data); /* nor is it kept in clear: the journal has it */
    assert_false(source_tells(&source, MAIL));
    source_close(&source);
}

static void the_guard_reads_what_is_sealed(void **state) {
    struct source source;
    (void)state;
    open_institution(&source, CONTACT);
    source_feed_json(&source, "{'mail': '19121212-1212', 'number': '1'}");
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source.list.items[0].stage, "guard");
    assert_string_equal(source.list.items[0].path, "contact");
    source_feed_json(&source, "{'mail': '123456782', 'number': '1', 'bsn': 'is what it is'}");
    assert_int_equal(source.list.counts.dead, 1);
    source_feed_json(&source, "{'mail': '123456782', 'number': '1'}");
    assert_int_equal(source.list.counts.published, 1);
    source_close(&source);
}

/* --- configurations --- */

static void a_sealed_field_takes_what_is_sealed_alone_and_no_other_takes_it(void **state) {
    (void)state;
    assert_misconfigured("exchange", "contact: mail", "only what is sealed may stand in it");
    assert_misconfigured("exchange", "contact: {from: mail}", "only what is sealed may stand in it");
    assert_misconfigured("exchange", "contact: {from: mail, seal: x}", "only what is sealed may stand in it");
    assert_misconfigured("exchange", "contact: {from: mail, seal: {}}", "'subject' is missing");
    assert_misconfigured("exchange", "contact: {from: mail, seal: {subjekt: a}}", "subject");
    assert_misconfigured("exchange", "contact: {from: mail, seal: {subject: {value: all}}}",
                         "everybody would have one key");
    assert_misconfigured("exchange", "contact: {seal: {subject: a}}", "exactly one of from");
    assert_misconfigured("exchange",
                         "contact: {from: mail, time: {formats: [date]}, seal: {subject: a}}",
                         "what is sealed is a text");
    assert_misconfigured("exchange", "contact: {key_id: a, origin: b, ciphertext: c}",
                         "only what is sealed may stand in it");
    assert_misconfigured("exchange", "host_unit: {from: mail, seal: {subject: a}}",
                         "'seal' is for a field whose type is Sealed");
    assert_misconfigured("exchange", "contact: {from: mail, seal: {subject: {from: a, seal: {subject: b}}}}",
                         "'seal' is for a field whose type is Sealed");
}

static void sealing_needs_both_keys(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    source.keys_folder = folder_path(&source.folder, "keys");
    folder_write(&source.folder, "keys/local/2026", another);
    const char *configuration = source_configuration("exchange", CONTACT, &source.arena);
    assert_says(source_refusal(&source, configuration), "there is no sealing key in use");
    folder_write(&source.folder, "keys/sealing/2026", key);
    source_load(&source, configuration);
    source.keys_folder = folder_path(&source.folder, "other");
    folder_write(&source.folder, "other/sealing/2026", key);
    assert_says(source_refusal(&source, configuration), "there is no local key in use");
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_is_read_with_the_subjects_key_alone),
        cmocka_unit_test(what_is_read_again_is_no_change),
        cmocka_unit_test(what_the_source_leaves_out_is_null),
        cmocka_unit_test(nothing_is_sealed_for_nobody),
        cmocka_unit_test(what_is_told_again_is_not_sealed_anew),
        cmocka_unit_test(a_key_that_cannot_be_read_is_not_the_documents_fault),
        cmocka_unit_test(a_dead_letter_has_no_original),
        cmocka_unit_test(the_guard_reads_what_is_sealed),
        cmocka_unit_test(a_sealed_field_takes_what_is_sealed_alone_and_no_other_takes_it),
        cmocka_unit_test(sealing_needs_both_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
