/* unified.identifier against the log: what the statements of each entity claim. */
#include "tests/sim/check.h"

#include "hub/core/claims.h"
#include "tests/lib/records.h"
#include "tests/sim/view.h"

#include <stdlib.h>
#include <string.h>

struct lines {
    char **items; /* "identifier entity" */
    size_t count, capacity;
};

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_line(struct lines *lines, struct hub_bytes identifier, struct hub_bytes id) {
    HUB_SCOPED_BUFFER line = {0};
    hub_buffer_append_bytes(&line, identifier);
    hub_buffer_append_byte(&line, ' ');
    hub_buffer_append_bytes(&line, id);
    HUB_GROW(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = hub_copy_bytes(line.data, line.size);
}

/* Each once, sorted, one below the other. */
static char *join(struct lines *lines) {
    HUB_SCOPED_BUFFER text = {0};
    if (lines->count > 0)
        qsort(lines->items, lines->count, sizeof *lines->items, compare_lines);
    for (size_t i = 0; i < lines->count; i++)
        if (i == 0 || strcmp(lines->items[i - 1], lines->items[i]) != 0)
            hub_buffer_append_format(&text, "%s\n", lines->items[i]);
    for (size_t i = 0; i < lines->count; i++)
        hub_release(lines->items[i]);
    hub_release(lines->items);
    return hub_copy_text(hub_buffer_text(&text));
}

/* --- what is claimed --- */

static void add_claims(struct hubs *hubs, const struct hub_domain *domain, int32_t shard,
                       int64_t offset, struct hub_bytes id, struct lines *lines) {
    const struct records *log = &hubs->logs[shard].history;
    for (size_t i = 0; i < log->count; i++) {
        struct view statement;
        struct hub_claim *claims = NULL;
        size_t count = 0;
        if (log->items[i]->offset != offset ||
            !view_open(&statement, hubs->domain->schema, log->items[i]->value))
            continue;
        hub_claims_read(domain, view_field(&statement, "identifiers"), &hubs->scratch,
                        &claims, &count);
        for (size_t k = 0; k < count; k++)
            if (!claims[k].ambiguous && !claims[k].doubtful)
                add_line(lines, claims[k].text, id);
    }
}

static char *list_claimed(struct hubs *hubs, const struct hub_domain *domain) {
    struct lines lines = {0};
    for (int32_t shard = 0; shard < hubs->shard_count; shard++) {
        const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_UNIFIED].kept;
        for (size_t i = 0; i < kept->count; i++) {
            struct view entity;
            struct hub_bytes element;
            if (!view_open(&entity, hubs->domain->unified, kept->items[i]->value) ||
                strcmp(view_symbol(&entity, "kind"), "ACTIVE") != 0)
                continue;
            struct hub_elements statements = view_elements(&entity, "statements");
            while (hub_slice_next(&statements, &element))
                add_claims(hubs, domain, shard,
                           hub_slice_long(element_field(&statements, element, "offset")),
                           kept->items[i]->key, &lines);
        }
    }
    return join(&lines);
}

/* --- what is listed --- */

/* As a consumer has it who keeps the last record of each key, and reads partition by partition. */
static char *list_listed(struct hubs *hubs, bool backwards) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "identifier");
    struct records latest = {0};
    struct lines lines = {0};
    for (int32_t i = 0; i < hubs->shard_count; i++) {
        int32_t shard = backwards ? hubs->shard_count - 1 - i : i;
        const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_IDENTIFIER].kept;
        for (size_t k = 0; k < kept->count; k++)
            records_put(&latest, kept->items[k]);
    }
    for (size_t i = 0; i < latest.count; i++) {
        struct view listing;
        struct hub_bytes element;
        if (latest.items[i]->value.size == 0 ||
            !view_open(&listing, schema, latest.items[i]->value))
            continue;
        struct hub_elements entities = view_elements(&listing, "entities");
        while (hub_slice_next(&entities, &element))
            add_line(&lines, view_text(&listing, "identifier"), hub_slice_octets(element));
    }
    records_free(&latest);
    return join(&lines);
}

void check_listings(struct hubs *hubs, const struct hub_domain *domain) {
    hubs_compact(hubs, /* per_mille= */ 1000);
    char *claimed = list_claimed(hubs, domain);
    for (int backwards = 0; backwards < 2 && !hubs->failed; backwards++) {
        char *listed = list_listed(hubs, backwards);
        if (strcmp(claimed, listed) != 0)
            hubs_fail(hubs, "unified.identifier lists\n%swhere this is claimed\n%s", listed,
                      claimed);
        hub_release(listed);
    }
    hub_release(claimed);
    hub_arena_reset(&hubs->scratch);
}
