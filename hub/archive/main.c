/* atmp-archive: keeps what went through Kafka, so that others can check it for decades. */
#include "hub/archive/archiver.h"
#include "hub/archive/key_file.h"
#include "hub/io/clock.h"
#include "hub/io/http_server.h"
#include "hub/io/json.h"
#include "hub/io/kafka.h"
#include "hub/io/log.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STUCK_AFTER_MS = 60000, LAG_ALARM_S = 7 * 24 * 3600 };

struct options {
    struct hub_archiver_settings archiver;
    const char *schemas, *key, *listen, *witnesses;
};

static const struct option long_options[] = {
    {"bootstrap", required_argument, NULL, 'b'},  {"schemas", required_argument, NULL, 's'},
    {"archive", required_argument, NULL, 'a'},    {"key", required_argument, NULL, 'k'},
    {"deployment", required_argument, NULL, 'd'}, {"listen", required_argument, NULL, 'l'},
    {"interval-ms", required_argument, NULL, 'i'}, {"segment-size-max", required_argument, NULL, 'z'},
    {"lag-alarm-s", required_argument, NULL, 'L'}, {"witnesses", required_argument, NULL, 'w'},
    {"once", no_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},             {NULL, 0, NULL, 0},
};

static void usage(FILE *out) {
    fprintf(out,
            "usage: atmp-archive [OPTION...]\n\n"
            "  --bootstrap HOSTS       Kafka (HUB_BOOTSTRAP, else 127.0.0.1:19092)\n"
            "  --schemas DIR           the schemas folder (HUB_SCHEMAS, else schemas)\n"
            "  --archive DIR           where it is kept (HUB_ARCHIVE, else archive)\n"
            "  --key FILE              the private key that signs it, as `openssl genpkey -algorithm\n"
            "                          ed25519` writes it (HUB_ARCHIVE_KEY, else archive.pem)\n"
            "  --deployment NAME       what its logs are named after (archive.atmp.example)\n"
            "  --listen HOST:PORT      health and metrics (127.0.0.1:8082)\n"
            "  --interval-ms N         how often what is new is archived and signed (60000)\n"
            "  --segment-size-max N    bytes of a file of records (268435456)\n"
            "  --lag-alarm-s N         how far behind it may be before that is an error (604800)\n"
            "  --witnesses FILE        who cosigns what is signed (`connector witness`): a line for each,\n"
            "                          URL KEY\n"
            "  --once                  archives what there is, and ends\n");
}

static const char *environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? otherwise : value;
}

static bool read_option(struct options *options, int option) {
    struct hub_archiver_settings *archiver = &options->archiver;
    switch (option) {
    case 'b':
        archiver->bootstrap = optarg;
        return true;
    case 's':
        options->schemas = optarg;
        return true;
    case 'a':
        archiver->archive.folder = optarg;
        return true;
    case 'k':
        options->key = optarg;
        return true;
    case 'd':
        archiver->archive.deployment = optarg;
        return true;
    case 'l':
        options->listen = optarg;
        return true;
    case 'i':
        archiver->interval_ms = strtoll(optarg, NULL, 10);
        return archiver->interval_ms > 0;
    case 'z':
        archiver->archive.segment_size_max = strtoull(optarg, NULL, 10);
        return archiver->archive.segment_size_max > 0;
    case 'L':
        archiver->lag_alarm_ms = strtoll(optarg, NULL, 10) * 1000;
        return archiver->lag_alarm_ms > 0;
    case 'w':
        options->witnesses = optarg;
        return true;
    case 'o':
        archiver->once = true;
        return true;
    default:
        return false;
    }
}

/* --- what the outside may see --- */

static void append_metric(struct hub_buffer *body, const char *name, const char *type,
                          const char *help, double value) {
    hub_buffer_append_format(body, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type,
                             name, value);
}

