#include "hub/archive/note.h"

#include "hub/base/text.h"

#include <stdio.h>
#include <string.h>

/* An em dash and a space, before each signature. */
static const char mark[] = "\xe2\x80\x94 ";

enum { ID_SIZE = 4, TIME_SIZE = 8, LINES_MAX = 100 };

/* --- keys --- */

static bool is_name(struct hub_bytes name) {
    if (name.size == 0 || name.size > HUB_NOTE_NAME_MAX || !hub_text_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] == '+' || name.data[i] >= 0x7f)
            return false; /* spaces beyond ASCII are none either: a name is ASCII here */
    return true;
}

static uint32_t id_of(const struct hub_note_key *key) {
    HUB_SCOPED_BUFFER message = {0};
    hub_buffer_append_format(&message, "%s\n%c", key->name, (int)key->kind);
    hub_buffer_append(&message, key->public.bytes, HUB_ED25519_KEY_SIZE);
    struct hub_digest digest = hub_sha256.digest(hub_buffer_bytes(&message));
    const uint8_t *b = digest.bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

enum hub_status hub_note_key_of(const char *name, enum hub_note_kind kind,
                                const struct hub_ed25519_key *public,
                                struct hub_note_key *ret_key, struct hub_error *reterr) {
    struct hub_note_key key = {.kind = kind, .public = *public};
    if (!is_name(hub_bytes_of_text(name)))
        return hub_fail(reterr, HUB_FATAL, "'%s': a name of 1 to %d characters of ASCII without "
                        "spaces and '+' would pass", name, HUB_NOTE_NAME_MAX);
    snprintf(key.name, sizeof key.name, "%s", name);
    key.id = id_of(&key);
    *ret_key = key;
    return HUB_OK;
}

enum hub_status hub_note_key_make(const char *name, enum hub_note_kind kind,
                                  const struct hub_ed25519_key *private,
                                  struct hub_note_key *ret_key, struct hub_error *reterr) {
    struct hub_ed25519_key public = hub_ed25519_public(private);
    return hub_note_key_of(name, kind, &public, ret_key, reterr);
}

void hub_note_key_append(const struct hub_note_key *key, struct hub_buffer *buffer) {
    uint8_t bytes[1 + HUB_ED25519_KEY_SIZE] = {(uint8_t)key->kind};
    memcpy(bytes + 1, key->public.bytes, HUB_ED25519_KEY_SIZE);
    hub_buffer_append_format(buffer, "%s+%08x+", key->name, key->id);
    hub_base64_append(hub_bytes(bytes, sizeof bytes), buffer);
}

enum hub_status hub_note_key_read(struct hub_bytes text, struct hub_note_key *ret_key,
                                  struct hub_error *reterr) {
    struct hub_bytes name, rest, id, encoded;
    HUB_SCOPED_BUFFER bytes = {0};
    struct hub_note_key key = {0};
    char id_text[9];
    if (!hub_bytes_cut(text, '+', &name, &rest) || !hub_bytes_cut(rest, '+', &id, &encoded) ||
        !is_name(name) || !hub_base64_decode(encoded, &bytes) ||
        bytes.size != 1 + HUB_ED25519_KEY_SIZE)
        return hub_fail(reterr, HUB_REJECT, "no key; NAME+ID+KEY would pass");
    memcpy(key.name, name.data, name.size);
    key.kind = bytes.data[0];
    memcpy(key.public.bytes, bytes.data + 1, HUB_ED25519_KEY_SIZE);
    if (key.kind != HUB_NOTE_SIGNATURE && key.kind != HUB_NOTE_COSIGNATURE)
        return hub_fail(reterr, HUB_REJECT, "'%s': a key of kind %d; 1 (Ed25519) or 4 (its "
                        "cosignature) would pass", key.name, (int)key.kind);
    key.id = id_of(&key);
    snprintf(id_text, sizeof id_text, "%08x", key.id);
    if (!hub_bytes_equal_text(id, id_text))
        return hub_fail(reterr, HUB_REJECT, "'%s': its id is another; %s would pass", key.name,
                        id_text);
    *ret_key = key;
    return HUB_OK;
}

/* --- signing --- */

static void put_number(uint64_t number, size_t size, struct hub_buffer *buffer) {
    for (size_t i = size; i > 0; i--)
        hub_buffer_append_byte(buffer, (uint8_t)(number >> (8 * (i - 1))));
}

static uint64_t get_number(const uint8_t *bytes, size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void append_line(const struct hub_note_key *key, struct hub_bytes signature,
                        struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER bytes = {0};
    put_number(key->id, ID_SIZE, &bytes);
    hub_buffer_append_bytes(&bytes, signature);
    hub_buffer_append_format(buffer, "%s%s ", mark, key->name);
    hub_base64_append(hub_buffer_bytes(&bytes), buffer);
    hub_buffer_append_byte(buffer, '\n');
}

void hub_note_sign(const struct hub_note_key *key, const struct hub_ed25519_key *private,
                   struct hub_bytes text, struct hub_buffer *buffer) {
    struct hub_ed25519_signature signature = hub_ed25519_sign(private, text);
    append_line(key, hub_bytes(signature.bytes, sizeof signature.bytes), buffer);
}

/* What a witness signs. */
static void append_cosigned(uint64_t time_s, struct hub_bytes text, struct hub_buffer *message) {
    hub_buffer_append_format(message, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
    hub_buffer_append_bytes(message, text);
}

void hub_note_cosign(const struct hub_note_key *key, const struct hub_ed25519_key *private,
                     uint64_t time_s, struct hub_bytes text, struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER message = {0}, timed = {0};
    append_cosigned(time_s, text, &message);
    struct hub_ed25519_signature signature = hub_ed25519_sign(private, hub_buffer_bytes(&message));
    put_number(time_s, TIME_SIZE, &timed);
    hub_buffer_append(&timed, signature.bytes, sizeof signature.bytes);
    append_line(key, hub_buffer_bytes(&timed), buffer);
}

/* --- reading --- */

/* `— NAME BASE64`, whose bytes begin with the key's id. */
static bool read_line(struct hub_bytes line, struct hub_bytes *ret_name,
                      struct hub_buffer *ret_bytes) {
    struct hub_bytes encoded;
    size_t size = sizeof mark - 1;
    return line.size > size && memcmp(line.data, mark, size) == 0 &&
           hub_bytes_cut(hub_bytes_part(line, size, line.size), ' ', ret_name, &encoded) &&
           ret_name->size > 0 && hub_base64_decode(encoded, ret_bytes) &&
           ret_bytes->size > ID_SIZE;
}

static bool are_lines(struct hub_bytes lines) {
    struct hub_bytes line, name;
    size_t count = 0;
    for (; lines.size > 0; count++) {
        HUB_SCOPED_BUFFER bytes = {0};
        if (!hub_bytes_cut(lines, '\n', &line, &lines) || !read_line(line, &name, &bytes))
            return false;
    }
    return count > 0 && count <= LINES_MAX;
}

/* Where the last empty line is, which ends the text. */
static bool find_end(struct hub_bytes note, size_t *ret_end) {
    for (size_t i = note.size; i > 1; i--)
        if (note.data[i - 1] == '\n' && note.data[i - 2] == '\n') {
            *ret_end = i - 1;
            return true;
        }
    return false;
}

enum hub_status hub_note_open(struct hub_bytes note, struct hub_bytes *ret_text,
                              struct hub_bytes *ret_lines, struct hub_error *reterr) {
    size_t end = 0;
    if (note.size > HUB_NOTE_SIZE_MAX)
        return hub_fail(reterr, HUB_REJECT, "a note of %zu bytes; up to %d would pass", note.size,
                        HUB_NOTE_SIZE_MAX);
    if (!hub_text_is_utf8(note) || !find_end(note, &end))
        return hub_fail(reterr, HUB_REJECT, "no note: a text in UTF-8, an empty line, and "
                        "signatures would pass");
    struct hub_bytes text = hub_bytes_part(note, 0, end);
    struct hub_bytes lines = hub_bytes_part(note, end + 1, note.size);
    for (size_t i = 0; i < note.size; i++)
        if (note.data[i] < ' ' && note.data[i] != '\n')
            return hub_fail(reterr, HUB_REJECT, "a note with a control character at byte %zu", i);
    if (!are_lines(lines))
        return hub_fail(reterr, HUB_REJECT, "what stands after the text is no signature; lines of "
                        "a dash, a name and base64 would pass");
    *ret_text = text;
    *ret_lines = lines;
    return HUB_OK;
}

static bool is_signed(struct hub_bytes text, struct hub_bytes bytes,
                      const struct hub_note_key *key, uint64_t *ret_time_s) {
    bool timed = key->kind == HUB_NOTE_COSIGNATURE;
    struct hub_ed25519_signature signature;
    HUB_SCOPED_BUFFER message = {0};
    size_t from = timed ? TIME_SIZE : 0;
    if (bytes.size != from + sizeof signature.bytes)
        return false;
    memcpy(signature.bytes, bytes.data + from, sizeof signature.bytes);
    if (!timed)
        return hub_ed25519_signed(&key->public, text, &signature);
    *ret_time_s = get_number(bytes.data, TIME_SIZE);
    append_cosigned(*ret_time_s, text, &message);
    return hub_ed25519_signed(&key->public, hub_buffer_bytes(&message), &signature);
}

enum hub_status hub_note_check(struct hub_bytes text, struct hub_bytes lines,
                               const struct hub_note_key *key, uint64_t *ret_time_s,
                               struct hub_error *reterr) {
    struct hub_bytes line, name;
    uint64_t time_s = 0;
    while (hub_bytes_cut(lines, '\n', &line, &lines)) {
        HUB_SCOPED_BUFFER bytes = {0};
        if (!read_line(line, &name, &bytes) || !hub_bytes_equal_text(name, key->name) ||
            get_number(bytes.data, ID_SIZE) != key->id)
            continue;
        if (!is_signed(text, hub_bytes_part(hub_buffer_bytes(&bytes), ID_SIZE, bytes.size), key,
                       &time_s))
            return hub_fail(reterr, HUB_REJECT, "the signature of '%s' is not of this text",
                            key->name);
        if (ret_time_s != NULL)
            *ret_time_s = time_s;
        return HUB_OK;
    }
    return hub_fail(reterr, HUB_REJECT, "'%s' (%08x) has not signed it", key->name, key->id);
}
