#include "tests/lib/tell.h"

#include "tests/lib/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *carrier_of(const char *key) {
    struct hub_bytes name, rest;
    const struct hub_system *system = NULL;
    if (hub_bytes_cut(hub_bytes_of_text(key), '/', &name, &rest))
        system = hub_parties_system(&test_catalogue()->parties, name);
    if (system == NULL) {
        fprintf(stderr, "tell: no system carries %s\n", key);
        abort();
    }
    return system->carriers[0];
}

static void append_identifiers(const char *identifiers, struct hub_buffer *json) {
    hub_buffer_append_text(json, "'identifiers': [");
    for (const char *word = identifiers; *word != '\0';) {
        int scheme_size = (int)strcspn(word, ":"), size = (int)strcspn(word, " ");
        hub_buffer_append_format(json, "%s{'scheme': '%.*s', 'value': '%.*s', 'relation': 'SELF'}",
                                 word == identifiers ? "" : ", ", scheme_size, word,
                                 size - scheme_size - 1, word + scheme_size + 1);
        word += size + (word[size] == ' ');
    }
    hub_buffer_append_text(json, "]");
}

void tell_trial(struct world *world, const char *key, int version, const char *identifiers,
                const char *more) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json, "{'statement': {'version': '%d'}, ", version);
    append_identifiers(identifiers, &json);
    hub_buffer_append_format(&json, "%s%s}", more == NULL ? "" : ", ", more == NULL ? "" : more);
    world_say(world, carrier_of(key), key, hub_buffer_text(&json));
}

void tell_trial_withdrawn(struct world *world, const char *key, int version) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json, "{'statement': {'version': '%d', 'state': 'WITHDRAWN'}}",
                             version);
    world_say(world, carrier_of(key), key, hub_buffer_text(&json));
}

void tell_slot(struct world *world, const char *key, int version, const char *suite,
               const char *hours, const char *status) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json,
                             "{'statement': {'version': '%d'}, 'facility': 'ror:05xvt9f17',"
                             " 'suite': '%s', 'status': '%s', 'interval': {"
                             "'start': {'time': '2026-05-01T%.2s:00:00'},"
                             " 'end': {'time': '2026-05-01T%.2s:00:00'}}}",
                             version, suite, status, hours, hours + 3);
    world_say(world, carrier_of(key), key, hub_buffer_text(&json));
}

void tell_slot_withdrawn(struct world *world, const char *key, int version) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json,
                             "{'statement': {'version': '%d', 'state': 'WITHDRAWN'},"
                             " 'facility': 'ror:05xvt9f17'}",
                             version);
    world_say(world, carrier_of(key), key, hub_buffer_text(&json));
}

const char *tell_id(struct world *world, const char *statement_key) {
    return look_text(world_entity_of(world, statement_key), "entity_id");
}

json_t *tell_history(struct world *world, const char *kind, const char *key) {
    json_t *history = json_array(), *output;
    size_t i;
    json_array_foreach(world_outputs(world), i, output) {
        if (strcmp(look_text(output, "kind"), kind) == 0 &&
            (key == NULL || strcmp(look_text(output, "key"), key) == 0))
            json_array_append(history, output);
    }
    return history;
}

const char *tell_each(struct world *world, const char *kind, const char *key, const char *path) {
    static char text[4096];
    json_t *history = tell_history(world, kind, key), *output;
    size_t i;
    text[0] = '\0';
    json_array_foreach(history, i, output) {
        const json_t *found = look(output, path);
        size_t size = strlen(text);
        if (json_is_integer(found))
            snprintf(text + size, sizeof text - size, "%s%lld", i == 0 ? "" : " ",
                     (long long)json_integer_value(found));
        else
            snprintf(text + size, sizeof text - size, "%s%s", i == 0 ? "" : " ",
                     found == NULL || !json_is_string(found) ? "-" : json_string_value(found));
    }
    json_decref(history);
    return text;
}
