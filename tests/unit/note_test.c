/* note: by the example of those who made the form; and that nothing else passes. */
#include "hub/archive/note.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

/* The example of Go's package note, whose private key is published. */
static const char peter[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char peters_private[] = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char peters_note[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdn"
    "gotpRZb6KE6RyyBwJnAM=\n";

static struct hub_ed25519_key private_of(const char *base64) {
    struct hub_ed25519_key private;
    HUB_SCOPED_BUFFER bytes = {0};
    assert_true(hub_base64_decode(hub_bytes_of_text(base64), &bytes));
    memcpy(private.bytes, bytes.data + 1, sizeof private.bytes);
    return private;
}

static struct hub_note_key read_key(const char *text) {
    struct hub_note_key key;
    struct hub_error error;
    expect_ok(hub_note_key_read(hub_bytes_of_text(text), &key, &error), &error);
    return key;
}

static enum hub_status check(const char *note, const struct hub_note_key *key, uint64_t *time_s,
                             struct hub_error *reterr) {
    struct hub_bytes text, lines;
    HUB_TRY(hub_note_open(hub_bytes_of_text(note), &text, &lines, reterr));
    return hub_note_check(text, lines, key, time_s, reterr);
}

static void assert_refused(const char *note, const struct hub_note_key *key, const char *why) {
    struct hub_error error;
    assert_int_equal(check(note, key, NULL, &error), HUB_REJECT);
    assert_says(error.text, why);
}

static void the_published_example_is_signed_and_signs_the_same(void **state) {
    struct hub_note_key key = read_key(peter), made;
    struct hub_ed25519_key private = private_of(peters_private);
    struct hub_bytes text, lines;
    struct hub_error error;
    HUB_SCOPED_BUFFER name = {0}, line = {0};
    (void)state;
    expect_ok(check(peters_note, &key, NULL, &error), &error);
    expect_ok(hub_note_key_make("PeterNeumann", HUB_NOTE_SIGNATURE, &private, &made, &error), &error);
    hub_note_key_append(&made, &name);
    assert_string_equal(hub_buffer_text(&name), peter);
    expect_ok(hub_note_open(hub_bytes_of_text(peters_note), &text, &lines, &error), &error);
    hub_note_sign(&made, &private, text, &line);
    assert_true(hub_bytes_equal(hub_buffer_bytes(&line), lines));
}

static void a_key_that_was_miscopied_is_refused(void **state) {
    static const struct {
        const char *text, *why;
    } wrong[] = {
        {"PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "its id is another"},
        {"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "c74f20a3 would pass"},
        {"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX", "its id is another"},
        {"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy1", "no key"},
        {"PeterNeumann+c74f20a3", "no key"},
        {"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "no key"},
        {"PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a key of kind 2"},
        {"", "no key"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct hub_note_key key;
        struct hub_error error;
        assert_int_equal(hub_note_key_read(hub_bytes_of_text(wrong[i].text), &key, &error),
                         HUB_REJECT);
        assert_says(error.text, wrong[i].why);
    }
}

static void every_flipped_bit_of_a_note_is_found(void **state) {
    struct hub_note_key key = read_key(peter);
    char note[sizeof peters_note];
    (void)state;
    for (size_t i = 0; i < sizeof peters_note - 1; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct hub_error error;
            memcpy(note, peters_note, sizeof note);
            note[i] = (char)(note[i] ^ (1 << bit));
            if (note[i] != '\0')
                assert_int_equal(check(note, &key, NULL, &error), HUB_REJECT);
        }
}

static void a_note_that_was_cut_anywhere_is_found(void **state) {
    struct hub_note_key key = read_key(peter);
    char note[sizeof peters_note];
    (void)state;
    for (size_t size = 0; size < sizeof peters_note - 1; size++) {
        struct hub_error error;
        memcpy(note, peters_note, sizeof note);
        note[size] = '\0';
        assert_int_equal(check(note, &key, NULL, &error), HUB_REJECT);
    }
}

static void what_is_no_note_is_refused_with_what_would_pass(void **state) {
    struct hub_note_key key = read_key(peter);
    (void)state;
    assert_refused("a text\n", &key, "a text in UTF-8, an empty line, and signatures");
    assert_refused("a text\n\n", &key, "no signature");
    assert_refused("a text\n\nPeterNeumann x08g\n", &key, "no signature");
    assert_refused("a\ttext\n\n\xe2\x80\x94 a AAAAAAA=\n", &key, "control character at byte 1");
    assert_refused("a \xff\n\n\xe2\x80\x94 a AAAAAAA=\n", &key, "in UTF-8");
}

/* Others may sign, too, in kinds that are not known here. */
static void signatures_of_others_are_passed_over(void **state) {
    struct hub_note_key key = read_key(peter);
    struct hub_ed25519_key private = private_of(peters_private);
    struct hub_note_key other;
    struct hub_bytes text, lines;
    struct hub_error error;
    HUB_SCOPED_BUFFER note = {0};
    (void)state;
    private.bytes[0] ^= 1;
    expect_ok(hub_note_key_make("witness.example/w1", HUB_NOTE_SIGNATURE, &private, &other, &error),
              &error);
    expect_ok(hub_note_open(hub_bytes_of_text(peters_note), &text, &lines, &error), &error);
    hub_buffer_append_bytes(&note, text);
    hub_buffer_append_text(&note, "\n\xe2\x80\x94 unknown\xc3\xa9 AAAAAAAA\n");
    hub_note_sign(&other, &private, text, &note);
    hub_buffer_append_bytes(&note, lines);
    expect_ok(check(hub_buffer_text(&note), &key, NULL, &error), &error);
    expect_ok(check(hub_buffer_text(&note), &other, NULL, &error), &error);
    assert_refused(peters_note, &other, "'witness.example/w1'");
}

static void a_cosignature_says_when(void **state) {
    struct hub_ed25519_key private = private_of(peters_private);
    struct hub_note_key witness, plain;
    struct hub_bytes text, lines;
    struct hub_error error;
    HUB_SCOPED_BUFFER note = {0}, name = {0};
    uint64_t time_s = 0;
    (void)state;
    expect_ok(hub_note_key_make("lumc.example/w", HUB_NOTE_COSIGNATURE, &private, &witness, &error),
              &error);
    expect_ok(hub_note_key_make("lumc.example/w", HUB_NOTE_SIGNATURE, &private, &plain, &error),
              &error);
    assert_int_not_equal(witness.id, plain.id);
    hub_note_key_append(&witness, &name);
    assert_int_equal(read_key(hub_buffer_text(&name)).kind, HUB_NOTE_COSIGNATURE);
    expect_ok(hub_note_open(hub_bytes_of_text(peters_note), &text, &lines, &error), &error);
    hub_buffer_append_text(&note, peters_note);
    hub_note_cosign(&witness, &private, 1772323200, text, &note);
    expect_ok(check(hub_buffer_text(&note), &witness, &time_s, &error), &error);
    assert_int_equal(time_s, 1772323200);
    assert_refused(hub_buffer_text(&note), &plain, "has not signed it");
}

static void a_cosignature_of_another_time_or_text_is_found(void **state) {
    struct hub_ed25519_key private = private_of(peters_private);
    struct hub_note_key witness;
    struct hub_error error;
    HUB_SCOPED_BUFFER line = {0}, bytes = {0}, note = {0};
    struct hub_bytes encoded;
    (void)state;
    expect_ok(hub_note_key_make("w", HUB_NOTE_COSIGNATURE, &private, &witness, &error), &error);
    hub_note_cosign(&witness, &private, 7, hub_bytes_of_text("a\n"), &line);
    hub_buffer_append_text(&note, "b\n\n");
    hub_buffer_append_bytes(&note, hub_buffer_bytes(&line));
    assert_refused(hub_buffer_text(&note), &witness, "is not of this text");
    size_t from = strlen("\xe2\x80\x94 w ");
    encoded = hub_bytes_part(hub_buffer_bytes(&line), from, line.size - 1);
    assert_true(hub_base64_decode(encoded, &bytes));
    bytes.data[4 + 7] = 8; /* the eighth second */
    note.size = 0;
    hub_buffer_append_text(&note, "a\n\n\xe2\x80\x94 w ");
    hub_base64_append(hub_buffer_bytes(&bytes), &note);
    hub_buffer_append_text(&note, "\n");
    assert_refused(hub_buffer_text(&note), &witness, "is not of this text");
}

static void a_name_is_refused_where_it_is_none(void **state) {
    static const char *const names[] = {"", "a b", "a+b", "a\nb", "\xc3\xa5"};
    struct hub_ed25519_key private = private_of(peters_private);
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct hub_note_key key;
        struct hub_error error;
        assert_int_equal(hub_note_key_make(names[i], HUB_NOTE_SIGNATURE, &private, &key, &error),
                         HUB_FATAL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_is_signed_and_signs_the_same),
        cmocka_unit_test(a_key_that_was_miscopied_is_refused),
        cmocka_unit_test(every_flipped_bit_of_a_note_is_found),
        cmocka_unit_test(a_note_that_was_cut_anywhere_is_found),
        cmocka_unit_test(what_is_no_note_is_refused_with_what_would_pass),
        cmocka_unit_test(signatures_of_others_are_passed_over),
        cmocka_unit_test(a_cosignature_says_when),
        cmocka_unit_test(a_cosignature_of_another_time_or_text_is_found),
        cmocka_unit_test(a_name_is_refused_where_it_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
