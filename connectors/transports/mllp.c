/* mllp: HL7 v2 messages that a system sends, over MLLP.
 *
 * Each message of a frame is a document. Its sender is answered when they are safe in Kafka, and told
 * to send it again where that cannot be said. What was safe, and its answer was lost, comes again with
 * the same bytes: it is answered, and handed on no second time. The position is what that takes: digests
 * of the last frames, of which no more than a batch can be unanswered; no part of a message. Where the
 * configuration is another one they are forgotten, so that what is sent again is read by it.
 *
 * What is no message (not HL7, too large, not ended in time) is refused, with an answer where one can be
 * made, and is a dead letter. A frame that breaks off with its connection was answered nothing, and
 * comes again.
 *
 * With a spool the receiver outlives the session: while Kafka is away a thread serves the senders, and what they
 * send is answered when it is in the spool. No two threads have the receiver at a time. What is in the spool is
 * handed on first, and nothing is read from the senders meanwhile. What was with the session when it failed goes into
 * the spool too, though it may be safe in Kafka: the position of the next session tells by the same digests,
 * whatever the configuration, for as long as something is in the spool. */
#include "connectors/transports/transports.h"

#include "connectors/kit/format.h"
#include "connectors/transports/mllp_receive.h"
#include "hub/io/file.h"

#include <string.h>

enum { STEP_MS = 100 }; /* of the thread between two looks at whether it should end */

struct mllp_options {
    const char *listen;
    const char *tls_certificate, *tls_key, *tls_client_ca;
    int64_t size_max_bytes;
    int64_t frame_timeout_ms, idle_timeout_ms;
    int64_t connections_max;
    const char *while_away;
    int64_t spool_max_bytes;
};

static const char *const ways[] = {"nack", "wait", "spool", NULL};

static const struct hub_option options[] = {
    {.name = "listen",
     HUB_TEXT_OPTION(struct mllp_options, listen),
     .required = true,
     .help = "Address and port to listen on, as 127.0.0.1:2575 or [::1]:2575. Without TLS everything "
             "is told in clear: other hosts belong behind TLS."},
    {.name = "tls_certificate",
     HUB_TEXT_OPTION(struct mllp_options, tls_certificate),
     .help = "PEM file of our certificate, with those above it, from the configuration's own folder "
             "where relative; with it only TLS is spoken."},
    {.name = "tls_key",
     HUB_TEXT_OPTION(struct mllp_options, tls_key),
     .help = "PEM file of the certificate's key, without a password."},
    {.name = "tls_client_ca",
     HUB_TEXT_OPTION(struct mllp_options, tls_client_ca),
     .help = "PEM file of the authorities that senders' certificates are from; without it a sender "
             "needs none."},
    {.name = "size_max_bytes",
     HUB_NUMBER_OPTION(struct mllp_options, size_max_bytes),
     .initial = "1048576",
     .minimum = 1024,
     .maximum = HUB_DOCUMENT_SIZE_MAX,
     .help = "Of one frame; of a larger one this much is kept in the dead letter."},
    {.name = "frame_timeout_ms",
     HUB_NUMBER_OPTION(struct mllp_options, frame_timeout_ms),
     .initial = "30000",
     .minimum = 100,
     .maximum = 600000,
     .help = "From a frame's first byte to its last, and for a handshake, in milliseconds."},
    {.name = "idle_timeout_ms",
     HUB_NUMBER_OPTION(struct mllp_options, idle_timeout_ms),
     .initial = "86400000",
     .minimum = 1000,
     .maximum = 604800000,
     .help = "A connection on which nothing comes for so long is closed, in milliseconds."},
    {.name = "connections_max",
     HUB_NUMBER_OPTION(struct mllp_options, connections_max),
     .initial = "32",
     .minimum = 1,
     .maximum = 1024,
     .help = "At a time; one more is closed at once."},
    {.name = "while_away",
     HUB_TEXT_OPTION(struct mllp_options, while_away),
     .initial = "nack",
     .choices = ways,
     .help = "What a sender hears whose message may not be safe because Kafka is away: nack, the "
             "answer AE or CE, send it again; wait, no answer, and the connection is closed; spool, "
             "AA or CA when it is on this machine's disk, encrypted with the journal's key: then "
             "the answer comes before Kafka has it, and rests on that disk alone. With spool "
             "connections stay open while Kafka is away, which is known some seconds after it has "
             "gone; what was kept is published first when it is back, in the order it came. A "
             "connector that is started while Kafka is away listens when it has reached it, "
             "whatever this says."},
    {.name = "spool_max_bytes",
     HUB_NUMBER_OPTION(struct mllp_options, spool_max_bytes),
     .initial = "268435456",
     .minimum = 1048576,
     .maximum = 1099511627776,
     .help = "Of the disk for what is kept with while_away: spool, each frame in whole blocks of "
             "4096 bytes; beyond it the answer is AE or CE."},
    {0},
};

