/* hubctl replay: gives out again what is archived, in the order in which it happened. */
#include "hub/ctl/replay.h"

#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 1000, LOOK_EVERY = 64 /* records */, FLUSH_BEFORE_MS = 50 };

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* --- pace --- */

struct pace {
    bool shows; /* on a terminal */
    int64_t began_ms, ticked_ms; /* monotonic */
    uint64_t done_before, count_before;
    bool has_first;
    int64_t first_ms;  /* when the first record was appended */
    int64_t played_ms; /* monotonic, when it was given out */
};

static void show(const struct hub_replaying *replaying, const struct pace *pace, int64_t now_ms) {
    uint64_t done = hub_replay_done(replaying->replay), size = hub_replay_size(replaying->replay);
    double took_s = (double)(now_ms - pace->began_ms) / 1000.0;
    double read = (double)(done - pace->done_before);
    int64_t left_s = read > 0 ? (int64_t)((double)(size - done) * took_s / read) : 0;
    fprintf(stderr, "\r%llu records, %.0f/s, %lld:%02lld:%02lld left\033[K",
            (unsigned long long)replaying->tally.count,
            (double)(replaying->tally.count - pace->count_before) / took_s,
            (long long)left_s / 3600, (long long)left_s / 60 % 60, (long long)left_s % 60);
}

/* Once a second: what was given out by then is safe, and is seen. */
static enum hub_status tick(struct hub_replaying *replaying, struct pace *pace,
                            struct hub_error *reterr) {
    int64_t now_ms = hub_clock_monotonic_ms();
    if (now_ms - pace->ticked_ms < TICK_MS)
        return HUB_OK;
    pace->ticked_ms = now_ms;
    if (pace->shows)
        show(replaying, pace, now_ms);
    return replaying->target->flush(replaying, reterr);
}

/* Until the record is due. A signal ends the wait. */
static enum hub_status wait_for(struct hub_replaying *replaying, struct pace *pace,
                                int64_t timestamp_ms, struct hub_error *reterr) {
    double speed = replaying->ctl->speed;
    if (speed <= 0)
        return HUB_OK;
    if (!pace->has_first) {
        pace->has_first = true;
        pace->first_ms = timestamp_ms;
        pace->played_ms = hub_clock_monotonic_ms();
    }
    int64_t due_ms = pace->played_ms + (int64_t)((double)(timestamp_ms - pace->first_ms) / speed);
    int64_t left_ms = due_ms - hub_clock_monotonic_ms();
    if (left_ms >= FLUSH_BEFORE_MS)
        HUB_TRY(replaying->target->flush(replaying, reterr));
    while (!stop_requested && (left_ms = due_ms - hub_clock_monotonic_ms()) > 0) {
        hub_pause_ms(left_ms < TICK_MS ? left_ms : TICK_MS);
        HUB_TRY(tick(replaying, pace, reterr));
    }
    return HUB_OK;
}

/* --- records --- */

/* The next one that is asked for; NULL at the end, and where it was stopped. */
static enum hub_status next(struct hub_replaying *replaying, struct pace *pace,
                            const struct hub_archive_record **ret_record,
                            struct hub_error *reterr) {
    for (uint64_t i = 0;; i++) {
        HUB_TRY(hub_replay_next(replaying->replay, ret_record, reterr));
        if (stop_requested)
            *ret_record = NULL;
        if (*ret_record == NULL || hub_choice_has(&replaying->choice, (*ret_record)->leaf.topic,
                                                  (*ret_record)->record.key))
            return HUB_OK;
        if (i % LOOK_EVERY == LOOK_EVERY - 1)
            HUB_TRY(tick(replaying, pace, reterr));
    }
}

static enum hub_status open_value(struct hub_replaying *replaying,
                                  const struct hub_archive_record *record,
                                  const struct hub_schema **ret_schema, struct hub_error *reterr) {
    enum hub_status status = hub_values_open(replaying->values, record, ret_schema, reterr);
    return status == HUB_OK ? HUB_OK
                            : hub_fail_at(reterr, status, "%s: record %llu",
                                          record->segment->origin,
                                          (unsigned long long)record->index);
}

