#include "connectors/transports/drop_manifest.h"

#include <string.h>

enum { DIGITS = 2 * HUB_DIGEST_SIZE };

static bool read_digest(struct hub_bytes text, char *ret_digest) {
    if (text.size < DIGITS)
        return false;
    for (size_t i = 0; i < DIGITS; i++) {
        char digit = (char)(text.data[i] >= 'A' && text.data[i] <= 'F' ? text.data[i] | 0x20
                                                                       : text.data[i]);
        if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f')))
            return false;
        ret_digest[i] = digit;
    }
    ret_digest[DIGITS] = '\0';
    return true;
}

/* What stands after the last line break is a line, too. Empty ones are passed over. */
static bool take_line(struct hub_bytes *rest, size_t *number, struct hub_bytes *ret_line) {
    while (rest->size > 0) {
        if (!hub_bytes_cut(*rest, '\n', ret_line, rest)) {
            *ret_line = *rest;
            *rest = hub_bytes(NULL, 0);
        }
        ++*number;
        if (ret_line->size > 0 && ret_line->data[ret_line->size - 1] == '\r')
            *ret_line = hub_bytes_part(*ret_line, 0, ret_line->size - 1);
        if (ret_line->size > 0)
            return true;
    }
    return false;
}

static bool begins_a_name(struct hub_bytes rest) {
    return rest.size >= 2 && rest.data[0] == ' ' && (rest.data[1] == ' ' || rest.data[1] == '*');
}

enum hub_status hub_manifest_one(struct hub_bytes text, char ret_digest[HUB_DIGEST_TEXT_SIZE],
                                 struct hub_error *reterr) {
    struct hub_bytes line, more;
    size_t number = 0;
    if (take_line(&text, &number, &line) && read_digest(line, ret_digest) &&
        (line.size == DIGITS || begins_a_name(hub_bytes_part(line, DIGITS, line.size))) &&
        !take_line(&text, &number, &more))
        return HUB_OK;
    return hub_fail(reterr, HUB_REJECT, "not as sha256sum writes it of one file; 64 hexadecimal "
                    "digits, two spaces and the name would pass");
}

static struct hub_bytes name_of(struct hub_bytes line) {
    struct hub_bytes name = hub_bytes_part(line, DIGITS + 2, line.size);
    return name.size > 2 && memcmp(name.data, "./", 2) == 0 ? hub_bytes_part(name, 2, name.size)
                                                             : name;
}

enum hub_status hub_manifest_all(struct hub_bytes text, json_t **ret_digests,
                                 struct hub_error *reterr) {
    json_t *digests = json_object();
    size_t number = 0;
    for (struct hub_bytes line; take_line(&text, &number, &line);) {
        char digest[HUB_DIGEST_TEXT_SIZE];
        if (line.data[0] == '\\') /* a name with a line break or a \ in it, which is never taken */
            continue;
        if (!read_digest(line, digest) || line.size < DIGITS + 3 ||
            !begins_a_name(hub_bytes_part(line, DIGITS, line.size)) ||
            memchr(line.data, 0, line.size) != NULL) {
            json_decref(digests);
            return hub_fail(reterr, HUB_REJECT, "line %zu: not as sha256sum writes it; 64 "
                            "hexadecimal digits, two spaces and a name would pass", number);
        }
        struct hub_bytes part = name_of(line);
        char *name = hub_copy_bytes(part.data, part.size);
        const char *other = json_string_value(json_object_get(digests, name));
        bool differs = other != NULL && strcmp(other, digest) != 0;
        json_object_set_new_nocheck(digests, name, json_string(digest));
        hub_release(name);
        if (differs) {
            json_decref(digests);
            return hub_fail(reterr, HUB_REJECT, "line %zu: an earlier line has another digest of "
                            "the same name", number);
        }
    }
    *ret_digests = digests;
    return HUB_OK;
}
