#include "schemas/lib/manifest.h"

#include "hub/base/table.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"

#include <string.h>

enum { MESSAGE_SIZE_MAX = 24 * 1024 * 1024, ELEMENTS_MAX = 1000000 };

/* An item, with what it is found by. */
struct entry {
    UT_hash_handle hh;
    struct hub_inventory_item item;
    unsigned part;
    int64_t look; /* the last that had it */
};

/* A document of a look. */
struct leaf {
    UT_hash_handle hh;
    int64_t document;
    bool is_read; /* else it is there as it was */
};

struct hub_inventory {
    const struct hub_digester *digester;
    struct entry *entries;
    bool is_sorted;
    int64_t look;
    bool is_looking;
    int64_t document;
    size_t nameless; /* in the document */
    struct leaf *leaves; /* of the look */
    bool has_kept;       /* one of them is there as it was */
};

bool hub_inventory_item_is_in_source(const struct hub_inventory_item *item) {
    return item->standing == HUB_REFUSED ||
           (item->standing == HUB_STATED && !item->latest.stamp.withdrawn);
}

/* --- the inventory --- */

struct hub_inventory *hub_inventory_new(const struct hub_digester *digester) {
    struct hub_inventory *inventory = hub_allocate_zero(1, sizeof *inventory);
    inventory->digester = digester;
    return inventory;
}

static void forget_said(struct hub_said *said) {
    hub_release((uint8_t *)said->stamp.version.data);
}

static void forget(struct hub_inventory *inventory, struct entry *entry) {
    HASH_DELETE(hh, inventory->entries, entry);
    hub_release((char *)entry->item.key);
    forget_said(&entry->item.latest);
    forget_said(&entry->item.last);
    hub_release(entry);
}

static void forget_leaves(struct hub_inventory *inventory) {
    struct leaf *leaf, *next;
    HASH_ITER(hh, inventory->leaves, leaf, next) {
        HASH_DELETE(hh, inventory->leaves, leaf);
        hub_release(leaf);
    }
}

void hub_inventory_free(struct hub_inventory *inventory) {
    struct entry *entry, *next;
    if (inventory == NULL)
        return;
    HASH_ITER(hh, inventory->entries, entry, next)
        forget(inventory, entry);
    forget_leaves(inventory);
    hub_release(inventory);
}

static struct entry *find(const struct hub_inventory *inventory, const char *key) {
    struct entry *entry = NULL;
    HASH_FIND_STR(inventory->entries, key, entry);
    return entry;
}

const struct hub_inventory_item *hub_inventory_find(const struct hub_inventory *inventory,
                                                    const char *key) {
    const struct entry *entry = find(inventory, key);
    return entry == NULL ? NULL : &entry->item;
}

static struct entry *need(struct hub_inventory *inventory, const char *key) {
    struct entry *entry = find(inventory, key);
    if (entry != NULL)
        return entry;
    entry = hub_allocate_zero(1, sizeof *entry);
    entry->item.key = hub_copy_text(key);
    entry->item.standing = HUB_GONE; /* until somebody has seen it */
    entry->part = inventory->digester->digest(hub_bytes_of_text(key)).bytes[0] % HUB_MANIFEST_PARTS;
    HASH_ADD_KEYPTR(hh, inventory->entries, entry->item.key, strlen(entry->item.key), entry);
    inventory->is_sorted = false;
    return entry;
}

static void keep_said(struct hub_said *said, const struct hub_said *fresh) {
    struct hub_bytes version = fresh->stamp.version;
    const uint8_t *copy = hub_copy_bytes(version.data, version.size);
    forget_said(said);
    *said = *fresh;
    said->stamp.version.data = copy;
}

static bool is_later(const struct hub_said *a, const struct hub_said *b) {
    return hub_statement_compare(&a->stamp, &a->digest, &b->stamp, &b->digest) > 0;
}

static void keep_latest(struct hub_inventory_item *item, const struct hub_said *said) {
    if (!item->is_told || is_later(said, &item->latest))
        keep_said(&item->latest, said);
}

