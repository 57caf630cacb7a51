#include "schemas/lib/catalogue.h"

#include <stdlib.h>
#include <string.h>

enum { STAMP_HASH_SIZE = 8 };

const struct hub_schema *hub_catalogue_by_id(const struct hub_catalogue *catalogue, int32_t id) {
    for (size_t i = 0; i < catalogue->schema_count; i++)
        if (catalogue->schemas[i]->id == id)
            return catalogue->schemas[i];
    return NULL;
}

const struct hub_schema *hub_catalogue_latest(const struct hub_catalogue *catalogue,
                                              const char *subject) {
    for (size_t i = catalogue->schema_count; i > 0; i--)
        if (strcmp(catalogue->schemas[i - 1]->subject, subject) == 0)
            return catalogue->schemas[i - 1];
    return NULL;
}

const struct hub_schema *hub_catalogue_version(const struct hub_catalogue *catalogue,
                                               const char *subject, int32_t version) {
    for (size_t i = 0; i < catalogue->schema_count; i++)
        if (catalogue->schemas[i]->version == version &&
            strcmp(catalogue->schemas[i]->subject, subject) == 0)
            return catalogue->schemas[i];
    return NULL;
}

const struct hub_domain *hub_catalogue_domain(const struct hub_catalogue *catalogue,
                                              struct hub_bytes name) {
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (hub_bytes_equal_text(name, catalogue->domains[i].name))
            return &catalogue->domains[i];
    return NULL;
}

static void append_stamp(const struct hub_catalogue *catalogue, const struct hub_digester *digester,
                         int32_t last_id, struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER all = {0};
    char hash[HUB_DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < catalogue->schema_count && catalogue->schemas[i]->id <= last_id; i++) {
        const struct hub_schema *schema = catalogue->schemas[i];
        struct hub_digest digest = digester->digest(hub_bytes(schema->text, schema->text_size));
        hub_buffer_append_format(&all, "%d %s %d ", schema->id, schema->subject, schema->version);
        hub_buffer_append(&all, digest.bytes, sizeof digest.bytes);
    }
    struct hub_digest digest = digester->digest(hub_buffer_bytes(&all));
    hub_digest_text(&digest, STAMP_HASH_SIZE, hash);
    hub_buffer_append_format(buffer, "%d:%s", last_id, hash);
}

void hub_catalogue_stamp(const struct hub_catalogue *catalogue, const struct hub_digester *digester,
                         struct hub_buffer *buffer) {
    append_stamp(catalogue, digester, catalogue->schemas[catalogue->schema_count - 1]->id, buffer);
}

bool hub_catalogue_continues(const struct hub_catalogue *catalogue,
                             const struct hub_digester *digester, const char *stamp) {
    HUB_SCOPED_BUFFER own = {0};
    long last_id = strtol(stamp, NULL, 10);
    if (last_id > catalogue->schemas[catalogue->schema_count - 1]->id)
        return false;
    append_stamp(catalogue, digester, (int32_t)last_id, &own);
    return strcmp(hub_buffer_text(&own), stamp) == 0;
}

struct hub_rules_texts hub_catalogue_rules(const struct hub_catalogue *catalogue,
                                           const struct hub_domain *domain) {
    struct hub_rules_texts texts = catalogue->shared;
    texts.schema = hub_bytes(domain->schema->text, domain->schema->text_size);
    return texts;
}

const char *hub_catalogue_topic_subject(const struct hub_catalogue *catalogue, const char *topic) {
    static const char *const kinds[] = {"admitted", "conflict", "match",
                                        "deadletter", "decision", "position",
                                        "manifest"};
    if (strcmp(topic, "unified.identifier") == 0)
        return "identifier";
    struct hub_bytes head = hub_bytes_of_text(topic), rest = hub_bytes("", 0);
    hub_bytes_cut(head, '.', &head, &rest);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (hub_bytes_equal_text(head, kinds[i]))
            return kinds[i];
    bool ingest = hub_bytes_equal_text(head, "ingest");
    if (ingest && !hub_bytes_cut(rest, '.', &head, &rest))
        return NULL;
    const struct hub_domain *domain = hub_catalogue_domain(catalogue, rest);
    if (domain == NULL)
        return NULL;
    if (strncmp(topic, "unified.", 8) == 0)
        return domain->unified->subject;
    return ingest || strncmp(topic, "log.", 4) == 0 ? domain->schema->subject : NULL;
}
