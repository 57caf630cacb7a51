#include "connectors/kit/subject.h"

#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "schemas/lib/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILE_SIZE_MAX = 4096, LOCAL_KEYS_MAX = 64 };

/* A subject's key, while it is used. */
struct secret {
    char id[HUB_KEY_ID_DIGITS + 1];
    struct hub_digest key;
};

static void forget(struct secret *secret) {
    explicit_bzero(secret, sizeof *secret);
}
#define SCOPED_SECRET __attribute__((cleanup(forget))) struct secret

static void forget_text(struct hub_buffer *buffer) {
    if (buffer->data != NULL)
        explicit_bzero(buffer->data, buffer->size);
    hub_buffer_free(buffer);
}
#define SCOPED_PLAIN __attribute__((cleanup(forget_text))) struct hub_buffer

static void close_descriptor(int *descriptor) {
    if (*descriptor >= 0)
        close(*descriptor);
}
#define SCOPED_DESCRIPTOR __attribute__((cleanup(close_descriptor))) int

bool hub_key_id_is(const char *text) {
    size_t size = strspn(text, "0123456789abcdef");
    return size == HUB_KEY_ID_DIGITS && text[size] == '\0';
}

static const char *folder_of(const struct hub_keys *keys, struct hub_arena *arena) {
    return hub_arena_format(arena, "%s/subjects", keys->folder);
}

static const char *path_of(const struct hub_keys *keys, const char *name, struct hub_arena *arena) {
    return hub_arena_format(arena, "%s/subjects/%s", keys->folder, name);
}

static const char *name_of(const struct hub_key *local, struct hub_bytes subject,
                           struct hub_arena *arena) {
    HUB_SCOPED_BUFFER name = {0};
    hub_pseudonym_append(local, "subject", subject, &name);
    return hub_arena_text(arena, (const char *)name.data, name.size);
}

enum hub_status hub_subjects_lock(const struct hub_keys *keys, int *ret_descriptor,
                                  struct hub_error *reterr) {
    struct hub_arena arena = {0};
    const char *folder = folder_of(keys, &arena);
    enum hub_status status = hub_file_make_folder(folder, reterr);
    int descriptor = -1;
    if (status == HUB_OK) {
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0 || flock(descriptor, LOCK_EX) != 0)
            status = hub_fail(reterr, HUB_FATAL, "%s: %s", folder, strerror(errno));
    }
    if (status != HUB_OK)
        close_descriptor(&descriptor);
    else
        *ret_descriptor = descriptor;
    hub_arena_destroy(&arena);
    return status;
}

/* --- a key's file --- */

static struct hub_digest wrapping_key(const struct hub_key *own) {
    return hub_hmac_sha256(own->bytes, hub_bytes_of_text("atmp-hub subject keys 1"));
}

/* What a wrapped key is bound to: it is no other subject's, and has no other id. */
static void append_binding(const char *name, const char *id, struct hub_buffer *buffer) {
    hub_buffer_append_format(buffer, "%s/%s", name, id);
}

static enum hub_status damaged(const char *path, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_FATAL, "%s: it is no subject's key, or is another one's; the file from a "
                    "backup would pass", path);
}

static const char *text_in(const struct hub_node *file, const char *name) {
    const struct hub_node *node = hub_node_get(file, name);
    return node == NULL || node->text == NULL ? "" : node->text;
}

/* HUB_OK and no id where there is no such file. */
static enum hub_status parse_file(const struct hub_keys *keys, const char *name,
                                  struct hub_arena *arena, struct hub_node **ret_file,
                                  struct hub_error *reterr) {
    const char *path = path_of(keys, name, arena);
    HUB_SCOPED_BUFFER text = {.size_max = FILE_SIZE_MAX};
    struct hub_error ignored;
    *ret_file = NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return HUB_OK;
    if (hub_file_read_unlinked(path, &text, reterr) != HUB_OK)
        return HUB_FATAL;
    if (hub_node_parse(hub_buffer_bytes(&text), path, arena, ret_file, &ignored) != HUB_OK ||
        (*ret_file)->kind != HUB_NODE_MAPPING || !hub_key_id_is(text_in(*ret_file, "key")))
        return damaged(path, reterr);
    return HUB_OK;
}