static void keep_last(struct hub_inventory_item *item, const struct hub_said *said) {
    keep_said(&item->last, said);
    item->is_told = true;
}

static void see(const struct hub_inventory *inventory, struct entry *entry,
                enum hub_standing standing) {
    entry->look = inventory->look;
    entry->item.standing = standing;
    if (inventory->document != 0)
        entry->item.document = inventory->document;
}

void hub_inventory_tell(struct hub_inventory *inventory, const char *key,
                        const struct hub_said *said) {
    struct entry *entry = need(inventory, key);
    see(inventory, entry, HUB_STATED);
    keep_latest(&entry->item, said);
    keep_last(&entry->item, said);
}

static int64_t number_of(const struct hub_inventory *inventory, const char *document) {
    struct hub_digest digest = inventory->digester->digest(hub_bytes_of_text(document));
    int64_t number = 0;
    memcpy(&number, digest.bytes, sizeof number);
    return number;
}

static struct leaf *find_leaf(const struct hub_inventory *inventory, int64_t document) {
    struct leaf *leaf = NULL;
    HASH_FIND(hh, inventory->leaves, &document, sizeof document, leaf);
    return leaf;
}

static void note_leaf(struct hub_inventory *inventory, int64_t document, bool is_read) {
    struct leaf *leaf = find_leaf(inventory, document);
    if (!inventory->is_looking)
        return;
    if (leaf == NULL) {
        leaf = hub_allocate_zero(1, sizeof *leaf);
        leaf->document = document;
        HASH_ADD(hh, inventory->leaves, document, sizeof leaf->document, leaf);
    }
    leaf->is_read |= is_read;
    inventory->has_kept |= !is_read;
}

void hub_inventory_begin_document(struct hub_inventory *inventory, const char *name) {
    inventory->document = name == NULL ? 0 : number_of(inventory, name);
    inventory->nameless = 0;
    if (name != NULL)
        note_leaf(inventory, inventory->document, /* is_read= */ true);
}

void hub_inventory_keep_document(struct hub_inventory *inventory, const char *name) {
    note_leaf(inventory, number_of(inventory, name), /* is_read= */ false);
}

static void refuse(struct hub_inventory *inventory, const char *key) {
    struct entry *entry = need(inventory, key);
    see(inventory, entry, HUB_REFUSED);
}

void hub_inventory_refuse(struct hub_inventory *inventory, const char *key) {
    HUB_SCOPED_BUFFER own = {0};
    if (key == NULL && (!inventory->is_looking || inventory->document == 0))
        return;
    if (key == NULL)
        hub_buffer_append_format(&own, "?/%016llx/%zu", (unsigned long long)inventory->document,
                                 ++inventory->nameless);
    refuse(inventory, key == NULL ? hub_buffer_text(&own) : key);
}

void hub_inventory_begin_look(struct hub_inventory *inventory) {
    inventory->look++;
    inventory->is_looking = true;
    inventory->has_kept = false;
    forget_leaves(inventory);
}

void hub_inventory_refuse_document(struct hub_inventory *inventory) {
    bool is_known = false;
    if (!inventory->is_looking || inventory->document == 0)
        return;
    for (struct entry *entry = inventory->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->item.document != inventory->document)
            continue;
        see(inventory, entry, HUB_REFUSED);
        is_known = true;
    }
    if (!is_known)
        hub_inventory_refuse(inventory, NULL);
}

/* What was not seen: it is there with its document, or it is gone. Nobody knows that of what stood
 * in a document that is not known, where one has not come again. */
static void settle(struct hub_inventory *inventory, struct entry *entry) {
    const struct leaf *leaf = find_leaf(inventory, entry->item.document);
    if (entry->item.document == 0 && inventory->has_kept)
        return;
    bool is_there = leaf != NULL && !leaf->is_read;
    if (is_there && entry->item.standing == HUB_GONE)
        entry->item.standing = HUB_STATED;
    if (is_there)
        return;
    if (leaf != NULL)
        entry->item.document = 0; /* not in that one any more */
    if (!entry->item.is_told)
        forget(inventory, entry);
    else if (!entry->item.latest.stamp.withdrawn)
        entry->item.standing = HUB_GONE;
}