/* Passes over what an earlier run has written: it must be the same. */
static enum hub_status pass_over(struct hub_replaying *replaying, struct pace *pace,
                                 const struct hub_replayed *written, struct hub_error *reterr) {
    const struct hub_archive_record *record = NULL;
    const struct hub_schema *schema = NULL;
    while (replaying->tally.count < written->count) {
        HUB_TRY(next(replaying, pace, &record, reterr));
        if (record == NULL && stop_requested)
            return HUB_OK;
        if (record == NULL)
            return hub_fail(reterr, HUB_REJECT, "%llu records are written, and there are %llu to "
                            "replay", (unsigned long long)written->count,
                            (unsigned long long)replaying->tally.count);
        HUB_TRY(open_value(replaying, record, &schema, reterr));
        hub_replay_count_in(replaying, record, schema);
        if (replaying->tally.count % LOOK_EVERY == 0)
            HUB_TRY(tick(replaying, pace, reterr));
    }
    struct hub_digest digest = hub_tally_digest(&replaying->tally);
    if (written->count > 0 && memcmp(&written->digest, &digest, sizeof digest) != 0)
        return hub_fail(reterr, HUB_REJECT, "the %llu records that are written are not the first ones "
                        "of this replay", (unsigned long long)written->count);
    return HUB_OK;
}

static enum hub_status give_out(struct hub_replaying *replaying, struct pace *pace,
                                struct hub_error *reterr) {
    const struct hub_archive_record *record = NULL;
    for (;;) {
        const struct hub_schema *schema = NULL;
        HUB_TRY(next(replaying, pace, &record, reterr));
        if (record == NULL)
            return HUB_OK;
        HUB_TRY(wait_for(replaying, pace, record->leaf.timestamp_ms, reterr));
        if (stop_requested)
            return HUB_OK;
        HUB_TRY(open_value(replaying, record, &schema, reterr));
        hub_replay_count_in(replaying, record, schema);
        HUB_TRY(replaying->target->write(replaying, record, schema, reterr));
        if (replaying->tally.count % LOOK_EVERY == 0)
            HUB_TRY(tick(replaying, pace, reterr));
    }
}

/* --- running --- */

static enum hub_status play(struct hub_replaying *replaying, struct hub_error *reterr) {
    struct hub_replayed written = {0};
    int64_t now_ms = hub_clock_monotonic_ms();
    struct pace pace = {.shows = isatty(STDERR_FILENO) == 1, .began_ms = now_ms,
                        .ticked_ms = now_ms};
    HUB_TRY(replaying->target->open(replaying, &written, reterr));
    if (!replaying->ctl->resume)
        HUB_TRY(hub_replay_begin(replaying, reterr));
    enum hub_status status = pass_over(replaying, &pace, &written, reterr);
    pace.began_ms = hub_clock_monotonic_ms();
    pace.done_before = hub_replay_done(replaying->replay);
    pace.count_before = replaying->tally.count;
    if (status == HUB_OK && !stop_requested)
        status = give_out(replaying, &pace, reterr);
    if (pace.shows)
        fprintf(stderr, "\r\033[K");
    if (status == HUB_OK)
        status = stop_requested ? replaying->target->flush(replaying, reterr)
                                : replaying->target->finish(replaying, reterr);
    return status == HUB_OK && !stop_requested ? hub_replay_certify(replaying, reterr) : status;
}

static const char *target_of(const struct hub_ctl *ctl) {
    return ctl->to_file != NULL ? ctl->to_file : ctl->to_topic;
}

static enum hub_exit tell(const struct hub_replaying *replaying, enum hub_status status,
                          const struct hub_error *error) {
    const struct hub_ctl *ctl = replaying->ctl;
    char digest[HUB_DIGEST_TEXT_SIZE];
    if (status != HUB_OK)
        fprintf(stderr, "hubctl: %s\n", error->text);
    if (status == HUB_OK && !stop_requested) {
        struct hub_digest tally = hub_tally_digest(&replaying->tally);
        hub_digest_text(&tally, HUB_DIGEST_SIZE, digest);
        printf("%llu records, digest %s\n%s says what they are\n",
               (unsigned long long)replaying->tally.count, digest, replaying->certificate_path);
        return HUB_EXIT_OK;
    }
    if (status == HUB_OK || status == HUB_RETRY)
        fprintf(stderr, "hubctl: it was interrupted after %llu records; hubctl replay --to-%s %s "
                "--archive %s --resume goes on with it\n",
                (unsigned long long)replaying->tally.count, ctl->to_file != NULL ? "file" : "topic",
                target_of(ctl), ctl->archive);
    return status == HUB_RETRY ? HUB_EXIT_UNREACHABLE : HUB_EXIT_FINDINGS;
}

