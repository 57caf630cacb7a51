#include "hub/ctl/voices.h"

#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <stdio.h>
#include <string.h>

enum { CONFIGURATION_SIZE_MAX = 1024 * 1024 };

/* --- statements --- */

bool hub_ctl_voices_open(struct hub_ctl *ctl, const struct hub_domain *domain,
                         struct hub_ctl_voices *voices) {
    *voices = (struct hub_ctl_voices){.domain = domain};
    hub_readers_init(&voices->readers, ctl->catalogue, domain);
    voices->source = hub_ctl_source(ctl);
    return voices->source != NULL;
}

void hub_ctl_voices_close(struct hub_ctl_voices *voices) {
    hub_readers_free(&voices->readers);
    hub_source_free(voices->source);
    hub_release(voices->items);
    hub_release(voices->origins);
    hub_arena_destroy(&voices->arena);
}

void hub_ctl_voices_clear(struct hub_ctl_voices *voices) {
    hub_arena_reset(&voices->arena);
    voices->count = 0;
}

struct taking {
    struct hub_ctl_voices *voices;
    const char *entity;
    bool found;
};

static const char *keep(struct hub_ctl_voices *voices, struct hub_bytes bytes) {
    return hub_arena_text(&voices->arena, (const char *)bytes.data, bytes.size);
}

static bool read_hash(const struct hub_type *root, struct hub_bytes body, const char *path,
                      struct hub_digest *hash) {
    struct hub_bytes bytes;
    if (hub_slice_path(root, body, path, &bytes) == NULL || bytes.size != HUB_DIGEST_SIZE)
        return false;
    memcpy(hash->bytes, bytes.data, HUB_DIGEST_SIZE);
    return true;
}

/* "trials.csv#line=17": what follows the last # is the place, if it is one. */
static void read_origin(struct hub_ctl_voices *voices, const struct hub_opened *opened,
                        struct hub_ctl_origin *origin) {
    const struct hub_type *root = voices->domain->schema->root;
    struct hub_bytes bytes;
    origin->document = origin->place = "";
    if (hub_slice_path(root, opened->body, "statement.document", &bytes) != NULL)
        origin->document = keep(voices, hub_slice_octets(bytes));
    const char *hash = strrchr(origin->document, '#');
    if (hash != NULL &&
        (strncmp(hash, "#line=", 6) == 0 || strncmp(hash, "#element=", 9) == 0)) {
        origin->place = hash + 1;
        origin->document = hub_arena_text(&voices->arena, origin->document,
                                          (size_t)(hash - origin->document));
    }
    origin->has_raw_hash =
        read_hash(root, opened->body, "statement.raw_hash", &origin->raw_hash);
    origin->has_mapping_hash =
        read_hash(root, opened->body, "statement.mapping_hash", &origin->mapping_hash);
}

static bool take_entry(struct hub_ctl_voices *voices, const char *entity,
                       const struct hub_kafka_record *record) {
    const struct hub_domain *domain = voices->domain;
    struct hub_bytes institution, key, name, rest;
    struct hub_opened opened;
    struct hub_error error;
    const char *value = keep(voices, record->value);
    if (hub_readers_open(&voices->readers, hub_bytes(value, record->value.size), &voices->arena,
                         &opened, &error) != HUB_OK ||
        !hub_bytes_cut(record->key, '/', &institution, &key) ||
        !hub_bytes_cut(key, '/', &name, &rest))
        return false;
    struct hub_stamp stamp = hub_statement_stamp(domain, opened.body, opened.starts);
    if (voices->count == voices->capacity) {
        voices->capacity = voices->capacity == 0 ? 16 : 2 * voices->capacity;
        voices->items =
            hub_reallocate(voices->items, voices->capacity * sizeof *voices->items);
        voices->origins =
            hub_reallocate(voices->origins, voices->capacity * sizeof *voices->origins);
    }
    voices->items[voices->count] =
        (struct hub_voice){.key = keep(voices, key),
                           .system = hub_parties_system(domain->parties, name),
                           .institution = keep(voices, institution),
                           .rank = hub_domain_system_rank(domain, name),
                           .body = opened.body,
                           .starts = opened.starts,
                           .has_event_time = stamp.has_event_time,
                           .event_time_ms = stamp.event_time_ms};
    struct hub_ctl_origin *origin = &voices->origins[voices->count];
    *origin = (struct hub_ctl_origin){.entity = entity, .offset = record->offset};
    read_origin(voices, &opened, origin);
    if (voices->items[voices->count].system == NULL)
        return false;
    voices->count++;
    return true;
}

