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

/* A part of the folder, and the files in it by name. */
struct part {
    const char *path;
    char **names;
    size_t count;
};

static enum hub_status list_part(const char *folder, const char *name, struct hub_arena *arena,
                                 struct part *ret_part, struct hub_error *reterr) {
    *ret_part = (struct part){.path = hub_arena_format(arena, "%s/%s", folder, name)};
    return hub_file_is_folder(ret_part->path)
               ? hub_file_list(ret_part->path, "", arena, &ret_part->names, &ret_part->count, reterr)
               : HUB_OK;
}

static enum hub_status load_named(const struct part *part, const char *id, struct hub_arena *arena,
                                  struct hub_key *ret_key, struct hub_error *reterr) {
    return load(hub_arena_format(arena, "%s/%s", part->path, id), id, arena, ret_key, reterr);
}

/* How long the id is in the name of a key that is not in use yet; 0 for every other name. */
static size_t next_id_size(const char *name) {
    size_t size = strlen(name), end = strlen(HUB_KEY_NEXT);
    return size > end && strcmp(name + size - end, HUB_KEY_NEXT) == 0 ? size - end : 0;
}

/* A key that was copied to its id, and not renamed, is the same key. Two keys of one id would be told apart
 * by nobody. */
static enum hub_status check_next(const struct part *part, const char *name,
                                  struct hub_arena *arena, struct hub_error *reterr) {
    const char *id = hub_arena_text(arena, name, next_id_size(name));
    struct hub_key next, other;
    for (size_t i = 0; i < part->count; i++) {
        if (strcmp(part->names[i], id) != 0)
            continue;
        HUB_TRY(load_named(part, name, arena, &next, reterr));
        HUB_TRY(load_named(part, id, arena, &other, reterr));
        if (!hub_bytes_equal(next.bytes, other.bytes))
            return hub_fail(reterr, HUB_FATAL, "%s/%s: another key than %s, which is there too; one "
                            "of them would pass", part->path, name, id);
    }
    return HUB_OK;
}

/* Up to `wanted` keys that are in use or were, the newest first. */
static enum hub_status load_part(const char *folder, const char *name, size_t wanted,
                                 struct hub_arena *arena, struct hub_key *ret_keys,
                                 size_t *ret_count, struct hub_error *reterr) {
    struct part part;
    *ret_count = 0;
    HUB_TRY(list_part(folder, name, arena, &part, reterr));
    for (size_t i = part.count; i > 0; i--) {
        if (next_id_size(part.names[i - 1]) > 0)
            HUB_TRY(check_next(&part, part.names[i - 1], arena, reterr));
        else if (*ret_count < wanted)
            HUB_TRY(load_named(&part, part.names[i - 1], arena, &ret_keys[(*ret_count)++], reterr));
    }
    return HUB_OK;
}

static enum hub_status load_shared(const char *folder, struct hub_arena *arena,
                                   struct hub_keys *keys, struct hub_error *reterr) {
    struct hub_key all[HUB_KEYS_EARLIER_MAX + 2] = {{0}};
    size_t count = 0;
    HUB_TRY(load_part(folder, "shared", HUB_KEYS_EARLIER_MAX + 2, arena, all, &count, reterr));
    if (count > HUB_KEYS_EARLIER_MAX + 1)
        return hub_fail(reterr, HUB_FATAL, "%s/shared: what identifies is told under every key that is "
                        "held here; at most %d would pass, without those that nobody uses any more",
                        folder, HUB_KEYS_EARLIER_MAX + 1);
    keys->shared = all[0];
    for (size_t i = 1; i < count; i++)
        keys->earlier[keys->earlier_count++] = all[i];
    return HUB_OK;
}

/* An id may come from anywhere: it is looked for among the names, and no path. */
enum hub_status hub_keys_find(const struct hub_keys *keys, const char *part, const char *id,
                              struct hub_arena *arena, struct hub_key *ret_key,
                              struct hub_error *reterr) {
    struct part found = {.path = part};
    if (keys->folder != NULL)
        HUB_TRY(list_part(keys->folder, part, arena, &found, reterr));
    for (size_t i = 0; i < found.count; i++)
        if (strcmp(found.names[i], id) == 0 && next_id_size(id) == 0)
            return load_named(&found, found.names[i], arena, ret_key, reterr);
    return hub_fail(reterr, HUB_REJECT, "%s: there is no key of that id", found.path);
}