static enum hub_status unwrap(const struct hub_keys *keys, const char *name,
                              const struct hub_node *file, struct hub_arena *arena,
                              struct secret *ret_secret, struct hub_error *reterr) {
    const char *path = path_of(keys, name, arena), *by = text_in(file, "wrapped_by");
    struct hub_key own = keys->sealing;
    HUB_SCOPED_BUFFER binding = {0}, wrapped = {0};
    SCOPED_PLAIN plain = {0};
    if ((own.id == NULL || strcmp(own.id, by) != 0) &&
        hub_keys_find(keys, HUB_SEALING_KEYS, by, arena, &own, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%s: wrapped with the key %s", path, by);
    struct hub_digest key = wrapping_key(&own);
    memcpy(ret_secret->id, text_in(file, "key"), sizeof ret_secret->id);
    append_binding(name, ret_secret->id, &binding);
    bool good = hub_base64_decode(hub_bytes_of_text(text_in(file, "wrapped")), &wrapped) &&
                hub_unseal(&key, hub_buffer_bytes(&binding), hub_buffer_bytes(&wrapped), &plain) &&
                plain.size == sizeof ret_secret->key.bytes;
    explicit_bzero(&key, sizeof key);
    if (!good)
        return damaged(path, reterr);
    memcpy(ret_secret->key.bytes, plain.data, sizeof ret_secret->key.bytes);
    return HUB_OK;
}

static enum hub_status find_secret(const struct hub_keys *keys, const char *name,
                                   struct hub_arena *arena, struct secret *ret_secret,
                                   bool *ret_found, struct hub_error *reterr) {
    struct hub_node *file = NULL;
    HUB_TRY(parse_file(keys, name, arena, &file, reterr));
    *ret_found = file != NULL;
    return file == NULL ? HUB_OK : unwrap(keys, name, file, arena, ret_secret, reterr);
}

static enum hub_status write_secret(const struct hub_keys *keys, const char *name,
                                    const struct secret *secret, struct hub_arena *arena,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER binding = {0}, wrapped = {0}, text = {0};
    struct hub_digest key = wrapping_key(&keys->sealing);
    append_binding(name, secret->id, &binding);
    enum hub_status status =
        hub_seal(&key, hub_buffer_bytes(&binding),
                 hub_bytes(secret->key.bytes, sizeof secret->key.bytes), &wrapped, reterr);
    explicit_bzero(&key, sizeof key);
    HUB_TRY(status);
    hub_buffer_append_format(&text, "{\"key\": \"%s\", \"wrapped_by\": \"%s\", \"wrapped\": \"",
                             secret->id, keys->sealing.id);
    hub_base64_append(hub_buffer_bytes(&wrapped), &text);
    hub_buffer_append_text(&text, "\"}\n");
    return hub_file_write(path_of(keys, name, arena), hub_buffer_bytes(&text), reterr);
}

/* Unless another process was first. */
static enum hub_status make_secret(const struct hub_keys *keys, const char *name,
                                   struct hub_arena *arena, struct secret *ret_secret,
                                   struct hub_error *reterr) {
    SCOPED_DESCRIPTOR lock = -1;
    struct hub_digest id;
    bool found = false;
    HUB_TRY(hub_subjects_lock(keys, &lock, reterr));
    HUB_TRY(find_secret(keys, name, arena, ret_secret, &found, reterr));
    if (found)
        return HUB_OK;
    HUB_TRY(hub_random(&id, sizeof id, reterr));
    HUB_TRY(hub_random(&ret_secret->key, sizeof ret_secret->key, reterr));
    hub_digest_text(&id, HUB_KEY_ID_DIGITS / 2, ret_secret->id);
    return write_secret(keys, name, ret_secret, arena, reterr);
}

/* Everybody who tries makes the same one. */
static void make_trial(const struct hub_keys *keys, const char *name, struct secret *ret_secret) {
    ret_secret->key = hub_hmac_sha256(keys->sealing.bytes, hub_bytes_of_text(name));
    snprintf(ret_secret->id, sizeof ret_secret->id, "trial");
}

/* --- sealing --- */

static enum hub_status take_secret(const struct hub_keys *keys, struct hub_bytes subject,
                                   struct hub_arena *arena, struct secret *ret_secret,
                                   struct hub_error *reterr) {
    bool found = false;
    if (keys->sealing.id == NULL || keys->local.id == NULL)
        return hub_fail(reterr, HUB_FATAL, "there is no key in use in the part %s of the keys folder",
                        keys->sealing.id == NULL ? HUB_SEALING_KEYS : "local");
    const char *name = name_of(&keys->local, subject, arena);
    if (keys->folder != NULL)
        HUB_TRY(find_secret(keys, name, arena, ret_secret, &found, reterr));
    if (found)
        return HUB_OK;
    if (keys->folder != NULL && keys->subjects == HUB_SUBJECTS_MADE)
        return make_secret(keys, name, arena, ret_secret, reterr);
    if (keys->subjects != HUB_SUBJECTS_KNOWN)
        make_trial(keys, name, ret_secret);
    return HUB_OK;
}

enum hub_status hub_subject_seal(const struct hub_keys *keys, struct hub_bytes subject,
                                 const char *origin, struct hub_bytes plain,
                                 char ret_key_id[HUB_KEY_ID_DIGITS + 1],
                                 struct hub_buffer *ciphertext, struct hub_error *reterr) {
    SCOPED_SECRET secret = {.id = ""};
    struct hub_arena arena = {0};
    enum hub_status status = take_secret(keys, subject, &arena, &secret, reterr);
    hub_arena_destroy(&arena);
    HUB_TRY(status);
    if (secret.id[0] != '\0')
        hub_seal_same(&secret.key, hub_bytes_of_text(origin), plain, ciphertext);
    memcpy(ret_key_id, secret.id, sizeof secret.id);
    return HUB_OK;
}

/* --- finding --- */

/* Of a file that was written when the machine stopped only the rest may be there, and it counts for nothing. */
static bool is_rest(const char *name) {
    size_t size = strlen(name);
    return size > 4 && strcmp(name + size - 4, ".tmp") == 0;
}

static void add_subject(const char *name, const struct hub_node *file,
                        struct hub_subject *subjects, size_t *count) {
    struct hub_subject *subject = &subjects[(*count)++];
    subject->name = name;
    memcpy(subject->key_id, text_in(file, "key"), sizeof subject->key_id);
}

static enum hub_status find_by_id(const struct hub_keys *keys, const char *id,
                                  struct hub_arena *arena, struct hub_subject *subjects,
                                  size_t *count, struct hub_error *reterr) {
    const char *folder = folder_of(keys, arena);
    char **names = NULL;
    size_t name_count = 0;
    if (!hub_file_is_folder(folder))
        return HUB_OK;
    HUB_TRY(hub_file_list(folder, "", arena, &names, &name_count, reterr));
    for (size_t i = 0; i < name_count && *count == 0; i++) {
        struct hub_node *file = NULL;
        if (!is_rest(names[i]))
            HUB_TRY(parse_file(keys, names[i], arena, &file, reterr));
        if (file != NULL && strcmp(text_in(file, "key"), id) == 0)
            add_subject(names[i], file, subjects, count);
    }
    return HUB_OK;
}

enum hub_status hub_subjects_find(const struct hub_keys *keys, const char *text,
                                  struct hub_arena *arena, struct hub_subject **ret_subjects,
                                  size_t *ret_count, struct hub_error *reterr) {
    struct hub_key locals[LOCAL_KEYS_MAX];
    size_t local_count = 0, count = 0;
    *ret_subjects = hub_arena_take_zero(arena, LOCAL_KEYS_MAX + 1, sizeof **ret_subjects);
    *ret_count = 0;
    if (keys->folder == NULL)
        return HUB_OK;
    if (hub_key_id_is(text))
        HUB_TRY(find_by_id(keys, text, arena, *ret_subjects, &count, reterr));
    HUB_TRY(hub_keys_all(keys, "local", LOCAL_KEYS_MAX, arena, locals, &local_count, reterr));
    for (size_t i = 0; i < local_count; i++) {
        struct hub_node *file = NULL;
        const char *name = name_of(&locals[i], hub_bytes_of_text(text), arena);
        HUB_TRY(parse_file(keys, name, arena, &file, reterr));
        if (file != NULL)
            add_subject(name, file, *ret_subjects, &count);
    }
    *ret_count = count;
    return HUB_OK;
}

/* --- reading --- */

static enum hub_status unseal(const struct hub_keys *keys, const char *key_id, const char *origin,
                              struct hub_bytes ciphertext, struct hub_arena *arena,
                              enum hub_unsealed *ret_unsealed, struct hub_buffer *plain,
                              struct hub_error *reterr) {
    SCOPED_SECRET secret = {.id = ""};
    struct hub_subject subject[1];
    struct hub_key_note note;
    size_t count = 0;
    bool found = false;
    *ret_unsealed = HUB_UNSEALED_NO_KEY;
    if (keys->folder == NULL || !hub_key_id_is(key_id))
        return HUB_OK;
    HUB_TRY(find_by_id(keys, key_id, arena, subject, &count, reterr));
    if (count > 0)
        HUB_TRY(find_secret(keys, subject->name, arena, &secret, &found, reterr));
    if (found) {
        bool good = hub_unseal(&secret.key, hub_bytes_of_text(origin), ciphertext, plain);
        *ret_unsealed = good ? HUB_UNSEALED_PLAIN : HUB_UNSEALED_DAMAGED;
        return HUB_OK;
    }
    HUB_TRY(hub_key_note_read(keys, HUB_KEYS_ERASED, key_id, arena, &note, &found, reterr));
    *ret_unsealed = found ? HUB_UNSEALED_ERASED : HUB_UNSEALED_NO_KEY;
    return HUB_OK;
}

enum hub_status hub_subject_unseal(const struct hub_keys *keys, const char *key_id,
                                   const char *origin, struct hub_bytes ciphertext,
                                   enum hub_unsealed *ret_unsealed, struct hub_buffer *plain,
                                   struct hub_error *reterr) {
    struct hub_arena arena = {0};
    enum hub_status status =
        unseal(keys, key_id, origin, ciphertext, &arena, ret_unsealed, plain, reterr);
    hub_arena_destroy(&arena);
    return status;
}