void hub_inventory_end_look(struct hub_inventory *inventory) {
    struct entry *entry, *next;
    HASH_ITER(hh, inventory->entries, entry, next)
        if (entry->look != inventory->look)
            settle(inventory, entry);
    inventory->is_looking = false;
    forget_leaves(inventory);
}

void hub_inventory_join(struct hub_inventory *inventory, const struct hub_inventory_item *item) {
    struct entry *entry = need(inventory, item->key);
    entry->look = inventory->look;
    entry->item.document = item->document;
    if (entry->item.standing != HUB_REFUSED && item->standing != HUB_GONE)
        entry->item.standing = item->standing;
    if (!item->is_told)
        return;
    if (!entry->item.is_told || is_later(&item->last, &entry->item.last))
        keep_said(&entry->item.last, &item->last);
    keep_latest(&entry->item, &item->latest);
    entry->item.is_told = true;
}

static int by_key(const struct entry *a, const struct entry *b) {
    return strcmp(a->item.key, b->item.key);
}

static void sort(struct hub_inventory *inventory) {
    if (!inventory->is_sorted)
        HASH_SORT(inventory->entries, by_key);
    inventory->is_sorted = true;
}

void hub_inventory_each(struct hub_inventory *inventory,
                        void (*take)(void *context, const struct hub_inventory_item *item),
                        void *context) {
    sort(inventory);
    for (const struct entry *entry = inventory->entries; entry != NULL; entry = entry->hh.next)
        take(context, &entry->item);
}

/* --- entries --- */

static void encode_optional_long(struct hub_buffer *buffer, bool there, int64_t value) {
    hub_encode_long(buffer, there);
    if (there)
        hub_encode_long(buffer, value);
}

/* The fields of ManifestSaid. */
static void encode_said(const struct hub_said *said, struct hub_buffer *buffer) {
    hub_encode_octets(buffer, said->stamp.version);
    encode_optional_long(buffer, said->stamp.has_event_time, said->stamp.event_time_ms);
    hub_encode_long(buffer, said->stamp.withdrawn); /* CURRENT, WITHDRAWN */
    hub_buffer_append(buffer, said->digest.bytes, HUB_DIGEST_SIZE);
}

/* Those of ManifestEntry. */
static void encode_item(const struct hub_inventory_item *item, struct hub_buffer *buffer) {
    bool has_last = item->is_told && is_later(&item->latest, &item->last);
    hub_encode_text(buffer, item->key);
    hub_encode_long(buffer, item->standing);
    hub_encode_long(buffer, item->is_told);
    if (item->is_told)
        encode_said(&item->latest, buffer);
    hub_encode_long(buffer, has_last);
    if (has_last)
        encode_said(&item->last, buffer);
    hub_encode_long(buffer, item->document);
}

void hub_inventory_encode(struct hub_inventory *inventory, unsigned part,
                          struct hub_buffer *entries, struct hub_manifest_sum *ret_sum) {
    size_t count = 0;
    sort(inventory);
    for (const struct entry *entry = inventory->entries; entry != NULL; entry = entry->hh.next)
        count += entry->part == part;
    hub_encode_array_begin(entries, count);
    for (const struct entry *entry = inventory->entries; entry != NULL; entry = entry->hh.next)
        if (entry->part == part)
            encode_item(&entry->item, entries);
    hub_encode_array_end(entries);
    *ret_sum = (struct hub_manifest_sum){(int64_t)count,
                                         inventory->digester->digest(hub_buffer_bytes(entries))};
}

