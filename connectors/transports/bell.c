#include "connectors/transports/bell.h"

#include "hub/io/crypto.h"

#include <pthread.h>
#include <string.h>

enum { SECRET_SIZE_MIN = 16, MINUTE_MS = 60000 };

/* Why something was turned away, besides what every port does. */
enum { SENDER = HUB_PORT_OWN, NOTICE, RATE };

static const struct hub_port_kind kinds[] = {
    {"sender", 403}, {"notice", 400}, {"rate", 429}, {NULL, 0}};

struct bell {
    const struct bell_options *options;
    int64_t (*realtime_ms)(void);
    struct hub_port *port;
    pthread_mutex_t lock; /* of what is below */
    int64_t started_ms;   /* so that ids of another process are others */
    int64_t number;       /* of notices, since the process began */
    int64_t minute, ids;  /* that were taken in that minute */
};

/* --- on the server's threads --- */

/* The number of a notice; 0 where there were too many ids in this minute. */
static int64_t admit(struct bell *bell, int64_t ids) {
    int64_t minute = bell->realtime_ms() / MINUTE_MS;
    pthread_mutex_lock(&bell->lock);
    if (minute != bell->minute)
        bell->ids = 0;
    bell->minute = minute;
    bool too_many = bell->ids + ids > bell->options->ids_per_minute_max;
    if (!too_many)
        bell->ids += ids;
    int64_t number = too_many ? 0 : ++bell->number;
    pthread_mutex_unlock(&bell->lock);
    return number;
}

static bool is_the_path(const struct bell_options *own, const char *path) {
    size_t size = strlen(own->path);
    if (own->secrets[0] == NULL)
        return strcmp(path, own->path) == 0;
    if (strncmp(path, own->path, size) != 0)
        return false;
    if (own->path[size - 1] != '/' && path[size++] != '/')
        return false;
    bool known = false;
    for (size_t i = 0; own->secrets[i] != NULL; i++)
        known |= hub_same_secret(hub_bytes_of_text(own->secrets[i]),
                                 hub_bytes_of_text(path + size));
    return known;
}

static void take_notice(struct bell *bell, const json_t *requests, struct hub_http_reply *reply) {
    int64_t number = admit(bell, (int64_t)json_array_size(requests));
    if (number == 0) {
        hub_port_turn_away(bell->port, reply, RATE, "too many ids in this minute");
        reply->retry_after_s = MINUTE_MS / 1000;
        return;
    }
    HUB_SCOPED_BUFFER id = {0};
    hub_buffer_append_format(&id, "%lld-%lld", (long long)bell->started_ms, (long long)number);
    struct hub_desk_item item = {.id = hub_buffer_text(&id), .context = (json_t *)requests};
    /* What a sender hears is what its API names, whatever became of what it said. */
    hub_port_take(bell->port, &item, bell->options->answer, bell->options->answer, reply);
    if (reply->status == 200)
        reply->content_type = bell->options->answer_type;
}

static void on_question(void *bell_, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    static const char *const types[] = {"application/x-www-form-urlencoded", NULL};
    struct bell *bell = bell_;
    const struct bell_options *own = bell->options;
    struct hub_error why;
    json_t *requests = NULL;
    if (!is_the_path(own, question->path))
        hub_port_turn_away(bell->port, reply, HUB_PORT_PATH, "nothing is here");
    else if (!hub_notice_is_from(&own->notice, hub_http_peer(question)))
        hub_port_turn_away(bell->port, reply, SENDER, "an address of senders would pass");
    else if (strcmp(question->method, "POST") != 0)
        hub_port_turn_away(bell->port, reply, HUB_PORT_METHOD, "POST would pass");
    else if (!hub_port_is_of_type(question, types))
        hub_port_turn_away(bell->port, reply, HUB_PORT_TYPE,
                           "application/x-www-form-urlencoded would pass");
    else if (hub_notice_read(&own->notice, question->body, &requests, &why) != HUB_OK)
        hub_port_turn_away(bell->port, reply, NOTICE, why.text);
    else
        take_notice(bell, requests, reply);
    json_decref(requests);
}

/* --- opening --- */

enum hub_status bell_check(const struct bell_options *own, struct hub_error *reterr) {
    HUB_TRY(hub_notice_check(&own->notice, reterr));
    HUB_TRY(hub_port_check(&own->port, "notice_", reterr));
    if (own->path[0] != '/')
        return hub_fail(reterr, HUB_FATAL, "path '%s': one that begins with / would pass",
                        own->path);
    if (own->secrets[0] == NULL && own->port.tls_client_ca == NULL)
        return hub_fail(reterr, HUB_FATAL, "anybody could send notices; secrets or "
                        "notice_tls_client_ca would pass");
    for (size_t i = 0; own->secrets[i] != NULL; i++)
        if (strlen(own->secrets[i]) < SECRET_SIZE_MIN)
            return hub_fail(reterr, HUB_FATAL, "secrets: number %zu has less than %d characters",
                            i + 1, SECRET_SIZE_MIN);
    return HUB_OK;
}

void bell_free(void *bell_) {
    struct bell *bell = bell_;
    hub_port_free(bell->port);
    pthread_mutex_destroy(&bell->lock);
    hub_release(bell);
}

enum hub_status bell_new(const struct bell_options *own, const struct hub_env *env,
                         const json_t *position, struct bell **ret_bell,
                         struct hub_error *reterr) {
    struct bell *bell = hub_allocate_zero(1, sizeof *bell);
    struct hub_port_config config = {.options = &own->port,
                                     .own = kinds,
                                     .marks_max = 0, /* what is told again may have changed again */
                                     .handler = on_question,
                                     .context = bell};
    bell->options = own;
    bell->realtime_ms = env->realtime_ms;
    bell->started_ms = env->realtime_ms();
    pthread_mutex_init(&bell->lock, NULL);
    enum hub_status status = hub_port_new(&config, env, position, &bell->port, reterr);
    if (status == HUB_OK)
        *ret_bell = bell;
    else
        bell_free(bell);
    return status;
}

struct hub_port *bell_port(struct bell *bell) {
    return bell->port;
}
