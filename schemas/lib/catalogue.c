#include "schemas/lib/catalogue.h"

#include <string.h>

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

struct hub_rules_texts hub_catalogue_rules(const struct hub_catalogue *catalogue,
                                           const struct hub_domain *domain) {
    struct hub_rules_texts texts = catalogue->shared;
    texts.schema = hub_bytes(domain->schema->text, domain->schema->text_size);
    return texts;
}

const char *hub_catalogue_topic_subject(const struct hub_catalogue *catalogue, const char *topic) {
    static const char *const kinds[] = {"admitted", "conflict", "match",
                                        "deadletter", "decision", "position"};
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