static enum hub_status on_entry(void *context, const struct hub_kafka_record *record,
                                struct hub_error *reterr) {
    struct taking *taking = context;
    (void)reterr;
    taking->found = take_entry(taking->voices, taking->entity, record);
    return HUB_OK;
}

bool hub_ctl_voices_add(struct hub_ctl_voices *voices, const json_t *record) {
    const json_t *unified = json_object_get(record, "value");
    int32_t partition = (int32_t)json_integer_value(json_object_get(record, "partition"));
    const char *topic = hub_arena_format(&voices->arena, "log.%s", voices->domain->name);
    const char *entity = json_string_value(json_object_get(record, "key"));
    struct taking taking = {voices, hub_arena_text(&voices->arena, entity, strlen(entity)), false};
    struct hub_error error;
    size_t i;
    json_t *statement;
    json_array_foreach(json_object_get(unified, "statements"), i, statement) {
        int64_t offset = json_integer_value(json_object_get(statement, "offset"));
        taking.found = false;
        if (hub_source_read(voices->source, topic, partition, offset, offset + 1, on_entry,
                            &taking, NULL, &error) != HUB_OK) {
            fprintf(stderr, "hubctl: %s\n", error.text);
            return false;
        }
        if (!taking.found) {
            fprintf(stderr, "hubctl: %s/%d@%lld: the statement %s is no longer in the log\n",
                    topic, partition, (long long)offset,
                    json_string_value(json_object_get(statement, "key")));
            return false;
        }
    }
    return true;
}

/* --- configurations --- */

static void add_file(struct hub_ctl_configurations *configurations, const char *file) {
    HUB_SCOPED_BUFFER text = {.size_max = CONFIGURATION_SIZE_MAX};
    struct hub_error error;
    if (hub_file_read(file, &text, &error) != HUB_OK)
        return;
    HUB_GROW(configurations->items, configurations->count, configurations->capacity);
    configurations->items[configurations->count++] = (struct hub_ctl_configuration){
        .file = file, .hash = hub_sha256.digest(hub_buffer_bytes(&text))};
}

static void add_folder(struct hub_ctl_configurations *configurations, const char *folder) {
    struct hub_arena *arena = &configurations->arena;
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    if (hub_file_list(folder, ".yaml", arena, &names, &count, &error) != HUB_OK)
        return;
    for (size_t i = 0; i < count; i++)
        add_file(configurations, hub_arena_format(arena, "%s/%s", folder, names[i]));
}

void hub_ctl_configurations_open(const struct hub_catalogue *catalogue, const char *folder,
                                 struct hub_ctl_configurations *configurations) {
    *configurations = (struct hub_ctl_configurations){.catalogue = catalogue};
    struct hub_arena *arena = &configurations->arena;
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    add_folder(configurations, folder);
    if (hub_file_list(folder, "", arena, &names, &count, &error) != HUB_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *inner = hub_arena_format(arena, "%s/%s", folder, names[i]);
        if (hub_file_is_folder(inner))
            add_folder(configurations, inner);
    }
}

void hub_ctl_configurations_close(struct hub_ctl_configurations *configurations) {
    for (size_t i = 0; i < configurations->count; i++)
        hub_connector_free(configurations->items[i].connector);
    hub_release(configurations->items);
    hub_arena_destroy(&configurations->arena);
}

const struct hub_ctl_configuration *
hub_ctl_configurations_find(struct hub_ctl_configurations *configurations,
                            const struct hub_digest *hash) {
    struct hub_ctl_configuration *found = NULL;
    struct hub_error error;
    for (size_t i = 0; i < configurations->count && found == NULL; i++)
        if (memcmp(configurations->items[i].hash.bytes, hash->bytes, HUB_DIGEST_SIZE) == 0)
            found = &configurations->items[i];
    if (found == NULL || found->connector != NULL || found->unreadable != NULL)
        return found;
    if (hub_connector_load(found->file, configurations->catalogue, /* keys_folder= */ NULL,
                           &found->connector, &error) != HUB_OK)
        found->unreadable =
            hub_arena_text(&configurations->arena, error.text, strlen(error.text));
    return found;
}