static void append_metrics(struct hub_archiver_state *state, struct hub_buffer *body) {
    int64_t until_ms = atomic_load(&state->signed_until_ms);
    append_metric(body, "atmp_archive_records_total", "counter", "Records archived.",
                  (double)atomic_load(&state->records));
    append_metric(body, "atmp_archive_bytes_total", "counter", "Keys and values of those records.",
                  (double)atomic_load(&state->bytes));
    append_metric(body, "atmp_archive_rounds_total", "counter",
                  "Times that everything was archived and signed.",
                  (double)atomic_load(&state->rounds));
    append_metric(body, "atmp_archive_failures_total", "counter",
                  "Times that it had to begin again from what was signed.",
                  (double)atomic_load(&state->failures));
    append_metric(body, "atmp_archive_cosigned_total", "counter",
                  "Checkpoints of the roll-up log that a witness cosigned.",
                  (double)atomic_load(&state->cosigned));
    append_metric(body, "atmp_archive_witness_refusals_total", "counter",
                  "Times that a witness had seen another history.",
                  (double)atomic_load(&state->refusals));
    append_metric(body, "atmp_archive_gaps_total", "counter",
                  "Partitions that had lost records before they were archived.",
                  (double)atomic_load(&state->gaps));
    if (until_ms > 0)
        append_metric(body, "atmp_archive_lag_seconds", "gauge",
                      "Since when what was committed may not be archived yet.",
                      (double)(hub_clock_realtime_ms() - until_ms) / 1000.0);
}

static void on_question(void *context, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    struct hub_archiver_state *state = context;
    int64_t ticked_ms = atomic_load(&state->ticked_ms);
    reply->status = 200;
    if (strcmp(question->path, "/livez") == 0) {
        bool alive = ticked_ms == 0 || hub_clock_monotonic_ms() - ticked_ms < STUCK_AFTER_MS;
        reply->status = alive ? 200 : 503;
        hub_buffer_append_text(&reply->body, alive ? "ok\n" : "nothing goes on\n");
    } else if (strcmp(question->path, "/readyz") == 0) {
        bool ready = atomic_load(&state->signed_until_ms) > 0;
        reply->status = ready ? 200 : 503;
        hub_buffer_append_text(&reply->body, ready ? "ok\n" : "what there is is not archived yet\n");
    } else if (strcmp(question->path, "/metrics") == 0) {
        reply->content_type = "text/plain; version=0.0.4";
        append_metrics(state, &reply->body);
    } else {
        reply->status = 404;
    }
}

/* --- running --- */

static enum hub_status run(struct options *options, struct hub_error *reterr) {
    struct hub_archiver_state state = {0};
    struct hub_ed25519_key private;
    struct hub_catalogue *catalogue = NULL;
    struct hub_http_server *server = NULL;
    struct hub_arena arena = {0};
    const char *version = NULL;
    HUB_TRY(hub_kafka_check_version(&version, reterr));
    if (options->witnesses != NULL)
        HUB_TRY(hub_witnesses_read(options->witnesses, &arena, &options->archiver.witnesses, reterr));
    HUB_TRY(hub_private_key_load(options->key, &private, reterr));
    options->archiver.archive.private = &private;
    HUB_TRY(hub_catalogue_load(options->schemas, &hub_sha256, &catalogue, reterr));
    const struct hub_http_server_config config = {
        .address = options->listen, .handler = on_question, .context = &state};
    enum hub_status status = hub_http_server_new(&config, &server, reterr);
    if (status == HUB_OK) {
        hub_log(HUB_LOG_INFO, "started", "librdkafka %s, listening on %s", version,
                options->listen);
        status = hub_archiver_run(&options->archiver, catalogue, &state, reterr);
    }
    hub_http_server_free(server);
    hub_catalogue_free(catalogue);
    hub_arena_destroy(&arena);
    return status;
}

int main(int argc, char **argv) {
    struct options options = {
        .schemas = environment("HUB_SCHEMAS", "schemas"),
        .key = environment("HUB_ARCHIVE_KEY", "archive.pem"),
        .listen = "127.0.0.1:8082",
        .archiver = {.archive = {.folder = environment("HUB_ARCHIVE", "archive"),
                                 .deployment = "archive.atmp.example"},
                     .bootstrap = environment("HUB_BOOTSTRAP", "127.0.0.1:19092"),
                     .interval_ms = 60000,
                     .lag_alarm_ms = (int64_t)LAG_ALARM_S * 1000}};
    struct hub_error error = {{0}};
    hub_json_open();
    for (int option; (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (!read_option(&options, option)) {
            usage(stderr);
            return 2;
        }
    }
    hub_log_open("atmp-archive", "archiver");
    enum hub_status status = run(&options, &error);
    if (status != HUB_OK)
        hub_log(HUB_LOG_ERROR, "stopped", "%s", error.text);
    else
        hub_log(HUB_LOG_INFO, "stopped", options.archiver.once ? "everything is archived" : "as asked");
    return status == HUB_OK ? 0 : 1;
}
