#include "hub/archive/leaf.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

void hub_leaf_append(const struct hub_leaf *leaf, struct hub_buffer *text) {
    char digest[HUB_DIGEST_TEXT_SIZE], header[HUB_DIGEST_TEXT_SIZE];
    hub_digest_text(&leaf->digest, HUB_DIGEST_SIZE, digest);
    hub_digest_text(&leaf->header, HUB_DIGEST_SIZE, header);
    hub_buffer_append_format(
        text,
        "{\"topic\":\"%s\",\"partition\":%d,\"offset\":%lld,\"timestamp\":%lld,\"segment\":%llu,"
        "\"at\":%llu,\"size\":%llu,\"sha256\":\"%s\"%s%s%s}",
        leaf->topic, leaf->partition, (long long)leaf->offset, (long long)leaf->timestamp_ms,
        (unsigned long long)leaf->segment, (unsigned long long)leaf->at,
        (unsigned long long)leaf->size, digest, leaf->has_header ? ",\"header\":\"" : "",
        leaf->has_header ? header : "", leaf->has_header ? "\"" : "");
}

static bool read_digest(const char *text, struct hub_digest *ret_digest) {
    if (strlen(text) != 2 * HUB_DIGEST_SIZE)
        return false;
    for (size_t i = 0; i < HUB_DIGEST_SIZE; i++) {
        unsigned byte = 0;
        int end = 0;
        if (sscanf(text + 2 * i, "%2x%n", &byte, &end) != 1 || end != 2)
            return false;
        ret_digest->bytes[i] = (uint8_t)byte;
    }
    return true;
}

static bool read(struct hub_bytes text, struct hub_leaf *leaf) {
    json_error_t error;
    const char *topic = NULL, *digest = NULL, *header = NULL;
    json_int_t partition = 0, offset = 0, timestamp = 0, segment = 0, at = 0, size = 0;
    HUB_SCOPED_BUFFER again = {0};
    json_t *tree = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    bool fits = tree != NULL &&
                json_unpack(tree, "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s?s}", "topic", &topic,
                            "partition", &partition, "offset", &offset, "timestamp", &timestamp,
                            "segment", &segment, "at", &at, "size", &size, "sha256", &digest, "header",
                            &header) == 0 &&
                strlen(topic) <= HUB_TOPIC_SIZE_MAX && partition >= 0 && partition <= INT32_MAX &&
                segment >= 0 && at >= 0 && size >= 0 &&
                read_digest(digest, &leaf->digest) &&
                (header == NULL || read_digest(header, &leaf->header));
    if (fits) {
        snprintf(leaf->topic, sizeof leaf->topic, "%s", topic);
        leaf->partition = (int32_t)partition;
        leaf->offset = offset;
        leaf->timestamp_ms = timestamp;
        leaf->segment = (uint64_t)segment;
        leaf->at = (uint64_t)at;
        leaf->size = (uint64_t)size;
        leaf->has_header = header != NULL;
        hub_leaf_append(leaf, &again); /* there is one way to write it */
        fits = hub_bytes_equal(hub_buffer_bytes(&again), text);
    }
    json_decref(tree);
    return fits;
}

enum hub_status hub_leaf_read(struct hub_bytes text, struct hub_leaf *ret_leaf,
                              struct hub_error *reterr) {
    struct hub_leaf leaf = {0};
    if (!read(text, &leaf))
        return hub_fail(reterr, HUB_REJECT, "no descriptor of a record");
    *ret_leaf = leaf;
    return HUB_OK;
}
