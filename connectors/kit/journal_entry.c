#include "connectors/kit/journal_entry.h"

#include "hub/io/crypto.h"

#include <stdlib.h>

static const char magic[8] = "ATMPJRN\1";

enum { KEY_ID_AT = 8, SIZE_AT = 72, CHECK_AT = 76, CHECK_SIZE = 4 };
enum { SNAPSHOT = 1, EMPTY = 2, REFUSED = 4, CONTEXT = 8 };

static void put_size(uint8_t *at, size_t size) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(size >> (24 - 8 * i));
}

static size_t get_size(const uint8_t *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* --- writing --- */

static void append_text(struct hub_buffer *buffer, const char *text) {
    size_t size = text == NULL ? 0 : strlen(text);
    hub_buffer_append_long(buffer, (int64_t)size);
    hub_buffer_append(buffer, text, size);
}

static void append_plain(const struct hub_journal_entry *entry, struct hub_buffer *plain) {
    const struct hub_raw_document *document = &entry->document;
    char *context = document->context == NULL
                        ? NULL
                        : hub_need(json_dumps(document->context, JSON_COMPACT | JSON_SORT_KEYS));
    hub_buffer_append_long(plain, entry->sequence);
    hub_buffer_append_long(plain, entry->received_ms);
    hub_buffer_append_long(plain, (document->snapshot ? SNAPSHOT : 0) | (entry->empty ? EMPTY : 0) |
                                      (document->refused != NULL ? REFUSED : 0) |
                                      (context != NULL ? CONTEXT : 0));
    hub_buffer_append_long(plain, document->withdraw_max_percent);
    append_text(plain, document->name);
    append_text(plain, context);
    append_text(plain, document->refused);
    append_text(plain, document->refused_code);
    hub_buffer_append_bytes(plain, document->bytes);
    free(context);
}

enum hub_status hub_journal_entry_append(const struct hub_journal_entry *entry,
                                         const struct hub_digest *key, const char *key_id,
                                         struct hub_buffer *buffer, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER plain = {.size_max = SIZE_MAX / 4};
    uint8_t head[HUB_JOURNAL_HEAD_SIZE] = {0};
    size_t id_size = strlen(key_id);
    if (id_size > HUB_JOURNAL_KEY_ID_MAX)
        return hub_fail(reterr, HUB_FATAL, "journal: a key's id of %zu bytes; at most %d would pass",
                        id_size, HUB_JOURNAL_KEY_ID_MAX);
    append_plain(entry, &plain);
    memcpy(head, magic, sizeof magic);
    memcpy(head + KEY_ID_AT, key_id, id_size);
    put_size(head + SIZE_AT, plain.size + HUB_SEAL_OVERHEAD);
    struct hub_digest check = hub_sha256.digest(hub_bytes(head, CHECK_AT));
    memcpy(head + CHECK_AT, check.bytes, CHECK_SIZE);
    hub_buffer_append(buffer, head, sizeof head);
    return hub_seal(key, hub_bytes(head, sizeof head), hub_buffer_bytes(&plain), buffer, reterr);
}

/* --- finding --- */

static bool is_head(struct hub_bytes head) {
    struct hub_digest check = hub_sha256.digest(hub_bytes_part(head, 0, CHECK_AT));
    return memcmp(head.data + CHECK_AT, check.bytes, CHECK_SIZE) == 0;
}

bool hub_journal_entry_find(struct hub_bytes bytes, size_t from,
                            struct hub_journal_place *ret_place) {
    while (from < bytes.size && bytes.size - from >= HUB_JOURNAL_HEAD_SIZE) {
        struct hub_bytes rest = hub_bytes_part(bytes, from, bytes.size);
        const uint8_t *at = memmem(rest.data, rest.size, magic, sizeof magic);
        if (at == NULL)
            return false;
        from += (size_t)(at - rest.data);
        if (bytes.size - from < HUB_JOURNAL_HEAD_SIZE)
            return false;
        struct hub_bytes head = hub_bytes_part(bytes, from, from + HUB_JOURNAL_HEAD_SIZE);
        size_t size = get_size(head.data + SIZE_AT);
        if (size <= bytes.size - from - HUB_JOURNAL_HEAD_SIZE && is_head(head)) {
            *ret_place = (struct hub_journal_place){from, from + HUB_JOURNAL_HEAD_SIZE + size, {0}};
            memcpy(ret_place->key_id, head.data + KEY_ID_AT, HUB_JOURNAL_KEY_ID_MAX);
            return true;
        }
        from++;
    }
    return false;
}

/* --- reading --- */

static bool read_text(struct hub_cursor *cursor, struct hub_arena *arena, const char **ret_text) {
    struct hub_bytes text;
    int64_t size = 0;
    if (!hub_cursor_long(cursor, &size, NULL) || size < 0 ||
        !hub_cursor_take(cursor, (uint64_t)size, &text))
        return false;
    *ret_text = hub_arena_text(arena, (const char *)text.data, text.size);
    return true;
}

static bool read_plain(struct hub_cursor *cursor, struct hub_arena *arena,
                       struct hub_journal_entry *entry) {
    struct hub_raw_document *document = &entry->document;
    const char *context = NULL;
    int64_t flags = 0;
    if (!hub_cursor_long(cursor, &entry->sequence, NULL) ||
        !hub_cursor_long(cursor, &entry->received_ms, NULL) ||
        !hub_cursor_long(cursor, &flags, NULL) ||
        !hub_cursor_long(cursor, &document->withdraw_max_percent, NULL) ||
        !read_text(cursor, arena, &document->name) || !read_text(cursor, arena, &context) ||
        !read_text(cursor, arena, &document->refused) ||
        !read_text(cursor, arena, &document->refused_code) ||
        !hub_cursor_take(cursor, hub_cursor_left(cursor), &document->bytes))
        return false;
    entry->empty = (flags & EMPTY) != 0;
    document->snapshot = (flags & SNAPSHOT) != 0;
    if ((flags & REFUSED) == 0)
        document->refused = document->refused_code = NULL;
    if ((flags & CONTEXT) != 0)
        document->context = json_loads(context, JSON_ALLOW_NUL, NULL);
    return (flags & CONTEXT) == 0 || document->context != NULL;
}

bool hub_journal_entry_read(struct hub_bytes bytes, const struct hub_journal_place *place,
                            const struct hub_digest *key, struct hub_arena *arena,
                            struct hub_buffer *plain, struct hub_journal_entry *ret_entry) {
    struct hub_bytes whole = hub_bytes_part(bytes, place->from, place->to);
    struct hub_journal_entry entry = {0};
    plain->size_max = whole.size;
    if (!hub_unseal(key, hub_bytes_part(whole, 0, HUB_JOURNAL_HEAD_SIZE),
                    hub_bytes_part(whole, HUB_JOURNAL_HEAD_SIZE, whole.size), plain))
        return false;
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(plain));
    if (!read_plain(&cursor, arena, &entry))
        return false;
    *ret_entry = entry;
    return true;
}
