/* proof: what was proved is shown by its file and the key, in a tree of a thousand million entries too; and
 * whatever is done to the file, the entry or the record shows nothing. */
#include "hub/archive/proof.h"
#include "hub/archive/segment.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = 21, BIG = 1000000000, PROOF_SIZE_MAX = 2048, SEGMENTS = 8 };

static const struct hub_ed25519_key private = {{1, 2, 3}}, others_private = {{4, 5, 6}};
static const char origin[] = "audit.example/log.slot-0";
static const char entry[] =
    "{\"topic\":\"log.slot\",\"partition\":0,\"offset\":1499999999,\"timestamp\":1772323200000,"
    "\"segment\":499990000,\"at\":4120000,\"size\":770,"
    "\"sha256\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\"}";

/* All entries are the same but one. */
struct forest {
    uint64_t size, index; /* of the one */
    struct hub_digest same[HUB_MERKLE_LEVELS], one;
};

static bool node(void *forest_, unsigned level, uint64_t index, struct hub_digest *ret_digest) {
    const struct forest *forest = forest_;
    struct hub_digest left, right;
    if ((index + 1) << level > forest->size)
        return false;
    if (index != forest->index >> level) {
        *ret_digest = forest->same[level];
        return true;
    }
    if (level == 0) {
        *ret_digest = forest->one;
        return true;
    }
    if (!node(forest_, level - 1, 2 * index, &left) ||
        !node(forest_, level - 1, 2 * index + 1, &right))
        return false;
    *ret_digest = hub_merkle_node(&hub_sha256, &left, &right);
    return true;
}

static struct hub_merkle_tree grow(struct forest *forest, uint64_t size, uint64_t index) {
    forest->size = size;
    forest->index = index;
    forest->one = hub_merkle_leaf(&hub_sha256, hub_bytes_of_text(entry));
    forest->same[0] = hub_merkle_leaf(&hub_sha256, hub_bytes_of_text("{}"));
    for (unsigned i = 1; i < HUB_MERKLE_LEVELS; i++)
        forest->same[i] =
            hub_merkle_node(&hub_sha256, &forest->same[i - 1], &forest->same[i - 1]);
    return (struct hub_merkle_tree){&hub_sha256, node, forest};
}

static struct hub_note_key key_of(const char *name, const struct hub_ed25519_key *from) {
    struct hub_note_key key;
    struct hub_error error;
    expect_ok(hub_note_key_make(name, HUB_NOTE_SIGNATURE, from, &key, &error), &error);
    return key;
}

/* The checkpoint of the tree at that size. */
static void sign(const struct hub_merkle_tree *tree, uint64_t size, const char *name,
                 const struct hub_ed25519_key *from, struct hub_buffer *note) {
    struct hub_checkpoint checkpoint = {.size = size, .next_offset = 3 * (int64_t)size};
    struct hub_note_key key = key_of(origin, from);
    HUB_SCOPED_BUFFER text = {0};
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", name);
    if (size == BIG) /* of a log that is as large, several schemas take turns */
        for (size_t i = 0; i < SEGMENTS; i++)
            checkpoint.segments[checkpoint.segment_count++] =
                (struct hub_open_segment){BIG - 9000 + 1000 * i, 200000000 + i};
    assert_true(hub_merkle_root(tree, size, &checkpoint.root));
    hub_checkpoint_append(&checkpoint, &text);
    hub_buffer_append_bytes(note, hub_buffer_bytes(&text));
    hub_buffer_append_byte(note, '\n');
    hub_note_sign(&key, from, hub_buffer_bytes(&text), note);
}

static void prove(uint64_t size, uint64_t index, enum hub_proof_form form,
                  struct hub_buffer *file) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest, size, index);
    struct hub_inclusion inclusion = {.form = form, .index = index};
    HUB_SCOPED_BUFFER note = {0};
    sign(&tree, size, origin, &private, &note);
    assert_true(hub_merkle_prove(&tree, index, size, &inclusion.proof));
    inclusion.checkpoint = hub_buffer_bytes(&note);
    hub_inclusion_append(&inclusion, file);
}

