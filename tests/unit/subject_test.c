/* subject: what is sealed is read with the subject's key, by nobody once that is destroyed, and nowhere but where it
 * was said. */
#include "connectors/kit/subject.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORIGIN "lu-guests/LUMC/GUEST-1#contact"
#define ANNA "0000-0002-1825-0097"
#define MAIL "anna.lind@example.org"

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const char another[] = "fedcba9876543210fedcba9876543210";
static const struct hub_key_note note = {
    .basis = "GDPR Art. 17(1)(a)", .reason = "she asked", .by = "eva", .time_ms = 1774000000123};

struct sealing {
    struct folder folder;
    struct hub_keys keys;
};

struct sealed {
    char id[HUB_KEY_ID_DIGITS + 1];
    struct hub_buffer bytes;
};

static void load(struct sealing *sealing) {
    struct hub_error error;
    expect_ok(hub_keys_load(sealing->folder.path, &sealing->folder.arena, &sealing->keys, &error),
              &error);
    sealing->keys.subjects = HUB_SUBJECTS_MADE;
}

static int begin(void **state) {
    struct sealing *sealing = hub_allocate_zero(1, sizeof *sealing);
    folder_make(&sealing->folder);
    folder_write(&sealing->folder, "local/2026", another);
    folder_write(&sealing->folder, "sealing/2026", secret);
    load(sealing);
    *state = sealing;
    return 0;
}

static int end(void **state) {
    struct sealing *sealing = *state;
    folder_remove(&sealing->folder);
    hub_release(sealing);
    return 0;
}

static void seal(struct sealing *sealing, const char *subject, const char *origin,
                 const char *plain, struct sealed *sealed) {
    struct hub_error error;
    *sealed = (struct sealed){.bytes = {.size_max = 1000}};
    expect_ok(hub_subject_seal(&sealing->keys, hub_bytes_of_text(subject), origin,
                               hub_bytes_of_text(plain), sealed->id, &sealed->bytes, &error),
              &error);
}
#define SCOPED_SEALED __attribute__((cleanup(free_sealed))) struct sealed
static void free_sealed(struct sealed *sealed) {
    hub_buffer_free(&sealed->bytes);
}

#define reads(sealing, sealed, origin, wanted, text)                                               \
    reads_at(sealing, (sealed)->id, hub_buffer_bytes(&(sealed)->bytes), origin, wanted, text,      \
             __FILE__, __LINE__)
static void reads_at(struct sealing *sealing, const char *id, struct hub_bytes bytes,
                     const char *origin, enum hub_unsealed wanted, const char *text,
                     const char *file, int line) {
    HUB_SCOPED_BUFFER plain = {0};
    struct hub_error error;
    enum hub_unsealed unsealed = HUB_UNSEALED_DAMAGED;
    schema_expect_ok(hub_subject_unseal(&sealing->keys, id, origin, bytes, &unsealed, &plain, &error),
                     &error, file, line);
    _assert_int_equal((uintmax_t)unsealed, (uintmax_t)wanted, file, line);
    _assert_true(hub_bytes_equal_text(hub_buffer_bytes(&plain), text), "the text", file, line);
}

static struct hub_subject find(struct sealing *sealing, const char *text) {
    struct hub_subject *subjects = NULL;
    struct hub_error error;
    size_t count = 0;
    expect_ok(hub_subjects_find(&sealing->keys, text, &sealing->folder.arena, &subjects, &count, &error),
              &error);
    assert_int_equal(count, 1);
    return subjects[0];
}

static bool is_found(struct sealing *sealing, const char *text) {
    struct hub_subject *subjects = NULL;
    struct hub_error error;
    size_t count = 0;
    expect_ok(hub_subjects_find(&sealing->keys, text, &sealing->folder.arena, &subjects, &count, &error),
              &error);
    return count > 0;
}

static void destroy(struct sealing *sealing, const char *text) {
    struct hub_subject subject = find(sealing, text);
    struct hub_error error;
    expect_ok(hub_key_note_write(&sealing->keys, HUB_KEYS_ERASED, subject.key_id, &note, &error),
              &error);
    expect_ok(hub_subject_destroy(&sealing->keys, &subject, &error), &error);
}

