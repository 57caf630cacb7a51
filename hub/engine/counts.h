/* Counts as text: they ride in the metadata of the offset commits, so that they survive the process
 * and are exactly as old as the offsets. Before them a commit says by which schemas it was made:
 * "schemas=100027:0123456789abcdef v1 read=... ...". */
#pragma once

#include "hub/stages/admit.h"
#include "hub/stages/fold.h"
#include "hub/stages/refer.h"

/* Appends "v1 read=... ...". */
void hub_counts_render_admit(const struct hub_admit_counts *counts, struct hub_buffer *buffer);
/* With what the shard holds, the core that folded it and the rules in force there: whoever asks need
 * not read the log. */
struct hub_committed_fold {
    struct hub_fold_counts counts;
    struct hub_fold_gauges gauges;
    int64_t core;
    char rules[HUB_RULES_HASH_SIZE + 1];
};
void hub_counts_render_fold(const struct hub_committed_fold *fold, struct hub_buffer *buffer);

/* Of refer " DOMAIN=OFFSET" follows for each domain that it follows: up to where. */
void hub_counts_render_refer(const struct hub_refer_counts *counts, struct hub_buffer *buffer);

/* Appends "schemas=STAMP ", which the counts follow. */
void hub_counts_render_schemas(const char *stamp, struct hub_buffer *buffer);
/* HUB_FATAL where the text names schemas that the catalogue does not have: a process that knows less
 * must not go on. */
HUB_MUST_USE enum hub_status hub_counts_check_schemas(const char *text,
                                                      const struct hub_catalogue *catalogue,
                                                      const struct hub_digester *digester,
                                                      struct hub_error *reterr);

/* HUB_FATAL where the text is not one of these; NULL gives zeros and no rules. */
HUB_MUST_USE enum hub_status hub_counts_parse_admit(const char *text,
                                                    struct hub_admit_counts *ret_counts,
                                                    struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_counts_parse_fold(const char *text,
                                                   struct hub_committed_fold *ret_fold,
                                                   struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_counts_parse_refer(const char *text,
                                                    struct hub_refer_counts *ret_counts,
                                                    struct hub_error *reterr);
/* Up to where a domain is followed; false where it is not. */
bool hub_counts_followed(const char *text, const char *domain, int64_t *ret_offset);
