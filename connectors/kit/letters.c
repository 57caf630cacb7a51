#include "connectors/kit/letters.h"

#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MAX = 100000 };

/* --- reading --- */

struct reading {
    struct hub_letters *letters;
    const struct hub_type *type;
    struct hub_bytes body;
};

static const char *text_at(const struct reading *reading, const char *path) {
    struct hub_bytes part;
    if (hub_slice_path(reading->type, reading->body, path, &part) == NULL)
        return NULL;
    part = hub_slice_octets(part);
    return hub_arena_text(&reading->letters->arena, (const char *)part.data, part.size);
}

static int64_t number_at(const struct reading *reading, const char *path) {
    struct hub_bytes part;
    hub_slice_path(reading->type, reading->body, path, &part);
    return hub_slice_long(part);
}

static void take_reason(const struct reading *reading, struct hub_open_letter *letter) {
    letter->stage = text_at(reading, "stage");
    letter->code = text_at(reading, "code");
    letter->reason = text_at(reading, "reason");
    letter->path = text_at(reading, "path");
}

static void take_letter(const struct reading *reading, int64_t offset, struct hub_bytes id) {
    struct hub_letters *letters = reading->letters;
    struct hub_bytes part;
    HUB_GROW(letters->items, letters->count, letters->capacity);
    struct hub_open_letter *letter = &letters->items[letters->count++];
    *letter = (struct hub_open_letter){.offset = offset, .sequence = -1, .open = true};
    take_reason(reading, letter);
    letter->connector = text_at(reading, "connector");
    letter->document = text_at(reading, "document");
    letter->key = text_at(reading, "key");
    hub_slice_path(reading->type, reading->body, "original_hash", &part);
    memcpy(letter->original_hash.bytes, part.data, HUB_DIGEST_SIZE);
    hub_slice_path(reading->type, reading->body, "security", &part);
    letter->security = part.data[0] != 0;
    if (letter->connector != NULL)
        letter->sequence = hub_pipeline_sequence_in(letter->connector, id);
}

static void take_outcome(const struct reading *reading) {
    struct hub_open_letter *letter =
        hub_letters_find(reading->letters, number_at(reading, "about.offset"));
    /* One that is so old that the topic has it no more, or that two people have settled at once. */
    if (letter == NULL || !letter->open)
        return;
    int64_t outcome = number_at(reading, "about.outcome");
    letter->has_outcome = true;
    letter->outcome = outcome < HUB_LETTER_UNRECOGNISED ? (enum hub_letter_outcome)outcome
                                                        : HUB_LETTER_UNRECOGNISED;
    letter->because = text_at(reading, "about.because");
    letter->by = text_at(reading, "about.by");
    letter->time_ms = number_at(reading, "about.time");
    if (letter->outcome == HUB_LETTER_REFUSED)
        take_reason(reading, letter);
    else
        letter->open = false;
}

void hub_letters_take(struct hub_letters *letters, int64_t offset, const struct hub_type *type,
                      struct hub_bytes body, struct hub_bytes id) {
    struct reading reading = {letters, type, body};
    struct hub_bytes part;
    assert(letters->count == 0 || letters->items[letters->count - 1].offset < offset);
    /* The first version of the schema has no outcomes. */
    if (hub_type_field(type, "about") >= 0 && hub_slice_path(type, body, "about", &part) != NULL)
        take_outcome(&reading);
    else
        take_letter(&reading, offset, id);
}

static struct hub_bytes header_of(const struct hub_kafka_record *record, const char *name) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return record->headers[i].value;
    return hub_bytes(NULL, 0);
}