/* The one file of subjects; it lives as long as the folder. */
static const char *only_file(struct sealing *sealing) {
    char **names = NULL;
    size_t count = 0;
    struct hub_error error;
    struct hub_arena *arena = &sealing->folder.arena;
    expect_ok(hub_file_list(folder_path(&sealing->folder, "subjects"), "", arena, &names, &count, &error),
              &error);
    assert_int_equal(count, 1);
    return hub_arena_format(arena, "subjects/%s", names[0]);
}

/* --- sealing and reading --- */

static void what_is_sealed_is_read_and_stays_the_same(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED first, again, elsewhere, other;
    seal(sealing, ANNA, ORIGIN, MAIL, &first);
    load(sealing); /* as after a restart */
    seal(sealing, ANNA, ORIGIN, MAIL, &again);
    seal(sealing, ANNA, ORIGIN "2", MAIL, &elsewhere);
    seal(sealing, ANNA, ORIGIN, MAIL "x", &other);
    assert_string_equal(first.id, again.id);
    assert_string_equal(first.id, elsewhere.id);
    assert_true(hub_bytes_equal(hub_buffer_bytes(&first.bytes), hub_buffer_bytes(&again.bytes)));
    assert_memory_not_equal(first.bytes.data, elsewhere.bytes.data, 12); /* nor the nonce */
    assert_memory_not_equal(first.bytes.data, other.bytes.data, 12);
    reads(sealing, &first, ORIGIN, HUB_UNSEALED_PLAIN, MAIL);
    reads(sealing, &elsewhere, ORIGIN "2", HUB_UNSEALED_PLAIN, MAIL);
}

static void subjects_have_keys_of_their_own_and_an_id_tells_of_none(void **state) {
    struct sealing *sealing = *state;
    struct sealing other;
    SCOPED_SEALED anna, bertil, elsewhere;
    seal(sealing, ANNA, ORIGIN, MAIL, &anna);
    seal(sealing, "bertil", ORIGIN, MAIL, &bertil);
    assert_true(hub_key_id_is(anna.id));
    assert_string_not_equal(anna.id, bertil.id);
    reads_at(sealing, bertil.id, hub_buffer_bytes(&anna.bytes), ORIGIN, HUB_UNSEALED_DAMAGED, "",
             __FILE__, __LINE__);
    folder_make(&other.folder); /* the same keys, the same subject, and another id */
    folder_write(&other.folder, "local/2026", another);
    folder_write(&other.folder, "sealing/2026", secret);
    load(&other);
    seal(&other, ANNA, ORIGIN, MAIL, &elsewhere);
    assert_string_not_equal(anna.id, elsewhere.id);
    reads(sealing, &elsewhere, ORIGIN, HUB_UNSEALED_NO_KEY, "");
    folder_remove(&other.folder);
}

