/* atmp-hub: consumes what the institutions say, reconciles it, publishes unified topics. */
#include "hub/api/server.h"
#include "hub/engine/engine.h"
#include "hub/engine/lookup.h"
#include "hub/io/crypto.h"
#include "hub/io/json.h"
#include "hub/io/kafka.h"
#include "hub/io/log.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option long_options[] = {
    {"bootstrap", required_argument, NULL, 'b'}, {"schemas", required_argument, NULL, 's'},
    {"state", required_argument, NULL, 't'},     {"listen", required_argument, NULL, 'l'},
    {"instance", required_argument, NULL, 'i'},  {"group", required_argument, NULL, 'g'},
    {"checkpoint-interval-ms", required_argument, NULL, 'c'},
    {"batch-count-max", required_argument, NULL, 'n'},
    {"awake-max", required_argument, NULL, 'a'},
    {"help", no_argument, NULL, 'h'},            {NULL, 0, NULL, 0},
};

static const char *environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? otherwise : value;
}

static void usage(FILE *out) {
    fprintf(out,
            "usage: atmp-hub [OPTION...]\n\n"
            "  --bootstrap HOSTS            Kafka (HUB_BOOTSTRAP, else 127.0.0.1:19092)\n"
            "  --schemas DIR                the schemas folder (HUB_SCHEMAS, else schemas)\n"
            "  --state DIR                  where the cache is (HUB_STATE, else state)\n"
            "  --listen HOST:PORT           registry, look-ups, health and metrics\n"
            "                               (127.0.0.1:8081)\n"
            "  --instance NAME              this process within its groups (hub-1)\n"
            "  --group PREFIX               of groups and transactional ids (hub)\n"
            "  --checkpoint-interval-ms N   how often the cache is written (10000)\n"
            "  --batch-count-max N          records in one transaction (10000)\n"
            "  --awake-max N                statements that admit, and that the fold, have in memory, about\n"
            "                               5 KB each; the others sleep in the cache; 0: all (200000)\n");
}

static bool read_option(struct hub_settings *settings, int option) {
    switch (option) {
    case 'b':
        settings->bootstrap = optarg;
        return true;
    case 's':
        settings->schemas = optarg;
        return true;
    case 't':
        settings->state = optarg;
        return true;
    case 'l':
        settings->listen = optarg;
        return true;
    case 'i':
        settings->instance = optarg;
        return true;
    case 'g':
        settings->group = optarg;
        return true;
    case 'c':
        settings->checkpoint_interval_ms = strtoll(optarg, NULL, 10);
        return settings->checkpoint_interval_ms > 0;
    case 'n':
        settings->batch_count_max = strtoll(optarg, NULL, 10);
        return settings->batch_count_max > 0 && settings->batch_count_max <= 100000;
    case 'a':
        settings->awake_max = strtoll(optarg, NULL, 10);
        return settings->awake_max >= 0;
    default:
        return false;
    }
}

static enum hub_status run(const struct hub_settings *settings, struct hub_error *reterr) {
    struct hub_public_state state = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct hub_catalogue *catalogue = NULL;
    struct hub_api api = {0};
    const char *version = NULL;
    HUB_TRY(hub_kafka_check_version(&version, reterr));
    HUB_TRY(hub_catalogue_load(settings->schemas, &hub_sha256, &catalogue, reterr));
    HUB_TRY(hub_lookup_new(&state.lookup, reterr));
    enum hub_status status = hub_api_open(&api, settings->listen, catalogue, &state, reterr);
    if (status == HUB_OK) {
        hub_log(HUB_LOG_INFO, "started", "librdkafka %s, listening on %s", version,
                settings->listen);
        status = hub_engine_run(settings, catalogue, &state, reterr);
    }
    hub_api_close(&api);
    hub_lookup_free(state.lookup);
    hub_catalogue_free(catalogue);
    hub_release(state.metrics);
    return status;
}

int main(int argc, char **argv) {
    struct hub_settings settings = {.bootstrap = environment("HUB_BOOTSTRAP", "127.0.0.1:19092"),
                                    .schemas = environment("HUB_SCHEMAS", "schemas"),
                                    .state = environment("HUB_STATE", "state"),
                                    .listen = "127.0.0.1:8081",
                                    .instance = "hub-1",
                                    .group = "hub",
                                    .checkpoint_interval_ms = 10000,
                                    .batch_count_max = 10000,
                                    .awake_max = 200000};
    struct hub_error error = {{0}};
    hub_json_open();
    for (int option; (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (!read_option(&settings, option)) {
            usage(stderr);
            return 2;
        }
    }
    hub_log_open("atmp-hub", settings.instance);
    enum hub_status status = run(&settings, &error);
    if (status != HUB_OK)
        hub_log(HUB_LOG_ERROR, "stopped", "%s", error.text);
    else
        hub_log(HUB_LOG_INFO, "stopped", "as asked");
    return status == HUB_OK ? 0 : 1;
}
