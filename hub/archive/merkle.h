/* The Merkle tree of a log (RFC 6962 section 2.1, RFC 9162 section 2.1): what a log of n entries was is
 * one hash, its root; that an entry is in it, or that a longer log only adds to it, is shown by a few
 * hashes more.
 *
 * Pure. Nodes are named by level and index: level 0 are the entries, and the node (level, index) stands for
 * the 2^level entries from index * 2^level on. Only complete nodes are asked for. */
#pragma once

#include "hub/base/digest.h"

#include <stdbool.h>

enum { HUB_MERKLE_LEVELS = 64, HUB_PROOF_HASHES_MAX = 2 * HUB_MERKLE_LEVELS };

/* Of an entry, and of two nodes that are one. */
struct hub_digest hub_merkle_leaf(const struct hub_digester *digester, struct hub_bytes entry);
struct hub_digest hub_merkle_node(const struct hub_digester *digester,
                                  const struct hub_digest *left, const struct hub_digest *right);

/* Where the nodes are. */
struct hub_merkle_tree {
    const struct hub_digester *digester;
    /* False where the node cannot be had. */
    bool (*node)(void *context, unsigned level, uint64_t index, struct hub_digest *ret_digest);
    void *context;
};

struct hub_proof {
    struct hub_digest hashes[HUB_PROOF_HASHES_MAX];
    size_t count;
};

/* All of them are false where a node could not be had. */
bool hub_merkle_root(const struct hub_merkle_tree *tree, uint64_t size,
                     struct hub_digest *ret_root);
/* That the entry of that index, less than size, is in the tree of that size. */
bool hub_merkle_prove(const struct hub_merkle_tree *tree, uint64_t index, uint64_t size,
                      struct hub_proof *ret_proof);
/* That the tree of size `to` begins with that of size `from`, from 0 to `to`. */
bool hub_merkle_prove_growth(const struct hub_merkle_tree *tree, uint64_t from, uint64_t to,
                             struct hub_proof *ret_proof);

/* Whether a proof shows it. Nothing is trusted but the roots. */
bool hub_merkle_includes(const struct hub_digester *digester, const struct hub_proof *proof,
                         uint64_t index, const struct hub_digest *leaf, uint64_t size,
                         const struct hub_digest *root);
bool hub_merkle_grew(const struct hub_digester *digester, const struct hub_proof *proof,
                     uint64_t from, const struct hub_digest *from_root, uint64_t to,
                     const struct hub_digest *to_root);
