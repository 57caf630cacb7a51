#include "hub/stages/admit_sources.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"

#include <assert.h>
#include <string.h>

enum { TOPIC = 0, OWN_KEY = 0 }; /* there is one topic, and one trait */

/* Of the table. With the hook beside it another source is seldom looked at in vain. */
struct hub_source_place {
    struct hub_source *source; /* NULL where it is free */
    uint64_t hook;
};

struct hub_source_status {
    struct hub_source_status *next;
    size_t size;
    char text[];
};

enum { PLACES_MIN = 1 << 8 };

void hub_sources_init(struct hub_sources *sources, const struct hub_catalogue *catalogue) {
    *sources = (struct hub_sources){.schema = hub_catalogue_latest(catalogue, "admitted"),
                                    .shelf = hub_shelf_new(TOPIC, /* header= */ NULL)};
    assert(sources->schema != NULL);
}

static bool is_in_its_room(const struct hub_source *source) {
    return source->version == source->room;
}

static void release_version(struct hub_source *source) {
    if (!is_in_its_room(source))
        hub_release(source->version);
}

void hub_sources_free(struct hub_sources *sources) {
    for (size_t i = 0; i < sources->place_count; i++)
        if (sources->places[i].source != NULL)
            release_version(sources->places[i].source);
    hub_release(sources->places);
    hub_release(sources->fresh);
    hub_arena_destroy(&sources->arena);
    hub_shelf_free(sources->shelf);
}

uint64_t hub_sources_hook(struct hub_bytes key) {
    return hub_hook_hash(OWN_KEY, key);
}

void hub_sources_load(struct hub_sources *sources, struct hub_bytes key, struct hub_bytes value) {
    const struct hub_input record = {
        .has_key = true, .has_value = true, .key = key, .value = value};
    const struct hub_hook hook = {.hash = hub_sources_hook(key)};
    assert(sources->awake == 0); /* an older record of the key may be */
    hub_shelf_put(sources->shelf, &record, &hook, 1);
}

/* --- the table --- */

/* Where the source is, or would be. */
static struct hub_source_place *place_of(const struct hub_sources *sources, struct hub_bytes key,
                                         uint64_t hook) {
    size_t mask = sources->place_count - 1;
    for (size_t at = hook & mask;; at = (at + 1) & mask) {
        struct hub_source_place *place = &sources->places[at];
        const struct hub_source *source = place->source;
        if (source == NULL || (place->hook == hook &&
                               hub_bytes_equal(hub_bytes(source->key, source->key_size), key)))
            return place;
    }
}

/* At most half full. */
static void widen(struct hub_sources *sources) {
    size_t count = sources->place_count == 0 ? PLACES_MIN : sources->place_count * 2;
    struct hub_source_place *places = hub_allocate_zero(count, sizeof *places);
    for (size_t i = 0; i < sources->place_count; i++) {
        const struct hub_source_place *place = &sources->places[i];
        if (place->source == NULL)
            continue;
        size_t at = place->hook & (count - 1);
        while (places[at].source != NULL)
            at = (at + 1) & (count - 1);
        places[at] = *place;
    }
    hub_release(sources->places);
    sources->places = places;
    sources->place_count = count;
}

struct hub_source *hub_sources_awake(const struct hub_sources *sources, struct hub_bytes key,
                                     uint64_t hook) {
    return sources->awake == 0 ? NULL : place_of(sources, key, hook)->source;
}

struct hub_source *hub_sources_add(struct hub_sources *sources, struct hub_bytes key,
                                   uint64_t hook) {
    if (sources->awake * 2 >= sources->place_count)
        widen(sources);
    struct hub_source *source =
        hub_arena_take_zero(&sources->arena, 1, sizeof *source + key.size);
    source->version = source->room;
    source->key_size = (uint32_t)key.size;
    memcpy(source->key, key.data, key.size);
    *place_of(sources, key, hook) = (struct hub_source_place){source, hook};
    sources->awake++;
    return source;
}

/* --- what is known of one --- */

void hub_source_set_version(struct hub_source *source, struct hub_bytes version) {
    if (version.size > sizeof source->room || !is_in_its_room(source)) {
        release_version(source);
        source->version = version.size > sizeof source->room
                              ? hub_copy_bytes(version.data, version.size)
                              : source->room;
    }
    if (is_in_its_room(source) && version.size > 0)
        memcpy(source->room, version.data, version.size);
    source->version_size = (uint32_t)version.size;
}

/* There are few, and each is kept once. */
void hub_source_set_status(struct hub_sources *sources, struct hub_source *source,
                           struct hub_bytes status) {
    struct hub_source_status *kept = sources->statuses;
    source->status = NULL;
    if (status.data == NULL)
        return;
    while (kept != NULL && !hub_bytes_equal(hub_bytes(kept->text, kept->size), status))
        kept = kept->next;
    if (kept == NULL) {
        kept = hub_arena_take_zero(&sources->arena, 1, sizeof *kept + status.size + 1);
        if (status.size > 0)
            memcpy(kept->text, status.data, status.size);
        kept->size = status.size;
        kept->next = sources->statuses;
        sources->statuses = kept;
    }
    source->status = kept->text;
}

