#include "connectors/kit/keys.h"

#include "hub/io/crypto.h"
#include "hub/io/file.h"

#include <string.h>

static enum hub_status load(const char *file, const char *id, struct hub_arena *arena,
                            struct hub_key *ret_key, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER bytes = {.size_max = HUB_KEY_SIZE_MAX};
    if (hub_file_read(file, &bytes, reterr) != HUB_OK)
        return HUB_FATAL; /* one that is too large is for a person, too */
    if (bytes.size < HUB_KEY_SIZE_MIN)
        return hub_fail(reterr, HUB_FATAL, "%s: %zu bytes; a key of at least %d would pass", file,
                        bytes.size, HUB_KEY_SIZE_MIN);
    char *copy = hub_arena_text(arena, (const char *)bytes.data, bytes.size);
    *ret_key = (struct hub_key){id, hub_bytes(copy, bytes.size)};
    return HUB_OK;
}

static enum hub_status list(const char *path, struct hub_arena *arena, char ***ret_names,
                            size_t *ret_count, struct hub_error *reterr) {
    *ret_count = 0;
    return hub_file_is_folder(path) ? hub_file_list(path, "", arena, ret_names, ret_count, reterr)
                                    : HUB_OK;
}

static enum hub_status load_newest(const char *folder, const char *part, struct hub_arena *arena,
                                   struct hub_key *ret_key, struct hub_error *reterr) {
    const char *path = hub_arena_format(arena, "%s/%s", folder, part);
    char **names = NULL;
    size_t count = 0;
    HUB_TRY(list(path, arena, &names, &count, reterr));
    if (count == 0)
        return HUB_OK;
    const char *id = names[count - 1];
    return load(hub_arena_format(arena, "%s/%s", path, id), id, arena, ret_key, reterr);
}

/* An id may come from anywhere: it is looked for among the names, and no path. */
enum hub_status hub_keys_find(const struct hub_keys *keys, const char *part, const char *id,
                              struct hub_arena *arena, struct hub_key *ret_key,
                              struct hub_error *reterr) {
    char **names = NULL;
    size_t count = 0;
    const char *path = hub_arena_format(arena, "%s/%s", keys->folder == NULL ? "" : keys->folder,
                                        part);
    if (keys->folder != NULL)
        HUB_TRY(list(path, arena, &names, &count, reterr));
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], id) == 0)
            return load(hub_arena_format(arena, "%s/%s", path, id), names[i], arena, ret_key,
                        reterr);
    return hub_fail(reterr, HUB_REJECT, "%s: there is no key of that id", path);
}

enum hub_status hub_keys_load(const char *folder, struct hub_arena *arena,
                              struct hub_keys *ret_keys, struct hub_error *reterr) {
    static const char known_to_all[] = "not a secret: for trying configurations only";
    struct hub_key trial = {"trial", hub_bytes_of_text(known_to_all)};
    struct hub_keys keys = {0};
    if (folder == NULL) {
        keys = (struct hub_keys){.shared = trial, .local = trial, .trial = true};
    } else {
        HUB_TRY(load_newest(folder, "shared", arena, &keys.shared, reterr));
        HUB_TRY(load_newest(folder, "local", arena, &keys.local, reterr));
        HUB_TRY(load_newest(folder, HUB_JOURNAL_KEYS, arena, &keys.journal, reterr));
        keys.folder = hub_arena_text(arena, folder, strlen(folder));
    }
    *ret_keys = keys;
    return HUB_OK;
}

void hub_pseudonym_append(const struct hub_key *key, const char *purpose, struct hub_bytes value,
                          struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER message = {0};
    char text[HUB_DIGEST_TEXT_SIZE];
    hub_buffer_append_text(&message, purpose);
    hub_buffer_append_byte(&message, 0);
    hub_buffer_append_bytes(&message, value);
    struct hub_digest digest = hub_hmac_sha256(key->bytes, hub_buffer_bytes(&message));
    hub_digest_text(&digest, 16, text);
    hub_buffer_append_format(buffer, "ps:%s:%s", key->id, text);
}