static enum hub_status check(struct hub_bytes file, const char *text, struct hub_error *reterr) {
    struct hub_note_key key = key_of(origin, &private);
    struct hub_inclusion inclusion;
    struct hub_checkpoint checkpoint;
    return hub_inclusion_check(file, hub_bytes_of_text(text), &key, &inclusion, &checkpoint, reterr);
}

/* --- that a record is in it --- */

static void what_was_proved_is_shown(void **state) {
    (void)state;
    for (uint64_t size = 1; size <= SIZE; size++)
        for (uint64_t index = 0; index < size; index++)
            for (enum hub_proof_form form = HUB_PROOF_SPICY; form <= HUB_PROOF_TLOG; form++) {
                HUB_SCOPED_BUFFER file = {0}, again = {0};
                struct hub_inclusion inclusion;
                struct hub_error error;
                prove(size, index, form, &file);
                expect_ok(check(hub_buffer_bytes(&file), entry, &error), &error);
                expect_ok(hub_inclusion_read(hub_buffer_bytes(&file), &inclusion, &error), &error);
                assert_int_equal(inclusion.form, form);
                assert_int_equal(inclusion.index, index);
                hub_inclusion_append(&inclusion, &again);
                assert_true(hub_bytes_equal(hub_buffer_bytes(&again), hub_buffer_bytes(&file)));
                assert_int_equal(check(hub_buffer_bytes(&file), "{}", &error), HUB_REJECT);
                assert_says(error.text, "it does not show that this is entry");
            }
}

static void one_of_a_thousand_million_takes_less_than_two_kilobytes(void **state) {
    static const uint64_t indexes[] = {0, 1, BIG / 2 - 1, BIG / 2, 536870912, BIG - 1};
    (void)state;
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++)
        for (enum hub_proof_form form = HUB_PROOF_SPICY; form <= HUB_PROOF_TLOG; form++) {
            HUB_SCOPED_BUFFER file = {0};
            struct hub_error error;
            prove(BIG, indexes[i], form, &file);
            expect_ok(check(hub_buffer_bytes(&file), entry, &error), &error);
            assert_in_range(file.size, 1, PROOF_SIZE_MAX);
            assert_int_equal(check(hub_buffer_bytes(&file), "{}", &error), HUB_REJECT);
        }
}

static void every_flipped_bit_and_every_cut_is_found(void **state) {
    (void)state;
    for (enum hub_proof_form form = HUB_PROOF_SPICY; form <= HUB_PROOF_TLOG; form++) {
        HUB_SCOPED_BUFFER file = {0};
        struct hub_error error;
        prove(7, 4, form, &file);
        for (size_t i = 0; i < file.size; i++) {
            assert_int_equal(check(hub_bytes(file.data, i), entry, &error), HUB_REJECT);
            for (unsigned bit = 0; bit < 8; bit++) {
                file.data[i] ^= (uint8_t)(1 << bit);
                if (check(hub_buffer_bytes(&file), entry, &error) != HUB_REJECT)
                    fail_msg("bit %u of byte %zu", bit, i);
                file.data[i] ^= (uint8_t)(1 << bit);
            }
        }
        expect_ok(check(hub_buffer_bytes(&file), entry, &error), &error);
    }
}

static void replace(struct hub_bytes file, const char *from, const char *to,
                    struct hub_buffer *changed) {
    const char *text = (const char *)file.data, *at = strstr(text, from);
    assert_non_null(at);
    hub_buffer_append(changed, text, (size_t)(at - text));
    hub_buffer_append_text(changed, to);
    hub_buffer_append(changed, at + strlen(from), file.size - (size_t)(at - text) - strlen(from));
}

