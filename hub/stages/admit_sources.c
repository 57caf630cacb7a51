#include "hub/stages/admit_sources.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"

#include <assert.h>
#include <string.h>

enum { TOPIC = 0, OWN_KEY = 0 }; /* there is one topic, and one trait */

void hub_sources_init(struct hub_sources *sources, const struct hub_catalogue *catalogue) {
    *sources = (struct hub_sources){.schema = hub_catalogue_latest(catalogue, "admitted"),
                                    .shelf = hub_shelf_new(TOPIC, /* header= */ NULL)};
    assert(sources->schema != NULL);
}

void hub_sources_free(struct hub_sources *sources) {
    struct hub_source *source, *next;
    HASH_ITER(hh, sources->awake, source, next) {
        HASH_DELETE(hh, sources->awake, source);
        hub_release(source->key);
        hub_release(source->version);
        hub_release(source->status);
        hub_release(source);
    }
    hub_shelf_free(sources->shelf);
}

uint64_t hub_sources_hook(struct hub_bytes key) {
    return hub_hook_hash(OWN_KEY, key);
}

void hub_sources_load(struct hub_sources *sources, struct hub_bytes key, struct hub_bytes value) {
    const struct hub_input record = {
        .has_key = true, .has_value = true, .key = key, .value = value};
    const struct hub_hook hook = {.hash = hub_sources_hook(key)};
    assert(sources->awake == NULL); /* an older record of the key may be */
    hub_shelf_put(sources->shelf, &record, &hook, 1);
}

struct hub_source *hub_sources_add(struct hub_sources *sources, struct hub_bytes key) {
    struct hub_source *source = hub_allocate_zero(1, sizeof *source);
    source->key = hub_copy_bytes(key.data, key.size);
    HASH_ADD_KEYPTR(hh, sources->awake, source->key, key.size, source);
    return source;
}

/* --- the admitted topic --- */

void hub_source_encode(const struct hub_sources *sources, const struct hub_source *source,
                       int outcome, struct hub_buffer *value) {
    hub_frame_append(value, sources->schema->id);
    hub_encode_long(value, source->shard);
    hub_encode_text(value, source->version);
    hub_encode_long(value, source->has_event_time);
    if (source->has_event_time)
        hub_encode_long(value, source->event_time_ms);
    hub_buffer_append(value, source->hash.bytes, HUB_DIGEST_SIZE);
    hub_encode_optional_text(value, source->status);
    hub_encode_long(value, source->withdrawn);
    hub_encode_long(value, outcome);
}

static char *copy_octets(struct hub_bytes octets) {
    return hub_copy_bytes(octets.data, octets.size);
}

static enum hub_status decode(struct hub_sources *sources, struct hub_bytes key,
                              struct hub_bytes value, struct hub_error *reterr) {
    /* The fields of Admitted, in order. */
    enum { SHARD = 0, VERSION, EVENT_TIME, HASH, STATUS, STATE, OUTCOME, FIELDS };
    struct hub_bytes body, event_time, status;
    int32_t id = 0;
    const struct hub_type *type = sources->schema->root;
    uint32_t starts[FIELDS + 1];
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {.starts = starts};
    HUB_TRY(hub_frame_open(value, &id, &body, reterr));
    if (id != sources->schema->id)
        return hub_fail(reterr, HUB_FATAL, "schema id %d; %d would pass", id, sources->schema->id);
    HUB_TRY(hub_walk(type, body, &limits, &walk, reterr));
    struct hub_source *source = hub_sources_add(sources, key);
#define FIELD(index) hub_bytes_part(body, starts[index], starts[(index) + 1])
    source->shard = (int32_t)hub_slice_long(FIELD(SHARD));
    source->version = copy_octets(hub_slice_octets(FIELD(VERSION)));
    source->has_event_time =
        hub_slice_stated(type->fields[EVENT_TIME].type, FIELD(EVENT_TIME), &event_time) != NULL;
    source->event_time_ms = source->has_event_time ? hub_slice_long(event_time) : 0;
    memcpy(source->hash.bytes, FIELD(HASH).data, HUB_DIGEST_SIZE);
    if (hub_slice_stated(type->fields[STATUS].type, FIELD(STATUS), &status) != NULL)
        source->status = copy_octets(hub_slice_octets(status));
    source->withdrawn = hub_slice_long(FIELD(STATE)) == 1;
#undef FIELD
    return HUB_OK;
}

/* --- asking --- */

struct asking {
    struct hub_sources *sources;
    struct hub_bytes key;
};

static struct hub_source *find_awake(const struct hub_sources *sources, struct hub_bytes key) {
    struct hub_source *source = NULL;
    HASH_FIND(hh, sources->awake, key.data, key.size, source);
    return source;
}

/* Others may have the same hook, by chance. */
static enum hub_status take(void *context, unsigned topic, const struct hub_input *record,
                            struct hub_error *reterr) {
    const struct asking *asking = context;
    (void)topic;
    if (!hub_bytes_equal(record->key, asking->key))
        return HUB_OK;
    if (decode(asking->sources, asking->key, record->value, reterr) == HUB_OK)
        return HUB_OK;
    return hub_fail_at(reterr, HUB_FATAL, "admitted record");
}

enum hub_status hub_sources_find(struct hub_sources *sources, struct hub_bytes key,
                                 struct hub_source **ret_source, struct hub_error *reterr) {
    struct asking asking = {sources, key};
    uint64_t hook = hub_sources_hook(key);
    *ret_source = find_awake(sources, key);
    if (*ret_source != NULL)
        return HUB_OK;
    HUB_TRY(hub_shelf_find(sources->shelf, hook, take, &asking, reterr));
    *ret_source = find_awake(sources, key); /* what was loaded is newer than what the store has */
    if (*ret_source != NULL || sources->store == NULL)
        return HUB_OK;
    HUB_TRY(sources->store->find(sources->store->context, hook, take, &asking, reterr));
    *ret_source = find_awake(sources, key);
    return HUB_OK;
}
