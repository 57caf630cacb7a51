#include "hub/engine/engine.h"

#include "hub/engine/lookup.h"
#include "hub/engine/task.h"
#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "hub/io/log.h"
#include "hub/io/watchdog.h"
#include "hub/stages/fold.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    TASKS = 3,
    WAIT_MS = 100,
    REPORT_INTERVAL_MS = 500,
    BACK_OFF_MIN_MS = 200,
    BACK_OFF_MAX_MS = 10000,
    NOTED_BYTES_MAX = 64 * 1024 * 1024,
    UNNOTED_BYTES = 128, /* of a record that is in the state alone, about */
    KEPT_AT_ONCE = 5000,
    JOIN_TIMEOUT_MS = 1000
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write, not the end */
}

struct session {
    struct hub_engine *engine;
    struct hub_task tasks[TASKS];
    size_t task_count; /* refer has nothing to do where no domain refers to another */
    int64_t checkpoint_ms, report_ms;
    int64_t ahead_ms; /* the wall clock's, of the monotonic one */
    bool checkpoints_fail;
};

/* --- what others may see --- */

static void publish_metrics(struct session *session) {
    HUB_SCOPED_BUFFER text = {0};
    bool ready = true;
    for (size_t i = 0; i < session->task_count; i++) {
        struct hub_task *task = &session->tasks[i];
        ready = ready && task->assigned;
        hub_buffer_append_format(&text,
                                 "atmp_transactions_total{task=\"%s\"} %lld\n"
                                 "atmp_transaction_records_total{task=\"%s\"} %lld\n"
                                 "atmp_commit_seconds_total{task=\"%s\"} %.3f\n"
                                 "atmp_partitions{task=\"%s\"} %zu\n"
                                 "atmp_statements_awake{task=\"%s\"} %zu\n"
                                 "atmp_put_to_sleep_total{task=\"%s\"} %lld\n"
                                 "atmp_loaded_records_total{task=\"%s\",from=\"cache\"} %lld\n"
                                 "atmp_loaded_records_total{task=\"%s\",from=\"kafka\"} %lld\n",
                                 task->kind->name, (long long)task->transactions,
                                 task->kind->name, (long long)task->records, task->kind->name,
                                 (double)task->commit_ms_total / 1000.0, task->kind->name,
                                 task->slot_count, task->kind->name, hub_task_awake(task),
                                 task->kind->name, (long long)task->put_to_sleep,
                                 task->kind->name, (long long)task->loaded_cached, task->kind->name,
                                 (long long)task->loaded_read);
        for (size_t k = 0; k < task->slot_count; k++)
            if (task->slots[k].state != NULL)
                task->kind->report(&task->slots[k], &text);
    }
    hub_buffer_append_format(&text,
                             "atmp_checkpoints_total{outcome=\"written\"} %lld\n"
                             "atmp_checkpoints_total{outcome=\"failed\"} %lld\n"
                             "atmp_log_lines_lost_total{program=\"atmp-hub\"} %lld\n",
                             (long long)session->engine->checkpoints[false],
                             (long long)session->engine->checkpoints[true],
                             (long long)hub_log_lost());
    struct hub_public_state *state = session->engine->state;
    char *fresh = hub_copy_text(hub_buffer_text(&text));
    pthread_mutex_lock(&state->lock);
    hub_release(state->metrics);
    state->metrics = fresh;
    pthread_mutex_unlock(&state->lock);
    atomic_store(&state->ready, ready);
}

/* --- the cache --- */

/* A cache that cannot be written is a slower start, not an outage: on a full disk the hub goes on
 * without. */
static enum hub_status open_cache(struct hub_engine *engine, struct hub_error *reterr) {
    struct hub_reader *reader = NULL;
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER identity = {0};
    const char *cluster = NULL;
    if (engine->cache != NULL && hub_cache_keeps(engine->cache))
        return HUB_OK;
    hub_cache_close(engine->cache);
    engine->cache = NULL;
    HUB_TRY(hub_reader_new(engine->settings->bootstrap, &reader, reterr));
    enum hub_status status = hub_reader_cluster_id(reader, &arena, &cluster, reterr);
    hub_reader_free(reader);
    if (status == HUB_OK) {
        hub_buffer_append_format(&identity, "cluster %s, core %d", cluster, HUB_CORE_VERSION);
        status = hub_cache_open(engine->settings->state, hub_buffer_text(&identity), &hub_sha256,
                                hub_clock_realtime_ms(), &engine->cache, reterr);
        if (status == HUB_RETRY) {
            hub_log(HUB_LOG_WARNING, "no_cache", "%s; the hub goes on without until there is room",
                    reterr->text);
            status = HUB_OK;
        }
    }
    hub_arena_destroy(&arena);
    return status;
}

