/* Documents that come twice, in another order, or again after a crash. */
#include "connectors/kit/conform_state.h"

#include "hub/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool rereads(const struct hub_connector *connector) {
    return connector->transport->rereads(connector->transport_options);
}

static void tell(struct hub_pipeline *pipeline, const struct hub_raw_document *document,
                 int64_t sequence, struct conform_told *told) {
    *told = (struct conform_told){0};
    hub_pipeline_run(pipeline, document, sequence, &told->arena, &told->list);
    hub_pipeline_take(pipeline, &told->list);
}

/* --- duplicates --- */

static bool says_the_same(const struct hub_connector *connector, const struct hub_outgoing *a,
                          const struct hub_outgoing *b) {
    if (a->dead != b->dead || strcmp(a->key, b->key) != 0)
        return false;
    if (a->dead)
        return hub_bytes_equal(a->identity, b->identity);
    struct conform_statement one = conform_read(connector, a->body);
    struct conform_statement other = conform_read(connector, b->body);
    return memcmp(&one.digest, &other.digest, sizeof one.digest) == 0;
}

static void find_told_anew(const struct hub_raw_document *document,
                           const struct hub_outgoing_list *again, struct conform_result *result) {
    for (size_t i = 0; i < again->count; i++)
        conform_find(result, CONFORM_FAILED,
                     &(struct conform_where){document->name, again->items[i].key, NULL},
                     "read again as it was, it goes out again, and would at every reading; a filter "
                     "whose answer depends on nothing but the question would pass");
}

static void find_others(const struct hub_connector *connector,
                        const struct hub_raw_document *document,
                        const struct hub_outgoing_list *first,
                        const struct hub_outgoing_list *again, struct conform_result *result) {
    if (first->count != again->count)
        conform_find(result, CONFORM_FAILED, &(struct conform_where){document->name, NULL, NULL},
                     "told a first time it gives %zu records, and told again %zu; a filter whose answer "
                     "depends on nothing but the question would pass", first->count, again->count);
    for (size_t i = 0; first->count == again->count && i < first->count; i++)
        if (!says_the_same(connector, &first->items[i], &again->items[i]))
            conform_find(result, CONFORM_FAILED,
                         &(struct conform_where){document->name, first->items[i].key, NULL},
                         "told again as it was, it says something else, of '%s'; a filter whose answer "
                         "depends on nothing but the question would pass", again->items[i].key);
}

/* Of a source that is read again the second is refused; of one that tells once both go out. */
static void find_shared_keys(const struct hub_raw_document *document,
                             const struct hub_outgoing_list *list, struct conform_result *result) {
    for (size_t i = 0; i < list->count; i++) {
        const struct hub_outgoing *dead = &list->items[i];
        if (dead->dead && strcmp(dead->code, "KEY") == 0 && dead->mapped->key != NULL)
            conform_find(result, CONFORM_REMARK,
                         &(struct conform_where){document->name, dead->key, NULL},
                         "two records of the document have this key, and the second is refused; a key "
                         "with what tells them apart would pass");
    }
}

void conform_duplicates(const struct conform *conform, struct conform_result *result) {
    const struct hub_connector *connector = conform->connector;
    size_t records = 0;
    for (size_t i = 0; i < conform->count; i++) {
        struct hub_pipeline pipeline;
        struct conform_told first, again;
        hub_pipeline_begin(&pipeline, connector);
        tell(&pipeline, &conform->documents[i], 1, &first);
        tell(&pipeline, &conform->documents[i], 2, &again);
        records += first.list.count;
        find_shared_keys(&conform->documents[i], &first.list, result);
        if (rereads(connector))
            find_told_anew(&conform->documents[i], &again.list, result);
        else
            find_others(connector, &conform->documents[i], &first.list, &again.list, result);
        hub_pipeline_end(&pipeline);
        conform_free(&first);
        conform_free(&again);
    }
    conform_tell(result, "each of %zu documents told twice: %zu records %s", conform->count, records,
                 rereads(connector) ? "of a source that is read again" : "of a source that tells once");
}

/* --- reordering --- */

