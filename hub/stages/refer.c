#include "hub/stages/refer.h"

#include "hub/base/table.h"
#include "hub/stages/readers.h"
#include "hub/stages/reference.h"
#include "schemas/lib/statement.h"

#include <string.h>

/* A thing of another domain that the log refers to. */
struct interest {
    UT_hash_handle hh;
    char *key; /* trial/nct:NCT05635409 */
    size_t domain;
    const char *identifier; /* within the key */
    uint8_t *written; /* the fact in the log; NULL for none */
    size_t written_size;
    bool due;
};

struct hub_refer {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain;
    int32_t partition;
    struct hub_readers readers;
    struct interest *interests;
    struct interest **due;
    size_t due_count, due_capacity;
    bool *wants; /* by domain */
    struct hub_refer_counts counts;
};

struct hub_refer *hub_refer_new(const struct hub_catalogue *catalogue,
                                const struct hub_domain *domain, int32_t partition) {
    struct hub_refer *refer = hub_allocate_zero(1, sizeof *refer);
    refer->catalogue = catalogue;
    refer->domain = domain;
    refer->partition = partition;
    refer->wants = hub_allocate_zero(catalogue->domain_count, sizeof *refer->wants);
    hub_readers_init(&refer->readers, catalogue, domain);
    return refer;
}

void hub_refer_free(struct hub_refer *refer) {
    struct interest *interest, *next;
    if (refer == NULL)
        return;
    HASH_ITER(hh, refer->interests, interest, next) {
        HASH_DELETE(hh, refer->interests, interest);
        hub_release(interest->key);
        hub_release(interest->written);
        hub_release(interest);
    }
    hub_readers_free(&refer->readers);
    hub_release(refer->due);
    hub_release(refer->wants);
    hub_release(refer);
}

static void make_due(struct hub_refer *refer, struct interest *interest) {
    if (interest->due)
        return;
    interest->due = true;
    HUB_GROW(refer->due, refer->due_count, refer->due_capacity);
    refer->due[refer->due_count++] = interest;
}

/* NULL where the key's domain is none that there is. */
static struct interest *need_interest(struct hub_refer *refer, struct hub_bytes key) {
    struct interest *interest = NULL;
    struct hub_bytes name, identifier;
    HASH_FIND(hh, refer->interests, key.data, key.size, interest);
    if (interest != NULL)
        return interest;
    const struct hub_domain *domain = hub_bytes_cut(key, '/', &name, &identifier)
                                          ? hub_catalogue_domain(refer->catalogue, name)
                                          : NULL;
    if (domain == NULL)
        return NULL;
    interest = hub_allocate_zero(1, sizeof *interest);
    interest->key = hub_copy_bytes(key.data, key.size);
    interest->domain = (size_t)(domain - refer->catalogue->domains);
    interest->identifier = interest->key + name.size + 1;
    refer->wants[interest->domain] = true;
    HASH_ADD_KEYPTR(hh, refer->interests, interest->key, key.size, interest);
    make_due(refer, interest);
    return interest;
}

/* --- entries --- */

static bool take_fact(struct hub_refer *refer, const struct hub_input *entry) {
    size_t size = sizeof HUB_FACT_PREFIX - 1;
    if (entry->key.size < size || memcmp(entry->key.data, HUB_FACT_PREFIX, size) != 0)
        return false;
    struct interest *interest =
        need_interest(refer, hub_bytes_part(entry->key, size, entry->key.size));
    if (interest == NULL) /* of a domain that is no more */
        return true;
    hub_release(interest->written);
    interest->written = hub_copy_bytes(entry->value.data, entry->value.size);
    interest->written_size = entry->value.size;
    return true;
}

/* <institution>/<system>/<source id>; all other entries begin with a word that is none. */
static bool is_statement(const struct hub_refer *refer, const struct hub_input *entry) {
    struct hub_bytes institution, rest;
    return hub_bytes_cut(entry->key, '/', &institution, &rest) &&
           hub_parties_institution(&refer->catalogue->parties, institution) != NULL;
}