static enum hub_status checkpoint(struct session *session, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    size_t slots = 0, count = 0;
    for (size_t i = 0; i < session->task_count; i++)
        slots += session->tasks[i].slot_count + session->tasks[i].other_count;
    struct hub_cache_mark *marks =
        hub_arena_take(&arena, (slots * HUB_TASK_MARKS_MAX + 1) * sizeof *marks);
    enum hub_status status = HUB_OK;
    for (size_t i = 0; status == HUB_OK && i < session->task_count; i++) {
        size_t own = 0;
        status = hub_task_marks(&session->tasks[i], marks + count, &own, reterr);
        count += own;
    }
    if (status == HUB_OK)
        status = hub_cache_checkpoint(session->engine->cache, marks, count, reterr);
    hub_arena_destroy(&arena);
    session->checkpoint_ms = hub_clock_monotonic_ms();
    return status;
}

/* Where the cache is behind, as it is after a start without one, it catches up in steps that hold up
 * nobody for long. */
static enum hub_status keep(struct session *session, bool *ret_worked,
                            struct hub_error *reterr) {
    *ret_worked = false;
    if (session->checkpoints_fail) /* there is no room for more */
        return HUB_OK;
    for (size_t i = 0; !*ret_worked && i < session->task_count; i++)
        HUB_TRY(hub_task_keep(&session->tasks[i], KEPT_AT_ONCE, ret_worked, reterr));
    struct hub_error later;
    for (size_t i = 0; !*ret_worked && i < session->task_count; i++)
        if (hub_task_follow(&session->tasks[i], KEPT_AT_ONCE, ret_worked, &later) != HUB_OK)
            *ret_worked = false; /* nobody waits for what is followed: it comes again */
    return HUB_OK;
}

/* Said once, and once more when it is over. */
static void say_how_it_went(struct session *session, bool failed, const struct hub_error *error) {
    struct hub_engine *engine = session->engine;
    engine->checkpoints[failed]++;
    if (failed && !hub_cache_keeps(engine->cache))
        hub_log(HUB_LOG_WARNING, "cache_given_up", "%s; begun again when there is room", error->text);
    else if (failed && !session->checkpoints_fail)
        hub_log(HUB_LOG_WARNING, "checkpoint_failed", "%s; tried again every %lld ms, and kept in "
                "memory meanwhile", error->text,
                (long long)engine->settings->checkpoint_interval_ms);
    else if (!failed && session->checkpoints_fail)
        hub_log(HUB_LOG_INFO, "checkpoints_again", "the cache is written again");
    session->checkpoints_fail = failed;
}

static bool is_wide_awake(const struct session *session) {
    bool wide = false;
    for (size_t i = 0; i < session->task_count; i++)
        wide |= hub_task_is_wide_awake(&session->tasks[i]);
    return wide;
}

static size_t noted_bytes(const struct session *session) {
    const struct hub_cache *cache = session->engine->cache;
    size_t bytes = cache == NULL ? 0 : hub_cache_noted_bytes(cache);
    for (size_t i = 0; cache != NULL && i < session->task_count; i++)
        bytes += hub_task_unnoted(&session->tasks[i]) * UNNOTED_BYTES;
    return bytes;
}

static bool wants_checkpoint(const struct session *session) {
    const struct hub_engine *engine = session->engine;
    size_t noted = noted_bytes(session);
    int64_t age_ms = hub_clock_monotonic_ms() - session->checkpoint_ms;
    size_t early = session->checkpoints_fail ? HUB_CACHE_NOTED_BYTES_MAX : NOTED_BYTES_MAX;
    if (!session->checkpoints_fail && is_wide_awake(session))
        return true; /* before it sleeps, be it of what was only looked at */
    return noted > 0 && (noted > early || age_ms >= engine->settings->checkpoint_interval_ms);
}

