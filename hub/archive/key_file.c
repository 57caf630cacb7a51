#include "hub/archive/key_file.h"

#include "hub/io/file.h"

#include <string.h>

enum { PRIVATE_SIZE_MAX = 64 * 1024, PUBLIC_SIZE_MAX = 1024 };

enum hub_status hub_private_key_load(const char *path, struct hub_ed25519_key *ret_private,
                                     struct hub_error *reterr) {
    HUB_SCOPED_BUFFER pem = {.size_max = PRIVATE_SIZE_MAX};
    if (hub_file_read(path, &pem, reterr) != HUB_OK)
        return HUB_FATAL;
    enum hub_status status = hub_ed25519_read(hub_buffer_bytes(&pem), ret_private, reterr);
    if (pem.size > 0)
        explicit_bzero(pem.data, pem.size); /* a memset before a free may be left out */
    return status == HUB_OK ? HUB_OK : hub_fail_at(reterr, HUB_FATAL, "%s", path);
}

static const char *path_of(const char *log_folder, struct hub_buffer *path) {
    hub_buffer_append_format(path, "%s/log.vkey", log_folder);
    return hub_buffer_text(path);
}

enum hub_status hub_log_key_load(const char *log_folder, struct hub_note_key *ret_key,
                                 struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, text = {.size_max = PUBLIC_SIZE_MAX};
    struct hub_bytes line, rest;
    HUB_TRY(hub_file_read(path_of(log_folder, &path), &text, reterr));
    if (!hub_bytes_cut(hub_buffer_bytes(&text), '\n', &line, &rest) ||
        hub_note_key_read(line, ret_key, reterr) != HUB_OK)
        return hub_fail(reterr, HUB_REJECT, "%s: no key", hub_buffer_text(&path));
    return HUB_OK;
}

enum hub_status hub_log_key_store(const char *log_folder, const struct hub_note_key *key,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, text = {0};
    hub_note_key_append(key, &text);
    hub_buffer_append_byte(&text, '\n');
    return hub_file_write(path_of(log_folder, &path), hub_buffer_bytes(&text), reterr);
}