static void close_replaying(struct hub_replaying *replaying) {
    if (replaying->target != NULL)
        replaying->target->close(replaying);
    hub_replay_close(replaying->replay);
    hub_values_free(replaying->values);
    hub_choice_free(&replaying->choice);
    for (size_t i = 0; i < replaying->rules_count; i++) {
        hub_release(replaying->rules[i].topic);
        hub_release(replaying->rules[i].rules);
    }
    hub_release(replaying->rules);
    hub_release(replaying->logs);
    json_decref(replaying->begun);
    hub_ctl_keys_free(&replaying->keys);
    hub_arena_destroy(&replaying->arena);
}

/* --- what is asked for --- */

static bool is_there(const char *path) {
    struct hub_file_facts facts;
    struct hub_error error;
    return hub_file_facts(path, &facts, &error) == HUB_OK;
}

/* A live topic must not get what is of the past: nobody could tell it from what is. */
static bool check_target(struct hub_replaying *replaying) {
    const struct hub_ctl *ctl = replaying->ctl;
    const size_t prefix = sizeof HUB_REPLAY_TOPIC_PREFIX - 1;
    if ((ctl->to_file == NULL) == (ctl->to_topic == NULL)) {
        fprintf(stderr, "hubctl: --to-file FILE or --to-topic replay.NAME says where to\n");
        return false;
    }
    if (ctl->to_topic != NULL && (strncmp(ctl->to_topic, HUB_REPLAY_TOPIC_PREFIX, prefix) != 0 ||
                                  ctl->to_topic[prefix] == '\0')) {
        fprintf(stderr, "hubctl: --to-topic %s: never to a topic that is live; a name that begins with "
                HUB_REPLAY_TOPIC_PREFIX " would pass, such as " HUB_REPLAY_TOPIC_PREFIX "%s\n",
                ctl->to_topic, *ctl->to_topic == '\0' ? "audit" : ctl->to_topic);
        return false;
    }
    if (ctl->as_of_ms != INT64_MAX) {
        fprintf(stderr, "hubctl: of a replay --to says up to when, not --as-of\n");
        return false;
    }
    replaying->target = ctl->to_file != NULL ? &hub_replay_to_file : &hub_replay_to_topic;
    return true;
}

static bool check_state(struct hub_replaying *replaying) {
    const struct hub_ctl *ctl = replaying->ctl;
    replaying->certificate_path =
        ctl->certificate != NULL
            ? ctl->certificate
            : hub_arena_format(&replaying->arena, "%s.certificate.json", target_of(ctl));
    replaying->begun_path =
        hub_arena_format(&replaying->arena, "%s.begun", replaying->certificate_path);
    bool begun = is_there(replaying->begun_path), ended = is_there(replaying->certificate_path);
    if (ctl->resume && !begun)
        fprintf(stderr, ended ? "hubctl: it is whole: %s is its certificate\n"
                              : "hubctl: there is nothing to go on with: no %s.begun\n",
                replaying->certificate_path);
    else if (!ctl->resume && (begun || ended))
        fprintf(stderr, "hubctl: %s is there already; %s\n",
                begun ? replaying->begun_path : replaying->certificate_path,
                begun ? "--resume goes on with it" : "another name would pass");
    return begun == ctl->resume && (ctl->resume || !ended);
}

enum hub_exit hub_ctl_replay(struct hub_ctl *ctl) {
    struct hub_replaying replaying = {.ctl = ctl};
    struct hub_error error;
    const char *archive = getenv("HUB_ARCHIVE");
    if (ctl->archive == NULL)
        ctl->archive = archive == NULL || *archive == '\0' ? "archive" : archive;
    enum hub_exit code = HUB_EXIT_USAGE;
    if (check_target(&replaying) && hub_ctl_keys_load(ctl, &replaying.keys)) {
        code = HUB_EXIT_FINDINGS;
        catch_signals();
        if (check_state(&replaying)) {
            enum hub_status status = hub_replay_plan(&replaying, &error);
            if (status == HUB_OK)
                status = play(&replaying, &error);
            code = tell(&replaying, status, &error);
        }
    }
    close_replaying(&replaying);
    return code;
}
