/* An MLLP receiver: its senders, the frames that wait for their answers, and how frames become documents, from a
 * sender or from the spool. With a spool it is kept from session to session; no two threads have it at a time. */
#pragma once

#include "connectors/kit/spool.h"
#include "connectors/transports/mllp_answer.h"
#include "connectors/transports/mllp_peers.h"
#include "connectors/transports/mllp_told.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MLLP_BATCH_FRAMES_MAX = 128 };
_Static_assert((int)MLLP_BATCH_FRAMES_MAX < (int)HUB_MLLP_REMEMBERED,
               "what a batch leaves unanswered is remembered");

/* A frame that waits for its answer. */
struct mllp_waiting {
    struct hub_mllp_peer *peer;
    size_t from, safe, away; /* the answers: from `from` to `safe`, and from there to `away` */
    /* For the spool: */
    bool is_new; /* it was not told before */
    char letter;
    struct hub_digest digest;
    struct hub_bytes frame;
};

struct mllp {
    const struct mllp_options *options;
    struct hub_env env;
    struct hub_arena arena;
    struct hub_mllp_peers peers;
    size_t first; /* the peer that is served first next time */
    struct hub_mllp_told told, pending;
    struct mllp_waiting waiting[MLLP_BATCH_FRAMES_MAX];
    size_t waiting_count;
    struct hub_buffer answers;
    struct hub_mllp_moment moment;
    struct hub_arena frames; /* those that wait, where there is a spool */
    size_t taken;            /* from the spool, by the running batch */
    pthread_t thread;        /* between two sessions */
    bool has_thread;
    atomic_bool ends; /* the thread should */
};

/* What becomes a batch. */
struct mllp_receiving {
    struct mllp *state;
    struct hub_batch *batch;
    size_t capacity, bytes;
};

/* Waits for what senders send, and makes documents of it; `pending` remembers it. */
void mllp_serve(struct mllp_receiving *receiving, int64_t timeout_ms);
/* Makes documents of what is in the spool. It may be that all of it was told before, and there are none. */
HUB_MUST_USE enum hub_status mllp_take_kept(struct mllp_receiving *receiving,
                                            struct hub_error *reterr);

/* Gives those who wait their answers; what the sockets do not take now they take later. */
void mllp_answer_waiting(struct mllp *state, enum hub_mllp_outcome outcome);
/* Puts the frames that wait into the spool, and answers by whether there was room; without a spool they are away. */
void mllp_give_up_waiting(struct mllp *state);
