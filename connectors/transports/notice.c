#include "connectors/transports/notice.h"

#include "connectors/transports/form.h"
#include "hub/base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE_MAX = 256, FIELDS_MAX = 8, OTHER_FIELDS_MAX = 64, ADDRESS_BITS = 32 };

/* --- senders --- */

/* ADDRESS or ADDRESS/BITS. */
static bool parse_sender(const char *text, uint32_t *ret_address, uint32_t *ret_mask) {
    char address[INET_ADDRSTRLEN];
    struct in_addr parsed;
    const char *slash = strchr(text, '/');
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char *end = NULL;
    long bits = slash == NULL ? ADDRESS_BITS : strtol(slash + 1, &end, 10);
    if (size >= sizeof address || bits < 1 || bits > ADDRESS_BITS ||
        (slash != NULL && (end == slash + 1 || *end != '\0')))
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    *ret_mask = UINT32_MAX << (ADDRESS_BITS - bits);
    if (inet_pton(AF_INET, address, &parsed) != 1)
        return false;
    *ret_address = ntohl(parsed.s_addr);
    return true;
}

bool hub_notice_is_from(const struct hub_notice_options *own, uint32_t address) {
    uint32_t wanted = 0, mask = 0;
    for (size_t i = 0; own->senders[i] != NULL; i++)
        if (parse_sender(own->senders[i], &wanted, &mask) &&
            (address & mask) == (wanted & mask))
            return true;
    return own->senders[0] == NULL;
}

enum hub_status hub_notice_check(const struct hub_notice_options *own, struct hub_error *reterr) {
    uint32_t address, mask;
    size_t fields = 0;
    for (; own->fields[fields] != NULL; fields++)
        if (strcmp(own->fields[fields], "id") == 0 ||
            strcmp(own->fields[fields], own->id_field) == 0)
            return hub_fail(reterr, HUB_FATAL, "fields: '%s' is what the id is called; another "
                            "name would pass", own->fields[fields]);
    if (fields > FIELDS_MAX)
        return hub_fail(reterr, HUB_FATAL, "%zu fields, over the limit of %d", fields, FIELDS_MAX);
    for (size_t i = 0; own->senders[i] != NULL; i++)
        if (!parse_sender(own->senders[i], &address, &mask))
            return hub_fail(reterr, HUB_FATAL, "senders: '%s' is no IPv4 address; 192.0.2.7 or "
                            "192.0.2.0/24 would pass", own->senders[i]);
    return HUB_OK;
}

/* --- reading --- */

struct reading {
    const struct hub_notice_options *options;
    json_t *ids;    /* texts, as the keys of an object */
    json_t *others; /* the other fields that were asked for */
    int64_t count;
    enum hub_status status;
    struct hub_error *error;
};

/* What may stand in an address, a body, and a position. */
static bool is_name(struct hub_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] == 0x7f)
            return false;
    return text.size > 0 && text.size <= TEXT_SIZE_MAX && hub_text_is_utf8(text) &&
           !hub_bytes_equal_text(text, ".") && !hub_bytes_equal_text(text, "..");
}

static void take(struct reading *reading, const char *name, struct hub_bytes value) {
    bool is_id = strcmp(name, reading->options->id_field) == 0;
    json_t *into = is_id ? reading->ids : reading->others;
    json_t *text = json_stringn((const char *)value.data, value.size);
    if (!is_name(value) || text == NULL)
        reading->status = hub_fail(reading->error, HUB_REJECT, "%s is no name: 1 to %d bytes "
                                   "of UTF-8 without control characters would pass", name,
                                   TEXT_SIZE_MAX);
    else if (is_id && ++reading->count > reading->options->ids_max)
        reading->status = hub_fail(reading->error, HUB_REJECT, "more than %lld of %s; the same in "
                                   "several notices would pass",
                                   (long long)reading->options->ids_max, name);
    else if (!is_id && json_object_get(into, name) != NULL)
        reading->status = hub_fail(reading->error, HUB_REJECT, "%s comes twice; once would pass",
                                   name);
    else
        json_object_set(into, is_id ? json_string_value(text) : name, text);
    json_decref(text);
}

static void on_field(void *reading_, struct hub_bytes name, struct hub_bytes value) {
    struct reading *reading = reading_;
    const struct hub_notice_options *own = reading->options;
    if (reading->status != HUB_OK)
        return;
    if (hub_bytes_equal_text(name, own->id_field))
        take(reading, own->id_field, value);
    for (size_t i = 0; own->fields[i] != NULL && reading->status == HUB_OK; i++)
        if (hub_bytes_equal_text(name, own->fields[i]))
            take(reading, own->fields[i], value);
}

static enum hub_status judge(const struct reading *reading, struct hub_error *reterr) {
    const struct hub_notice_options *own = reading->options;
    if (reading->status != HUB_OK)
        return reading->status;
    if (json_object_size(reading->ids) == 0)
        return hub_fail(reterr, HUB_REJECT, "no %s; a form that has one would pass",
                        own->id_field);
    for (size_t i = 0; own->fields[i] != NULL; i++)
        if (json_object_get(reading->others, own->fields[i]) == NULL)
            return hub_fail(reterr, HUB_REJECT, "no %s; a form that has one would pass",
                            own->fields[i]);
    return HUB_OK;
}

enum hub_status hub_notice_read(const struct hub_notice_options *own, struct hub_bytes form,
                                json_t **ret_requests, struct hub_error *reterr) {
    struct reading reading = {
        .options = own, .ids = json_object(), .others = json_object(), .error = reterr};
    size_t fields_max = (size_t)own->ids_max + FIELDS_MAX + OTHER_FIELDS_MAX;
    enum hub_status status = HUB_OK;
    if (!hub_form_each(form, fields_max, on_field, &reading) && reading.status == HUB_OK)
        status = hub_fail(reterr, HUB_REJECT, "more than %zu fields", fields_max);
    else
        status = judge(&reading, reterr);
    if (status == HUB_OK) {
        const char *id;
        json_t *text, *requests = json_array();
        json_object_foreach(reading.ids, id, text) {
            json_t *request = json_copy(reading.others);
            json_object_set(request, "id", text);
            json_array_append_new(requests, request);
        }
        *ret_requests = requests;
    }
    json_decref(reading.ids);
    json_decref(reading.others);
    return status;
}
