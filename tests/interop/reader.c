/* Runs one transport as the connector would, without Kafka: what it reads is printed, a line of
 * JSON for each document, and its position is kept in a file. So tests of real peers need no
 * broker.
 *
 *
 * usage: reader TRANSPORT OPTIONS POSITION
 *
 *
 * OPTIONS is a file with the transport's options; POSITION one that is written at each commit.
 * Ends at SIGTERM, or with code 1 where a person must act. */
#include "connectors/kit/transport.h"
#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"

#include <signal.h>
#include <stdio.h>

enum { POLL_MS = 500, AGAIN_MS = 100 };

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

static bool is_stopping(void) {
    return stop_requested;
}

static void say(json_t *what) {
    json_dumpf(what, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    fputc('\n', stdout);
    fflush(stdout);
    json_decref(what);
}

static void say_document(const struct hub_raw_document *document) {
    if (document->refused != NULL)
        say(json_pack("{s:s, s:s, s:s}", "name", document->name, "refused", document->refused,
                      "code", document->refused_code));
    else
        say(json_pack("{s:s, s:I, s:s%}", "name", document->name, "size",
                      (json_int_t)document->bytes.size, "text",
                      (const char *)document->bytes.data,
                      document->bytes.size < 1000 ? document->bytes.size : (size_t)1000));
}

static enum hub_status take(const struct hub_transport *transport, void *state,
                            const struct hub_batch *batch, const char *position_file,
                            struct hub_error *reterr) {
    for (size_t i = 0; i < batch->count; i++)
        say_document(&batch->documents[i]);
    HUB_TRY(hub_file_write(position_file, hub_bytes_of_text(batch->position), reterr));
    HUB_TRY(transport->commit(state, reterr));
    say(json_pack("{s:i}", "committed", (int)batch->count));
    return HUB_OK;
}

static enum hub_status loop(const struct hub_transport *transport, void *state,
                            const char *position_file, struct hub_error *reterr) {
    while (!stop_requested) {
        struct hub_batch batch = {0};
        enum hub_status status = transport->poll(state, POLL_MS, &batch, reterr);
        if (status == HUB_RETRY && !stop_requested) {
            say(json_pack("{s:s}", "retry", reterr->text));
            hub_pause_ms(AGAIN_MS);
        }
        if (status == HUB_RETRY)
            continue;
        HUB_TRY(status);
        if (batch.note != NULL)
            say(json_pack("{s:s}", "note", batch.note));
        if (batch.count > 0)
            status = take(transport, state, &batch, position_file, reterr);
        hub_batch_free(&batch);
        HUB_TRY(status);
    }
    return HUB_OK;
}

static enum hub_status run(const struct hub_transport *transport, char **words,
                           struct hub_arena *arena, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER text = {0}, position = {0};
    struct hub_node *node = NULL;
    struct hub_error ignored;
    void *options = hub_arena_take_zero(arena, 1, transport->options_size);
    void *state = hub_arena_take_zero(arena, 1, transport->state_size);
    void *kept = NULL;
    struct hub_env env = {.configuration = "",
                          .monotonic_ms = hub_clock_monotonic_ms,
                          .realtime_ms = hub_clock_realtime_ms,
                          .is_stopping = is_stopping,
                          .kept = &kept};
    HUB_TRY(hub_file_read(words[2], &text, reterr));
    HUB_TRY(hub_node_parse(hub_buffer_bytes(&text), words[2], arena, &node, reterr));
    HUB_TRY(hub_options_read(node, transport->options, NULL, arena, options, reterr));
    if (transport->check != NULL)
        HUB_TRY(transport->check(options, reterr));
    if (hub_file_read(words[3], &position, &ignored) == HUB_OK)
        env.position = hub_buffer_text(&position);
    enum hub_status status = transport->open(state, options, &env, reterr);
    if (status == HUB_OK)
        status = loop(transport, state, words[3], reterr);
    transport->close(state);
    if (kept != NULL)
        transport->release(kept);
    return status;
}

int main(int count, char **words) {
    struct sigaction action = {.sa_handler = on_signal};
    struct hub_arena arena = {0};
    struct hub_error error;
    const struct hub_transport *transport = count == 4 ? hub_transport_find(words[1]) : NULL;
    if (transport == NULL) {
        fprintf(stderr, "usage: reader TRANSPORT OPTIONS POSITION\n");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    enum hub_status status = run(transport, words, &arena, &error);
    if (status != HUB_OK)
        say(json_pack("{s:s}", "fatal", error.text));
    hub_arena_destroy(&arena);
    return status == HUB_OK ? 0 : 1;
}