static void nothing_else_is_read(void **state) {
    static const struct {
        const char *from, *to;
    } wrong[] = {{"index 4", "index 04"},
                 {"index 4", "index -4"},
                 {"index 4", "index 99999999999999999999"},
                 {"index 4", "index"},
                 {"index 4\n", "index 4\nAAEC\n"},
                 {"index 4\n", "extra AAEC\nindex 4\n"}, /* before its header */
                 {"index 4", "Index 4"}};
    HUB_SCOPED_BUFFER file = {0}, more = {0}, many = {0};
    struct hub_inclusion inclusion;
    struct hub_error error;
    (void)state;
    prove(7, 4, HUB_PROOF_SPICY, &file);
    hub_buffer_text(&file);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        HUB_SCOPED_BUFFER changed = {0};
        replace(hub_buffer_bytes(&file), wrong[i].from, wrong[i].to, &changed);
        assert_int_equal(hub_inclusion_read(hub_buffer_bytes(&changed), &inclusion, &error),
                         HUB_REJECT);
        assert_says(error.text, "no proof");
    }
    hub_buffer_append_text(&many, "index 4\n");
    for (size_t i = 0; i <= HUB_PROOF_HASHES_MAX; i++)
        hub_buffer_append_text(&many, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    replace(hub_buffer_bytes(&file), "index 4\n", hub_buffer_text(&many), &more);
    assert_int_equal(hub_inclusion_read(hub_buffer_bytes(&more), &inclusion, &error), HUB_REJECT);
}

/* C2SP allows it; it is not signed, and changes nothing. */
static void what_nobody_signed_may_stand_in_it(void **state) {
    static const char header[] = "c2sp.org/tlog-proof@v1\n";
    HUB_SCOPED_BUFFER file = {0}, more = {0}, wrong = {0};
    struct hub_error error;
    (void)state;
    prove(7, 4, HUB_PROOF_TLOG, &file);
    hub_buffer_text(&file);
    replace(hub_buffer_bytes(&file), header, "c2sp.org/tlog-proof@v1\nextra AAEC\n", &more);
    expect_ok(check(hub_buffer_bytes(&more), entry, &error), &error);
    replace(hub_buffer_bytes(&file), header, "c2sp.org/tlog-proof@v1\nextra AAE\n", &wrong);
    assert_int_equal(check(hub_buffer_bytes(&wrong), entry, &error), HUB_REJECT);
}

static void another_log_and_another_key_show_nothing(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest, 7, 4);
    struct hub_inclusion inclusion = {.index = 4};
    HUB_SCOPED_BUFFER other = {0}, file = {0}, signed_by_another = {0}, second = {0};
    struct hub_error error;
    (void)state;
    assert_true(hub_merkle_prove(&tree, 4, 7, &inclusion.proof));
    sign(&tree, 7, "audit.example/log.slot-1", &private, &other);
    inclusion.checkpoint = hub_buffer_bytes(&other);
    hub_inclusion_append(&inclusion, &file);
    assert_int_equal(check(hub_buffer_bytes(&file), entry, &error), HUB_REJECT);
    assert_says(error.text, "its checkpoint is of 'audit.example/log.slot-1'");
    sign(&tree, 7, origin, &others_private, &signed_by_another);
    inclusion.checkpoint = hub_buffer_bytes(&signed_by_another);
    hub_inclusion_append(&inclusion, &second);
    assert_int_equal(check(hub_buffer_bytes(&second), entry, &error), HUB_REJECT);
    assert_says(error.text, "has not signed it");
}

/* --- that it only grew --- */

static void prove_growth(uint64_t from, uint64_t to, const struct hub_merkle_tree *tree,
                         const struct hub_merkle_tree *was, struct hub_buffer *file) {
    struct hub_proof proof;
    HUB_SCOPED_BUFFER earlier = {0}, later = {0};
    sign(was, from, origin, &private, &earlier);
    sign(tree, to, origin, &private, &later);
    assert_true(hub_merkle_prove_growth(tree, from, to, &proof));
    hub_growth_append(&proof, hub_buffer_bytes(&earlier), hub_buffer_bytes(&later), file);
}

static enum hub_status check_growth(struct hub_bytes file, struct hub_error *reterr) {
    struct hub_note_key key = key_of(origin, &private);
    struct hub_checkpoint from, to;
    return hub_growth_check(file, &key, &from, &to, reterr);
}