/* Whose word holds of a record. */
struct holder {
    UT_hash_handle hh;
    const char *key, *document;
    struct conform_statement statement;
    bool contended; /* another statement says something else */
    bool told;      /* of it something was found */
};

struct telling {
    const char *name;
    struct hub_arena arena;
    struct holder *holders;
};

static struct hub_bytes version_of(const struct holder *holder) {
    return hub_version_of_source(holder->statement.stamp.version);
}

/* What can be said of two statements of one record without telling them in another order. */
static void compare_two(const struct holder *a, const struct holder *b,
                        struct conform_result *result) {
    const struct hub_stamp *one = &a->statement.stamp, *other = &b->statement.stamp;
    struct conform_where where = {b->document, a->key, NULL};
    bool timed = one->has_event_time && other->has_event_time;
    int by_version = hub_text_natural_compare(version_of(a), version_of(b));
    if (hub_bytes_equal(one->version, other->version) &&
        one->has_event_time == other->has_event_time &&
        (!timed || one->event_time_ms == other->event_time_ms))
        conform_find(result, CONFORM_FAILED, &where,
                     "it says something else than %s under the same version '%.*s': which of the two "
                     "holds is chance; a version that rises at every change, or 'tie: position', would "
                     "pass", a->document, (int)one->version.size, (const char *)one->version.data);
    else if (timed && by_version != 0 && one->event_time_ms != other->event_time_ms &&
             (by_version > 0) != (one->event_time_ms > other->event_time_ms))
        conform_find(result, CONFORM_REMARK, &where,
                     "its version '%.*s' and '%.*s' in %s stand in the one order, and their event times "
                     "in the other; is the version compared as it is meant? 'time: {formats: [...]}' "
                     "makes a date comparable",
                     (int)version_of(b).size, (const char *)version_of(b).data,
                     (int)version_of(a).size, (const char *)version_of(a).data, a->document);
}

/* `result` is NULL where the same has been compared before. */
static void hold(struct telling *telling, struct holder *next, struct conform_result *result) {
    struct holder *holder = NULL;
    HASH_FIND_STR(telling->holders, next->key, holder);
    if (holder == NULL) {
        HASH_ADD_KEYPTR(hh, telling->holders, next->key, strlen(next->key), next);
        return;
    }
    if (memcmp(&holder->statement.digest, &next->statement.digest,
               sizeof next->statement.digest) != 0) {
        holder->contended = true;
        if (result != NULL)
            compare_two(holder, next, result);
    }
    if (hub_statement_compare(&next->statement.stamp, &next->statement.digest,
                              &holder->statement.stamp, &holder->statement.digest) > 0) {
        holder->document = next->document;
        holder->statement = next->statement;
    }
}

/* What is known is no reason not to tell it: the hub hears all of it, in some order. */
static void tell_in_order(const struct conform *conform, const size_t *order,
                          struct telling *telling, struct conform_result *result) {
    struct hub_pipeline pipeline = {.connector = conform->connector};
    if (hub_mapping_remembers(conform->connector->mapping))
        hub_pipeline_begin(&pipeline, conform->connector);
    for (size_t i = 0; i < conform->count; i++) {
        const struct hub_raw_document *document = &conform->documents[order[i]];
        struct hub_outgoing_list list;
        hub_pipeline_run(&pipeline, document, (int64_t)i + 1, &telling->arena, &list);
        for (size_t k = 0; k < list.count; k++) {
            if (list.items[k].dead)
                continue;
            struct holder *next = hub_arena_take_zero(&telling->arena, 1, sizeof *next);
            next->key = list.items[k].key;
            next->document = document->name;
            next->statement = conform_read(conform->connector, list.items[k].body);
            hold(telling, next, result);
        }
        hub_pipeline_take(&pipeline, &list);
    }
    hub_pipeline_end(&pipeline);
}

/* Whether their places among the documents are all that orders the two. */
static bool is_tied(const struct holder *a, const struct holder *b) {
    return strcmp(a->document, b->document) != 0 &&
           hub_bytes_equal(version_of(a), version_of(b)) &&
           version_of(a).size != a->statement.stamp.version.size;
}

