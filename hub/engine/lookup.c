#include "hub/engine/lookup.h"

#include "hub/base/text.h"
#include "hub/stages/fold.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct hub_lookup {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    int wake;    /* counts questions; read by the stages' thread */
    bool asked;  /* a question waits; what follows is of it */
    bool done, found;
    enum hub_lookup_kind kind;
    const char *text;
    struct hub_buffer *json;
};

enum hub_status hub_lookup_new(struct hub_lookup **ret_lookup, struct hub_error *reterr) {
    pthread_condattr_t attributes;
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake < 0)
        return hub_fail(reterr, HUB_FATAL, "eventfd: %s", strerror(errno));
    struct hub_lookup *lookup = hub_allocate_zero(1, sizeof *lookup);
    lookup->wake = wake;
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->answered, &attributes);
    pthread_condattr_destroy(&attributes);
    *ret_lookup = lookup;
    return HUB_OK;
}

void hub_lookup_free(struct hub_lookup *lookup) {
    if (lookup == NULL)
        return;
    pthread_cond_destroy(&lookup->answered);
    pthread_mutex_destroy(&lookup->lock);
    close(lookup->wake);
    hub_release(lookup);
}

static struct timespec deadline_in(int64_t timeout_ms) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t nanoseconds = now.tv_nsec + timeout_ms % 1000 * 1000000;
    return (struct timespec){now.tv_sec + timeout_ms / 1000 + nanoseconds / 1000000000,
                             nanoseconds % 1000000000};
}

bool hub_lookup_ask(struct hub_lookup *lookup, enum hub_lookup_kind kind, const char *text,
                    int64_t timeout_ms, struct hub_buffer *json, bool *ret_found) {
    struct timespec deadline = deadline_in(timeout_ms);
    pthread_mutex_lock(&lookup->lock);
    lookup->asked = true;
    lookup->done = lookup->found = false;
    lookup->kind = kind;
    lookup->text = text;
    lookup->json = json;
    int late = eventfd_write(lookup->wake, 1);
    while (!lookup->done && late == 0)
        late = pthread_cond_timedwait(&lookup->answered, &lookup->lock, &deadline);
    bool done = lookup->done;
    *ret_found = lookup->found;
    lookup->asked = false;
    pthread_mutex_unlock(&lookup->lock);
    return done;
}

int hub_lookup_descriptor(const struct hub_lookup *lookup) {
    return lookup->wake;
}

/* --- answers --- */

static bool answer_identifier(const struct hub_task *task, const char *text,
                              struct hub_buffer *json) {
    struct hub_arena arena = {0};
    bool found = false;
    for (size_t i = 0; i < task->slot_count; i++) {
        size_t count = 0;
        const char **ids = hub_fold_resolve(task->slots[i].state, text, &arena, &count);
        for (size_t k = 0; k < count; k++) {
            if (!found) {
                hub_buffer_append_text(json, "{\"identifier\":");
                hub_text_append_json(hub_bytes_of_text(text), json);
            }
            hub_buffer_append_format(json, "%s{\"domain\":\"%s\",\"entity_id\":\"%s\"}",
                                     found ? "," : ",\"entities\":[",
                                     task->slots[i].domain->name, ids[k]);
            found = true;
        }
    }
    hub_arena_destroy(&arena);
    if (found)
        hub_buffer_append_text(json, "]}");
    return found;
}

/* Where it is active; an entity that moved has a record in its old shard too. */
static bool answer_entity(const struct hub_task *task, const char *text,
                          struct hub_buffer *json) {
    size_t from = json->size;
    bool found = false;
    for (size_t i = 0; i < task->slot_count; i++) {
        HUB_SCOPED_BUFFER own = {0};
        const char *kind = hub_fold_render_entity(task->slots[i].state, text, &own);
        bool active = kind != NULL && strcmp(kind, "ACTIVE") == 0;
        if (kind == NULL || (found && !active))
            continue;
        json->size = from;
        hub_buffer_append_bytes(json, hub_buffer_bytes(&own));
        found = true;
        if (active)
            break;
    }
    return found;
}

static enum hub_status check_shards(const struct hub_task *task, struct hub_error *reterr) {
    for (size_t i = 0; i < task->slot_count; i++)
        HUB_TRY(hub_fold_failure(task->slots[i].state, reterr));
    return HUB_OK;
}

enum hub_status hub_lookup_answer(struct hub_lookup *lookup, const struct hub_task *fold_task,
                                  struct hub_error *reterr) {
    eventfd_t questions = 0;
    enum hub_status status = HUB_OK;
    if (eventfd_read(lookup->wake, &questions) != 0)
        return HUB_OK;
    pthread_mutex_lock(&lookup->lock);
    if (lookup->asked && !lookup->done) {
        lookup->found = lookup->kind == HUB_LOOKUP_IDENTIFIER
                            ? answer_identifier(fold_task, lookup->text, lookup->json)
                            : answer_entity(fold_task, lookup->text, lookup->json);
        status = check_shards(fold_task, reterr);
        lookup->done = status == HUB_OK;
        pthread_cond_signal(&lookup->answered);
    }
    pthread_mutex_unlock(&lookup->lock);
    return status;
}