static enum hub_status take_statement(struct hub_refer *refer, const struct hub_input *entry,
                                      struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_opened opened;
    struct hub_link *links = NULL;
    if (!is_statement(refer, entry))
        return HUB_OK;
    enum hub_status status =
        hub_readers_open(&refer->readers, entry->value, &arena, &opened, reterr);
    size_t count = status == HUB_OK ? hub_links_read(refer->domain, opened.body, opened.starts,
                                                     &arena, &links)
                                    : 0;
    for (size_t i = 0; i < count; i++)
        need_interest(refer, hub_bytes_of_text(links[i].fact));
    hub_arena_destroy(&arena);
    if (status != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "log.%s/%d@%lld: damaged", refer->domain->name,
                           entry->partition, (long long)entry->offset);
    return HUB_OK;
}

enum hub_status hub_refer_load(struct hub_refer *refer, const struct hub_input *entry,
                               struct hub_error *reterr) {
    return take_fact(refer, entry) ? HUB_OK : take_statement(refer, entry, reterr);
}

/* Facts are its own, and known since they were written or loaded; one that comes by here may be
 * older than the last. */
enum hub_status hub_refer_entry(struct hub_refer *refer, const struct hub_input *entry,
                                struct hub_error *reterr) {
    HUB_TRY(take_statement(refer, entry, reterr));
    refer->counts.read++;
    return HUB_OK;
}

/* --- facts --- */

bool hub_refer_wants(const struct hub_refer *refer, size_t domain) {
    return refer->wants[domain];
}

void hub_refer_touch(struct hub_refer *refer, size_t domain, const char *identifier) {
    struct interest *interest = NULL;
    struct hub_arena arena = {0};
    const char *key = hub_arena_format(&arena, "%s/%s", refer->catalogue->domains[domain].name,
                                       identifier);
    HASH_FIND_STR(refer->interests, key, interest);
    if (interest != NULL)
        make_due(refer, interest);
    hub_arena_destroy(&arena);
}

bool hub_refer_is_due(const struct hub_refer *refer) {
    return refer->due_count > 0;
}

static void write_fact(struct hub_refer *refer, struct interest *interest,
                       const struct hub_buffer *message, struct hub_outputs *outputs) {
    struct hub_arena *arena = outputs->arena;
    const char *key = hub_arena_format(arena, HUB_FACT_PREFIX "%s", interest->key);
    struct hub_output *output = hub_outputs_add(outputs, HUB_OUTPUT_LOG, refer->partition,
                                                hub_bytes_of_text(key));
    hub_output_value(outputs, output, message);
    hub_release(interest->written);
    interest->written = hub_copy_bytes(message->data, message->size);
    interest->written_size = message->size;
    refer->counts.facts++;
    struct hub_envelope envelope = {
        .id = hub_arena_format(arena, "%s/%d/%lld", refer->domain->name, refer->partition,
                               (long long)refer->counts.facts),
        .source = "urn:atmp:hub:refer",
        .type = hub_arena_format(arena, "atmp.%s.fact", refer->domain->name),
        .subject = interest->key};
    hub_output_envelope(outputs, output, &envelope, NULL);
}

void hub_refer_flush(struct hub_refer *refer, struct hub_facts *const *facts,
                     struct hub_outputs *outputs) {
    size_t left = 0;
    for (size_t i = 0; i < refer->due_count; i++) {
        struct interest *interest = refer->due[i];
        HUB_SCOPED_BUFFER message = {0};
        if (facts[interest->domain] == NULL) {
            refer->due[left++] = interest;
            continue;
        }
        interest->due = false;
        hub_facts_append(facts[interest->domain], interest->identifier, &message);
        struct hub_bytes written = hub_bytes(interest->written, interest->written_size);
        if (!hub_bytes_equal(written, hub_buffer_bytes(&message)))
            write_fact(refer, interest, &message, outputs);
    }
    refer->due_count = left;
}

const struct hub_refer_counts *hub_refer_counts(const struct hub_refer *refer) {
    return &refer->counts;
}

void hub_refer_set_counts(struct hub_refer *refer, const struct hub_refer_counts *counts) {
    refer->counts = *counts;
}
