/* merkle: roots as published, and proofs of every entry of every small tree, which show that and nothing
 * else. */
#include "hub/archive/merkle.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"

enum { SIZE_MAX_TRIED = 70 };

/* A tree whose entries are their indexes. */
struct forest {
    struct hub_digest leaves[SIZE_MAX_TRIED];
    struct hub_digest roots[SIZE_MAX_TRIED + 1]; /* of each size */
};

/* As RFC 6962 section 2.1 defines it, word for word. */
static struct hub_digest tree_hash(const struct hub_digest *leaves, size_t size) {
    size_t split = 1;
    if (size == 0)
        return hub_sha256.digest(hub_bytes(NULL, 0));
    if (size == 1)
        return leaves[0];
    while (split * 2 < size)
        split *= 2;
    struct hub_digest left = tree_hash(leaves, split);
    struct hub_digest right = tree_hash(leaves + split, size - split);
    return hub_merkle_node(&hub_sha256, &left, &right);
}

static bool node(void *forest_, unsigned level, uint64_t index, struct hub_digest *ret_digest) {
    const struct forest *forest = forest_;
    uint64_t from = index << level, size = UINT64_C(1) << level;
    if (from + size > SIZE_MAX_TRIED)
        return false;
    *ret_digest = tree_hash(forest->leaves + from, size);
    return true;
}

static struct hub_merkle_tree grow(struct forest *forest) {
    for (uint8_t i = 0; i < SIZE_MAX_TRIED; i++)
        forest->leaves[i] = hub_merkle_leaf(&hub_sha256, hub_bytes(&i, 1));
    for (size_t i = 0; i <= SIZE_MAX_TRIED; i++)
        forest->roots[i] = tree_hash(forest->leaves, i);
    return (struct hub_merkle_tree){&hub_sha256, node, forest};
}

/* The eight entries of Certificate Transparency's own tests. */
static void roots_are_as_published(void **state) {
    static const struct hub_bytes entries[] = {
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"\x00", 1},
        {(const uint8_t *)"\x10", 1},
        {(const uint8_t *)"\x20\x21", 2},
        {(const uint8_t *)"\x30\x31", 2},
        {(const uint8_t *)"\x40\x41\x42\x43", 4},
        {(const uint8_t *)"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
        {(const uint8_t *)"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest);
    (void)state;
    for (size_t i = 0; i < 8; i++)
        forest.leaves[i] = hub_merkle_leaf(&hub_sha256, entries[i]);
    for (size_t size = 0; size <= 8; size++) {
        char text[HUB_DIGEST_TEXT_SIZE];
        struct hub_digest root;
        assert_true(hub_merkle_root(&tree, size, &root));
        hub_digest_text(&root, HUB_DIGEST_SIZE, text);
        assert_string_equal(text, roots[size]);
    }
}

static void the_root_is_the_one_that_is_defined(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest);
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_TRIED; size++) {
        struct hub_digest root;
        assert_true(hub_merkle_root(&tree, size, &root));
        assert_memory_equal(&root, &forest.roots[size], sizeof root);
    }
}

/* --- that an entry is in it --- */

static bool includes(const struct forest *forest, const struct hub_proof *proof, uint64_t index,
                     size_t leaf, uint64_t size, size_t root) {
    return hub_merkle_includes(&hub_sha256, proof, index, &forest->leaves[leaf], size,
                               &forest->roots[root]);
}

static void every_entry_of_every_tree_is_shown_to_be_in_it(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest);
    (void)state;
    for (size_t size = 1; size <= SIZE_MAX_TRIED; size++)
        for (size_t index = 0; index < size; index++) {
            struct hub_proof proof;
            assert_true(hub_merkle_prove(&tree, index, size, &proof));
            assert_true(includes(&forest, &proof, index, index, size, size));
            for (size_t other = 0; other < SIZE_MAX_TRIED; other++) {
                assert_true(other == index ||
                            !includes(&forest, &proof, index, other, size, size));
                assert_true(other == index ||
                            !includes(&forest, &proof, other, index, size, size));
                assert_true(other == size ||
                            !includes(&forest, &proof, index, index, size, other));
            }
        }
}

static void a_proof_that_was_altered_shows_nothing(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest);
    (void)state;
    for (size_t size = 1; size <= SIZE_MAX_TRIED; size++) {
        size_t index = size * 7 / 11;
        struct hub_proof proof;
        assert_true(hub_merkle_prove(&tree, index, size, &proof));
        for (size_t i = 0; i < proof.count; i++) {
            proof.hashes[i].bytes[i % HUB_DIGEST_SIZE] ^= 1;
            assert_false(includes(&forest, &proof, index, index, size, size));
            proof.hashes[i].bytes[i % HUB_DIGEST_SIZE] ^= 1;
        }
        proof.hashes[proof.count] = forest.leaves[0];
        proof.count++;
        assert_false(includes(&forest, &proof, index, index, size, size));
        proof.count--;
        if (proof.count > 0) {
            proof.count--;
            assert_false(includes(&forest, &proof, index, index, size, size));
        }
    }
}

/* --- that a log only grew --- */

static bool grew(const struct forest *forest, const struct hub_proof *proof, size_t from,
                 size_t from_root, size_t to, size_t to_root) {
    return hub_merkle_grew(&hub_sha256, proof, from, &forest->roots[from_root], to,
                           &forest->roots[to_root]);
}

