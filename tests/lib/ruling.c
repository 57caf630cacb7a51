#include "tests/lib/ruling.h"

#include "hub/io/crypto.h"
#include "hub/stages/fold.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ruling_begin(struct ruling *ruling, const char *domain) {
    *ruling = (struct ruling){.domain = test_domain(domain)};
    ruling->texts = hub_catalogue_rules(test_catalogue(), ruling->domain);
    ruling_replace(ruling, NULL);
}

void ruling_end(struct ruling *ruling) {
    hub_arena_destroy(&ruling->arena);
}

void ruling_edit(struct ruling *ruling, struct hub_bytes *text, const char *from, const char *to) {
    const char *wanted = schema_quoted(&ruling->arena, from);
    const char *instead = schema_quoted(&ruling->arena, to);
    const char *rest = (const char *)text->data, *end = rest + text->size, *found;
    HUB_SCOPED_BUFFER edited = {0};
    size_t count = 0;
    while ((found = memmem(rest, (size_t)(end - rest), wanted, strlen(wanted))) != NULL) {
        hub_buffer_append(&edited, rest, (size_t)(found - rest));
        hub_buffer_append_text(&edited, instead);
        rest = found + strlen(wanted);
        count++;
    }
    hub_buffer_append(&edited, rest, (size_t)(end - rest));
    if (count == 0) {
        fprintf(stderr, "ruling: '%s' does not stand in the text\n", wanted);
        abort();
    }
    *text = hub_bytes(hub_arena_text(&ruling->arena, (const char *)edited.data, edited.size),
                      edited.size);
}

struct edit {
    bool in_schemes;
    const char *from, *to;
};

/* Each stands wherever the others were made before it. */
static const struct edit of_trials[] = {
    {false, "'system:ctis', 'system:euctr', 'system:isrctn', 'system:ctgov'",
     "'system:ctgov', 'system:isrctn', 'system:euctr', 'system:ctis'"},
    {false, "'eudract', 'isrctn',", "'isrctn',"},
    {false, "'nct', 'euct',", "'euct', 'nct',"},
    {false, "[['titles', 'sponsor', 'start']]", "[['titles'], ['sponsor', 'start']]"},
    {false, "'hub:possible': [", "'hub:possible': [['conditions'], "},
    {false, "'ctgov', 'eclaire', 'cart-register', 'sus-trials',",
     "'sus-trials', 'cart-register', 'eclaire', 'ctgov',"},
    {false, "'hub:conflict': 'minor'", "'hub:conflict': 'critical'"},
    {true, "'exclusive': true", "'exclusive': false"},
};
static const struct edit of_slots[] = {
    {false, "'hub:exclusive': {'of': 'suite', 'interval': 'interval', 'status': 'status',\n"
            "  'active': ['HELD', 'BOOKED', 'IN_USE'], 'conflict': 'critical'},", ""},
    {false, "'hub:possible': [['suite', 'interval']]", "'hub:possible': [['suite']]"},
    {false, "'hub:possible': [", "'hub:possible': [['facility'], "},
    {false, "['slot', 'placer', 'ical-uid']", "['placer', 'ical-uid']"},
    {false, "'hub:systems': ['lumc-mes', 'lumc-calendar',",
     "'hub:systems': ['lumc-calendar', 'lumc-mes',"},
};

void ruling_edit_some(struct ruling *ruling, struct test_random *random) {
    bool slots = strcmp(ruling->domain->name, "gmp-slot") == 0;
    const struct edit *edits = slots ? of_slots : of_trials;
    size_t count = slots ? sizeof of_slots / sizeof *of_slots
                         : sizeof of_trials / sizeof *of_trials;
    size_t first = test_random_below(random, count);
    for (size_t i = 0; i < count; i++)
        if (i == first || test_random_below(random, 4) == 0)
            ruling_edit(ruling, edits[i].in_schemes ? &ruling->texts.schemes
                                                    : &ruling->texts.schema,
                        edits[i].from, edits[i].to);
}

const char *ruling_hash(struct ruling *ruling) {
    char hash[HUB_RULES_HASH_SIZE + 1];
    hub_rules_hash(&ruling->texts, &hub_sha256, hash);
    return hub_arena_text(&ruling->arena, hash, HUB_RULES_HASH_SIZE);
}

void ruling_replace(struct ruling *ruling, const char *replaces) {
    struct hub_arena *arena = &ruling->arena;
    char *hash = hub_arena_take(arena, HUB_DIGEST_TEXT_SIZE);
    struct hub_rules_entry *entry = &ruling->entry;
    *entry = (struct hub_rules_entry){
        .domain = ruling->domain->name,
        .rules = ruling_hash(ruling),
        .replaces = replaces == NULL ? NULL : hub_arena_text(arena, replaces, strlen(replaces)),
        .core = HUB_CORE_VERSION,
        .unified_schema = ruling->domain->unified->id,
        .reason = "tried",
        .decided_by = "anna",
        .decided_time_ms = 1};
    if (replaces == NULL)
        return;
    entry->report = hub_arena_format(arena, "{\"domain\":\"%s\",\"from\":\"%s\",\"to\":\"%s\"}",
                                     entry->domain, entry->replaces, entry->rules);
    struct hub_digest digest = hub_sha256.digest(hub_bytes_of_text(entry->report));
    hub_digest_text(&digest, HUB_DIGEST_SIZE, hash);
    entry->report_hash = hash;
}

struct hub_bytes ruling_message(struct ruling *ruling) {
    HUB_SCOPED_BUFFER message = {0};
    ruling->entry.texts = ruling->texts;
    hub_rules_entry_encode(&ruling->entry, test_catalogue(), &message);
    return hub_bytes(hub_arena_text(&ruling->arena, (const char *)message.data, message.size),
                     message.size);
}
