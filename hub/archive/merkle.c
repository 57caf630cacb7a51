#include "hub/archive/merkle.h"

#include "hub/base/status.h"

#include <string.h>

struct hub_digest hub_merkle_leaf(const struct hub_digester *digester, struct hub_bytes entry) {
    enum { SHORT = 1024 };
    HUB_NOT_ZEROED uint8_t near[1 + SHORT];
    near[0] = 0;
    if (entry.size <= SHORT) { /* nearly all are */
        if (entry.size > 0)
            memcpy(near + 1, entry.data, entry.size);
        return digester->digest(hub_bytes(near, 1 + entry.size));
    }
    HUB_SCOPED_BUFFER message = {0};
    hub_buffer_append_byte(&message, 0);
    hub_buffer_append_bytes(&message, entry);
    return digester->digest(hub_buffer_bytes(&message));
}

struct hub_digest hub_merkle_node(const struct hub_digester *digester,
                                  const struct hub_digest *left, const struct hub_digest *right) {
    uint8_t message[1 + 2 * HUB_DIGEST_SIZE] = {1};
    memcpy(message + 1, left->bytes, HUB_DIGEST_SIZE);
    memcpy(message + 1 + HUB_DIGEST_SIZE, right->bytes, HUB_DIGEST_SIZE);
    return digester->digest(hub_bytes(message, sizeof message));
}

/* --- ranges of entries --- */

/* The level of the largest complete node that is less than `size` entries, of at least two. */
static unsigned split_level(uint64_t size) {
    return 63u - (unsigned)__builtin_clzll(size - 1);
}

/* The tree of the entries [from, to), as those of RFC 6962: where it is split, what is left of it is one
 * complete node. */
static bool range(const struct hub_merkle_tree *tree, uint64_t from, uint64_t to,
                  struct hub_digest *ret_digest) {
    uint64_t size = to - from;
    if ((size & (size - 1)) == 0) {
        unsigned level = (unsigned)__builtin_ctzll(size);
        return tree->node(tree->context, level, from >> level, ret_digest);
    }
    unsigned level = split_level(size);
    struct hub_digest left, right;
    if (!tree->node(tree->context, level, from >> level, &left) ||
        !range(tree, from + (UINT64_C(1) << level), to, &right))
        return false;
    *ret_digest = hub_merkle_node(tree->digester, &left, &right);
    return true;
}

bool hub_merkle_root(const struct hub_merkle_tree *tree, uint64_t size,
                     struct hub_digest *ret_root) {
    if (size > 0)
        return range(tree, 0, size, ret_root);
    *ret_root = tree->digester->digest(hub_bytes(NULL, 0));
    return true;
}

/* --- proofs --- */

static bool add_range(const struct hub_merkle_tree *tree, uint64_t from, uint64_t to,
                      struct hub_proof *proof) {
    return range(tree, from, to, &proof->hashes[proof->count++]);
}

/* PATH of RFC 6962 section 2.1.1, from the entry up. */
static bool prove(const struct hub_merkle_tree *tree, uint64_t index, uint64_t from, uint64_t to,
                  struct hub_proof *proof) {
    if (to - from == 1)
        return true;
    uint64_t middle = from + (UINT64_C(1) << split_level(to - from));
    if (index < middle)
        return prove(tree, index, from, middle, proof) && add_range(tree, middle, to, proof);
    return prove(tree, index, middle, to, proof) && add_range(tree, from, middle, proof);
}

bool hub_merkle_prove(const struct hub_merkle_tree *tree, uint64_t index, uint64_t size,
                      struct hub_proof *ret_proof) {
    assert(index < size);
    ret_proof->count = 0;
    return prove(tree, index, 0, size, ret_proof);
}

/* SUBPROOF of RFC 6962 section 2.1.2; `whole`: what is left of it is all of the smaller tree, whose hash
 * whoever asks has. */
