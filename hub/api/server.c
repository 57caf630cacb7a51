#include "hub/api/server.h"

#include "hub/api/registry.h"
#include "hub/api/resolve.h"
#include "hub/io/clock.h"
#include "hub/io/kafka.h"
#include "hub/stages/fold.h"

#include <string.h>

enum { STUCK_AFTER_MS = 60000 };

static const char metrics_head[] =
    "# HELP atmp_admit_records_total Records of ingest topics, by what became of them.\n"
    "# TYPE atmp_admit_records_total counter\n"
    "# HELP atmp_security_events_total Records that claimed another institution.\n"
    "# TYPE atmp_security_events_total counter\n"
    "# HELP atmp_fold_entries_total Entries of the log, by what became of them.\n"
    "# TYPE atmp_fold_entries_total counter\n"
    "# HELP atmp_statements Statements in force.\n"
    "# TYPE atmp_statements gauge\n"
    "# HELP atmp_entities Active entities.\n"
    "# TYPE atmp_entities gauge\n"
    "# HELP atmp_conflicts_open Conflicts that stand open.\n"
    "# TYPE atmp_conflicts_open gauge\n"
    "# HELP atmp_matches_open Possible matches that wait for a person.\n"
    "# TYPE atmp_matches_open gauge\n"
    "# HELP atmp_identifiers_set_aside Identifiers that too many statements share to join them.\n"
    "# TYPE atmp_identifiers_set_aside gauge\n"
    "# HELP atmp_transactions_total Kafka transactions committed.\n"
    "# TYPE atmp_transactions_total counter\n"
    "# HELP atmp_transaction_records_total Records consumed in committed transactions.\n"
    "# TYPE atmp_transaction_records_total counter\n"
    "# HELP atmp_commit_seconds_total Time spent in commits.\n"
    "# TYPE atmp_commit_seconds_total counter\n"
    "# HELP atmp_loaded_records_total Records that shards were loaded from, in the session.\n"
    "# TYPE atmp_loaded_records_total counter\n"
    "# HELP atmp_statements_awake Statements in memory that could sleep in the cache.\n"
    "# TYPE atmp_statements_awake gauge\n"
    "# HELP atmp_put_to_sleep_total Partitions whose state was let go from memory.\n"
    "# TYPE atmp_put_to_sleep_total counter\n"
    "# HELP atmp_partitions Partitions held.\n"
    "# TYPE atmp_partitions gauge\n"
    "# HELP atmp_checkpoints_total Writings of the cache.\n"
    "# TYPE atmp_checkpoints_total counter\n"
    "# HELP atmp_log_lines_lost_total Log lines that could not be written.\n"
    "# TYPE atmp_log_lines_lost_total counter\n";

/* The lines of one metric must stand together under its head. */
static void append_metric(struct hub_buffer *body, const char *head, size_t head_size,
                          const char *samples) {
    const char *type = strchr(head, '\n') + 1;
    const char *name = type + strlen("# TYPE ");
    size_t name_size = strcspn(name, " ");
    hub_buffer_append(body, head, head_size);
    for (const char *line = samples; *line != '\0';) {
        size_t size = strcspn(line, "\n") + 1;
        if (strncmp(line, name, name_size) == 0 && line[name_size] == '{')
            hub_buffer_append(body, line, size);
        line += size;
    }
}

static void append_metrics(struct hub_api *api, struct hub_buffer *body) {
    pthread_mutex_lock(&api->state->lock);
    char *samples = hub_copy_text(api->state->metrics == NULL ? "" : api->state->metrics);
    pthread_mutex_unlock(&api->state->lock);
    for (const char *head = metrics_head; *head != '\0';) {
        size_t size = strcspn(head, "\n") + 1;
        size += strcspn(head + size, "\n") + 1;
        append_metric(body, head, size, samples);
        head += size;
    }
    hub_release(samples);
}

static void on_question(void *context, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    struct hub_api *api = context;
    const char *path = question->path, *version = NULL;
    struct hub_error ignored;
    if (strcmp(path, "/livez") == 0) {
        int64_t age_ms = hub_clock_monotonic_ms() - atomic_load(&api->state->ticked_ms);
        bool alive = atomic_load(&api->state->ticked_ms) == 0 || age_ms < STUCK_AFTER_MS;
        reply->status = alive ? 200 : 503;
        hub_buffer_append_text(&reply->body, alive ? "ok\n" : "the loop has not turned\n");
    } else if (strcmp(path, "/readyz") == 0) {
        bool ready = atomic_load(&api->state->ready);
        reply->status = ready ? 200 : 503;
        hub_buffer_append_text(&reply->body, ready ? "ok\n" : "partitions are not loaded\n");
    } else if (strcmp(path, "/metrics") == 0) {
        reply->status = 200;
        reply->content_type = "text/plain; version=0.0.4";
        append_metrics(api, &reply->body);
    } else if (strcmp(path, "/version") == 0) {
        reply->status = hub_kafka_check_version(&version, &ignored) == HUB_OK ? 200 : 503;
        reply->content_type = "application/json";
        hub_buffer_append_format(&reply->body, "{\"core\":%d,\"librdkafka\":\"%s\"}\n",
                                 HUB_CORE_VERSION, version);
    } else if (strncmp(path, "/v1/", 4) == 0) {
        reply->content_type = "application/json";
        reply->status = hub_resolve_answer(api->catalogue, api->state, question, &reply->body);
    } else {
        reply->content_type = "application/vnd.schemaregistry.v1+json";
        reply->status = hub_registry_answer(api->catalogue, question->method, path,
                                            question->body, &reply->body);
    }
}

enum hub_status hub_api_open(struct hub_api *api, const char *address,
                             const struct hub_catalogue *catalogue,
                             struct hub_public_state *state, struct hub_error *reterr) {
    *api = (struct hub_api){catalogue, state, NULL};
    struct hub_http_server_config config = {
        .address = address, .handler = on_question, .context = api};
    return hub_http_server_new(&config, &api->server, reterr);
}

void hub_api_close(struct hub_api *api) {
    hub_http_server_free(api->server);
    api->server = NULL;
}
