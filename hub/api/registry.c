#include "hub/api/registry.h"

#include "hub/base/text.h"
#include "hub/engine/topics.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    const struct hub_catalogue *catalogue;
    const char *method;
    const char *parts[6]; /* of the path, decoded */
    size_t part_count;
    struct hub_bytes body;
    struct hub_buffer *reply;
};

static unsigned refuse(struct asking *asking, unsigned status, int code, const char *message) {
    hub_buffer_append_format(asking->reply, "{\"error_code\":%d,\"message\":", code);
    hub_text_append_json(hub_bytes_of_text(message), asking->reply);
    hub_buffer_append_text(asking->reply, "}");
    return status;
}

/* <topic>-value, or a subject of the lock file itself. */
static const char *lock_subject(const struct hub_catalogue *catalogue, const char *subject) {
    static const char suffix[] = "-value";
    size_t size = strlen(subject), suffix_size = sizeof suffix - 1;
    if (size > suffix_size && strcmp(subject + size - suffix_size, suffix) == 0) {
        char topic[256];
        if (size - suffix_size >= sizeof topic)
            return NULL;
        memcpy(topic, subject, size - suffix_size);
        topic[size - suffix_size] = '\0';
        return hub_catalogue_topic_subject(catalogue, topic);
    }
    const struct hub_schema *schema = hub_catalogue_latest(catalogue, subject);
    return schema == NULL ? NULL : schema->subject;
}

static void append_schema(struct asking *asking, const struct hub_schema *schema) {
    hub_text_append_json(hub_bytes(schema->text, schema->text_size), asking->reply);
}

static unsigned answer_version(struct asking *asking, const char *subject,
                               const struct hub_schema *schema) {
    hub_buffer_append_text(asking->reply, "{\"subject\":");
    hub_text_append_json(hub_bytes_of_text(subject), asking->reply);
    hub_buffer_append_format(asking->reply, ",\"version\":%d,\"id\":%d,\"schema\":",
                             schema->version, schema->id);
    append_schema(asking, schema);
    hub_buffer_append_text(asking->reply, "}");
    return 200;
}

/* --- /schemas --- */

static unsigned answer_schemas(struct asking *asking) {
    if (asking->part_count == 2 && strcmp(asking->parts[1], "types") == 0) {
        hub_buffer_append_text(asking->reply, "[\"AVRO\"]");
        return 200;
    }
    if (asking->part_count < 3 || strcmp(asking->parts[1], "ids") != 0)
        return refuse(asking, 404, 404, "not found");
    uint64_t id = 0;
    const struct hub_schema *schema = NULL;
    if (hub_text_to_number(hub_bytes_of_text(asking->parts[2]), &id) && id <= INT32_MAX)
        schema = hub_catalogue_by_id(asking->catalogue, (int32_t)id);
    if (schema == NULL)
        return refuse(asking, 404, 40403, "Schema not found");
    if (asking->part_count == 3) {
        hub_buffer_append_text(asking->reply, "{\"schema\":");
        append_schema(asking, schema);
        hub_buffer_append_text(asking->reply, "}");
    } else if (strcmp(asking->parts[3], "schema") == 0) {
        hub_buffer_append(asking->reply, schema->text, schema->text_size);
    } else {
        hub_buffer_append_format(asking->reply, "[{\"subject\":\"%s\",\"version\":%d}]",
                                 schema->subject, schema->version);
    }
    return 200;
}

/* --- /subjects --- */

static unsigned list_subjects(struct asking *asking) {
    struct hub_arena arena = {0};
    struct hub_topic_config *topics = NULL;
    size_t count = 0;
    hub_topics_list(asking->catalogue, &arena, &topics, &count);
    hub_buffer_append_text(asking->reply, "[");
    for (size_t i = 0; i < count; i++)
        hub_buffer_append_format(asking->reply, "%s\"%s-value\"", i == 0 ? "" : ",",
                                 topics[i].name);
    hub_buffer_append_text(asking->reply, "]");
    hub_arena_destroy(&arena);
    return 200;
}

static unsigned list_versions(struct asking *asking, const char *subject) {
    const struct hub_schema *latest = hub_catalogue_latest(asking->catalogue, subject);
    hub_buffer_append_text(asking->reply, "[");
    for (int version = 1; version <= latest->version; version++)
        hub_buffer_append_format(asking->reply, "%s%d", version == 1 ? "" : ",", version);
    hub_buffer_append_text(asking->reply, "]");
    return 200;
}

