/* hubctl replay, in parts: what was asked for (replay_plan.c), where it goes (replay_file.c, replay_topic.c), what
 * it ends with (replay_certificate.c), and the loop (replay.c).
 *
 * When it begins, CERTIFICATE.begun says what was asked for, and of each log how long it was: whoever goes on
 * reads the same records, though the archive has grown. The certificate takes its place at the end. */
#pragma once

#include "hub/archive/choice.h"
#include "hub/ctl/archive.h"

#include <jansson.h>

/* Where a record stood. */
struct hub_replay_place {
    char topic[HUB_TOPIC_SIZE_MAX + 1];
    int32_t partition;
    int64_t offset, timestamp_ms;
};

/* By what unified records of a topic were made. */
struct hub_replay_rules {
    char *topic, *rules;
    int64_t core;
    uint64_t records;
};

/* What an earlier run has given out. */
struct hub_replayed {
    uint64_t count;
    struct hub_digest digest; /* of its tally */
};

struct hub_replaying {
    struct hub_ctl *ctl;
    struct hub_arena arena;
    struct hub_ctl_keys keys;
    const char *certificate_path, *begun_path;
    json_t *begun; /* what CERTIFICATE.begun says */
    struct hub_choice choice;
    int64_t from_ms, to_ms;
    struct hub_replay_log *logs;
    size_t log_count, log_capacity;
    struct hub_replay *replay;
    struct hub_values *values;
    const struct hub_replay_target *target;
    void *state; /* the target's */

    struct hub_tally tally; /* of all that was replayed, by earlier runs too */
    struct hub_replay_place first, last;
    struct hub_replay_rules *rules;
    size_t rules_count, rules_capacity;
};

/* Where it goes. HUB_RETRY: it cannot be reached; what is safe by then is found by the next that goes on. */
struct hub_replay_target {
    /* With what earlier runs have left there; HUB_REJECT where it is not theirs. Where none is gone on with
     * (ctl->resume) there must be nothing. */
    enum hub_status (*open)(struct hub_replaying *replaying, struct hub_replayed *ret_written,
                            struct hub_error *reterr);
    /* The record is in the tally already; the schema is that of its value, or NULL. */
    enum hub_status (*write)(struct hub_replaying *replaying,
                             const struct hub_archive_record *record,
                             const struct hub_schema *schema, struct hub_error *reterr);
    enum hub_status (*flush)(struct hub_replaying *replaying, struct hub_error *reterr);
    /* All of it is safe then. */
    enum hub_status (*finish)(struct hub_replaying *replaying, struct hub_error *reterr);
    void (*close)(struct hub_replaying *replaying); /* takes what open() left half made */
};
extern const struct hub_replay_target hub_replay_to_file, hub_replay_to_topic;

#define HUB_REPLAY_TOPIC_PREFIX "replay."

/* Opens the replay of what is asked for, or of what was begun. HUB_REJECT where that cannot be, FATAL where the
 * archive cannot be read. */
HUB_MUST_USE enum hub_status hub_replay_plan(struct hub_replaying *replaying,
                                             struct hub_error *reterr);
/* Writes down that it begins. */
HUB_MUST_USE enum hub_status hub_replay_begin(struct hub_replaying *replaying,
                                              struct hub_error *reterr);

/* Counts a record in, of which the schema is that of its value. */
void hub_replay_count_in(struct hub_replaying *replaying, const struct hub_archive_record *record,
                         const struct hub_schema *schema);
/* Writes the certificate, and removes what says that it began. */
HUB_MUST_USE enum hub_status hub_replay_certify(struct hub_replaying *replaying,
                                                struct hub_error *reterr);