static void growth_is_shown_and_a_fork_is_not(void **state) {
    struct forest forest, other;
    struct hub_merkle_tree tree = grow(&forest, SIZE, 0), fork = grow(&other, SIZE, 1);
    (void)state;
    for (uint64_t from = 1; from <= SIZE; from++)
        for (uint64_t to = from; to <= SIZE; to++) {
            HUB_SCOPED_BUFFER file = {0}, forked = {0};
            struct hub_error error;
            prove_growth(from, to, &tree, &tree, &file);
            assert_true(hub_growth_is(hub_buffer_bytes(&file)));
            expect_ok(check_growth(hub_buffer_bytes(&file), &error), &error);
            prove_growth(from, to, &tree, &fork, &forked);
            assert_int_equal(check_growth(hub_buffer_bytes(&forked), &error), HUB_REJECT);
            assert_says(error.text, "it does not show that the log of");
        }
}

static void a_log_that_went_back_did_not_grow(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest, SIZE, 0);
    struct hub_proof none = {.count = 0};
    HUB_SCOPED_BUFFER earlier = {0}, later = {0}, file = {0};
    struct hub_error error;
    (void)state;
    sign(&tree, 20, origin, &private, &earlier);
    sign(&tree, 8, origin, &private, &later);
    hub_growth_append(&none, hub_buffer_bytes(&earlier), hub_buffer_bytes(&later), &file);
    assert_int_equal(check_growth(hub_buffer_bytes(&file), &error), HUB_REJECT);
}

static void every_flipped_bit_and_every_cut_of_growth_is_found(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest, SIZE, 0);
    HUB_SCOPED_BUFFER file = {0};
    struct hub_error error;
    (void)state;
    prove_growth(6, 9, &tree, &tree, &file);
    for (size_t i = 0; i < file.size; i++) {
        assert_int_equal(check_growth(hub_bytes(file.data, i), &error), HUB_REJECT);
        for (unsigned bit = 0; bit < 8; bit++) {
            file.data[i] ^= (uint8_t)(1 << bit);
            if (check_growth(hub_buffer_bytes(&file), &error) != HUB_REJECT)
                fail_msg("bit %u of byte %zu", bit, i);
            file.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    expect_ok(check_growth(hub_buffer_bytes(&file), &error), &error);
}

/* --- the record itself --- */

static void a_record_is_the_one_of_its_entry(void **state) {
    struct hub_segment header = {.origin = origin, .first = 3};
    struct hub_archived record = {.index = 5,
                                  .offset = 17,
                                  .kind = HUB_ARCHIVED_BYTES,
                                  .value = hub_bytes_of_text("what it says")};
    struct hub_leaf leaf = {.offset = 17};
    HUB_SCOPED_BUFFER segment = {0};
    struct hub_error error;
    size_t at = 0, size = 0, begins;
    (void)state;
    hub_segment_begin(&header, &hub_sha256, &segment);
    begins = segment.size;
    hub_segment_append(&header, &record, &segment, &at, &size);
    leaf.digest = hub_sha256.digest(hub_bytes(segment.data + at, size));
    struct hub_bytes bytes = hub_buffer_bytes(&segment);
    expect_ok(hub_proof_check_record(bytes, 5, &leaf, &error), &error);
    assert_int_equal(hub_proof_check_record(bytes, 6, &leaf, &error), HUB_REJECT);
    leaf.offset = 18;
    assert_int_equal(hub_proof_check_record(bytes, 5, &leaf, &error), HUB_REJECT);
    leaf.offset = 17;
    for (size_t i = 0; i < segment.size; i++)
        assert_int_equal(hub_proof_check_record(hub_bytes(bytes.data, i), 5, &leaf, &error),
                         HUB_REJECT);
    for (size_t i = begins; i < segment.size; i++) {
        segment.data[i] ^= 1;
        assert_int_equal(hub_proof_check_record(bytes, 5, &leaf, &error), HUB_REJECT);
        segment.data[i] ^= 1;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_proved_is_shown),
        cmocka_unit_test(one_of_a_thousand_million_takes_less_than_two_kilobytes),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_found),
        cmocka_unit_test(nothing_else_is_read),
        cmocka_unit_test(what_nobody_signed_may_stand_in_it),
        cmocka_unit_test(another_log_and_another_key_show_nothing),
        cmocka_unit_test(growth_is_shown_and_a_fork_is_not),
        cmocka_unit_test(a_log_that_went_back_did_not_grow),
        cmocka_unit_test(every_flipped_bit_and_every_cut_of_growth_is_found),
        cmocka_unit_test(a_record_is_the_one_of_its_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
