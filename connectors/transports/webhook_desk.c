#include "connectors/transports/webhook_desk.h"

#include "hub/io/crypto.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

enum { BATCH_SIZE_MAX = 16 * 1024 * 1024, MARK_BYTES = 12 };

enum place {
    QUEUED,
    TAKEN, /* the connector has it */
    SAFE,
    KEPT,
    LATER,
};

/* A webhook on the desk; in the list while it is QUEUED or TAKEN. */
struct entry {
    struct entry *prev, *next;
    enum place place;
    bool is_kept;   /* it is in the spool; nobody waits for it any more */
    size_t waiting; /* requests; without one it is freed as soon as it leaves the list */
    char mark[HUB_DESK_MARK_SIZE];
    char *id;
    struct hub_bytes body;
    json_t *context;
};

struct hub_desk {
    struct hub_desk_config config;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t arrived, settled;
    struct entry *list; /* the first that came first */
    json_t *marks;      /* of what is safe, the oldest first */
    bool open;          /* a session takes what comes */
    bool late;          /* a request has waited in vain since something was safe last */
    bool ended;
    /* What was taken from the spool last: marks of its items, how many documents of the spool were before each and
     * all in all, as of some there are no items; and whether the first of them has no place. */
    json_t *kept_marks;
    size_t kept_before[HUB_DESK_BATCH_MAX], kept_count;
    bool is_stuck;
};

/* --- marks --- */

/* Of an id that may be long, or tell of somebody: 96 bits of its digest. */
static void make_mark(const char *id, char mark[HUB_DESK_MARK_SIZE]) {
    struct hub_digest digest = hub_sha256.digest(hub_bytes_of_text(id));
    HUB_SCOPED_BUFFER text = {0};
    hub_base64_append(hub_bytes(digest.bytes, MARK_BYTES), &text);
    memcpy(mark, hub_buffer_text(&text), HUB_DESK_MARK_SIZE);
}

static bool has_mark(const json_t *marks, const char *mark) {
    for (size_t i = 0; i < json_array_size(marks); i++) {
        const char *text = json_string_value(json_array_get(marks, i));
        if (text != NULL && strcmp(text, mark) == 0)
            return true;
    }
    return false;
}

static void limit_marks(const struct hub_desk *desk, json_t *marks) {
    while (json_array_size(marks) > desk->config.marks_max)
        json_array_remove(marks, 0);
}

/* --- entries --- */

static struct entry *new_entry(const struct hub_desk_item *item, const char *mark) {
    struct entry *entry = hub_allocate_zero(1, sizeof *entry);
    memcpy(entry->mark, mark, HUB_DESK_MARK_SIZE);
    entry->id = hub_copy_text(item->id);
    entry->body = hub_bytes(hub_copy_bytes(item->body.data, item->body.size), item->body.size);
    entry->context = json_deep_copy(item->context);
    return entry;
}

static void free_entry(struct entry *entry) {
    hub_release(entry->id);
    hub_release((void *)entry->body.data);
    json_decref(entry->context);
    hub_release(entry);
}

static void leave(struct hub_desk *desk, struct entry *entry, enum place place) {
    DL_DELETE(desk->list, entry);
    entry->place = place;
    if (entry->waiting == 0)
        free_entry(entry);
}

static struct entry *find(struct hub_desk *desk, const char *mark) {
    struct entry *entry = NULL;
    DL_FOREACH(desk->list, entry)
        if (strcmp(entry->mark, mark) == 0)
            return entry;
    return NULL;
}

/* --- the server's threads --- */