static void every_tree_is_shown_to_begin_with_every_smaller_one(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest);
    (void)state;
    for (size_t to = 0; to <= SIZE_MAX_TRIED; to++)
        for (size_t from = 0; from <= to; from++) {
            struct hub_proof proof;
            assert_true(hub_merkle_prove_growth(&tree, from, to, &proof));
            assert_true(grew(&forest, &proof, from, from, to, to));
            for (size_t other = 0; other <= SIZE_MAX_TRIED; other++) {
                assert_true(other == from || !grew(&forest, &proof, from, other, to, to));
                /* that it began with nothing says nothing of it */
                assert_true(other == to || from == 0 ||
                            !grew(&forest, &proof, from, from, to, other));
            }
            assert_true(from == to || !grew(&forest, &proof, to, to, from, from));
        }
}

static void a_proof_of_growth_that_was_altered_shows_nothing(void **state) {
    struct forest forest;
    struct hub_merkle_tree tree = grow(&forest);
    (void)state;
    for (size_t to = 2; to <= SIZE_MAX_TRIED; to++)
        for (size_t from = 1; from < to; from++) {
            struct hub_proof proof;
            assert_true(hub_merkle_prove_growth(&tree, from, to, &proof));
            for (size_t i = 0; i < proof.count; i++) {
                proof.hashes[i].bytes[0] ^= 0x80;
                assert_false(grew(&forest, &proof, from, from, to, to));
                proof.hashes[i].bytes[0] ^= 0x80;
            }
            proof.hashes[proof.count] = forest.leaves[0];
            proof.count++;
            assert_false(grew(&forest, &proof, from, from, to, to));
            proof.count -= 2;
            assert_false(grew(&forest, &proof, from, from, to, to));
        }
}

/* A log whose past was changed, however little, has no proof that it only grew. */
static void a_past_that_was_changed_has_no_proof(void **state) {
    struct forest forest, other;
    struct hub_merkle_tree tree = grow(&forest), forged = grow(&other);
    (void)state;
    for (size_t from = 1; from < 40; from++) {
        struct hub_proof proof;
        struct hub_digest was = other.leaves[from / 2];
        other.leaves[from / 2].bytes[31] ^= 1;
        struct hub_digest root = tree_hash(other.leaves, 50);
        assert_true(hub_merkle_prove_growth(&forged, from, 50, &proof));
        assert_false(hub_merkle_grew(&hub_sha256, &proof, from, &forest.roots[from], 50, &root));
        assert_true(hub_merkle_prove_growth(&tree, from, 50, &proof));
        assert_false(hub_merkle_grew(&hub_sha256, &proof, from, &forest.roots[from], 50, &root));
        other.leaves[from / 2] = was;
    }
}

/* --- what cannot be had, and what is large --- */

static bool no_node(void *context, unsigned level, uint64_t index, struct hub_digest *ret_digest) {
    (void)context;
    (void)level;
    (void)index;
    (void)ret_digest;
    return false;
}

static void what_cannot_be_had_is_said(void **state) {
    struct hub_merkle_tree tree = {&hub_sha256, no_node, NULL};
    struct hub_proof proof;
    struct hub_digest root;
    (void)state;
    assert_false(hub_merkle_root(&tree, 3, &root));
    assert_false(hub_merkle_prove(&tree, 1, 3, &proof));
    assert_false(hub_merkle_prove_growth(&tree, 1, 3, &proof));
}

/* The tree of entries that are all the same: a node of a level is known without its entries. */
static bool same_node(void *context, unsigned level, uint64_t index,
                      struct hub_digest *ret_digest) {
    (void)index;
    *ret_digest = ((const struct hub_digest *)context)[level];
    return true;
}

static void a_proof_among_a_thousand_million_is_short(void **state) {
    struct hub_digest levels[HUB_MERKLE_LEVELS];
    struct hub_merkle_tree tree = {&hub_sha256, same_node, levels};
    const uint64_t size = 1000000007;
    struct hub_digest root, before;
    struct hub_proof proof;
    (void)state;
    levels[0] = hub_merkle_leaf(&hub_sha256, hub_bytes_of_text("entry"));
    for (size_t i = 1; i < HUB_MERKLE_LEVELS; i++)
        levels[i] = hub_merkle_node(&hub_sha256, &levels[i - 1], &levels[i - 1]);
    assert_true(hub_merkle_root(&tree, size, &root));
    assert_true(hub_merkle_prove(&tree, size / 3, size, &proof));
    assert_true(hub_merkle_includes(&hub_sha256, &proof, size / 3, &levels[0], size, &root));
    assert_int_equal(proof.count, 30);
    assert_true(proof.count * HUB_DIGEST_SIZE < 1024);
    assert_true(hub_merkle_root(&tree, size - 12345, &before));
    assert_true(hub_merkle_prove_growth(&tree, size - 12345, size, &proof));
    assert_true(hub_merkle_grew(&hub_sha256, &proof, size - 12345, &before, size, &root));
    assert_true(proof.count <= 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_as_published),
        cmocka_unit_test(the_root_is_the_one_that_is_defined),
        cmocka_unit_test(every_entry_of_every_tree_is_shown_to_be_in_it),
        cmocka_unit_test(a_proof_that_was_altered_shows_nothing),
        cmocka_unit_test(every_tree_is_shown_to_begin_with_every_smaller_one),
        cmocka_unit_test(a_proof_of_growth_that_was_altered_shows_nothing),
        cmocka_unit_test(a_past_that_was_changed_has_no_proof),
        cmocka_unit_test(what_cannot_be_had_is_said),
        cmocka_unit_test(a_proof_among_a_thousand_million_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