static void compare_orders(const struct conform *conform, struct telling *forwards,
                           const struct telling *other, struct conform_result *result) {
    for (struct holder *holder = forwards->holders; holder != NULL; holder = holder->hh.next) {
        struct holder *now = NULL;
        struct conform_where where = {holder->document, holder->key, NULL};
        HASH_FIND_STR(other->holders, holder->key, now);
        if (holder->told ||
            (now != NULL && memcmp(&now->statement.digest, &holder->statement.digest,
                                   sizeof now->statement.digest) == 0))
            continue;
        holder->told = true;
        if (now != NULL && is_tied(now, holder))
            conform_find(result, CONFORM_REMARK, &where,
                         "%s says something else under the same version '%.*s', and by 'tie: position' "
                         "the one that is read later holds", now->document,
                         (int)version_of(now).size, (const char *)version_of(now).data);
        else if (hub_mapping_remembers(conform->connector->mapping))
            conform_find(result, CONFORM_REMARK, &where,
                         "%s, another word of it holds in the end: by 'update' or 'replaces' a document is "
                         "read as what comes after those before it; a source that keeps its order, or tells "
                         "a whole record each time, is told right", other->name);
        else
            conform_find(result, CONFORM_FAILED, &where,
                         "%s, another word of it holds in the end; a filter whose answer depends on "
                         "nothing but the question would pass", other->name);
    }
}