static struct hub_said decode_said(const struct hub_type *type, struct hub_bytes bytes) {
    struct hub_said said = {0};
    struct hub_bytes part;
    hub_slice_path(type, bytes, "version", &part);
    said.stamp.version = hub_slice_octets(part);
    said.stamp.has_event_time = hub_slice_path(type, bytes, "event_time", &part) != NULL;
    said.stamp.event_time_ms = said.stamp.has_event_time ? hub_slice_long(part) : 0;
    hub_slice_path(type, bytes, "state", &part);
    said.stamp.withdrawn = hub_slice_long(part) == 1;
    hub_slice_path(type, bytes, "hash", &part);
    memcpy(said.digest.bytes, part.data, HUB_DIGEST_SIZE);
    return said;
}

void hub_inventory_decode(struct hub_inventory *inventory, const struct hub_schema *schema,
                          struct hub_bytes entries) {
    const struct hub_type *part =
        hub_type_stated(schema->root->fields[hub_type_field(schema->root, "part")].type);
    const struct hub_type *array = part->fields[hub_type_field(part, "entries")].type;
    struct hub_elements elements = hub_slice_elements(array, entries);
    struct hub_bytes element, bytes;
    while (hub_slice_next(&elements, &element)) {
        struct hub_inventory_item item = {0};
        hub_slice_path(array->items, element, "key", &bytes);
        bytes = hub_slice_octets(bytes);
        char *key = hub_copy_bytes(bytes.data, bytes.size);
        item.key = key;
        hub_slice_path(array->items, element, "standing", &bytes);
        int64_t standing = hub_slice_long(bytes);
        item.standing = standing > HUB_GONE ? HUB_GONE : (enum hub_standing)standing;
        const struct hub_type *said = hub_slice_path(array->items, element, "said", &bytes);
        item.is_told = said != NULL;
        if (item.is_told)
            item.latest = item.last = decode_said(said, bytes);
        const struct hub_type *last = hub_slice_path(array->items, element, "last", &bytes);
        if (item.is_told && last != NULL)
            item.last = decode_said(last, bytes);
        hub_slice_path(array->items, element, "document", &bytes);
        item.document = hub_slice_long(bytes);
        hub_inventory_join(inventory, &item);
        hub_release(key);
    }
}

/* --- records --- */

static void encode_whole(const struct hub_manifest *manifest, struct hub_buffer *message) {
    hub_encode_long(message, manifest->schema);
    hub_encode_long(message, manifest->sequence);
    hub_encode_text(message, manifest->position);
    encode_optional_long(message, manifest->has_look, manifest->looked_ms);
    hub_encode_array_begin(message, HUB_MANIFEST_PARTS);
    for (size_t i = 0; i < HUB_MANIFEST_PARTS; i++) {
        hub_encode_long(message, manifest->sums[i].count);
        hub_buffer_append(message, manifest->sums[i].digest.bytes, HUB_DIGEST_SIZE);
    }
    hub_encode_array_end(message);
}

void hub_manifest_encode(const struct hub_schema *schema, const struct hub_manifest *manifest,
                         struct hub_buffer *message) {
    hub_frame_append(message, schema->id);
    hub_encode_text(message, manifest->names.connector);
    hub_encode_text(message, manifest->names.institution);
    hub_encode_text(message, manifest->names.system);
    hub_encode_text(message, manifest->names.domain);
    hub_encode_long(message, !manifest->is_part);
    if (!manifest->is_part)
        encode_whole(manifest, message);
    hub_encode_long(message, manifest->is_part);
    if (manifest->is_part) {
        hub_encode_long(message, manifest->number);
        hub_buffer_append_bytes(message, manifest->entries);
    }
}

/* A record that is being taken apart. */
struct opened {
    const struct hub_type *type;
    struct hub_bytes body;
    struct hub_arena *arena;
};

static const char *text_at(const struct opened *opened, const char *path) {
    struct hub_bytes part;
    hub_slice_path(opened->type, opened->body, path, &part);
    part = hub_slice_octets(part);
    return hub_arena_text(opened->arena, (const char *)part.data, part.size);
}

static int64_t long_at(const struct opened *opened, const char *path) {
    struct hub_bytes part;
    return hub_slice_path(opened->type, opened->body, path, &part) == NULL ? 0
                                                                           : hub_slice_long(part);
}