struct session {
    struct mllp *mllp;
};

/* --- opening --- */

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct mllp_options *own = options_;
    if ((own->tls_certificate == NULL) != (own->tls_key == NULL))
        return hub_fail(reterr, HUB_FATAL, "tls_certificate and tls_key need each other");
    if (own->tls_client_ca != NULL && own->tls_certificate == NULL)
        return hub_fail(reterr, HUB_FATAL,
                        "tls_client_ca needs tls_certificate and tls_key");
    return hub_listener_check(own->listen, reterr);
}

static const char *resolve(struct mllp *state, const char *path) {
    if (path == NULL || state->env.folder == NULL)
        return path;
    return hub_file_resolve(state->env.folder, path, &state->arena);
}

static enum hub_status listen_at(struct mllp *state, struct hub_error *reterr) {
    const struct mllp_options *own = state->options;
    struct hub_mllp_peers_config config = {
        .listen = own->listen,
        .tls_certificate = resolve(state, own->tls_certificate),
        .tls_key = resolve(state, own->tls_key),
        .tls_client_ca = resolve(state, own->tls_client_ca),
        .size_max_bytes = (size_t)own->size_max_bytes,
        .connections_max = (size_t)own->connections_max,
        .frame_timeout_ms = own->frame_timeout_ms,
        .idle_timeout_ms = own->idle_timeout_ms,
        .monotonic_ms = state->env.monotonic_ms};
    return hub_mllp_peers_open(&config, &state->peers, reterr);
}

/* --- between two sessions --- */

static void *serve_apart(void *state_) {
    struct mllp *state = state_;
    while (!atomic_load(&state->ends)) {
        struct hub_batch batch = {0};
        struct mllp_receiving receiving = {.state = state, .batch = &batch};
        state->pending = state->told;
        mllp_serve(&receiving, STEP_MS);
        mllp_give_up_waiting(state);
        hub_batch_free(&batch);
    }
    return NULL;
}

static void start_thread(struct mllp *state) {
    state->peers.is_quiet = true;
    atomic_store(&state->ends, false);
    /* Without one the senders wait for the next session. */
    state->has_thread = pthread_create(&state->thread, NULL, serve_apart, state) == 0;
}

static void end_thread(struct mllp *state) {
    if (state->has_thread) {
        atomic_store(&state->ends, true);
        pthread_join(state->thread, NULL);
    }
    state->has_thread = false;
    state->peers.is_quiet = false;
}

static void release_mllp(void *state_) {
    struct mllp *state = state_;
    end_thread(state);
    hub_mllp_peers_close(&state->peers);
    hub_buffer_free(&state->answers);
    hub_arena_destroy(&state->frames);
    hub_arena_destroy(&state->arena);
    hub_release(state);
}

