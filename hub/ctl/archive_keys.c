#include "hub/ctl/archive.h"

#include "hub/archive/key_file.h"
#include "hub/base/text.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <string.h>

enum { KEYS_SIZE_MAX = 1024 * 1024, CHECKPOINT_SIZE_MAX = HUB_NOTE_SIZE_MAX };

bool hub_ctl_number(const char *text, uint64_t *ret_number) {
    return hub_text_to_number(hub_bytes_of_text(text), ret_number);
}

static enum hub_status add(struct hub_ctl_keys *keys, struct hub_bytes text,
                           struct hub_error *reterr) {
    struct hub_note_key key;
    HUB_TRY(hub_note_key_read(text, &key, reterr));
    HUB_GROW(keys->items, keys->count, keys->capacity);
    HUB_GROW(keys->used, keys->count, keys->used_capacity);
    keys->items[keys->count] = key;
    keys->used[keys->count++] = false;
    return HUB_OK;
}

static enum hub_status add_lines(struct hub_ctl_keys *keys, struct hub_bytes text,
                                 struct hub_error *reterr) {
    struct hub_bytes line;
    while (hub_bytes_cut(text, '\n', &line, &text))
        if (line.size > 0)
            HUB_TRY(add(keys, line, reterr));
    return text.size > 0 ? add(keys, text, reterr) : HUB_OK;
}

bool hub_ctl_keys_load(const struct hub_ctl *ctl, struct hub_ctl_keys *keys) {
    HUB_SCOPED_BUFFER text = {.size_max = KEYS_SIZE_MAX};
    struct hub_file_facts facts;
    struct hub_error error;
    if (ctl->key == NULL)
        return true;
    bool is_file = hub_file_facts(ctl->key, &facts, &error) == HUB_OK;
    enum hub_status status =
        is_file ? hub_file_read(ctl->key, &text, &error) : HUB_OK;
    if (!is_file)
        hub_buffer_append_text(&text, ctl->key);
    if (status == HUB_OK)
        status = add_lines(keys, hub_buffer_bytes(&text), &error);
    if (status == HUB_OK && keys->count == 0)
        status = hub_fail(&error, HUB_REJECT, "no key in it");
    if (status == HUB_OK)
        return true;
    fprintf(stderr, "hubctl: --key %s: %s\n", ctl->key, error.text);
    hub_ctl_keys_free(keys);
    return false;
}

void hub_ctl_keys_free(struct hub_ctl_keys *keys) {
    hub_release(keys->items);
    hub_release(keys->used);
    *keys = (struct hub_ctl_keys){0};
}

static enum hub_status read_in(const char *folder, const char *name, struct hub_buffer *text,
                               struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%s/%s", folder, name);
    return hub_file_read(hub_buffer_text(&path), text, reterr);
}

/* DEPLOYMENT/, of an origin; nothing of one without a slash. */
static struct hub_bytes deployment_of(struct hub_bytes origin) {
    size_t size = origin.size;
    while (size > 0 && origin.data[size - 1] != '/')
        size--;
    return hub_bytes_part(origin, 0, size);
}

/* The key of that name; else, as all logs of a deployment have one key, that of another of them. */
static const struct hub_note_key *find(struct hub_ctl_keys *keys, struct hub_bytes origin) {
    const struct hub_note_key *other = NULL;
    struct hub_bytes deployment = deployment_of(origin);
    for (size_t i = 0; i < keys->count; i++) {
        const struct hub_note_key *key = &keys->items[i];
        if (key->kind != HUB_NOTE_SIGNATURE)
            continue;
        if (hub_bytes_equal_text(origin, key->name)) {
            keys->used[i] = true;
            return key;
        }
        if (deployment.size > 0 &&
            hub_bytes_equal(deployment, deployment_of(hub_bytes_of_text(key->name))))
            other = key;
    }
    return other;
}

enum hub_status hub_ctl_keys_find(struct hub_ctl_keys *keys, struct hub_bytes origin,
                                  struct hub_note_key *ret_key, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER name = {0};
    size_t size = origin.size > HUB_NOTE_NAME_MAX ? HUB_NOTE_NAME_MAX : origin.size;
    const struct hub_note_key *key = find(keys, origin);
    hub_buffer_append(&name, origin.data, size);
    if (key == NULL || size < origin.size)
        return hub_fail(reterr, HUB_REJECT, "none of the keys is of '%s'", hub_buffer_text(&name));
    return hub_note_key_of(hub_buffer_text(&name), HUB_NOTE_SIGNATURE, &key->public, ret_key,
                           reterr);
}

enum hub_status hub_ctl_keys_of(struct hub_ctl_keys *keys, const char *folder,
                                struct hub_note_key *ret_key, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER note = {.size_max = CHECKPOINT_SIZE_MAX};
    struct hub_bytes origin = {0}, rest;
    if (keys->count == 0)
        return hub_log_key_load(folder, ret_key, reterr);
    HUB_TRY(read_in(folder, "checkpoint", &note, reterr));
    hub_bytes_cut(hub_buffer_bytes(&note), '\n', &origin, &rest);
    enum hub_status status = hub_ctl_keys_find(keys, origin, ret_key, reterr);
    return status == HUB_OK ? HUB_OK : hub_fail_at(reterr, status, "%s", folder);
}
