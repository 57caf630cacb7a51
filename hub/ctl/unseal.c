/* hubctl entity show --unseal: what is sealed, for who has the keys. */
#include "hub/ctl/erase.h"

#include "schemas/lib/render.h"
#include "schemas/lib/sealed.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static bool decode(const char *text, struct hub_buffer *bytes) {
    unsigned byte = 0;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        hub_buffer_append_byte(bytes, (uint8_t)byte);
    return *text == '\0';
}

/* Whether it is the word of the statement that the field comes from: what was sealed for another one may not be read
 * as this one's. */
static bool is_its_own(const json_t *unified, const char *field, const char *origin) {
    size_t source = (size_t)json_integer_value(
        json_object_get(json_object_get(unified, "sources"), field));
    const char *key =
        text_of(json_array_get(json_object_get(unified, "statements"), source), "key");
    size_t size = strlen(key);
    return size > 0 && strncmp(origin, key, size) == 0 && origin[size] == '#' &&
           strcmp(origin + size + 1, field) == 0;
}

static json_t *tell_erased(const struct hub_keys *keys, const char *key_id,
                           struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_key_note note;
    HUB_SCOPED_BUFFER time = {0};
    bool found = false;
    json_t *told = NULL;
    if (hub_key_note_read(keys, HUB_KEYS_ERASED, key_id, &arena, &note, &found, reterr) == HUB_OK) {
        hub_render_time(note.time_ms, &time);
        told = json_pack("{s:{s:s, s:s, s:s?, s:s, s:s}}", "erased", "key_id", key_id, "time",
                         hub_buffer_text(&time), "basis", note.basis, "reason", note.reason, "by",
                         note.by);
    }
    hub_arena_destroy(&arena);
    return told;
}

/* NULL where a key cannot be read. */
static json_t *unseal(const struct hub_keys *keys, const json_t *unified, const char *field,
                      const json_t *sealed, struct hub_error *reterr) {
    static const char elsewhere[] = "it was sealed for another statement or field";
    static const char changed[] = "it is not what was sealed";
    const char *key_id = text_of(sealed, "key_id"), *origin = text_of(sealed, "origin");
    HUB_SCOPED_BUFFER ciphertext = {0}, plain = {0};
    enum hub_unsealed unsealed = HUB_UNSEALED_DAMAGED;
    bool own = is_its_own(unified, field, origin);
    if (own && decode(text_of(sealed, "ciphertext"), &ciphertext) &&
        hub_subject_unseal(keys, key_id, origin, hub_buffer_bytes(&ciphertext), &unsealed, &plain,
                           reterr) != HUB_OK)
        return NULL;
    switch (unsealed) {
    case HUB_UNSEALED_PLAIN:
        return json_pack("{s:o}", "plain", hub_ctl_text(hub_buffer_bytes(&plain)));
    case HUB_UNSEALED_ERASED:
        return tell_erased(keys, key_id, reterr);
    case HUB_UNSEALED_NO_KEY:
        return json_pack("{s:{s:s}}", "sealed", "key_id", key_id);
    case HUB_UNSEALED_DAMAGED:
        break;
    }
    return json_pack("{s:{s:s, s:s}}", "damaged", "key_id", key_id, "why", own ? changed : elsewhere);
}

bool hub_ctl_unseal(const struct hub_keys *keys, const struct hub_domain *domain, json_t *unified) {
    json_t *value = json_object_get(unified, "value");
    struct hub_error error;
    for (size_t i = 0; i < domain->contract.count; i++) {
        const struct hub_field *field = domain->contract.fields[i].field;
        const json_t *sealed = json_object_get(value, field->name);
        if (!hub_sealed_is(field->type) || !json_is_object(sealed))
            continue;
        json_t *told = unseal(keys, unified, field->name, sealed, &error);
        if (told == NULL) {
            fprintf(stderr, "hubctl: %s\n", error.text);
            return false;
        }
        json_object_set_new(value, field->name, told);
    }
    return true;
}