static enum hub_status open_mllp(void *session_, const void *options_, const struct hub_env *env,
                                 struct hub_error *reterr) {
    struct session *session = session_;
    struct mllp *kept = env->spool == NULL ? NULL : *env->kept;
    struct mllp *state = kept == NULL ? hub_allocate_zero(1, sizeof *state) : kept;
    session->mllp = state;
    end_thread(state);
    bool has_kept = env->spool != NULL && !hub_spool_is_empty(env->spool);
    state->options = options_;
    state->env = *env;
    state->answers.size_max = HUB_MLLP_ANSWERS_SIZE_MAX;
    HUB_TRY(hub_mllp_told_read(env->position, has_kept ? NULL : env->configuration, &state->told,
                               reterr));
    state->pending = state->told;
    if (kept == NULL)
        HUB_TRY(listen_at(state, reterr));
    if (env->spool != NULL)
        *env->kept = state;
    return HUB_OK;
}

static void close_mllp(void *session_) {
    struct session *session = session_;
    struct mllp *state = session->mllp;
    if (state == NULL)
        return;
    bool ends = state->env.is_stopping != NULL && state->env.is_stopping();
    bool stays = state->env.spool != NULL && *state->env.kept == state;
    if (ends && state->env.spool != NULL)
        mllp_answer_waiting(state, HUB_MLLP_AWAY);
    else if (strcmp(state->options->while_away, "wait") != 0)
        mllp_give_up_waiting(state);
    state->taken = 0;
    if (state->env.spool != NULL)
        hub_spool_put_back(state->env.spool);
    if (!stays)
        release_mllp(state);
    else if (!ends && !state->env.once)
        start_thread(state);
}

/* --- polling --- */

static enum hub_status read_next(struct mllp_receiving *receiving, int64_t timeout_ms,
                                 struct hub_error *reterr) {
    struct mllp *state = receiving->state;
    mllp_give_up_waiting(state);
    state->pending = state->told;
    state->taken = 0;
    while (state->env.spool != NULL && receiving->batch->count == 0 &&
           !hub_spool_is_empty(state->env.spool))
        HUB_TRY(mllp_take_kept(receiving, reterr));
    if (receiving->batch->count > 0)
        return HUB_OK;
    mllp_serve(receiving, timeout_ms);
    if (receiving->batch->count == 0)
        mllp_answer_waiting(state, HUB_MLLP_SAFE); /* told before */
    return HUB_OK;
}

static enum hub_status poll_mllp(void *session_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                 struct hub_error *reterr) {
    struct mllp *state = ((struct session *)session_)->mllp;
    struct hub_batch batch = {0};
    struct mllp_receiving receiving = {.state = state, .batch = &batch};
    enum hub_status status = read_next(&receiving, timeout_ms, reterr);
    if (status != HUB_OK) {
        hub_batch_free(&batch);
        return status;
    }
    if (batch.count > 0)
        batch.position = hub_mllp_told_render(&state->pending, state->env.configuration,
                                              &batch.arena);
    batch.exhausted = batch.count == 0 && state->peers.count == 0;
    *ret_batch = batch;
    return HUB_OK;
}

static enum hub_status commit_mllp(void *session_, struct hub_error *reterr) {
    struct mllp *state = ((struct session *)session_)->mllp;
    size_t taken = state->taken;
    state->told = state->pending;
    state->taken = 0;
    mllp_answer_waiting(state, HUB_MLLP_SAFE);
    return taken == 0 ? HUB_OK : hub_spool_settle(state->env.spool, taken, reterr);
}

static int64_t spools(const void *options_) {
    const struct mllp_options *own = options_;
    return strcmp(own->while_away, "spool") == 0 ? own->spool_max_bytes : 0;
}

static bool rereads(const void *options_) {
    (void)options_;
    return false;
}

const struct hub_transport hub_transport_mllp = {
    .name = "mllp",
    .summary = "HL7 v2 messages that a system sends over MLLP, answered when they are safe.",
    .options = options,
    .options_size = sizeof(struct mllp_options),
    .check = check_options,
    .state_size = sizeof(struct session),
    .open = open_mllp,
    .poll = poll_mllp,
    .commit = commit_mllp,
    .close = close_mllp,
    .release = release_mllp,
    .rereads = rereads,
    .spools = spools,
};