enum hub_status hub_keys_load(const char *folder, struct hub_arena *arena,
                              struct hub_keys *ret_keys, struct hub_error *reterr) {
    static const char known_to_all[] = "not a secret: for trying configurations only";
    struct hub_key trial = {"trial", hub_bytes_of_text(known_to_all)};
    struct hub_keys keys = {0};
    if (folder == NULL) {
        keys = (struct hub_keys){
            .shared = trial, .local = trial, .sealing = trial, .trial = true};
    } else {
        size_t count = 0;
        HUB_TRY(load_shared(folder, arena, &keys, reterr));
        HUB_TRY(load_part(folder, "local", 1, arena, &keys.local, &count, reterr));
        HUB_TRY(load_part(folder, HUB_JOURNAL_KEYS, 1, arena, &keys.journal, &count, reterr));
        HUB_TRY(load_part(folder, HUB_SEALING_KEYS, 1, arena, &keys.sealing, &count, reterr));
        keys.folder = hub_arena_text(arena, folder, strlen(folder));
    }
    *ret_keys = keys;
    return HUB_OK;
}

enum hub_status hub_keys_all(const struct hub_keys *keys, const char *part, size_t most,
                             struct hub_arena *arena, struct hub_key *ret_keys, size_t *ret_count,
                             struct hub_error *reterr) {
    struct hub_key *list = hub_arena_take_zero(arena, most + 1, sizeof *list);
    *ret_count = 0;
    if (keys->folder != NULL)
        HUB_TRY(load_part(keys->folder, part, most + 1, arena, list, ret_count, reterr));
    if (*ret_count > most)
        return hub_fail(reterr, HUB_FATAL, "%s/%s: more than %zu keys", keys->folder, part, most);
    if (*ret_count > 0)
        memcpy(ret_keys, list, *ret_count * sizeof *list);
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

/* --- what there is --- */

enum { CHECK_SIZE = 8 };

/* A part, and what its keys are for that are no longer in use. */
static const struct {
    const char *name, *before;
} parts[] = {{"shared", "before: identifiers are told under it, too"},
             {"local", "before: nothing is told under it"},
             {HUB_JOURNAL_KEYS, "before: what was written with it stays readable"},
             {HUB_SEALING_KEYS, "before: the keys that it wraps stay readable"}};

static void append_key(const char *name, const struct hub_key *key, const char *use,
                       struct hub_buffer *text) {
    char check[HUB_DIGEST_TEXT_SIZE];
    struct hub_digest digest = hub_hmac_sha256(key->bytes, hub_bytes_of_text("check"));
    hub_digest_text(&digest, CHECK_SIZE, check);
    hub_buffer_append_format(text, "%-8s  %-16s  %-16s  %s\n", name, key->id, check, use);
}

/* The newest first. */
static void describe_part(const struct part *part, size_t index, struct hub_arena *arena,
                          struct hub_buffer *text, size_t *unfit) {
    struct hub_error error;
    struct hub_key key;
    size_t held = 0;
    if (part->count == 0)
        hub_buffer_append_format(text, "%-8s  none\n", parts[index].name);
    for (size_t i = part->count; i > 0; i--) {
        const char *name = part->names[i - 1];
        bool next = next_id_size(name) > 0;
        held += !next;
        if (load_named(part, name, arena, &key, &error) == HUB_OK &&
            (!next || check_next(part, name, arena, &error) == HUB_OK)) {
            append_key(parts[index].name, &key,
                       next        ? "next: not in use"
                       : held == 1 ? "in use"
                                   : parts[index].before,
                       text);
            continue;
        }
        hub_buffer_append_format(text, "%-8s  %-16s  %-16s  %s\n", parts[index].name, name, "-",
                                 error.text);
        ++*unfit;
    }
}

enum hub_status hub_keys_describe(const char *folder, struct hub_buffer *text, size_t *ret_unfit,
                                  struct hub_error *reterr) {
    struct hub_arena arena = {0};
    enum hub_status status = HUB_OK;
    *ret_unfit = 0;
    if (!hub_file_is_folder(folder))
        return hub_fail(reterr, HUB_FATAL, "%s: a folder with the parts shared, local, journal and "
                        "sealing would pass", folder);
    hub_buffer_append_format(text, "%-8s  %-16s  %-16s  %s\n", "PART", "KEY", "CHECK", "USE");
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == HUB_OK; i++) {
        struct part part;
        status = list_part(folder, parts[i].name, &arena, &part, reterr);
        if (status == HUB_OK)
            describe_part(&part, i, &arena, text, ret_unfit);
    }
    hub_arena_destroy(&arena);
    return status;
}
