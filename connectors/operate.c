#include "connectors/operate.h"

#include "connectors/kit/position.h"
#include "connectors/kit/presence.h"
#include "hub/io/back_off.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK = 0, FINDINGS = 1, UNREACHABLE = 5, STOP_TIMEOUT_MS = 60000, LOOK_MS = 100 };

static int refused(const struct hub_error *error) {
    fprintf(stderr, "connector: %s\n", error->text);
    return FINDINGS;
}

/* --- status --- */

/* In UTC, to the second; - where there is none. */
static void print_time(const json_t *milliseconds) {
    char text[32] = "-";
    time_t seconds = (time_t)(json_integer_value(milliseconds) / 1000);
    struct tm parts;
    if (json_is_integer(milliseconds) && gmtime_r(&seconds, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    printf("%-21s", text);
}

static const char *text_of(const json_t *status, const char *name) {
    const char *text = json_string_value(json_object_get(status, name));
    return text == NULL ? "" : text;
}

/* A source is told of only while its connector runs. */
static void print_line(const json_t *status) {
    const char *state = text_of(status, "state");
    bool runs = strcmp(state, "RUNNING") == 0 || strcmp(state, "PAUSED") == 0;
    const json_t *counts = json_object_get(status, "counts");
    printf("%-24s %-11s %-8s ", text_of(status, "connector"), state,
           runs ? text_of(status, "source") : "-");
    print_time(json_object_get(status, "since"));
    print_time(json_object_get(status, "reached"));
    print_time(json_object_get(status, "next_try"));
    printf("%9lld %7lld  %s\n", (long long)json_integer_value(json_object_get(counts, "read")),
           (long long)json_integer_value(json_object_get(counts, "dead")),
           *text_of(status, "why") != '\0' ? text_of(status, "why") : text_of(status, "source_why"));
}

int operate_status(const struct operation *operation, char **names, int count) {
    json_t *list = json_array(), *all = hub_presence_names(operation->state_folder);
    int code = OK;
    size_t i;
    json_t *item;
    for (int k = 0; k < count; k++)
        json_array_append_new(list, json_string(names[k]));
    json_t *statuses = json_array();
    json_array_foreach(count > 0 ? list : all, i, item) {
        json_t *status = hub_presence_read(operation->state_folder, json_string_value(item));
        if (status != NULL) {
            json_array_append_new(statuses, status);
            continue;
        }
        fprintf(stderr, "connector: '%s' has told nothing in %s/connectors\n",
                json_string_value(item), operation->state_folder);
        code = FINDINGS;
    }
    if (operation->json) {
        json_dumpf(statuses, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        printf("%-24s %-11s %-8s %-21s%-21s%-21s%9s %7s  %s\n", "CONNECTOR", "STATE", "SOURCE",
               "SINCE", "REACHED", "NEXT TRY", "READ", "DEAD", "WHY");
        json_array_foreach(statuses, i, item)
            print_line(item);
    }
    json_decref(statuses);
    json_decref(list);
    json_decref(all);
    return code;
}

/* --- wishes --- */

static int wish(const struct operation *operation, const char *name, enum hub_wish what,
                const char *reason) {
    struct hub_error error;
    if (reason == NULL || *reason == '\0') {
        fprintf(stderr, "connector: --reason TEXT is missing: it stands in the status\n");
        return FINDINGS;
    }
    if (hub_presence_wish(operation->state_folder, name, what, operation->who, reason, &error) !=
        HUB_OK)
        return refused(&error);
    if (!hub_presence_runs(operation->state_folder, name))
        printf("%s does not run; it will do so from its next start on\n", name);
    return OK;
}

int operate_pause(const struct operation *operation, const char *name) {
    return wish(operation, name, HUB_WISH_PAUSE, operation->reason);
}

int operate_resume(const struct operation *operation, const char *name) {
    return wish(operation, name, HUB_WISH_RESUME, operation->reason);
}

int operate_retry(const struct operation *operation, const char *name) {
    const char *reason = operation->reason == NULL ? "again at once" : operation->reason;
    return wish(operation, name, HUB_WISH_RETRY, reason);
}

int operate_stop(const struct operation *operation, const char *name) {
    json_t *status = hub_presence_read(operation->state_folder, name);
    pid_t process = (pid_t)json_integer_value(json_object_get(status, "process"));
    bool runs = hub_presence_runs(operation->state_folder, name);
    json_decref(status);
    if (!runs || process <= 0) {
        fprintf(stderr, "connector: '%s' does not run here\n", name);
        return FINDINGS;
    }
    if (kill(process, SIGTERM) != 0) {
        fprintf(stderr, "connector: process %d: %s\n", (int)process, strerror(errno));
        return FINDINGS;
    }
    for (int waited_ms = 0; waited_ms < STOP_TIMEOUT_MS; waited_ms += LOOK_MS) {
        if (!hub_presence_runs(operation->state_folder, name))
            return OK;
        hub_pause_ms(LOOK_MS);
    }
    fprintf(stderr, "connector: '%s' still runs after %d s\n", name, STOP_TIMEOUT_MS / 1000);
    return FINDINGS;
}

/* --- the position --- */

struct moving {
    struct hub_arena arena;
    struct hub_reader *reader;
    struct hub_producer *producer;
    struct hub_position position;
    char *to; /* as a transport writes it: on one line */
};

/* Its sequence moves on, so that a process that runs elsewhere after all sees that somebody else was
 * here, and gives way. */
static enum hub_status set_position(const struct operation *operation,
                                    const struct hub_connector *connector, struct moving *moving,
                                    struct hub_error *reterr) {
    const char *id = hub_connector_transactional_id(connector, &moving->arena);
    struct hub_position_reason reason = {operation->who, operation->reason};
    HUB_TRY(hub_producer_new(operation->bootstrap, id, &moving->producer, reterr));
    HUB_TRY(hub_position_read(moving->reader, connector, &moving->position, reterr));
    HUB_TRY(hub_producer_begin(moving->producer, reterr));
    enum hub_status status = hub_position_write(
        moving->producer, connector, moving->to, moving->position.sequence + 1,
        &moving->position.counts, &reason, reterr);
    if (status != HUB_OK) {
        hub_producer_abort(moving->producer);
        return status;
    }
    return hub_producer_commit(moving->producer, reterr);
}

/* HUB_REJECT where it must not be set so. */
static enum hub_status check_move(const struct operation *operation,
                                  const struct hub_connector *connector, char **ret_to,
                                  struct hub_error *reterr) {
    json_error_t wrong;
    if (operation->reason == NULL || *operation->reason == '\0')
        return hub_fail(reterr, HUB_REJECT, "--reason TEXT is missing: it stays with the position");
    if (hub_presence_runs(operation->state_folder, connector->name))
        return hub_fail(reterr, HUB_REJECT, "'%s' runs; `connector stop %s` first",
                        connector->name, connector->name);
    json_t *value = json_loads(operation->to, 0, &wrong);
    if (value == NULL)
        return hub_fail(reterr, HUB_REJECT,
                        "--to: %s; a position as `connector position` shows it would pass",
                        wrong.text);
    *ret_to = hub_need(json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS));
    json_decref(value);
    return HUB_OK;
}

static enum hub_status look_or_move(const struct operation *operation,
                                    const struct hub_connector *connector, struct moving *moving,
                                    struct hub_error *reterr) {
    if (operation->to != NULL)
        HUB_TRY(check_move(operation, connector, &moving->to, reterr));
    HUB_TRY(hub_reader_new(operation->bootstrap, &moving->reader, reterr));
    if (operation->to != NULL)
        return set_position(operation, connector, moving, reterr);
    HUB_TRY(hub_position_read(moving->reader, connector, &moving->position, reterr));
    if (moving->position.text == NULL)
        return hub_fail(reterr, HUB_REJECT, "'%s' has not read anything yet", connector->name);
    printf("%s\n", moving->position.text);
    return HUB_OK;
}

int operate_position(const struct operation *operation, const struct hub_connector *connector) {
    struct moving moving = {0};
    struct hub_error error;
    enum hub_status status = look_or_move(operation, connector, &moving, &error);
    hub_position_free(&moving.position);
    free(moving.to);
    hub_producer_free(moving.producer);
    hub_reader_free(moving.reader);
    hub_arena_destroy(&moving.arena);
    if (status == HUB_OK)
        return OK;
    refused(&error);
    return status == HUB_RETRY ? UNREACHABLE : FINDINGS;
}