static bool prove_growth(const struct hub_merkle_tree *tree, uint64_t size, uint64_t from,
                         uint64_t to, bool whole, struct hub_proof *proof) {
    if (size == to)
        return whole || add_range(tree, from, to, proof);
    uint64_t middle = from + (UINT64_C(1) << split_level(to - from));
    if (size <= middle)
        return prove_growth(tree, size, from, middle, whole, proof) &&
               add_range(tree, middle, to, proof);
    return prove_growth(tree, size, middle, to, false, proof) &&
           add_range(tree, from, middle, proof);
}

bool hub_merkle_prove_growth(const struct hub_merkle_tree *tree, uint64_t from, uint64_t to,
                             struct hub_proof *ret_proof) {
    assert(from <= to);
    ret_proof->count = 0;
    return from == 0 || from == to || prove_growth(tree, from, 0, to, true, ret_proof);
}

/* --- looking at proofs --- */

static bool is_same(const struct hub_digest *a, const struct hub_digest *b) {
    return memcmp(a->bytes, b->bytes, HUB_DIGEST_SIZE) == 0;
}

/* RFC 9162 section 2.1.3.2. */
bool hub_merkle_includes(const struct hub_digester *digester, const struct hub_proof *proof,
                         uint64_t index, const struct hub_digest *leaf, uint64_t size,
                         const struct hub_digest *root) {
    if (index >= size)
        return false;
    uint64_t place = index, last = size - 1;
    struct hub_digest hash = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        const struct hub_digest *other = &proof->hashes[i];
        if (last == 0)
            return false;
        if ((place & 1) != 0 || place == last) {
            hash = hub_merkle_node(digester, other, &hash);
            for (; (place & 1) == 0 && place != 0; place >>= 1)
                last >>= 1;
        } else {
            hash = hub_merkle_node(digester, &hash, other);
        }
        place >>= 1;
        last >>= 1;
    }
    return last == 0 && is_same(&hash, root);
}

/* RFC 9162 section 2.1.4.2, for sizes that are not 0 and differ. */
static bool grew(const struct hub_digester *digester, const struct hub_digest *hashes,
                 size_t count, uint64_t from, const struct hub_digest *from_root, uint64_t to,
                 const struct hub_digest *to_root) {
    uint64_t place = from - 1, last = to - 1;
    for (; (place & 1) != 0; place >>= 1)
        last >>= 1;
    struct hub_digest old = hashes[0], new = hashes[0];
    for (size_t i = 1; i < count; i++) {
        if (last == 0)
            return false;
        if ((place & 1) != 0 || place == last) {
            old = hub_merkle_node(digester, &hashes[i], &old);
            new = hub_merkle_node(digester, &hashes[i], &new);
            for (; (place & 1) == 0 && place != 0; place >>= 1)
                last >>= 1;
        } else {
            new = hub_merkle_node(digester, &new, &hashes[i]);
        }
        place >>= 1;
        last >>= 1;
    }
    return last == 0 && is_same(&old, from_root) && is_same(&new, to_root);
}

bool hub_merkle_grew(const struct hub_digester *digester, const struct hub_proof *proof,
                     uint64_t from, const struct hub_digest *from_root, uint64_t to,
                     const struct hub_digest *to_root) {
    struct hub_digest hashes[HUB_PROOF_HASHES_MAX + 1];
    size_t count = 0;
    if (from > to)
        return false;
    if (from == to)
        return proof->count == 0 && is_same(from_root, to_root);
    if (from == 0) {
        struct hub_digest nothing = digester->digest(hub_bytes(NULL, 0));
        return proof->count == 0 && is_same(from_root, &nothing);
    }
    if ((from & (from - 1)) == 0) /* the smaller tree is itself a node of the larger */
        hashes[count++] = *from_root;
    if (proof->count > HUB_PROOF_HASHES_MAX || count + proof->count == 0)
        return false;
    memcpy(&hashes[count], proof->hashes, proof->count * sizeof *hashes);
    return grew(digester, hashes, count + proof->count, from, from_root, to, to_root);
}