enum hub_status hub_letters_read(struct hub_letters *letters,
                                 const struct hub_catalogue *catalogue,
                                 const struct hub_kafka_record *record, struct hub_error *reterr) {
    struct hub_walk_limits limits = {.size_max = HUB_KAFKA_MESSAGE_SIZE_MAX,
                                     .elements_max = ELEMENTS_MAX};
    struct hub_walk walk = {0};
    struct hub_bytes body;
    int32_t id = 0;
    if (!record->has_value)
        return HUB_OK;
    HUB_TRY(hub_frame_open(record->value, &id, &body, reterr));
    const struct hub_schema *schema = hub_catalogue_by_id(catalogue, id);
    if (schema == NULL || strcmp(schema->subject, "deadletter") != 0)
        return hub_fail(reterr, HUB_FATAL, "%s/0@%lld: schema id %d is no version of deadletter",
                        record->topic, (long long)record->offset, id);
    HUB_TRY(hub_walk(schema->root, body, &limits, &walk, reterr));
    hub_letters_take(letters, record->offset, schema->root, body, header_of(record, "ce_id"));
    return HUB_OK;
}

static int by_offset(const void *a, const void *b) {
    int64_t left = ((const struct hub_open_letter *)a)->offset;
    int64_t right = ((const struct hub_open_letter *)b)->offset;
    return left < right ? -1 : left > right;
}

struct hub_open_letter *hub_letters_find(struct hub_letters *letters, int64_t offset) {
    struct hub_open_letter wanted = {.offset = offset};
    return letters->count == 0 ? NULL
                               : bsearch(&wanted, letters->items, letters->count, sizeof wanted,
                                         by_offset);
}

void hub_letters_free(struct hub_letters *letters) {
    hub_release(letters->items);
    hub_arena_destroy(&letters->arena);
    *letters = (struct hub_letters){0};
}

const char *hub_letter_state(const struct hub_open_letter *letter) {
    return letter->open ? "OPEN" : hub_letter_outcome_name(letter->outcome);
}

bool hub_letter_place_read(const char *text, const char *institution, int64_t *ret_offset) {
    char start[160], *end = NULL;
    int size = snprintf(start, sizeof start, "deadletter.%s/0@", institution);
    if (size < 0 || (size_t)size >= sizeof start || strncmp(text, start, (size_t)size) != 0)
        return false;
    const char *number = text + size;
    if (*number < '0' || *number > '9' || strlen(number) > 18)
        return false;
    *ret_offset = strtoll(number, &end, 10);
    return *end == '\0';
}

/* --- writing --- */

static struct hub_deadletter record_of(const char *institution,
                                       const struct hub_open_letter *letter) {
    return (struct hub_deadletter){
        .stage = letter->stage,
        .code = letter->code,
        .reason = letter->reason,
        .path = letter->path,
        .institution = institution,
        .connector = letter->connector,
        .document = letter->document,
        .key = letter->key == NULL ? hub_bytes(NULL, 0) : hub_bytes_of_text(letter->key),
        .original_hash = letter->original_hash,
        .security = letter->security};
}

void hub_letter_identity(const char *institution, const struct hub_open_letter *letter,
                         struct hub_buffer *buffer) {
    struct hub_deadletter record = record_of(institution, letter);
    hub_deadletter_identity(&record, buffer);
}

void hub_letter_settle(const struct hub_settlement *settlement, struct hub_arena *arena,
                       struct hub_outgoing *ret_outgoing) {
    const struct hub_open_letter *letter = settlement->letter;
    HUB_SCOPED_BUFFER value = {0};
    struct hub_deadletter record = record_of(settlement->institution, letter);
    record.about = &settlement->about;
    hub_frame_append(&value, hub_catalogue_latest(settlement->catalogue, "deadletter")->id);
    hub_deadletter_encode(&record, &value);
    *ret_outgoing = (struct hub_outgoing){
        .dead = true,
        .key = letter->key != NULL        ? letter->key
               : letter->document != NULL ? letter->document
                                          : "",
        .value = hub_bytes(hub_arena_text(arena, (const char *)value.data, value.size), value.size)};
    struct hub_envelope envelope = {
        .id = settlement->id,
        .source = hub_arena_format(arena, "urn:atmp:%s:%s", settlement->institution,
                                   letter->connector == NULL ? "hub" : letter->connector),
        .type = "atmp.deadletter.outcome",
        .subject = ret_outgoing->key};
    ret_outgoing->header_count = hub_envelope_headers(&envelope, arena, ret_outgoing->headers);
}