static bool write_checkpoint(struct session *session) {
    struct hub_error error = {{0}};
    bool failed = checkpoint(session, &error) != HUB_OK;
    say_how_it_went(session, failed, &error);
    return !failed;
}

static void let_sleep(struct session *session) {
    for (size_t i = 0; i < session->task_count; i++)
        hub_task_let_sleep(&session->tasks[i]);
}

/* Where there is none, for want of room or after an error of the disk, one is opened when there is
 * room: what it lacks comes from the topics. */
static enum hub_status open_cache_again(struct session *session, struct hub_error *reterr) {
    struct hub_engine *engine = session->engine;
    int64_t now_ms = hub_clock_monotonic_ms();
    if ((engine->cache != NULL && hub_cache_keeps(engine->cache)) ||
        now_ms - session->checkpoint_ms < engine->settings->checkpoint_interval_ms)
        return HUB_OK;
    session->checkpoint_ms = now_ms;
    if (!hub_cache_has_room(engine->settings->state) ||
        open_cache(engine, reterr) != HUB_OK || engine->cache == NULL)
        return HUB_OK;
    for (size_t i = 0; i < session->task_count; i++)
        HUB_TRY(hub_task_fall_behind(&session->tasks[i], reterr));
    session->checkpoints_fail = false;
    hub_log(HUB_LOG_INFO, "cache_again", "there is a cache again; it catches up from the topics");
    return HUB_OK;
}

/* --- the loop --- */

static void wait_for_records(struct session *session) {
    struct hub_lookup *lookup = session->engine->state->lookup;
    struct pollfd descriptors[TASKS + 1];
    for (size_t i = 0; i < session->task_count; i++)
        descriptors[i] = (struct pollfd){
            .fd = hub_consumer_descriptor(session->tasks[i].consumer), .events = POLLIN};
    descriptors[session->task_count] = (struct pollfd){
        .fd = lookup == NULL ? -1 : hub_lookup_descriptor(lookup), .events = POLLIN};
    poll(descriptors, session->task_count + 1, WAIT_MS);
}

static enum hub_status turn(struct session *session, struct hub_error *reterr) {
    bool worked_any = false;
    HUB_TRY(hub_clock_check(&session->ahead_ms, reterr));
    for (size_t i = 0; i < session->task_count; i++) {
        bool worked = false;
        HUB_TRY(hub_task_step(&session->tasks[i], /* timeout_ms= */ 0, &worked, reterr));
        worked_any |= worked;
    }
    int64_t now_ms = hub_clock_monotonic_ms();
    atomic_store(&session->engine->state->ticked_ms, now_ms);
    if (now_ms - session->report_ms >= REPORT_INTERVAL_MS) {
        session->report_ms = now_ms;
        publish_metrics(session);
    }
    bool kept = false;
    HUB_TRY(open_cache_again(session, reterr));
    HUB_TRY(keep(session, &kept, reterr));
    if (wants_checkpoint(session) && write_checkpoint(session))
        let_sleep(session);
    if (session->engine->state->lookup != NULL)
        HUB_TRY(hub_lookup_answer(session->engine->state->lookup, &session->tasks[1], reterr));
    if (!worked_any && !kept)
        wait_for_records(session);
    return HUB_OK;
}

static bool refers(const struct hub_catalogue *catalogue) {
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (catalogue->domains[i].reference_count > 0)
            return true;
    return false;
}

static void leave_groups(struct session *session) {
    for (size_t i = 0; i < session->task_count; i++)
        if (session->tasks[i].consumer != NULL)
            hub_consumer_leave(session->tasks[i].consumer);
}

/* Most of opening a task is waiting for the broker's answers: all tasks wait at once. Where the
 * cache does not have their state, they read it at once. */
struct opening {
    struct hub_engine *engine;
    struct hub_task *task;
    const struct hub_task_kind *kind;
    size_t *batch_count;
    enum hub_status status;
    struct hub_error error;
    pthread_t thread;
    bool runs;
};

static void *open_task(void *context) {
    struct opening *opening = context;
    opening->status = hub_task_open(opening->task, opening->kind, opening->engine,
                                    opening->batch_count, &opening->error);
    return NULL;
}

