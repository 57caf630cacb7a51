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
 * comes again. */
#include "connectors/transports/transports.h"

#include "connectors/kit/format.h"
#include "connectors/transports/mllp_answer.h"
#include "connectors/transports/mllp_peers.h"
#include "connectors/transports/mllp_told.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"

#include <string.h>

enum {
    BATCH_FRAMES_MAX = 128,
    BATCH_DOCUMENTS_MAX = 1000, /* with more, no further frame is begun */
    BATCH_BYTES_MAX = 8 * 1024 * 1024,
};
_Static_assert((int)BATCH_FRAMES_MAX < (int)HUB_MLLP_REMEMBERED,
               "what a batch leaves unanswered is remembered");

struct mllp_options {
    const char *listen;
    const char *tls_certificate, *tls_key, *tls_client_ca;
    int64_t size_max_bytes;
    int64_t frame_timeout_ms, idle_timeout_ms;
    int64_t connections_max;
    const char *while_away;
};

static const char *const ways[] = {"nack", "wait", NULL};

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
             "answer AE or CE, send it again; wait, no answer, and the connection is closed."},
    {0},
};

/* A frame that waits for its answer. */
struct waiting {
    struct hub_mllp_peer *peer;
    size_t from, safe, away; /* the answers: from `from` to `safe`, and from there to `away` */
};

