#include "connectors/witness.h"

#include "hub/archive/key_file.h"
#include "hub/archive/witness.h"
#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"
#include "hub/io/http_server.h"
#include "hub/io/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { OK = 0, FINDINGS = 1, LOGS_FILE_SIZE_MAX = 256 * 1024,
       LOGS_MAX = 256, STEP_MS = 1000 };

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

struct desk {
    struct hub_witness witness;
    struct hub_ed25519_key private;
    struct hub_note_key logs[LOGS_MAX];
    struct hub_buffer folder;
    pthread_mutex_t lock; /* looking and remembering are one step */
};

/* --- opening --- */

static enum hub_status read_key(struct desk *desk, const struct witnessing *witnessing,
                                struct hub_error *reterr) {
    HUB_TRY(hub_private_key_load(witnessing->key, &desk->private, reterr));
    return hub_note_key_make(witnessing->name, HUB_NOTE_COSIGNATURE, &desk->private,
                             &desk->witness.key, reterr);
}

static enum hub_status read_logs(struct desk *desk, const char *path, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER text = {.size_max = LOGS_FILE_SIZE_MAX};
    struct hub_bytes line, rest;
    HUB_TRY(hub_file_read(path, &text, reterr));
    hub_buffer_append_byte(&text, '\n');
    rest = hub_buffer_bytes(&text);
    for (size_t number = 1; hub_bytes_cut(rest, '\n', &line, &rest); number++) {
        if (line.size == 0 || line.data[0] == '#')
            continue;
        if (desk->witness.log_count == LOGS_MAX)
            return hub_fail(reterr, HUB_FATAL, "%s: more than %d logs", path, LOGS_MAX);
        if (hub_note_key_read(line, &desk->logs[desk->witness.log_count++], reterr) != HUB_OK)
            return hub_fail_at(reterr, HUB_FATAL, "%s:%zu", path, number);
    }
    return desk->witness.log_count > 0
               ? HUB_OK
               : hub_fail(reterr, HUB_FATAL, "%s: no log; lines as an archive's rollup/log.vkey would "
                          "pass", path);
}

static enum hub_status open_desk(struct desk *desk, const struct witnessing *witnessing,
                                 struct hub_error *reterr) {
    HUB_TRY(read_key(desk, witnessing, reterr));
    if (witnessing->logs != NULL)
        HUB_TRY(read_logs(desk, witnessing->logs, reterr));
    hub_buffer_append_format(&desk->folder, "%s/witness", witnessing->state_folder);
    desk->witness.folder = hub_buffer_text(&desk->folder);
    desk->witness.private = &desk->private;
    desk->witness.logs = desk->logs;
    return HUB_OK;
}

/* --- answering --- */

static void tell(const struct hub_witness_reply *reply) {
    if (reply->forked)
        hub_log(HUB_LOG_ERROR, "log_forked", "%s; the log has signed two histories, and the evidence is "
                "kept", reply->error.text);
    else if (reply->status != 200 && reply->status != 409)
        hub_log(HUB_LOG_WARNING, "not_cosigned", "%u: %s", reply->status, reply->error.text);
}

static void on_question(void *context, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    struct desk *desk = context;
    struct hub_witness_reply answer;
    if (strcmp(question->path, "/add-checkpoint") != 0) {
        reply->status = 404;
        return;
    }
    if (strcmp(question->method, "POST") != 0) {
        reply->status = 405;
        reply->allow = "POST";
        return;
    }
    pthread_mutex_lock(&desk->lock);
    hub_witness_answer(&desk->witness, question->body, (uint64_t)(hub_clock_realtime_ms() / 1000),
                       &answer);
    tell(&answer);
    pthread_mutex_unlock(&desk->lock);
    reply->status = answer.status;
    reply->content_type = answer.content_type;
    hub_buffer_append_bytes(&reply->body, hub_buffer_bytes(&answer.body));
    hub_buffer_free(&answer.body);
}

static enum hub_status serve(struct desk *desk, const char *listen, struct hub_error *reterr) {
    struct hub_http_server *server = NULL;
    const struct hub_http_server_config config = {.address = listen,
                                                  .handler = on_question,
                                                  .context = desk,
                                                  .body_size_max_bytes =
                                                      HUB_WITNESS_REQUEST_SIZE_MAX};
    HUB_TRY(hub_http_server_new(&config, &server, reterr));
    hub_log(HUB_LOG_INFO, "started", "cosigns for %zu logs, listening on %s",
            desk->witness.log_count, listen);
    while (!stop_requested)
        hub_pause_ms(STEP_MS);
    hub_http_server_free(server);
    return HUB_OK;
}

int witness_run(const struct witnessing *witnessing) {
    struct desk desk = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct sigaction action = {.sa_handler = on_signal};
    struct hub_error error = {{0}};
    HUB_SCOPED_BUFFER key = {0};
    if (witnessing->key == NULL) {
        fprintf(stderr, "connector: witness: --key FILE is missing\n");
        return FINDINGS;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    hub_log_open("connector", witnessing->name);
    enum hub_status status = open_desk(&desk, witnessing, &error);
    if (status == HUB_OK) {
        hub_note_key_append(&desk.witness.key, &key);
        printf("%s\n", hub_buffer_text(&key));
        fflush(stdout);
        if (witnessing->logs != NULL)
            status = serve(&desk, witnessing->listen, &error);
    }
    hub_buffer_free(&desk.folder);
    if (status == HUB_OK)
        return OK;
    fprintf(stderr, "connector: %s\n", error.text);
    return FINDINGS;
}
