/* webhook-out: each event is posted to the receiver, signed as Standard Webhooks says.
 *
 * One at a time, in their order: the next is sent when the one before is done or given up. 2xx is done;
 * 410 Gone ends the subscription; whatever else is answered, and no answer, is tried again, after as long
 * as Retry-After says where it says so. Redirects are an answer like any other, for what is signed is
 * meant for the one that it is addressed to. */
#include "connectors/transports/outbounds.h"

#include "connectors/transports/access.h"
#include "connectors/transports/webhook_signature.h"

#include <stdio.h>
#include <string.h>

enum { PLANNED = 100, GONE = 410, HEADER_SIZE_MAX = 1024, NUMBER_SIZE_MAX = 24 };

struct options {
    struct hub_access_options access;
    const char *url;
    const char *const *secrets;
    int64_t give_up_after_s;
    const char *on_failure;
};

static const char *const failures[] = {"dead-letter", "stop", NULL};

static const struct hub_option options[] = {
    {.name = "url",
     HUB_TEXT_OPTION(struct options, url),
     .required = true,
     .help = "Where events are posted to; https, or this machine."},
    {.name = "secrets",
     HUB_TEXTS_OPTION(struct options, secrets),
     .required = true,
     .secret = true,
     .help = "What events are signed by: whsec_<base64>; while one replaces another both, and every event "
             "is signed by each. As ${env:NAME} or ${file:/path}."},
    {.name = "give_up_after_s",
     HUB_NUMBER_OPTION(struct options, give_up_after_s),
     .initial = "86400",
     .minimum = 1,
     .maximum = 2592000,
     .help = "For how long one event is tried, in seconds since its first failure; what comes after it "
             "waits."},
    {.name = "on_failure",
     HUB_TEXT_OPTION(struct options, on_failure),
     .initial = "dead-letter",
     .choices = failures,
     .help = "What becomes of an event that is given up: it goes to deadletter.INSTITUTION and the next "
             "one goes on, or the connector stops until a person has helped."},
    HUB_ACCESS_OPTIONS(struct options, access),
    {0},
};

struct sending {
    const struct options *options;
    int64_t (*realtime_ms)(void);
    struct hub_access access;
    struct hub_webhook_secrets secrets;
};

static enum hub_status check(const void *given, struct hub_error *reterr) {
    const struct options *own = given;
    struct hub_arena arena = {0};
    struct hub_webhook_secrets secrets;
    if (!hub_http_is_private(own->url))
        return hub_fail(reterr, HUB_FATAL, "url: an https address, or an http one of this machine, "
                        "would pass");
    HUB_TRY(hub_access_check(&own->access, reterr));
    enum hub_status status = hub_webhook_secrets_read(own->secrets, &arena, &secrets, reterr);
    hub_arena_destroy(&arena);
    return status;
}

static struct hub_outbound_pace pace(const void *given) {
    (void)given;
    return (struct hub_outbound_pace){.planned_max = PLANNED, .together_max = 1};
}

static enum hub_status open(void *state, const void *given, const struct hub_env *env,
                            struct hub_error *reterr) {
    struct sending *sending = state;
    sending->options = given;
    sending->realtime_ms = env->realtime_ms;
    HUB_TRY(hub_access_open(&sending->access, &sending->options->access, env, reterr));
    return hub_webhook_secrets_read(sending->options->secrets, &sending->access.arena,
                                    &sending->secrets, reterr);
}

static enum hub_status post(struct sending *sending, const struct hub_event *event,
                            struct hub_arena *arena, struct hub_http_answer *ret_answer,
                            struct hub_error *reterr) {
    const char *timestamp =
        hub_arena_format(arena, "%lld", (long long)(sending->realtime_ms() / 1000));
    HUB_SCOPED_BUFFER signatures = {.size_max = HEADER_SIZE_MAX};
    hub_webhook_sign(&sending->secrets, event->id, timestamp, hub_bytes(event->json, event->size),
                     &signatures);
    struct hub_access_request request = {
        .url = sending->options->url,
        .body = event->json,
        .headers = {"Content-Type: application/json",
                    hub_arena_format(arena, "webhook-id: %s", event->id),
                    hub_arena_format(arena, "webhook-timestamp: %s", timestamp),
                    hub_arena_format(arena, "webhook-signature: %s", hub_buffer_text(&signatures))}};
    return hub_access_ask(&sending->access, &request, arena, ret_answer, reterr);
}

/* Not this time; and no further time, where it has been tried for long enough. */
static enum hub_status fail(const struct sending *sending, const struct hub_event *event,
                            int64_t tried_ms, const char *why, struct hub_error *reterr) {
    const struct options *own = sending->options;
    if (tried_ms < own->give_up_after_s * 1000)
        return hub_fail(reterr, HUB_RETRY, "%s: %s", event->id, why);
    bool stops = strcmp(own->on_failure, "stop") == 0;
    return hub_fail(reterr, stops ? HUB_FATAL : HUB_REJECT, "%s: %s, for %lld s", event->id, why,
                    (long long)(tried_ms / 1000));
}

static enum hub_status judge(const struct sending *sending, const struct hub_event *event,
                             const struct hub_http_answer *answer, int64_t tried_ms,
                             struct hub_outbound_result *ret_result, struct hub_error *reterr) {
    char why[64];
    if (answer->status >= 200 && answer->status < 300)
        return HUB_OK;
    if (answer->status == GONE) {
        ret_result->is_gone = true;
        return hub_fail(reterr, HUB_FATAL, "%s: the receiver answered 410 Gone", event->id);
    }
    ret_result->retry_after_ms = answer->retry_after_ms;
    ret_result->code = hub_access_is_busy(answer->status) ? "UNREACHABLE" : "REFUSED";
    snprintf(why, sizeof why, "the receiver answered %ld; 2xx would pass", answer->status);
    return fail(sending, event, tried_ms, why, reterr);
}

static enum hub_status deliver(void *state, const struct hub_event *events, size_t count,
                               int64_t tried_ms, struct hub_outbound_result *ret_result,
                               struct hub_error *reterr) {
    struct sending *sending = state;
    struct hub_arena arena = {0};
    struct hub_http_answer answer;
    struct hub_error error;
    (void)count; /* one at a time */
    enum hub_status status = post(sending, &events[0], &arena, &answer, &error);
    if (status == HUB_OK) {
        status = judge(sending, &events[0], &answer, tried_ms, ret_result, reterr);
    } else if (status == HUB_FATAL) {
        *reterr = error;
    } else { /* an answer that is too large is none */
        ret_result->code = "UNREACHABLE";
        status = fail(sending, &events[0], tried_ms, error.text, reterr);
    }
    hub_arena_destroy(&arena);
    return status;
}

static void close(void *state) {
    struct sending *sending = state;
    hub_access_close(&sending->access);
}

const struct hub_outbound hub_outbound_webhook = {
    .name = "webhook-out",
    .summary = "Posts each event to a web address, signed as Standard Webhooks says.",
    .options = options,
    .options_size = sizeof(struct options),
    .check = check,
    .pace = pace,
    .state_size = sizeof(struct sending),
    .open = open,
    .deliver = deliver,
    .close = close,
};