static enum hub_status read_sums(const struct opened *opened, struct hub_manifest *manifest,
                                 struct hub_error *reterr) {
    struct hub_bytes bytes, element, part;
    const struct hub_type *array =
        hub_slice_path(opened->type, opened->body, "whole.parts", &bytes);
    struct hub_elements elements = hub_slice_elements(array, bytes);
    size_t count = 0;
    for (; hub_slice_next(&elements, &element); count++) {
        if (count >= HUB_MANIFEST_PARTS)
            continue;
        hub_slice_path(array->items, element, "count", &part);
        manifest->sums[count].count = hub_slice_long(part);
        hub_slice_path(array->items, element, "hash", &part);
        memcpy(manifest->sums[count].digest.bytes, part.data, HUB_DIGEST_SIZE);
    }
    if (count != HUB_MANIFEST_PARTS)
        return hub_fail(reterr, HUB_FATAL, "a manifest of %zu parts; %d would pass", count,
                        HUB_MANIFEST_PARTS);
    return HUB_OK;
}

static enum hub_status read_whole(const struct opened *opened, struct hub_manifest *manifest,
                                  struct hub_error *reterr) {
    struct hub_bytes part;
    manifest->schema = long_at(opened, "whole.schema");
    manifest->sequence = long_at(opened, "whole.sequence");
    manifest->position = text_at(opened, "whole.position");
    manifest->has_look =
        hub_slice_path(opened->type, opened->body, "whole.looked_at", &part) != NULL;
    manifest->looked_ms = long_at(opened, "whole.looked_at");
    return read_sums(opened, manifest, reterr);
}

static enum hub_status read_part(const struct opened *opened, struct hub_manifest *manifest,
                                 struct hub_error *reterr) {
    if (hub_slice_path(opened->type, opened->body, "part.entries", &manifest->entries) == NULL)
        return hub_fail(reterr, HUB_FATAL, "a manifest without a whole or a part; one of them "
                        "would pass");
    manifest->number = long_at(opened, "part.number");
    if (manifest->number < 0 || manifest->number >= HUB_MANIFEST_PARTS)
        return hub_fail(reterr, HUB_FATAL, "part %lld of a manifest; 0 to %d would pass",
                        (long long)manifest->number, HUB_MANIFEST_PARTS - 1);
    return HUB_OK;
}

bool hub_manifest_is_of(const struct hub_schema *schema, struct hub_bytes message) {
    struct hub_bytes body;
    struct hub_error error;
    int32_t id = 0;
    return hub_frame_open(message, &id, &body, &error) == HUB_OK && id == schema->id;
}

enum hub_status hub_manifest_decode(const struct hub_schema *schema, struct hub_bytes message,
                                    struct hub_arena *arena, struct hub_manifest *ret_manifest,
                                    struct hub_error *reterr) {
    struct hub_walk_limits limits = {.size_max = MESSAGE_SIZE_MAX, .elements_max = ELEMENTS_MAX};
    struct hub_walk walk = {0};
    struct opened opened = {.type = schema->root, .arena = arena};
    struct hub_bytes whole;
    int32_t id = 0;
    HUB_TRY(hub_frame_open(message, &id, &opened.body, reterr));
    if (id != schema->id)
        return hub_fail(reterr, HUB_FATAL, "a manifest with schema id %d; %d would pass", id,
                        schema->id);
    HUB_TRY(hub_walk(schema->root, opened.body, &limits, &walk, reterr));
    struct hub_manifest manifest = {0};
    manifest.names = (struct hub_manifest_names){.connector = text_at(&opened, "connector"),
                                                 .institution = text_at(&opened, "institution"),
                                                 .system = text_at(&opened, "system"),
                                                 .domain = text_at(&opened, "domain")};
    manifest.is_part = hub_slice_path(schema->root, opened.body, "whole", &whole) == NULL;
    HUB_TRY(manifest.is_part ? read_part(&opened, &manifest, reterr)
                             : read_whole(&opened, &manifest, reterr));
    *ret_manifest = manifest;
    return HUB_OK;
}
