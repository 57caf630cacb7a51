/* The senders that are connected to an MLLP receiver: accepting, reading, answering and closing. Frames are
 * for whoever reads them. */
#pragma once

#include "connectors/kit/transport.h"
#include "connectors/transports/mllp_frame.h"
#include "hub/io/socket.h"

enum { HUB_MLLP_CHUNK_SIZE = 16384,
       HUB_MLLP_ANSWERS_SIZE_MAX = 256 * 1024 * 1024, /* a frame's headers, thrice, of the largest frames */
       HUB_MLLP_ACCEPTED_MAX = 128 /* at a time */ };

struct hub_mllp_peer {
    struct hub_socket *socket;
    struct hub_mllp_reader reader;
    uint8_t input[HUB_MLLP_CHUNK_SIZE];
    size_t input_size, input_read;
    struct hub_buffer output;
    size_t sent;
    int64_t active_ms; /* when a byte went either way, or it was accepted */
    int64_t begun_ms;  /* when what is not whole yet began */
    bool has_begun;
    bool ends; /* nothing more is read; it is closed when the answers are out */
    bool gone; /* it is closed */
};

struct hub_mllp_peers_config {
    const char *listen;
    const char *tls_certificate, *tls_key, *tls_client_ca; /* paths, or NULL */
    size_t size_max_bytes, connections_max;
    int64_t frame_timeout_ms, idle_timeout_ms;
    int64_t (*monotonic_ms)(void);
};

struct hub_mllp_peers {
    struct hub_mllp_peers_config config;
    struct hub_tls *tls;
    struct hub_listener *listener;
    struct hub_mllp_peer **items;
    struct hub_socket **sockets; /* for one wait */
    size_t count;
    bool is_quiet; /* on another thread than the log's: who is refused is counted, and told later */
    int64_t told_ms, untold; /* of connections that were refused */
};

/* Listens. What it has when it fails is for hub_mllp_peers_close. HUB_RETRY where somebody else listens there. */
HUB_MUST_USE enum hub_status hub_mllp_peers_open(const struct hub_mllp_peers_config *config,
                                                 struct hub_mllp_peers *peers,
                                                 struct hub_error *reterr);
void hub_mllp_peers_close(struct hub_mllp_peers *peers);

/* Waits until there is something to be done, and takes in whoever has come. */
void hub_mllp_peers_wait(struct hub_mllp_peers *peers, int64_t timeout_ms);
/* Takes what has come where all before it was read. */
void hub_mllp_peer_read(struct hub_mllp_peers *peers, struct hub_mllp_peer *peer);
/* Sends of its output what goes now. */
void hub_mllp_peer_flush(struct hub_mllp_peers *peers, struct hub_mllp_peer *peer);
/* Closes what is over. Nobody waits for an answer now. */
void hub_mllp_peers_sweep(struct hub_mllp_peers *peers);
