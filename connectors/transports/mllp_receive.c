#include "connectors/transports/mllp_receive.h"

#include "hub/io/crypto.h"

#include <string.h>

enum {
    BATCH_DOCUMENTS_MAX = 1000, /* with more, no further frame is begun */
    BATCH_BYTES_MAX = 8 * 1024 * 1024,
};

/* --- answers --- */

static void answer(struct mllp *state, const struct mllp_waiting *each,
                   enum hub_mllp_outcome outcome) {
    bool safe = outcome == HUB_MLLP_SAFE;
    hub_buffer_append_bytes(&each->peer->output,
                            hub_bytes_part(hub_buffer_bytes(&state->answers),
                                           safe ? each->from : each->safe,
                                           safe ? each->safe : each->away));
}

/* Nobody waits any more; what the sockets do not take now they take later. */
static void end_waiting(struct mllp *state) {
    for (size_t i = 0; i < state->waiting_count; i++)
        hub_mllp_peer_flush(&state->peers, state->waiting[i].peer);
    state->waiting_count = 0;
    hub_buffer_clear(&state->answers);
    hub_arena_reset(&state->frames);
}

void mllp_answer_waiting(struct mllp *state, enum hub_mllp_outcome outcome) {
    for (size_t i = 0; i < state->waiting_count; i++)
        answer(state, &state->waiting[i], outcome);
    end_waiting(state);
}

/* --- the spool --- */

static bool keep_frame(struct mllp *state, const struct mllp_waiting *each) {
    const char name[] = {each->letter, '\0'};
    struct hub_raw_document document = {
        .name = name,
        .bytes = each->frame,
        .context = json_pack("{s:s}", "peer", hub_socket_peer(each->peer->socket))};
    struct hub_error ignored; /* without room its sender sends it again, as without a spool */
    bool kept = hub_spool_append(state->env.spool, &document, &ignored) == HUB_OK;
    json_decref(document.context);
    return kept;
}

/* Puts the frames that wait into the spool, and answers. Behind one for which there was no room none is kept: it
 * may be that one once more. */
static void keep_waiting(struct mllp *state) {
    bool kept = true;
    for (size_t i = 0; i < state->waiting_count; i++) {
        const struct mllp_waiting *each = &state->waiting[i];
        if (kept && each->is_new) {
            kept = keep_frame(state, each);
            if (kept)
                (void)hub_mllp_told_add(&state->told, each->letter, &each->digest);
        }
        answer(state, each, kept ? HUB_MLLP_SAFE : HUB_MLLP_AWAY);
    }
    end_waiting(state);
}

void mllp_give_up_waiting(struct mllp *state) {
    if (state->env.spool != NULL)
        keep_waiting(state);
    else
        mllp_answer_waiting(state, HUB_MLLP_AWAY);
}

/* --- frames --- */

static bool is_full(const struct mllp_receiving *receiving) {
    return receiving->state->waiting_count == MLLP_BATCH_FRAMES_MAX ||
           receiving->batch->count >= BATCH_DOCUMENTS_MAX || receiving->bytes >= BATCH_BYTES_MAX;
}

static void add_document(struct mllp_receiving *receiving, const char *peer,
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
        .context = json_pack("{s:{s:s}}", "request", "peer", peer),
        .refused = refused,
        .refused_code = code};
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

static void read_content(struct mllp_receiving *receiving, enum hub_mllp_event event,
                         struct hub_bytes frame, struct hub_mllp_content *ret_content) {
    hub_mllp_content_read(frame, &receiving->batch->arena, ret_content);
    if (cases[event].why != NULL)
        ret_content->refusal =
            (struct hub_mllp_refusal){cases[event].why, HUB_MLLP_INTERNAL_ERROR, 0};
}

/* False where the frame was told before. */
static bool add_frame(struct mllp_receiving *receiving, const char *peer,
                      enum hub_mllp_event event, struct hub_bytes frame,
                      const struct hub_digest *digest, const struct hub_mllp_content *content) {
    const char *code = cases[event].code;
    receiving->bytes += frame.size;
    if (!hub_mllp_told_add(&receiving->state->pending, cases[event].letter, digest))
        return false;
    if (content->refusal.why != NULL)
        add_document(receiving, peer, frame, content->refusal.why, code);
    else
        for (size_t i = 0; i < content->count; i++)
            add_document(receiving, peer, content->messages[i].bytes,
                         content->messages[i].refusal.why, "FRAME");
    return true;
}

static struct hub_bytes copy(struct hub_bytes bytes, struct hub_arena *arena) {
    return hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
}

