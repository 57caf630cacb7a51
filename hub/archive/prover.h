/* Makes proofs (hub/archive/proof.h) of the files of a partition's log, and of no more of them than it needs. */
#pragma once

#include "hub/archive/proof.h"

struct hub_prover;

/* HUB_REJECT where its checkpoint is not signed by the key, HUB_FATAL where files cannot be read. */
HUB_MUST_USE enum hub_status hub_prover_open(const char *folder, const struct hub_note_key *key,
                                             struct hub_prover **ret_prover,
                                             struct hub_error *reterr);
void hub_prover_close(struct hub_prover *prover); /* NULL is fine */
const struct hub_checkpoint *hub_prover_checkpoint(const struct hub_prover *prover);

/* The index of the record that has this offset in its partition. HUB_REJECT where none has. */
HUB_MUST_USE enum hub_status hub_prover_find(struct hub_prover *prover, int64_t offset,
                                             uint64_t *ret_index, struct hub_error *reterr);
/* Appends the entry of that index. HUB_REJECT where there is none, or it is of no record. */
HUB_MUST_USE enum hub_status hub_prover_entry(struct hub_prover *prover, uint64_t index,
                                              struct hub_buffer *entry, struct hub_leaf *ret_leaf,
                                              struct hub_error *reterr);
/* Appends the record that the entry is of, as a segment that has only this one. HUB_REJECT where its bytes are
 * not those that were archived. */
HUB_MUST_USE enum hub_status hub_prover_record(struct hub_prover *prover,
                                               const struct hub_leaf *leaf,
                                               struct hub_buffer *segment,
                                               struct hub_error *reterr);
/* Appends a proof that the entry of that index, less than the size, is in the log of the last checkpoint. */
HUB_MUST_USE enum hub_status hub_prover_include(struct hub_prover *prover, uint64_t index,
                                                enum hub_proof_form form, struct hub_buffer *file,
                                                struct hub_error *reterr);
/* Appends a proof that the log, of which there is a checkpoint of either size, only grew between them.
 * HUB_REJECT where `from` is more than `to` or `to` more than the log has. */
HUB_MUST_USE enum hub_status hub_prover_growth(struct hub_prover *prover, uint64_t from, uint64_t to,
                                               struct hub_buffer *file, struct hub_error *reterr);