static void *join_task(void *context) {
    struct opening *opening = context;
    opening->status = hub_task_join(opening->task, JOIN_TIMEOUT_MS, &opening->error);
    return NULL;
}

static void start(struct opening *opening, void *(*run)(void *)) {
    opening->runs = pthread_create(&opening->thread, NULL, run, opening) == 0;
    if (!opening->runs) /* then one after the other */
        run(opening);
}

/* The worst of what became of them: a status is worse than those before it. */
static enum hub_status finish(struct opening *openings, size_t count, enum hub_status status,
                              struct hub_error *reterr) {
    for (size_t i = 0; i < count; i++) {
        if (openings[i].runs)
            pthread_join(openings[i].thread, NULL);
        if (openings[i].status <= status)
            continue;
        status = openings[i].status;
        *reterr = openings[i].error;
    }
    return status;
}

static enum hub_status open_session(struct session *session, size_t batch_counts[TASKS],
                                    struct hub_error *reterr) {
    static const struct hub_task_kind *const kinds[TASKS] = {&hub_admit_task, &hub_fold_task,
                                                             &hub_refer_task};
    struct opening openings[TASKS];
    for (size_t i = 0; i < session->task_count; i++) {
        openings[i] = (struct opening){.engine = session->engine,
                                       .task = &session->tasks[i],
                                       .kind = kinds[i],
                                       .batch_count = &batch_counts[i]};
        start(&openings[i], open_task);
    }
    HUB_TRY(finish(openings, session->task_count, open_cache(session->engine, reterr), reterr));
    for (size_t i = 0; i < session->task_count; i++)
        start(&openings[i], join_task);
    return finish(openings, session->task_count, HUB_OK, reterr);
}

static enum hub_status run_session(struct hub_engine *engine, size_t batch_counts[TASKS],
                                   struct hub_error *reterr) {
    struct session session = {.engine = engine, .checkpoint_ms = hub_clock_monotonic_ms()};
    if (engine->cache != NULL) /* of an earlier session: it is loaded or kept again */
        hub_cache_forget(engine->cache);
    session.task_count = refers(engine->catalogue) ? TASKS : TASKS - 1;
    HUB_TRY(hub_clock_check(&session.ahead_ms, reterr));
    enum hub_status status = open_session(&session, batch_counts, reterr);
    while (status == HUB_OK && !stop_requested)
        status = turn(&session, reterr);
    if (status == HUB_OK && engine->cache != NULL)
        write_checkpoint(&session);
    atomic_store(&engine->state->ready, false);
    hub_watchdog_beat();
    if (status == HUB_OK || status == HUB_FATAL) /* it does not come back: others may go on at once */
        leave_groups(&session);
    for (size_t i = session.task_count; i > 0; i--)
        hub_task_close(&session.tasks[i - 1]);
    return status;
}

/* What sleeps wakes slowly: the first transactions are small, so that what waits is not kept waiting by
 * what came after it. */
enum { FIRST_BATCH_COUNT = 100 };

enum hub_status hub_engine_run(const struct hub_settings *settings,
                               const struct hub_catalogue *catalogue,
                               struct hub_public_state *state, struct hub_error *reterr) {
    struct hub_engine engine = {.settings = settings,
                                .catalogue = catalogue,
                                .state = state,
                                .cache_lock = PTHREAD_MUTEX_INITIALIZER};
    size_t batch_counts[TASKS];
    for (size_t i = 0; i < TASKS; i++)
        batch_counts[i] = settings->batch_count_max < FIRST_BATCH_COUNT
                              ? (size_t)settings->batch_count_max
                              : FIRST_BATCH_COUNT;
    struct hub_back_off back_off = {.min_ms = BACK_OFF_MIN_MS, .max_ms = BACK_OFF_MAX_MS};
    enum hub_status status = HUB_OK;
    catch_signals();
    hub_watchdog_start(HUB_WATCHDOG_PATIENCE_MS);
    while (!stop_requested) {
        int64_t began_ms = hub_clock_monotonic_ms();
        status = run_session(&engine, batch_counts, reterr);
        if (status != HUB_RETRY && status != HUB_REJECT)
            break;
        hub_back_off(&back_off, hub_clock_monotonic_ms() - began_ms, reterr->text);
        status = HUB_OK;
    }
    hub_cache_close(engine.cache);
    return status;
}
