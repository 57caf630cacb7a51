#include "connectors/kit/manifest.h"

#include "hub/io/crypto.h"
#include "hub/io/log.h"

#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 600000, IDLE_MS = 60000 };

struct hub_manifesting {
    const struct hub_connector *connector;
    const struct hub_schema *schema;
    char *topic;
    struct hub_inventory *inventory;
    struct hub_known *reading; /* reads a record in the newest schema */
    int64_t sequence; /* what was told under a higher one was not loaded; -1: nothing was */
    bool has_look;
    int64_t looked_ms;
    bool has_news, was_written;
    int64_t since_ms; /* the last one was written, or this was opened */
    struct hub_manifest_sum sums[HUB_MANIFEST_PARTS];    /* as they are in the topic */
    struct hub_manifest_sum pending[HUB_MANIFEST_PARTS]; /* as they are being written */
};

/* --- loading --- */

/* The latest records of the connector's manifest. */
struct loading {
    struct hub_manifesting *manifesting;
    struct hub_arena arena;
    struct hub_manifest whole;
    bool has_whole, is_damaged;
    struct hub_buffer parts[HUB_MANIFEST_PARTS]; /* entries */
};

static enum hub_status take_manifest(void *context, const struct hub_kafka_record *record,
                                     struct hub_error *reterr) {
    struct loading *loading = context;
    struct hub_manifest manifest;
    struct hub_error error;
    struct hub_bytes name = record->key, number;
    (void)hub_bytes_cut(record->key, '/', &name, &number);
    if (!record->has_value ||
        !hub_bytes_equal_text(name, loading->manifesting->connector->name) ||
        !hub_manifest_is_of(loading->manifesting->schema, record->value))
        return HUB_OK;
    (void)reterr;
    if (hub_manifest_decode(loading->manifesting->schema, record->value, &loading->arena, &manifest,
                            &error) != HUB_OK) {
        hub_log(HUB_LOG_WARNING, "manifest", "it is begun again: %s", error.text);
        loading->is_damaged = true;
        return HUB_OK;
    }
    if (!manifest.is_part) {
        loading->whole = manifest;
        loading->has_whole = true;
        return HUB_OK;
    }
    hub_buffer_clear(&loading->parts[manifest.number]);
    hub_buffer_append_bytes(&loading->parts[manifest.number], manifest.entries);
    return HUB_OK;
}

static bool is_sum(const struct hub_buffer *entries, const struct hub_manifest_sum *sum) {
    struct hub_digest digest = hub_sha256.digest(hub_buffer_bytes(entries));
    return memcmp(digest.bytes, sum->digest.bytes, HUB_DIGEST_SIZE) == 0;
}

/* Whether what was published is of what the connector carries now, its digests say something, and
 * it is all there. */
static bool goes_on(const struct loading *loading) {
    const struct hub_connector *connector = loading->manifesting->connector;
    const struct hub_manifest *whole = &loading->whole;
    bool is_own = loading->has_whole && !loading->is_damaged &&
                  whole->schema == connector->domain->schema->id &&
                  strcmp(whole->names.institution, connector->institution) == 0 &&
                  strcmp(whole->names.system, connector->system->name) == 0 &&
                  strcmp(whole->names.domain, connector->domain->name) == 0;
    for (size_t i = 0; is_own && i < HUB_MANIFEST_PARTS; i++)
        is_own = is_sum(&loading->parts[i], &whole->sums[i]);
    return is_own;
}

static void take_over(struct loading *loading) {
    struct hub_manifesting *own = loading->manifesting;
    own->was_written = goes_on(loading);
    own->has_news = !own->was_written;
    if (!own->was_written)
        return;
    own->sequence = loading->whole.sequence;
    own->has_look = loading->whole.has_look;
    own->looked_ms = loading->whole.looked_ms;
    memcpy(own->sums, loading->whole.sums, sizeof own->sums);
    for (size_t i = 0; i < HUB_MANIFEST_PARTS; i++)
        if (loading->parts[i].size > 0)
            hub_inventory_decode(own->inventory, own->schema, hub_buffer_bytes(&loading->parts[i]));
}

enum hub_status hub_manifesting_open(const struct hub_connector *connector,
                                     struct hub_reader *reader, int64_t now_ms,
                                     struct hub_manifesting **ret_manifesting,
                                     struct hub_error *reterr) {
    int32_t partitions = 0;
    HUB_SCOPED_BUFFER topic = {0};
    hub_buffer_append_format(&topic, HUB_MANIFEST_TOPIC, connector->institution);
    *ret_manifesting = NULL;
    HUB_TRY(hub_reader_partition_count(reader, hub_buffer_text(&topic), &partitions, reterr));
    if (partitions < 0) {
        hub_log(HUB_LOG_WARNING, "no_manifest",
                "there is no topic %s, and nobody can tell whether all arrives; `hubctl topic "
                "create` makes it", hub_buffer_text(&topic));
        return HUB_OK;
    }
    struct hub_manifesting *own = hub_allocate_zero(1, sizeof *own);
    own->connector = connector;
    own->schema = hub_catalogue_latest(connector->catalogue, HUB_MANIFEST_SUBJECT);
    own->topic = hub_copy_text(hub_buffer_text(&topic));
    own->inventory = hub_inventory_new(&hub_sha256);
    own->sequence = -1;
    own->since_ms = now_ms;
    *ret_manifesting = own;
    struct loading loading = {.manifesting = own};
    enum hub_status status =
        hub_read_settled(reader, own->topic, 0, take_manifest, &loading, reterr);
    if (status == HUB_OK)
        take_over(&loading);
    for (size_t i = 0; i < HUB_MANIFEST_PARTS; i++)
        hub_buffer_free(&loading.parts[i]);
    hub_arena_destroy(&loading.arena);
    return status;
}

