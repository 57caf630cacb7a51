#include "connectors/transports/mllp_peers.h"

#include "hub/io/log.h"

enum { TELL_INTERVAL_MS = 60000 };

/* --- beginning and end --- */

enum hub_status hub_mllp_peers_open(const struct hub_mllp_peers_config *config,
                                    struct hub_mllp_peers *peers, struct hub_error *reterr) {
    peers->config = *config;
    peers->items = hub_allocate_zero(config->connections_max, sizeof(struct hub_mllp_peer *));
    peers->sockets = hub_allocate_zero(config->connections_max, sizeof(struct hub_socket *));
    if (config->tls_certificate != NULL)
        HUB_TRY(hub_tls_new(config->tls_certificate, config->tls_key, config->tls_client_ca,
                            &peers->tls, reterr));
    return hub_listener_new(config->listen, peers->tls, &peers->listener, reterr);
}

static void free_peer(struct hub_mllp_peer *peer) {
    hub_socket_close(peer->socket);
    hub_mllp_reader_free(&peer->reader);
    hub_buffer_free(&peer->output);
    hub_release(peer);
}

void hub_mllp_peers_close(struct hub_mllp_peers *peers) {
    for (size_t i = 0; i < peers->count; i++)
        free_peer(peers->items[i]);
    hub_listener_free(peers->listener);
    hub_tls_free(peers->tls);
    hub_release(peers->items);
    hub_release(peers->sockets);
    *peers = (struct hub_mllp_peers){0};
}

/* --- connections --- */

/* Whoever looks after the sender must be able to find out; whoever knocks all day fills no log. */
static void tell_refused(struct hub_mllp_peers *peers, const struct hub_socket *socket,
                         const char *why) {
    int64_t now_ms = peers->config.monotonic_ms();
    peers->untold++;
    if (peers->is_quiet || (peers->told_ms != 0 && now_ms - peers->told_ms < TELL_INTERVAL_MS))
        return;
    hub_log(HUB_LOG_WARNING, "connection_refused", "%s: %s; %lld since this was said last",
            hub_socket_peer(socket), why, (long long)peers->untold);
    peers->told_ms = now_ms;
    peers->untold = 0;
}

static void accept_all(struct hub_mllp_peers *peers) {
    struct hub_socket *socket = NULL;
    for (int i = 0; i < HUB_MLLP_ACCEPTED_MAX; i++) {
        if ((socket = hub_listener_accept(peers->listener)) == NULL)
            return;
        if (peers->count == peers->config.connections_max) {
            tell_refused(peers, socket, "there are as many connections as connections_max says");
            hub_socket_close(socket);
            continue;
        }
        struct hub_mllp_peer *peer = hub_allocate_zero(1, sizeof *peer);
        *peer = (struct hub_mllp_peer){.socket = socket,
                                       .reader = {.size_max = peers->config.size_max_bytes},
                                       .output = {.size_max = HUB_MLLP_ANSWERS_SIZE_MAX},
                                       .active_ms = peers->config.monotonic_ms()};
        peers->items[peers->count++] = peer;
    }
}

void hub_mllp_peers_wait(struct hub_mllp_peers *peers, int64_t timeout_ms) {
    for (size_t i = 0; i < peers->count; i++) {
        const struct hub_mllp_peer *peer = peers->items[i];
        bool sends = peer->output.size > 0;
        hub_socket_wants(peer->socket, !sends && !peer->ends, sends);
        peers->sockets[i] = peer->socket;
        if (peer->input_read < peer->input_size && !sends)
            timeout_ms = 0;
    }
    hub_socket_wait(peers->listener, peers->sockets, peers->count, timeout_ms);
    accept_all(peers);
}

void hub_mllp_peer_read(struct hub_mllp_peers *peers, struct hub_mllp_peer *peer) {
    if (peer->input_read < peer->input_size)
        return;
    enum hub_socket_result result =
        hub_socket_read(peer->socket, peer->input, HUB_MLLP_CHUNK_SIZE, &peer->input_size);
    peer->input_read = 0;
    if (peer->input_size > 0)
        peer->active_ms = peers->config.monotonic_ms();
    peer->ends = result == HUB_SOCKET_OVER;
    if (hub_socket_why(peer->socket) != NULL)
        tell_refused(peers, peer->socket, hub_socket_why(peer->socket));
}

void hub_mllp_peer_flush(struct hub_mllp_peers *peers, struct hub_mllp_peer *peer) {
    enum hub_socket_result result = HUB_SOCKET_SOME;
    while (!peer->gone && peer->sent < peer->output.size && result == HUB_SOCKET_SOME) {
        size_t written = 0;
        struct hub_bytes rest =
            hub_bytes_part(hub_buffer_bytes(&peer->output), peer->sent, peer->output.size);
        result = hub_socket_write(peer->socket, rest, &written);
        peer->sent += written;
        if (result == HUB_SOCKET_SOME)
            peer->active_ms = peers->config.monotonic_ms();
        peer->gone |= result == HUB_SOCKET_OVER;
    }
    if (peer->sent < peer->output.size)
        return;
    hub_buffer_clear(&peer->output);
    peer->sent = 0;
}

static bool is_over_time(const struct hub_mllp_peers *peers, const struct hub_mllp_peer *peer) {
    int64_t quiet_ms = peers->config.monotonic_ms() - peer->active_ms;
    bool hurries = peer->ends || !hub_socket_is_agreed(peer->socket);
    return quiet_ms > (hurries ? peers->config.frame_timeout_ms : peers->config.idle_timeout_ms);
}

void hub_mllp_peers_sweep(struct hub_mllp_peers *peers) {
    size_t kept = 0;
    for (size_t i = 0; i < peers->count; i++) {
        struct hub_mllp_peer *peer = peers->items[i];
        bool late = is_over_time(peers, peer);
        if (late && !hub_socket_is_agreed(peer->socket))
            tell_refused(peers, peer->socket, "no TLS handshake within frame_timeout_ms");
        if (peer->gone || late || (peer->ends && peer->output.size == 0))
            free_peer(peer);
        else
            peers->items[kept++] = peer;
    }
    peers->count = kept;
}