/* --- the admitted topic --- */

static void encode(const struct hub_sources *sources, const struct hub_source *source,
                   struct hub_buffer *value) {
    enum { NUMBERS = 7, NUMBER_SIZE_MAX = 10 };
    size_t status_size = source->status == NULL ? 0 : strlen(source->status);
    hub_buffer_reserve(value, HUB_FRAME_HEADER_SIZE + NUMBERS * NUMBER_SIZE_MAX +
                                  source->version_size + HUB_DIGEST_SIZE + status_size);
    hub_frame_append(value, sources->schema->id);
    hub_encode_long(value, source->shard);
    hub_encode_octets(value, hub_bytes(source->version, source->version_size));
    hub_encode_long(value, source->has_event_time);
    if (source->has_event_time)
        hub_encode_long(value, source->event_time_ms);
    hub_buffer_append(value, source->hash.bytes, HUB_DIGEST_SIZE);
    hub_encode_optional_text(value, source->status);
    hub_encode_long(value, source->withdrawn);
    hub_encode_long(value, source->outcome);
}

void hub_sources_publish(struct hub_sources *sources, struct hub_source *source, unsigned outcome,
                         struct hub_buffer *value) {
    source->outcome = (uint8_t)outcome;
    encode(sources, source, value);
    if (source->is_fresh)
        return;
    source->is_fresh = true;
    HUB_GROW(sources->fresh, sources->fresh_count, sources->fresh_capacity);
    sources->fresh[sources->fresh_count++] = source;
}

void hub_sources_give_fresh(struct hub_sources *sources,
                            void (*take)(void *context, struct hub_bytes key, struct hub_bytes value),
                            void *context) {
    HUB_SCOPED_BUFFER value = {0};
    for (size_t i = 0; i < sources->fresh_count; i++) {
        struct hub_source *source = sources->fresh[i];
        hub_buffer_clear(&value);
        encode(sources, source, &value);
        source->is_fresh = false;
        take(context, hub_bytes(source->key, source->key_size), hub_buffer_bytes(&value));
    }
    sources->fresh_count = 0;
}

static enum hub_status decode(struct hub_sources *sources, struct hub_bytes key, uint64_t hook,
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
    struct hub_source *source = hub_sources_add(sources, key, hook);
#define FIELD(index) hub_bytes_part(body, starts[index], starts[(index) + 1])
    source->shard = (int32_t)hub_slice_long(FIELD(SHARD));
    hub_source_set_version(source, hub_slice_octets(FIELD(VERSION)));
    source->has_event_time =
        hub_slice_stated(type->fields[EVENT_TIME].type, FIELD(EVENT_TIME), &event_time) != NULL;
    source->event_time_ms = source->has_event_time ? hub_slice_long(event_time) : 0;
    memcpy(source->hash.bytes, FIELD(HASH).data, HUB_DIGEST_SIZE);
    if (hub_slice_stated(type->fields[STATUS].type, FIELD(STATUS), &status) != NULL)
        hub_source_set_status(sources, source, hub_slice_octets(status));
    source->withdrawn = hub_slice_long(FIELD(STATE)) == 1;
#undef FIELD
    return HUB_OK;
}

/* --- asking --- */

struct asking {
    struct hub_sources *sources;
    struct hub_bytes key;
    uint64_t hook;
};

/* Others may have the same hook, by chance. */
static enum hub_status take(void *context, unsigned topic, const struct hub_input *record,
                            struct hub_error *reterr) {
    const struct asking *asking = context;
    (void)topic;
    if (!hub_bytes_equal(record->key, asking->key))
        return HUB_OK;
    if (decode(asking->sources, asking->key, asking->hook, record->value, reterr) == HUB_OK)
        return HUB_OK;
    return hub_fail_at(reterr, HUB_FATAL, "admitted record");
}

enum hub_status hub_sources_find(struct hub_sources *sources, struct hub_bytes key, uint64_t hook,
                                 struct hub_source **ret_source, struct hub_error *reterr) {
    struct asking asking = {sources, key, hook};
    *ret_source = hub_sources_awake(sources, key, hook);
    if (*ret_source != NULL)
        return HUB_OK;
    HUB_TRY(hub_shelf_find(sources->shelf, hook, take, &asking, reterr));
    /* What was loaded is newer than what the store has. */
    *ret_source = hub_sources_awake(sources, key, hook);
    if (*ret_source != NULL || sources->store == NULL)
        return HUB_OK;
    HUB_TRY(sources->store->find(sources->store->context, hook, /* given= */ NULL, take,
                                 &asking, reterr));
    *ret_source = hub_sources_awake(sources, key, hook);
    return HUB_OK;
}