void hub_manifesting_free(struct hub_manifesting *manifesting) {
    if (manifesting == NULL)
        return;
    hub_inventory_free(manifesting->inventory);
    hub_known_free(manifesting->reading);
    hub_release(manifesting->topic);
    hub_release(manifesting);
}

/* Whether the record is the connector's own, and told after what was loaded. */
static bool is_later(const struct hub_manifesting *own, const struct hub_kafka_record *record) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, "ce_id") == 0)
            return hub_pipeline_sequence_in(own->connector->name, record->headers[i].value) >
                   own->sequence;
    return false;
}

enum hub_status hub_manifesting_load(struct hub_manifesting *own,
                                     const struct hub_kafka_record *record,
                                     struct hub_error *reterr) {
    const struct hub_connector *connector = own->connector;
    if (!is_later(own, record))
        return HUB_OK;
    if (own->reading == NULL)
        own->reading = hub_known_new(connector->catalogue, connector->domain, connector->system,
                                     &hub_sha256);
    HUB_TRY(hub_known_load(own->reading, record->key, record->value, reterr));
    char *key = hub_copy_bytes(record->key.data, record->key.size);
    struct hub_bytes body = hub_known_body(own->reading, key);
    if (body.data != NULL) {
        hub_inventory_take_body(own->inventory, connector, key, body);
        own->has_news = true;
    }
    hub_release(key);
    return HUB_OK;
}

/* --- what comes --- */

static void end_look(struct hub_manifesting *own, int64_t now_ms) {
    own->has_news = true;
    own->has_look = true;
    own->looked_ms = now_ms;
}

void hub_manifesting_begin_batch(struct hub_manifesting *own, const struct hub_batch *batch) {
    if (own != NULL && batch->begins_look)
        hub_inventory_begin_look(own->inventory);
}

void hub_manifesting_take(struct hub_manifesting *own, const struct hub_batch *batch,
                          size_t index, const struct hub_outgoing_list *list, int64_t now_ms) {
    const struct hub_raw_document *document = &batch->documents[index];
    const char *identity = document->identity != NULL ? document->identity : document->name;
    if (own == NULL)
        return;
    hub_inventory_take_list(own->inventory, own->connector, batch->is_beside ? NULL : identity,
                            list);
    own->has_news = true;
    if (list->snapshot)
        end_look(own, now_ms);
}

void hub_manifesting_end_batch(struct hub_manifesting *own, const struct hub_batch *batch,
                               int64_t now_ms) {
    if (own == NULL)
        return;
    for (size_t i = 0; i < batch->unchanged_count; i++)
        hub_inventory_keep_document(own->inventory, batch->unchanged[i]);
    if (!batch->ends_look)
        return;
    hub_inventory_end_look(own->inventory);
    end_look(own, now_ms);
}

/* --- writing --- */

bool hub_manifesting_has_news(const struct hub_manifesting *own) {
    return own->has_news;
}

bool hub_manifesting_is_due(const struct hub_manifesting *own, bool is_idle, int64_t now_ms) {
    return own->has_news && now_ms - own->since_ms >= (is_idle ? IDLE_MS : EVERY_MS);
}

static enum hub_status write_record(struct hub_manifesting *own, struct hub_producer *producer,
                                    const char *key, const struct hub_manifest *manifest,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER value = {0};
    hub_manifest_encode(own->schema, manifest, &value);
    struct hub_kafka_write write = {.topic = own->topic,
                                    .partition = 0,
                                    .has_key = true,
                                    .key = hub_bytes_of_text(key),
                                    .value = hub_buffer_bytes(&value)};
    return hub_producer_write(producer, &write, reterr);
}

/* One that is not there yet, or not as it is now. */
static enum hub_status write_part(struct hub_manifesting *own, struct hub_producer *producer,
                                  const struct hub_manifest_names *names, unsigned number,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER entries = {0};
    HUB_SCOPED_BUFFER key = {0};
    struct hub_manifest part = {.names = *names, .is_part = true, .number = number};
    struct hub_manifest_sum *sum = &own->pending[number];
    hub_inventory_encode(own->inventory, number, &entries, sum);
    if (own->was_written &&
        memcmp(sum->digest.bytes, own->sums[number].digest.bytes, HUB_DIGEST_SIZE) == 0)
        return HUB_OK;
    part.entries = hub_buffer_bytes(&entries);
    hub_buffer_append_format(&key, "%s/%u", names->connector, number);
    return write_record(own, producer, hub_buffer_text(&key), &part, reterr);
}

enum hub_status hub_manifesting_write(struct hub_manifesting *own, struct hub_producer *producer,
                                      const char *position, int64_t sequence,
                                      struct hub_error *reterr) {
    const struct hub_connector *connector = own->connector;
    struct hub_manifest whole = {
        .names = {connector->name, connector->institution, connector->system->name,
                  connector->domain->name},
        .schema = connector->domain->schema->id,
        .sequence = sequence,
        .position = position == NULL ? "" : position,
        .has_look = own->has_look,
        .looked_ms = own->looked_ms};
    for (unsigned i = 0; i < HUB_MANIFEST_PARTS; i++)
        HUB_TRY(write_part(own, producer, &whole.names, i, reterr));
    memcpy(whole.sums, own->pending, sizeof whole.sums);
    return write_record(own, producer, connector->name, &whole, reterr);
}

void hub_manifesting_written(struct hub_manifesting *own, int64_t now_ms) {
    memcpy(own->sums, own->pending, sizeof own->sums);
    own->was_written = true;
    own->has_news = false;
    own->since_ms = now_ms;
}