/* A schema is the same where it says the same: a client may send it re-printed. */
static const struct hub_schema *find_same(struct asking *asking, const char *subject) {
    json_error_t error;
    json_t *question = json_loadb((const char *)asking->body.data, asking->body.size, 0, &error);
    const char *text = json_string_value(json_object_get(question, "schema"));
    json_t *wanted = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                                                      &error);
    const struct hub_schema *found = NULL;
    for (size_t i = 0; wanted != NULL && i < asking->catalogue->schema_count; i++) {
        const struct hub_schema *schema = asking->catalogue->schemas[i];
        if (strcmp(schema->subject, subject) != 0)
            continue;
        json_t *own = json_loadb(schema->text, schema->text_size, JSON_ALLOW_NUL, &error);
        if (json_equal(own, wanted))
            found = schema;
        json_decref(own);
    }
    json_decref(wanted);
    json_decref(question);
    return found;
}

static unsigned post_subject(struct asking *asking, const char *subject) {
    const struct hub_schema *schema = find_same(asking, subject);
    bool registering = asking->part_count == 3;
    if (schema == NULL && registering)
        return refuse(asking, 422, 42201,
                      "this registry registers nothing; new versions come with the hub's lock file");
    if (schema == NULL)
        return refuse(asking, 404, 40403, "Schema not found");
    if (!registering)
        return answer_version(asking, asking->parts[1], schema);
    hub_buffer_append_format(asking->reply, "{\"id\":%d}", schema->id);
    return 200;
}

static unsigned answer_subjects(struct asking *asking) {
    if (asking->part_count == 1)
        return list_subjects(asking);
    const char *subject = lock_subject(asking->catalogue, asking->parts[1]);
    if (subject == NULL)
        return refuse(asking, 404, 40401, "Subject not found");
    if (strcmp(asking->method, "POST") == 0)
        return post_subject(asking, subject);
    if (asking->part_count < 3 || strcmp(asking->parts[2], "versions") != 0)
        return refuse(asking, 404, 404, "not found");
    if (asking->part_count == 3)
        return list_versions(asking, subject);
    const struct hub_schema *schema = NULL;
    uint64_t version = 0;
    if (strcmp(asking->parts[3], "latest") == 0 || strcmp(asking->parts[3], "-1") == 0)
        schema = hub_catalogue_latest(asking->catalogue, subject);
    else if (hub_text_to_number(hub_bytes_of_text(asking->parts[3]), &version) &&
             version <= INT32_MAX)
        schema = hub_catalogue_version(asking->catalogue, subject, (int32_t)version);
    if (schema == NULL)
        return refuse(asking, 404, 40402, "Version not found");
    if (asking->part_count == 5 && strcmp(asking->parts[4], "schema") == 0) {
        hub_buffer_append(asking->reply, schema->text, schema->text_size);
        return 200;
    }
    return answer_version(asking, asking->parts[1], schema);
}

/* --- the path --- */

static int hexadecimal(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Splits at slashes and decodes %xx, in the arena. */
static void split_path(struct asking *asking, const char *path, struct hub_arena *arena) {
    while (*path != '\0' && asking->part_count < sizeof asking->parts / sizeof *asking->parts) {
        while (*path == '/')
            path++;
        size_t size = strcspn(path, "/?");
        if (size == 0)
            return;
        char *part = hub_arena_take(arena, size + 1);
        size_t filled = 0;
        for (size_t i = 0; i < size; i++) {
            bool escape = path[i] == '%' && i + 2 < size && hexadecimal(path[i + 1]) >= 0 &&
                          hexadecimal(path[i + 2]) >= 0;
            part[filled++] = escape ? (char)(hexadecimal(path[i + 1]) * 16 +
                                             hexadecimal(path[i + 2]))
                                    : path[i];
            i += escape ? 2 : 0;
        }
        part[filled] = '\0';
        asking->parts[asking->part_count++] = part;
        path += size;
        if (*path == '?')
            return;
    }
}

unsigned hub_registry_answer(const struct hub_catalogue *catalogue, const char *method,
                             const char *path, struct hub_bytes body, struct hub_buffer *reply) {
    struct hub_arena arena = {0};
    struct asking asking = {
        .catalogue = catalogue, .method = method, .body = body, .reply = reply};
    unsigned status = 404;
    split_path(&asking, path, &arena);
    const char *first = asking.part_count == 0 ? "" : asking.parts[0];
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    bool asks = strcmp(method, "POST") == 0 && strcmp(first, "subjects") == 0;
    if (!reads && !asks) {
        status = refuse(&asking, 405, 405, "this registry only reads");
    } else if (strcmp(first, "schemas") == 0) {
        status = answer_schemas(&asking);
    } else if (strcmp(first, "subjects") == 0) {
        status = answer_subjects(&asking);
    } else if (strcmp(first, "config") == 0) {
        hub_buffer_append_text(reply, "{\"compatibilityLevel\":\"FULL_TRANSITIVE\"}");
        status = 200;
    } else if (strcmp(first, "mode") == 0) {
        hub_buffer_append_text(reply, "{\"mode\":\"READONLY\"}");
        status = 200;
    } else {
        status = refuse(&asking, 404, 404, "not found");
    }
    hub_arena_destroy(&arena);
    return status;
}