struct mllp {
    const struct mllp_options *options;
    struct hub_env env;
    struct hub_arena arena;
    struct hub_mllp_peers peers;
    size_t first; /* the peer that is served first next time */
    struct hub_mllp_told told, pending;
    struct waiting waiting[BATCH_FRAMES_MAX];
    size_t waiting_count;
    struct hub_buffer answers;
    struct hub_mllp_moment moment;
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

static enum hub_status open_mllp(void *state_, const void *options_, const struct hub_env *env,
                                 struct hub_error *reterr) {
    struct mllp *state = state_;
    const struct mllp_options *own = options_;
    state->options = own;
    state->env = *env;
    state->answers.size_max = HUB_MLLP_ANSWERS_SIZE_MAX;
    HUB_TRY(hub_mllp_told_read(env->position, env->configuration, &state->told, reterr));
    state->pending = state->told;
    return listen_at(state, reterr);
}

/* --- answers --- */

/* Gives those who wait their answers; what the sockets do not take now they take later. */
static void answer_waiting(struct mllp *state, enum hub_mllp_outcome outcome) {
    for (size_t i = 0; i < state->waiting_count; i++) {
        const struct waiting *each = &state->waiting[i];
        bool safe = outcome == HUB_MLLP_SAFE;
        hub_buffer_append_bytes(&each->peer->output,
                                hub_bytes_part(hub_buffer_bytes(&state->answers),
                                               safe ? each->from : each->safe,
                                               safe ? each->safe : each->away));
    }
    for (size_t i = 0; i < state->waiting_count; i++)
        hub_mllp_peer_flush(&state->peers, state->waiting[i].peer);
    state->waiting_count = 0;
    hub_buffer_clear(&state->answers);
}

static void close_mllp(void *state_) {
    struct mllp *state = state_;
    if (state->waiting_count > 0 && strcmp(state->options->while_away, "nack") == 0)
        answer_waiting(state, HUB_MLLP_AWAY);
    hub_mllp_peers_close(&state->peers);
    hub_buffer_free(&state->answers);
    hub_arena_destroy(&state->arena);
}

/* --- frames --- */

struct receiving {
    struct mllp *state;
    struct hub_batch *batch;
    size_t capacity, bytes;
};

static bool is_full(const struct receiving *receiving) {
    return receiving->state->waiting_count == BATCH_FRAMES_MAX ||
           receiving->batch->count >= BATCH_DOCUMENTS_MAX || receiving->bytes >= BATCH_BYTES_MAX;
}

static void add_document(struct receiving *receiving, const struct hub_mllp_peer *peer,
                         struct hub_bytes bytes, const char *refused, const char *code) {
    struct hub_batch *batch = receiving->batch;
    if (batch->count == receiving->capacity) {
        size_t capacity = receiving->capacity == 0 ? 16 : 2 * receiving->capacity;
        struct hub_raw_document *wider =
            hub_arena_take_zero(&batch->arena, capacity, sizeof *wider);
        if (batch->count > 0)
            memcpy(wider, batch->documents, batch->count * sizeof *wider);
        batch->documents = wider;
        receiving->capacity = capacity;
    }
    batch->documents[batch->count++] = (struct hub_raw_document){
        .name = hub_arena_format(&batch->arena, "message %lld",
                                 (long long)++receiving->state->pending.received),
        .bytes = bytes,
        .context = json_pack("{s:{s:s}}", "request", "peer", hub_socket_peer(peer->socket)),
        .refused = refused,
        .refused_code = code};
}

static void add_documents(struct receiving *receiving, const struct hub_mllp_peer *peer,
                          struct hub_bytes frame, const struct hub_mllp_content *content,
                          const char *code) {
    if (content->refusal.why != NULL) {
        add_document(receiving, peer, frame, content->refusal.why, code);
        return;
    }
    for (size_t i = 0; i < content->count; i++)
        add_document(receiving, peer, content->messages[i].bytes, content->messages[i].refusal.why,
                     "FRAME");
}

/* What came of reading, as a letter of its mark: the same bytes may come whole next time. */
static const struct {
    char letter;
    const char *why, *code;
} cases[] = {
    [HUB_MLLP_MORE] = {'T', "its frame did not end within frame_timeout_ms", "FRAME"},
    [HUB_MLLP_FRAME] = {'F', NULL, "FRAME"},
    [HUB_MLLP_LONG] = {'L', "its frame has more bytes than size_max_bytes says", "SIZE"},
    [HUB_MLLP_TORN] = {'B', "another frame began before its own ended", "FRAME"},
    [HUB_MLLP_NOISE] = {'N', "it is in no frame; 0x0B, a message, 0x1C 0x0D would pass", "FRAME"},
};

static void take_frame(struct receiving *receiving, struct hub_mllp_peer *peer,
                       enum hub_mllp_event event, struct hub_bytes bytes) {
    struct mllp *state = receiving->state;
    struct hub_arena *arena = &receiving->batch->arena;
    struct hub_mllp_content content;
    struct waiting *waiting = &state->waiting[state->waiting_count++];
    struct hub_bytes frame =
        hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
    struct hub_digest digest = hub_sha256.digest(frame);
    hub_mllp_content_read(frame, arena, &content);
    if (cases[event].why != NULL)
        content.refusal =
            (struct hub_mllp_refusal){cases[event].why, HUB_MLLP_INTERNAL_ERROR, 0};
    state->moment.time_ms = state->env.realtime_ms();
    waiting->peer = peer;
    waiting->from = state->answers.size;
    hub_mllp_answer(&content, HUB_MLLP_SAFE, &state->moment, &state->answers);
    waiting->safe = state->answers.size;
    hub_mllp_answer(&content, HUB_MLLP_AWAY, &state->moment, &state->answers);
    waiting->away = state->answers.size;
    receiving->bytes += frame.size;
    if (hub_mllp_told_add(&state->pending, cases[event].letter, &digest))
        add_documents(receiving, peer, frame, &content, cases[event].code);
}

static void note_begun(struct mllp *state, struct hub_mllp_peer *peer) {
    bool begun = peer->reader.in_frame || hub_mllp_begun(&peer->reader).size > 0;
    if (begun && !peer->has_begun)
        peer->begun_ms = state->env.monotonic_ms();
    peer->has_begun = begun;
}

static void read_frames(struct receiving *receiving, struct hub_mllp_peer *peer) {
    while (peer->input_read < peer->input_size && !peer->ends && !is_full(receiving)) {
        struct hub_cursor bytes = {hub_bytes(peer->input, peer->input_size), peer->input_read};
        struct hub_bytes content;
        enum hub_mllp_event event = hub_mllp_read(&peer->reader, &bytes, &content);
        peer->input_read = bytes.position;
        if (event != HUB_MLLP_MORE) {
            take_frame(receiving, peer, event, content);
            peer->has_begun = false;
        }
        peer->ends |= event == HUB_MLLP_NOISE;
    }
    note_begun(receiving->state, peer);
}

/* The frame, or what is in none, that has not ended in time. */
static void end_late(struct receiving *receiving, struct hub_mllp_peer *peer) {
    const struct mllp *state = receiving->state;
    if (!peer->has_begun || peer->ends || is_full(receiving) ||
        state->env.monotonic_ms() - peer->begun_ms <= state->options->frame_timeout_ms)
        return;
    take_frame(receiving, peer, peer->reader.in_frame ? HUB_MLLP_MORE : HUB_MLLP_NOISE,
               hub_mllp_begun(&peer->reader));
    peer->ends = true;
}

static void serve(struct receiving *receiving, struct hub_mllp_peer *peer) {
    struct mllp *state = receiving->state;
    hub_mllp_peer_flush(&state->peers, peer);
    if (peer->gone || peer->ends || peer->output.size > 0 || is_full(receiving))
        return;
    hub_mllp_peer_read(&state->peers, peer);
    read_frames(receiving, peer);
    end_late(receiving, peer);
}

static enum hub_status poll_mllp(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                 struct hub_error *reterr) {
    struct mllp *state = state_;
    struct hub_batch batch = {0};
    struct receiving receiving = {.state = state, .batch = &batch};
    (void)reterr;
    answer_waiting(state, HUB_MLLP_AWAY); /* of a batch that was not committed */
    state->pending = state->told;
    hub_mllp_peers_sweep(&state->peers);
    hub_mllp_peers_wait(&state->peers, timeout_ms);
    for (size_t i = 0; i < state->peers.count; i++)
        serve(&receiving, state->peers.items[(state->first + i) % state->peers.count]);
    state->first++;
    if (batch.count == 0)
        answer_waiting(state, HUB_MLLP_SAFE); /* told before */
    else
        batch.position = hub_mllp_told_render(&state->pending, state->env.configuration,
                                              &batch.arena);
    batch.exhausted = batch.count == 0 && state->peers.count == 0;
    *ret_batch = batch;
    return HUB_OK;
}

static enum hub_status commit_mllp(void *state_, struct hub_error *reterr) {
    struct mllp *state = state_;
    (void)reterr;
    state->told = state->pending;
    answer_waiting(state, HUB_MLLP_SAFE);
    return HUB_OK;
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
    .state_size = sizeof(struct mllp),
    .open = open_mllp,
    .poll = poll_mllp,
    .commit = commit_mllp,
    .close = close_mllp,
    .rereads = rereads,
};