static struct timespec time_from_now(int64_t milliseconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

static bool is_away(const struct hub_desk *desk) {
    return desk->ended || (desk->config.nacks && (!desk->open || desk->late));
}

static bool is_on_desk(const struct entry *entry) {
    return entry->place == QUEUED || entry->place == TAKEN;
}

static bool keep(struct hub_desk *desk, const struct entry *entry) {
    const struct hub_raw_document document = {
        .name = entry->id, .bytes = entry->body, .context = entry->context};
    struct hub_error ignored; /* without room its sender comes again, as without a spool */
    return hub_spool_append(desk->config.spool, &document, &ignored) == HUB_OK;
}

/* Puts what is on the desk into the spool, the first that came first, up to what there is no room for. What the
 * connector has may become safe all the same. */
static void keep_all(struct hub_desk *desk) {
    struct entry *entry = NULL, *next = NULL;
    if (desk->config.spool == NULL || desk->ended)
        return;
    DL_FOREACH_SAFE(desk->list, entry, next) {
        if (entry->is_kept)
            continue;
        if (!keep(desk, entry))
            break;
        entry->is_kept = true;
        if (entry->place == QUEUED)
            leave(desk, entry, KEPT);
    }
    pthread_cond_broadcast(&desk->settled);
}

static enum hub_desk_answer wait_for(struct hub_desk *desk, struct entry *entry) {
    struct timespec until = time_from_now(is_away(desk) ? 0 : desk->config.wait_max_ms);
    int code = 0;
    entry->waiting++;
    while (code == 0 && is_on_desk(entry) && !entry->is_kept)
        code = pthread_cond_timedwait(&desk->settled, &desk->lock, &until);
    if (is_on_desk(entry) && !entry->is_kept) {
        desk->late = true;
        keep_all(desk);
    }
    entry->waiting--;
    enum hub_desk_answer answer = entry->place == SAFE ? HUB_DESK_SAFE
                                  : entry->is_kept     ? HUB_DESK_KEPT
                                                       : HUB_DESK_LATER;
    if (entry->place == QUEUED && entry->waiting == 0)
        leave(desk, entry, LATER); /* its sender sends it again */
    else if (!is_on_desk(entry) && entry->waiting == 0)
        free_entry(entry);
    return answer;
}

enum hub_desk_answer hub_desk_ask(struct hub_desk *desk, const struct hub_desk_item *item) {
    enum hub_desk_answer answer = HUB_DESK_LATER;
    char mark[HUB_DESK_MARK_SIZE];
    make_mark(item->id, mark);
    pthread_mutex_lock(&desk->lock);
    struct entry *entry = find(desk, mark);
    if (has_mark(desk->marks, mark)) {
        answer = HUB_DESK_KNOWN;
    } else if (!is_away(desk) || (desk->config.spool != NULL && !desk->ended)) {
        if (entry == NULL) {
            entry = new_entry(item, mark);
            DL_APPEND(desk->list, entry);
            pthread_cond_signal(&desk->arrived);
        }
        answer = wait_for(desk, entry);
    }
    pthread_mutex_unlock(&desk->lock);
    return answer;
}

/* --- the connector's thread --- */

/* Tells everybody who waits to come again; what the connector has is not theirs to wait for. */
static void send_away(struct hub_desk *desk) {
    struct entry *entry = NULL, *next = NULL;
    DL_FOREACH_SAFE(desk->list, entry, next)
        leave(desk, entry, LATER);
    pthread_cond_broadcast(&desk->settled);
}

/* What was taken and is not known to be safe: for those that nobody waits for any more the sender
 * comes again, or they come from the spool. */
static void put_back(struct hub_desk *desk) {
    struct entry *entry = NULL, *next = NULL;
    DL_FOREACH_SAFE(desk->list, entry, next) {
        if (entry->place != TAKEN)
            continue;
        entry->place = QUEUED;
        if (entry->is_kept || entry->waiting == 0)
            leave(desk, entry, entry->is_kept ? KEPT : LATER);
    }
    json_array_clear(desk->kept_marks);
    desk->kept_count = 0;
    if (desk->config.spool != NULL)
        hub_spool_put_back(desk->config.spool);
}

void hub_desk_open(struct hub_desk *desk, const json_t *marks) {
    struct entry *entry = NULL, *next = NULL;
    pthread_mutex_lock(&desk->lock);
    json_decref(desk->marks);
    desk->marks = marks == NULL ? json_array() : json_deep_copy(marks);
    limit_marks(desk, desk->marks);
    desk->open = true;
    desk->late = false;
    DL_FOREACH_SAFE(desk->list, entry, next)
        if (has_mark(desk->marks, entry->mark))
            leave(desk, entry, SAFE);
    pthread_cond_broadcast(&desk->settled);
    pthread_mutex_unlock(&desk->lock);
}

static void wait_for_arrival(struct hub_desk *desk, int64_t timeout_ms) {
    struct timespec until = time_from_now(timeout_ms);
    for (int code = 0; code == 0 && desk->list == NULL && timeout_ms > 0;)
        code = pthread_cond_timedwait(&desk->arrived, &desk->lock, &until);
}

static size_t take_from_desk(struct hub_desk *desk, struct hub_arena *arena,
                             struct hub_desk_item *ret_items) {
    struct entry *entry = NULL;
    size_t count = 0, size = 0;
    DL_FOREACH(desk->list, entry) {
        size += entry->body.size;
        if (count == HUB_DESK_BATCH_MAX || (count > 0 && size > BATCH_SIZE_MAX))
            break;
        entry->place = TAKEN;
        ret_items[count++] = (struct hub_desk_item){
            .id = hub_arena_text(arena, entry->id, strlen(entry->id)),
            .body = hub_bytes(hub_arena_text(arena, (const char *)entry->body.data,
                                             entry->body.size),
                              entry->body.size),
            .context = json_deep_copy(entry->context)};
    }
    return count;
}

/* One document of the spool, unless it is safe; it was in the connector's hands when it was kept, or its process was
 * killed before it could be removed, or it came twice. */
static void add_kept(struct hub_desk *desk, const struct hub_raw_document *document,
                     struct hub_desk_item *ret_items, size_t *count) {
    char mark[HUB_DESK_MARK_SIZE];
    make_mark(document->name, mark);
    if (has_mark(desk->marks, mark) || has_mark(desk->kept_marks, mark)) {
        json_decref(document->context);
    } else {
        json_array_append_new(desk->kept_marks, json_string(mark));
        desk->kept_before[*count] = desk->kept_count;
        ret_items[(*count)++] = (struct hub_desk_item){.id = document->name,
                                                       .body = document->bytes,
                                                       .context = document->context,
                                                       .is_kept = true};
    }
    desk->kept_count++;
}

static enum hub_status take_from_spool(struct hub_desk *desk, struct hub_arena *arena,
                                       struct hub_desk_item *ret_items, size_t *count,
                                       struct hub_error *reterr) {
    bool some = true;
    for (size_t size = 0; some && *count < HUB_DESK_BATCH_MAX && size < BATCH_SIZE_MAX;) {
        struct hub_raw_document document = {0};
        HUB_TRY(hub_spool_take(desk->config.spool, arena, &document, &some, reterr));
        if (some)
            add_kept(desk, &document, ret_items, count);
        size += document.bytes.size;
    }
    if (*count > 0 || desk->kept_count == 0)
        return HUB_OK;
    size_t known = desk->kept_count;
    desk->kept_count = 0;
    return hub_spool_settle(desk->config.spool, known, reterr);
}

static bool has_kept(const struct hub_desk *desk) {
    return desk->config.spool != NULL && !hub_spool_is_empty(desk->config.spool);
}

/* What has no place yet is asked for again later, and not at once. */
static void wait_for_place(struct hub_desk *desk, int64_t timeout_ms) {
    struct timespec until = time_from_now(timeout_ms);
    if (desk->is_stuck && timeout_ms > 0)
        (void)pthread_cond_timedwait(&desk->arrived, &desk->lock, &until);
    desk->is_stuck = false;
}

enum hub_status hub_desk_take(struct hub_desk *desk, int64_t timeout_ms, struct hub_arena *arena,
                              struct hub_desk_item *ret_items, size_t *ret_count,
                              struct hub_error *reterr) {
    enum hub_status status = HUB_OK;
    size_t count = 0;
    pthread_mutex_lock(&desk->lock);
    put_back(desk);
    desk->late = false; /* whoever comes to the desk is not away */
    wait_for_place(desk, timeout_ms);
    while (status == HUB_OK && count == 0 && has_kept(desk))
        status = take_from_spool(desk, arena, ret_items, &count, reterr);
    if (status == HUB_OK && count == 0) {
        wait_for_arrival(desk, timeout_ms);
        count = take_from_desk(desk, arena, ret_items);
    }
    pthread_mutex_unlock(&desk->lock);
    if (status == HUB_OK)
        *ret_count = count;
    for (size_t i = 0; status != HUB_OK && i < count; i++)
        json_decref(ret_items[i].context);
    return status;
}

json_t *hub_desk_marks(struct hub_desk *desk) {
    struct entry *entry = NULL;
    pthread_mutex_lock(&desk->lock);
    json_t *marks = json_copy(desk->marks);
    json_array_extend(marks, desk->kept_marks);
    DL_FOREACH(desk->list, entry)
        if (entry->place == TAKEN)
            json_array_append_new(marks, json_string(entry->mark));
    limit_marks(desk, marks);
    pthread_mutex_unlock(&desk->lock);
    return marks;
}

/* Of what was taken from the spool, what came before that mark stays taken. */
static void refuse_kept(struct hub_desk *desk, const char *mark) {
    size_t index = 0;
    while (strcmp(json_string_value(json_array_get(desk->kept_marks, index)), mark) != 0)
        index++;
    desk->kept_count = desk->kept_before[index];
    desk->is_stuck = index == 0;
    while (json_array_size(desk->kept_marks) > index)
        json_array_remove(desk->kept_marks, index);
}

void hub_desk_refuse(struct hub_desk *desk, const char *id) {
    char mark[HUB_DESK_MARK_SIZE];
    make_mark(id, mark);
    pthread_mutex_lock(&desk->lock);
    struct entry *entry = find(desk, mark);
    if (has_mark(desk->kept_marks, mark))
        refuse_kept(desk, mark);
    else if (entry != NULL && entry->place == TAKEN)
        leave(desk, entry, LATER);
    pthread_cond_broadcast(&desk->settled);
    pthread_mutex_unlock(&desk->lock);
}

/* Somebody may have come again meanwhile with what was in the spool. */
static enum hub_status settle_kept(struct hub_desk *desk, struct hub_error *reterr) {
    struct entry *entry = NULL, *next = NULL;
    size_t count = desk->kept_count;
    if (count == 0)
        return HUB_OK;
    DL_FOREACH_SAFE(desk->list, entry, next)
        if (has_mark(desk->kept_marks, entry->mark))
            leave(desk, entry, SAFE);
    json_array_extend(desk->marks, desk->kept_marks);
    json_array_clear(desk->kept_marks);
    desk->kept_count = 0;
    return hub_spool_settle(desk->config.spool, count, reterr);
}

enum hub_status hub_desk_settle(struct hub_desk *desk, struct hub_error *reterr) {
    struct entry *entry = NULL, *next = NULL;
    pthread_mutex_lock(&desk->lock);
    enum hub_status status = settle_kept(desk, reterr);
    DL_FOREACH_SAFE(desk->list, entry, next) {
        if (entry->place != TAKEN)
            continue;
        json_array_append_new(desk->marks, json_string(entry->mark));
        leave(desk, entry, SAFE);
    }
    limit_marks(desk, desk->marks);
    desk->late = false;
    pthread_cond_broadcast(&desk->settled);
    pthread_mutex_unlock(&desk->lock);
    return status;
}

void hub_desk_close(struct hub_desk *desk) {
    pthread_mutex_lock(&desk->lock);
    desk->open = false;
    put_back(desk);
    keep_all(desk);
    if (desk->config.nacks)
        send_away(desk);
    pthread_mutex_unlock(&desk->lock);
}

void hub_desk_end(struct hub_desk *desk) {
    pthread_mutex_lock(&desk->lock);
    desk->ended = true;
    send_away(desk);
    pthread_mutex_unlock(&desk->lock);
}

/* --- beginning and end --- */

struct hub_desk *hub_desk_new(const struct hub_desk_config *config) {
    struct hub_desk *desk = hub_allocate_zero(1, sizeof *desk);
    pthread_condattr_t attributes;
    desk->config = *config;
    pthread_mutex_init(&desk->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&desk->arrived, &attributes);
    pthread_cond_init(&desk->settled, &attributes);
    pthread_condattr_destroy(&attributes);
    desk->marks = json_array();
    desk->kept_marks = json_array();
    return desk;
}

void hub_desk_free(struct hub_desk *desk) {
    if (desk == NULL)
        return;
    send_away(desk);
    json_decref(desk->marks);
    json_decref(desk->kept_marks);
    pthread_cond_destroy(&desk->settled);
    pthread_cond_destroy(&desk->arrived);
    pthread_mutex_destroy(&desk->lock);
    hub_release(desk);
}