/* Vigna's splitmix64. */
static uint64_t draw(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void arrange(size_t *order, size_t count, uint64_t seed) {
    for (size_t i = 0; i < count; i++)
        order[i] = seed == 0 ? count - 1 - i : i;
    for (size_t i = count; seed != 0 && i > 1; i--) {
        size_t other = (size_t)(draw(&seed) % i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static void end_telling(struct telling *telling) {
    HASH_CLEAR(hh, telling->holders);
    hub_arena_destroy(&telling->arena);
}

void conform_reordering(const struct conform *conform, struct conform_result *result) {
    static const char *const names[] = {"told backwards", "shuffled with the seed 1",
                                        "shuffled with the seed 2", "shuffled with the seed 3"};
    size_t *order = hub_allocate_zero(conform->count, sizeof *order);
    struct telling forwards = {0};
    size_t contended = 0;
    for (size_t i = 0; i < conform->count; i++)
        order[i] = i;
    tell_in_order(conform, order, &forwards, result);
    for (struct holder *holder = forwards.holders; holder != NULL; holder = holder->hh.next)
        contended += holder->contended;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct telling other = {.name = names[i]};
        arrange(order, conform->count, (uint64_t)i);
        tell_in_order(conform, order, &other, NULL);
        compare_orders(conform, &forwards, &other, result);
        end_telling(&other);
    }
    if (contended == 0 && result->outcome == CONFORM_OK) {
        result->outcome = CONFORM_NOT_TRIED;
        conform_tell(result, "no two samples say different things of one record; two states of one "
                     "would try it");
    } else {
        conform_tell(result, "%zu documents backwards, and shuffled with the seeds 1, 2 and 3: %zu "
                     "records of which different things are said", conform->count, contended);
    }
    end_telling(&forwards);
    hub_release(order);
}

/* --- killed between sending and commit --- */

static const char *id_of(const struct hub_outgoing *outgoing, struct hub_arena *arena) {
    for (size_t i = 0; i < outgoing->header_count; i++)
        if (strcmp(outgoing->headers[i].name, "ce_id") == 0)
            return hub_arena_text(arena, (const char *)outgoing->headers[i].value.data,
                                  outgoing->headers[i].value.size);
    return "without an id";
}

static void compare_again(const struct hub_raw_document *document,
                          const struct hub_outgoing_list *before,
                          const struct hub_outgoing_list *after, struct conform_result *result) {
    if (before->count != after->count)
        conform_find(result, CONFORM_FAILED, &(struct conform_where){document->name, NULL, NULL},
                     "%zu records before the kill, and %zu after it; a filter that keeps nothing from "
                     "one question to the next would pass", before->count, after->count);
    for (size_t i = 0; before->count == after->count && i < before->count; i++)
        if (!conform_is_same(&before->items[i], &after->items[i]))
            conform_find(result, CONFORM_FAILED,
                         &(struct conform_where){document->name, before->items[i].key, NULL},
                         "after the kill the record %s is another one; a filter that keeps nothing from "
                         "one question to the next would pass",
                         id_of(&before->items[i], result->arena));
}

/* As a session loads it. */
static enum hub_status load_published(struct hub_pipeline *pipeline,
                                      const struct hub_outgoing_list *list,
                                      struct hub_error *reterr) {
    for (size_t i = 0; pipeline->known != NULL && i < list->count; i++)
        if (list->items[i].dead)
            hub_known_refuse(pipeline->known, list->items[i].identity);
        else
            HUB_TRY(hub_known_load(pipeline->known, hub_bytes_of_text(list->items[i].key),
                                   list->items[i].value, reterr));
    return HUB_OK;
}

/* A new process reads its configuration. */
static enum hub_status begin_anew(const struct conform *conform,
                                  struct hub_connector **ret_connector,
                                  struct hub_pipeline *ret_pipeline, struct hub_error *reterr) {
    const struct hub_connector *old = conform->connector;
    HUB_TRY(hub_connector_load(old->file, old->catalogue, old->keys.folder, ret_connector, reterr));
    hub_pipeline_begin(ret_pipeline, *ret_connector);
    return HUB_OK;
}

/* The documents in one order, by a process that lives on and by one that is killed before each. */
struct killing {
    const struct conform *conform;
    const size_t *order;
    struct conform_told *before; /* what the one that lives on has told, in this order */
};

static enum hub_status live_on(const struct killing *killing, struct hub_error *reterr) {
    const struct conform *conform = killing->conform;
    struct hub_connector *connector = NULL;
    struct hub_pipeline pipeline = {0};
    HUB_TRY(begin_anew(conform, &connector, &pipeline, reterr));
    for (size_t i = 0; i < conform->count; i++)
        tell(&pipeline, &conform->documents[killing->order[i]], (int64_t)i + 1,
             &killing->before[i]);
    hub_pipeline_end(&pipeline);
    hub_connector_free(connector);
    return HUB_OK;
}

static enum hub_status go_on(const struct killing *killing, size_t at,
                             struct conform_result *result, struct hub_error *reterr) {
    const struct hub_raw_document *document = &killing->conform->documents[killing->order[at]];
    struct hub_connector *connector = NULL;
    struct hub_pipeline pipeline = {0};
    struct conform_told again = {0};
    enum hub_status status = begin_anew(killing->conform, &connector, &pipeline, reterr);
    for (size_t i = 0; status == HUB_OK && i < at; i++)
        status = load_published(&pipeline, &killing->before[i].list, reterr);
    if (status == HUB_OK) {
        tell(&pipeline, document, (int64_t)at + 1, &again);
        compare_again(document, &killing->before[at].list, &again.list, result);
    }
    hub_pipeline_end(&pipeline);
    conform_free(&again);
    hub_connector_free(connector);
    return status;
}

static void kill_in_order(const struct conform *conform, const size_t *order,
                          struct conform_result *result) {
    struct killing killing = {conform, order,
                              hub_allocate_zero(conform->count, sizeof *killing.before)};
    struct hub_error error;
    enum hub_status status = live_on(&killing, &error);
    for (size_t i = 0; status == HUB_OK && i < conform->count; i++)
        status = go_on(&killing, i, result, &error);
    if (status != HUB_OK)
        conform_find(result, CONFORM_FAILED, &(struct conform_where){0},
                     "the connector cannot go on after a kill: %s", error.text);
    for (size_t i = 0; i < conform->count; i++)
        conform_free(&killing.before[i]);
    hub_release(killing.before);
}

void conform_kill(const struct conform *conform, struct conform_result *result) {
    size_t *order = hub_allocate_zero(conform->count, sizeof *order);
    for (size_t i = 0; i < conform->count; i++)
        order[i] = i;
    kill_in_order(conform, order, result);
    arrange(order, conform->count, /* seed= */ 0);
    kill_in_order(conform, order, result); /* of a record the later states come first */
    hub_release(order);
    conform_tell(result, "begun anew before each of %zu documents, and of the same backwards",
                 conform->count);
}