static void a_subjects_file_is_for_its_owner_and_names_nobody(void **state) {
    struct sealing *sealing = *state;
    struct stat facts;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    SCOPED_SEALED sealed;
    seal(sealing, ANNA, ORIGIN, MAIL, &sealed);
    const char *name = only_file(sealing);
    expect_ok(hub_file_read(folder_path(&sealing->folder, name), &text, &error), &error);
    assert_null(strstr(name, ANNA));
    assert_null(strstr(hub_buffer_text(&text), ANNA));
    assert_int_equal(stat(folder_path(&sealing->folder, name), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void what_was_moved_or_changed_is_not_read(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED sealed;
    seal(sealing, ANNA, ORIGIN, MAIL, &sealed);
    reads(sealing, &sealed, "lu-guests/LUMC/GUEST-2#contact", HUB_UNSEALED_DAMAGED, "");
    for (size_t i = 0; i < sealed.bytes.size; i++) {
        sealed.bytes.data[i] ^= 1;
        reads(sealing, &sealed, ORIGIN, HUB_UNSEALED_DAMAGED, "");
        sealed.bytes.data[i] ^= 1;
    }
    for (size_t size = 0; size < sealed.bytes.size; size++)
        reads_at(sealing, sealed.id, hub_bytes(sealed.bytes.data, size), ORIGIN,
                 HUB_UNSEALED_DAMAGED, "", __FILE__, __LINE__);
}

static void an_id_that_is_none_is_no_path(void **state) {
    static const char *const ids[] = {"", "trial", "../erased/0123456789abcdef", "../../etc/passwd",
                                      "0123456789ABCDEF0123456789ABCDEF",
                                      "0123456789abcdef0123456789abcdef0",
                                      "0123456789abcdef0123456789abcdef"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        reads_at(*state, ids[i], hub_bytes("x", 1), ORIGIN, HUB_UNSEALED_NO_KEY, "", __FILE__,
                 __LINE__);
}

static void who_only_tries_makes_no_key(void **state) {
    struct sealing *sealing = *state;
    struct sealing without = {.folder = {.path = NULL}};
    struct hub_error error;
    SCOPED_SEALED first, again, known, made, bare;
    sealing->keys.subjects = HUB_SUBJECTS_TRIED;
    seal(sealing, ANNA, ORIGIN, MAIL, &first);
    seal(sealing, ANNA, ORIGIN, MAIL, &again);
    assert_string_equal(first.id, "trial");
    assert_true(hub_bytes_equal(hub_buffer_bytes(&first.bytes), hub_buffer_bytes(&again.bytes)));
    assert_false(hub_file_is_folder(folder_path(&sealing->folder, "subjects")));
    sealing->keys.subjects = HUB_SUBJECTS_MADE;
    seal(sealing, ANNA, ORIGIN, MAIL, &made);
    sealing->keys.subjects = HUB_SUBJECTS_TRIED;
    seal(sealing, ANNA, ORIGIN, MAIL, &known); /* what there is is used */
    assert_string_equal(known.id, made.id);
    expect_ok(hub_keys_load(NULL, &sealing->folder.arena, &without.keys, &error), &error);
    seal(&without, ANNA, ORIGIN, MAIL, &bare);
    assert_string_equal(bare.id, "trial");
}

static void what_is_told_again_is_sealed_for_who_has_a_key(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED anna, again, bertil;
    seal(sealing, ANNA, ORIGIN, MAIL, &anna);
    sealing->keys.subjects = HUB_SUBJECTS_KNOWN;
    seal(sealing, ANNA, ORIGIN, MAIL, &again);
    seal(sealing, "bertil", ORIGIN, MAIL, &bertil);
    assert_true(hub_bytes_equal(hub_buffer_bytes(&anna.bytes), hub_buffer_bytes(&again.bytes)));
    assert_string_equal(bertil.id, "");
    assert_int_equal(bertil.bytes.size, 0);
    assert_false(is_found(sealing, "bertil"));
}

/* --- keys that are not as they were --- */

static void refuses(struct sealing *sealing, const char *words) {
    struct sealed sealed = {.id = ""};
    struct hub_error error;
    assert_int_equal(hub_subject_seal(&sealing->keys, hub_bytes_of_text(ANNA), ORIGIN,
                                      hub_bytes_of_text(MAIL), sealed.id, &sealed.bytes, &error),
                     HUB_FATAL);
    assert_non_null(strstr(error.text, words));
    assert_int_equal(sealed.bytes.size, 0);
}

static void a_damaged_file_is_for_a_person_and_never_another_key(void **state) {
    struct sealing *sealing = *state;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    SCOPED_SEALED sealed;
    seal(sealing, ANNA, ORIGIN, MAIL, &sealed);
    const char *name = only_file(sealing);
    expect_ok(hub_file_read(folder_path(&sealing->folder, name), &text, &error), &error);
    static const char *const others[] = {"", "[]", "{", "{}", "\"\"", "{\"key\": \"x\"}"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        folder_write(&sealing->folder, name, others[i]);
        refuses(sealing, "it is no subject's key");
    }
    char *wrapped = strstr(hub_buffer_text(&text), "\"wrapped\": \"") + strlen("\"wrapped\": \"");
    for (size_t i = 0; wrapped[i] != '"'; i++) {
        char before = wrapped[i];
        wrapped[i] = before == 'A' ? 'B' : 'A';
        folder_write_bytes(&sealing->folder, name, hub_buffer_bytes(&text));
        refuses(sealing, "it is no subject's key");
        wrapped[i] = before;
    }
    char *id = strstr((char *)text.data, sealed.id);
    *id = *id == 'a' ? 'b' : 'a';
    folder_write_bytes(&sealing->folder, name, hub_buffer_bytes(&text));
    refuses(sealing, "it is no subject's key");
}

static void another_subjects_file_is_not_taken_for_ones_own(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED bertil, anna;
    seal(sealing, "bertil", ORIGIN, MAIL, &bertil);
    const char *theirs = only_file(sealing);
    seal(sealing, ANNA, ORIGIN, MAIL, &anna);
    const char *own = hub_arena_format(&sealing->folder.arena, "subjects/%s", find(sealing, ANNA).name);
    assert_int_equal(rename(folder_path(&sealing->folder, theirs), folder_path(&sealing->folder, own)),
                     0);
    refuses(sealing, "is another one's");
}

static void a_key_is_needed_and_an_older_one_is_read(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED before, after;
    seal(sealing, ANNA, ORIGIN, MAIL, &before);
    folder_write(&sealing->folder, "sealing/2027", another);
    load(sealing);
    seal(sealing, ANNA, ORIGIN, MAIL, &after);
    assert_string_equal(before.id, after.id);
    unlink(folder_path(&sealing->folder, "sealing/2026"));
    refuses(sealing, "wrapped with the key 2026");
    unlink(folder_path(&sealing->folder, "sealing/2027"));
    load(sealing);
    refuses(sealing, "there is no key in use in the part sealing");
}

/* --- destroying --- */

static void what_is_destroyed_is_read_by_nobody_and_others_are_unharmed(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED anna, bertil, again;
    seal(sealing, ANNA, ORIGIN, MAIL, &anna);
    seal(sealing, "bertil", ORIGIN, MAIL, &bertil);
    destroy(sealing, ANNA);
    assert_false(is_found(sealing, ANNA));
    reads(sealing, &anna, ORIGIN, HUB_UNSEALED_ERASED, "");
    reads(sealing, &bertil, ORIGIN, HUB_UNSEALED_PLAIN, MAIL);
    seal(sealing, ANNA, ORIGIN, MAIL, &again); /* she comes again: another key, and no way back */
    assert_string_not_equal(anna.id, again.id);
    assert_string_equal(find(sealing, ANNA).key_id, again.id);
    reads(sealing, &again, ORIGIN, HUB_UNSEALED_PLAIN, MAIL);
    reads(sealing, &anna, ORIGIN, HUB_UNSEALED_ERASED, "");
}

static void nothing_of_a_key_is_left_in_its_folder(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED sealed;
    char **names = NULL;
    size_t count = 1;
    struct hub_error error;
    seal(sealing, ANNA, ORIGIN, MAIL, &sealed);
    folder_write(&sealing->folder,
                 hub_arena_format(&sealing->folder.arena, "%s.tmp", only_file(sealing)), "as it was");
    destroy(sealing, sealed.id);
    expect_ok(hub_file_list(folder_path(&sealing->folder, "subjects"), "", &sealing->folder.arena, &names,
                            &count, &error), &error);
    assert_int_equal(count, 0);
}

static void the_file_is_written_over_before_it_is_removed(void **state) {
    struct sealing *sealing = *state;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    SCOPED_SEALED sealed;
    seal(sealing, ANNA, ORIGIN, MAIL, &sealed);
    const char *kept = folder_path(&sealing->folder, "kept"); /* the same file by another name */
    assert_int_equal(link(folder_path(&sealing->folder, only_file(sealing)), kept), 0);
    destroy(sealing, ANNA);
    expect_ok(hub_file_read(kept, &text, &error), &error);
    assert_true(text.size > 0);
    for (size_t i = 0; i < text.size; i++)
        assert_int_equal(text.data[i], 0);
}

static void what_is_held_is_not_destroyed(void **state) {
    struct sealing *sealing = *state;
    struct hub_error error;
    SCOPED_SEALED sealed;
    seal(sealing, ANNA, ORIGIN, MAIL, &sealed);
    struct hub_subject subject = find(sealing, ANNA);
    const struct hub_key_note hold = {.reason = "a court asks", .by = "lars", .time_ms = 1};
    expect_ok(hub_key_note_write(&sealing->keys, HUB_KEYS_HELD, sealed.id, &hold, &error), &error);
    assert_int_equal(hub_subject_destroy(&sealing->keys, &subject, &error), HUB_REJECT);
    assert_non_null(strstr(error.text, "is held by lars: a court asks"));
    reads(sealing, &sealed, ORIGIN, HUB_UNSEALED_PLAIN, MAIL);
    expect_ok(hub_key_note_remove(&sealing->keys, HUB_KEYS_HELD, sealed.id, &error), &error);
    expect_ok(hub_subject_destroy(&sealing->keys, &subject, &error), &error);
    reads(sealing, &sealed, ORIGIN, HUB_UNSEALED_NO_KEY, "");
    expect_ok(hub_subject_destroy(&sealing->keys, &subject, &error), &error); /* once more is fine */
}

static void who_was_known_under_an_older_key_is_found(void **state) {
    struct sealing *sealing = *state;
    SCOPED_SEALED before, after;
    struct hub_subject *subjects = NULL;
    struct hub_error error;
    size_t count = 0;
    seal(sealing, ANNA, ORIGIN, MAIL, &before);
    folder_write(&sealing->folder, "local/2027", secret);
    load(sealing);
    seal(sealing, ANNA, ORIGIN, MAIL, &after);
    expect_ok(hub_subjects_find(&sealing->keys, ANNA, &sealing->folder.arena, &subjects, &count, &error),
              &error);
    assert_int_equal(count, 2);
    assert_string_equal(subjects[0].key_id, after.id);
    assert_string_equal(subjects[1].key_id, before.id);
}

static void a_note_is_read_as_it_was_written(void **state) {
    struct sealing *sealing = *state;
    struct hub_arena *arena = &sealing->folder.arena;
    struct hub_key_note read;
    struct hub_error error;
    bool found = true;
    char **ids = NULL;
    size_t count = 0;
    expect_ok(hub_key_note_read(&sealing->keys, HUB_KEYS_ERASED, secret, arena, &read, &found, &error),
              &error);
    assert_false(found);
    expect_ok(hub_key_note_write(&sealing->keys, HUB_KEYS_ERASED, secret, &note, &error), &error);
    expect_ok(hub_key_note_read(&sealing->keys, HUB_KEYS_ERASED, secret, arena, &read, &found, &error),
              &error);
    assert_true(found);
    assert_string_equal(read.basis, note.basis);
    assert_string_equal(read.reason, note.reason);
    assert_string_equal(read.by, note.by);
    assert_int_equal(read.time_ms, note.time_ms);
    assert_false(read.told);
    folder_write(&sealing->folder, "erased/note.txt", "no key's");
    expect_ok(hub_key_notes_list(&sealing->keys, HUB_KEYS_ERASED, arena, &ids, &count, &error), &error);
    assert_int_equal(count, 1);
    assert_string_equal(ids[0], secret);
    folder_write(&sealing->folder, hub_arena_format(arena, "erased/%s", secret), "{\"by\": \"x\"}");
    assert_int_equal(
        hub_key_note_read(&sealing->keys, HUB_KEYS_ERASED, secret, arena, &read, &found, &error),
        HUB_FATAL);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_is_read_and_stays_the_same),
        cmocka_unit_test(subjects_have_keys_of_their_own_and_an_id_tells_of_none),
        cmocka_unit_test(a_subjects_file_is_for_its_owner_and_names_nobody),
        cmocka_unit_test(what_was_moved_or_changed_is_not_read),
        cmocka_unit_test(an_id_that_is_none_is_no_path),
        cmocka_unit_test(who_only_tries_makes_no_key),
        cmocka_unit_test(what_is_told_again_is_sealed_for_who_has_a_key),
        cmocka_unit_test(a_damaged_file_is_for_a_person_and_never_another_key),
        cmocka_unit_test(another_subjects_file_is_not_taken_for_ones_own),
        cmocka_unit_test(a_key_is_needed_and_an_older_one_is_read),
        cmocka_unit_test(what_is_destroyed_is_read_by_nobody_and_others_are_unharmed),
        cmocka_unit_test(nothing_of_a_key_is_left_in_its_folder),
        cmocka_unit_test(the_file_is_written_over_before_it_is_removed),
        cmocka_unit_test(what_is_held_is_not_destroyed),
        cmocka_unit_test(who_was_known_under_an_older_key_is_found),
        cmocka_unit_test(a_note_is_read_as_it_was_written),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