static void take_frame(struct mllp_receiving *receiving, struct hub_mllp_peer *peer,
                       enum hub_mllp_event event, struct hub_bytes bytes) {
    struct mllp *state = receiving->state;
    struct hub_mllp_content content;
    struct mllp_waiting *waiting = &state->waiting[state->waiting_count++];
    struct hub_bytes frame = copy(bytes, &receiving->batch->arena);
    *waiting = (struct mllp_waiting){.peer = peer,
                                     .from = state->answers.size,
                                     .letter = cases[event].letter,
                                     .digest = hub_sha256.digest(frame)};
    if (state->env.spool != NULL) /* the batch is over before it is known to be safe */
        waiting->frame = copy(bytes, &state->frames);
    read_content(receiving, event, frame, &content);
    state->moment.time_ms = state->env.realtime_ms();
    hub_mllp_answer(&content, HUB_MLLP_SAFE, &state->moment, &state->answers);
    waiting->safe = state->answers.size;
    hub_mllp_answer(&content, HUB_MLLP_AWAY, &state->moment, &state->answers);
    waiting->away = state->answers.size;
    waiting->is_new = add_frame(receiving, hub_socket_peer(peer->socket), event, frame,
                                &waiting->digest, &content);
}

static void note_begun(struct mllp *state, struct hub_mllp_peer *peer) {
    bool begun = peer->reader.in_frame || hub_mllp_begun(&peer->reader).size > 0;
    if (begun && !peer->has_begun)
        peer->begun_ms = state->env.monotonic_ms();
    peer->has_begun = begun;
}

static void read_frames(struct mllp_receiving *receiving, struct hub_mllp_peer *peer) {
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
static void end_late(struct mllp_receiving *receiving, struct hub_mllp_peer *peer) {
    const struct mllp *state = receiving->state;
    if (!peer->has_begun || peer->ends || is_full(receiving) ||
        state->env.monotonic_ms() - peer->begun_ms <= state->peers.config.frame_timeout_ms)
        return;
    take_frame(receiving, peer, peer->reader.in_frame ? HUB_MLLP_MORE : HUB_MLLP_NOISE,
               hub_mllp_begun(&peer->reader));
    peer->ends = true;
}

static void serve(struct mllp_receiving *receiving, struct hub_mllp_peer *peer) {
    struct mllp *state = receiving->state;
    hub_mllp_peer_flush(&state->peers, peer);
    if (peer->gone || peer->ends || peer->output.size > 0 || is_full(receiving))
        return;
    hub_mllp_peer_read(&state->peers, peer);
    read_frames(receiving, peer);
    end_late(receiving, peer);
}

void mllp_serve(struct mllp_receiving *receiving, int64_t timeout_ms) {
    struct mllp *state = receiving->state;
    struct hub_mllp_peers *peers = &state->peers;
    hub_mllp_peers_sweep(peers);
    hub_mllp_peers_wait(peers, timeout_ms);
    for (size_t i = 0; i < peers->count; i++)
        serve(receiving, peers->items[(state->first + i) % peers->count]);
    state->first++;
}

/* --- from the spool --- */

static enum hub_status take_kept_frame(struct mllp_receiving *receiving,
                                       const struct hub_raw_document *document,
                                       struct hub_error *reterr) {
    size_t event = 0;
    struct hub_mllp_content content;
    struct hub_digest digest = hub_sha256.digest(document->bytes);
    while (event < sizeof cases / sizeof *cases && cases[event].letter != document->name[0])
        event++;
    if (event == sizeof cases / sizeof *cases)
        return hub_fail(reterr, HUB_FATAL, "spool: '%s' is no kind of frame", document->name);
    read_content(receiving, (enum hub_mllp_event)event, document->bytes, &content);
    (void)add_frame(receiving, json_string_value(json_object_get(document->context, "peer")),
                    (enum hub_mllp_event)event, document->bytes, &digest, &content);
    return HUB_OK;
}

enum hub_status mllp_take_kept(struct mllp_receiving *receiving, struct hub_error *reterr) {
    struct mllp *state = receiving->state;
    bool some = true;
    hub_spool_put_back(state->env.spool);
    while (some && state->taken < MLLP_BATCH_FRAMES_MAX && !is_full(receiving)) {
        struct hub_raw_document document = {0};
        HUB_TRY(hub_spool_take(state->env.spool, &receiving->batch->arena, &document, &some,
                               reterr));
        enum hub_status status =
            some ? take_kept_frame(receiving, &document, reterr) : HUB_OK;
        state->taken += some;
        json_decref(document.context);
        HUB_TRY(status);
    }
    if (receiving->batch->count > 0)
        return HUB_OK;
    size_t known = state->taken;
    state->taken = 0;
    return hub_spool_settle(state->env.spool, known, reterr);
}
