/* Decisions as anybody could write them to the decision topic, about two trials that share a number
 * and contradict each other: each has one outcome, what goes out is Avro, and a fold that is loaded
 * from what was published continues as the one that made it.
 *
 * A byte picks kind, subject, statement and revision; or a piece is the record as it is. */
#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "hub/stages/admit_decision.h"
#include "hub/stages/fold.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

enum { DECISIONS_MAX = 12, TEXTS = 8, KINDS = 5 };

struct trial {
    struct hub_fold *fold;
    struct hub_arena arena; /* of all outputs */
    struct hub_output *published[256];
    size_t published_count;
    struct hub_input entries[2 + DECISIONS_MAX];
    size_t entry_count;
};

static const struct hub_domain *trials(void) {
    return hub_catalogue_domain(fuzz_catalogue(), hub_bytes_of_text("trial"));
}

static void keep(struct trial *trial, struct hub_output *output) {
    fuzz_must(fuzz_is_record(output->value));
    fuzz_must(trial->published_count < sizeof trial->published / sizeof *trial->published);
    trial->published[trial->published_count++] = output;
}

static void fold(struct trial *trial, const struct hub_input *entry) {
    struct hub_outputs outputs = {.arena = &trial->arena};
    struct hub_error error;
    trial->entries[trial->entry_count++] = *entry;
    fuzz_must(hub_fold_entry(trial->fold, entry, &outputs, &error) == HUB_OK);
    for (size_t i = 0; i < outputs.count; i++)
        keep(trial, &outputs.items[i]);
}

/* Whatever is published may be read again: the last record of each key. */
static struct hub_fold *load(const struct trial *trial) {
    struct hub_fold *fold = hub_fold_new(fuzz_catalogue(), trials(), &hub_sha256, 0);
    struct hub_error error;
    for (size_t i = 0; i < trial->entry_count; i++)
        fuzz_must(hub_fold_load(fold, HUB_FOLD_LOG, &trial->entries[i], &error) == HUB_OK);
    for (size_t i = 0; i < trial->published_count; i++) {
        const struct hub_output *output = trial->published[i];
        static const enum hub_fold_topic topics[] = {[HUB_OUTPUT_UNIFIED] = HUB_FOLD_UNIFIED,
                                                     [HUB_OUTPUT_CONFLICT] = HUB_FOLD_CONFLICT,
                                                     [HUB_OUTPUT_MATCH] = HUB_FOLD_MATCH};
        struct hub_input record = {
            .has_key = true, .has_value = true, .key = output->key, .value = output->value};
        if (output->kind >= HUB_OUTPUT_UNIFIED && output->kind <= HUB_OUTPUT_MATCH)
            fuzz_must(hub_fold_load(fold, topics[output->kind], &record, &error) == HUB_OK);
    }
    fuzz_must(hub_fold_loaded(fold, &error) == HUB_OK);
    fuzz_must(hub_fold_wake_all(fold, &error) == HUB_OK);
    return fold;
}

/* --- two statements: defaults, but for the stamp, one number and the enrolment --- */

static void encode_stamp(const struct hub_type *type, struct hub_buffer *value) {
    for (size_t i = 0; i < type->count; i++) {
        if ((int)i == trials()->stamp.version)
            hub_encode_text(value, "1");
        else if ((int)i == trials()->stamp.state)
            hub_encode_long(value, trials()->stamp.current_symbol);
        else
            hub_buffer_append_bytes(value, type->fields[i].default_value);
    }
}

static void encode_identifiers(const struct hub_type *item, struct hub_buffer *value) {
    hub_encode_array_begin(value, 1);
    for (size_t i = 0; i < item->count; i++) {
        const struct hub_field *part = &item->fields[i];
        if (strcmp(part->name, "scheme") == 0)
            hub_encode_text(value, "nct");
        else if (strcmp(part->name, "value") == 0)
            hub_encode_text(value, "NCT01000001");
        else if (strcmp(part->name, "relation") == 0)
            hub_encode_long(value, hub_type_symbol(part->type, "SELF"));
        else
            hub_buffer_append_bytes(value, part->default_value);
    }
    hub_encode_array_end(value);
}

static void encode_enrolment(const struct hub_type *type, int count, struct hub_buffer *value) {
    const struct hub_type *stated = hub_type_stated(type);
    hub_encode_long(value, 1 - hub_type_null_branch(type));
    for (size_t i = 0; i < stated->count; i++)
        hub_encode_long(value, strcmp(stated->fields[i].name, "count") == 0
                                   ? count
                                   : hub_type_symbol(stated->fields[i].type, "ACTUAL"));
}

static struct hub_bytes statement(struct trial *trial, int count) {
    const struct hub_type *root = trials()->schema->root;
    HUB_SCOPED_BUFFER value = {0};
    hub_frame_append(&value, trials()->schema->id);
    for (size_t i = 0; i < root->count; i++) {
        const struct hub_field *field = &root->fields[i];
        if (i == HUB_FIELD_STATEMENT)
            encode_stamp(field->type, &value);
        else if (i == HUB_FIELD_IDENTIFIERS)
            encode_identifiers(field->type->items, &value);
        else if (strcmp(field->name, "enrolment") == 0)
            encode_enrolment(field->type, count, &value);
        else
            hub_buffer_append_bytes(&value, field->default_value);
    }
    char *copy = hub_arena_text(&trial->arena, (const char *)value.data, value.size);
    return hub_bytes(copy, value.size);
}

static struct hub_input entry_of(struct trial *trial, const char *key, struct hub_bytes value) {
    return (struct hub_input){.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = value,
                              .offset = (int64_t)trial->entry_count,
                              .timestamp_ms = 1790000000000 + (int64_t)trial->entry_count};
}

/* --- decisions --- */

/* Names that mean something: the entity, its conflict, the statements. */
static const char *pick(struct trial *trial, unsigned choice) {
    const struct hub_output *first = trial->published[0];
    const char *entity = hub_arena_text(&trial->arena, (const char *)first->key.data,
                                        first->key.size);
    switch (choice % TEXTS) {
    case 0:
    case 1:
        return hub_arena_format(&trial->arena, "%s/enrolment", entity);
    case 2:
        return "ctgov/A";
    case 3:
        return "euctr/B";
    case 4:
        return entity;
    case 5:
        return "pair/1";
    case 6:
        return "isrctn/nobody";
    default:
        return "";
    }
}

static void encode_list(struct trial *trial, uint8_t choice, struct hub_buffer *value) {
    size_t count = choice % 4 == 3 ? 2 : choice % 4 == 0 ? 0 : 1;
    hub_encode_array_begin(value, count);
    for (size_t i = 0; i < count; i++)
        hub_encode_text(value, pick(trial, choice / 4 + (unsigned)i + 2));
    hub_encode_array_end(value);
}

/* As in schemas/hub/decision.avsc. */
static struct hub_bytes made_up(struct trial *trial, struct fuzz_input *input,
                                const char **ret_subject) {
    HUB_SCOPED_BUFFER value = {0};
    *ret_subject = pick(trial, fuzz_byte(input));
    hub_frame_append(&value, hub_catalogue_latest(fuzz_catalogue(), "decision")->id);
    hub_encode_text(&value, hub_arena_format(&trial->arena, "d%zu", trial->entry_count));
    hub_encode_text(&value, "trial");
    hub_encode_text(&value, *ret_subject);
    hub_encode_long(&value, fuzz_byte(input) % KINDS);
    encode_list(trial, fuzz_byte(input), &value);
    hub_encode_optional_text(&value, NULL);
    hub_encode_optional_text(&value, NULL);
    hub_encode_long(&value, fuzz_byte(input) % 8);
    encode_list(trial, fuzz_byte(input), &value);
    bool other = fuzz_byte(input) % 2 == 1;
    hub_encode_long(&value, other);
    if (other)
        hub_encode_long(&value, fuzz_byte(input) % 8);
    hub_encode_long(&value, 0);
    hub_encode_text(&value, "because");
    hub_encode_text(&value, fuzz_byte(input) % 2 == 0 ? "anna" : "bo");
    hub_encode_optional_text(&value, NULL);
    hub_encode_long(&value, 0);
    return fuzz_exact(input, hub_buffer_bytes(&value));
}

static void decide(struct trial *trial, struct fuzz_input *input) {
    bool raw = fuzz_byte(input) % 8 == 7;
    const char *subject = "";
    struct hub_bytes value = raw ? fuzz_piece(input) : made_up(trial, input, &subject);
    struct hub_bytes key = raw ? fuzz_piece(input) : hub_bytes_of_text(subject);
    struct hub_admit_decisions decisions = {.catalogue = fuzz_catalogue(),
                                            .digester = &hub_sha256,
                                            .topic = "decision",
                                            .shard_count = hub_topics_shard_count};
    struct hub_input record = {.has_key = true, .has_value = true, .key = key, .value = value};
    struct hub_outputs outputs = {.arena = &trial->arena};
    bool taken = hub_admit_decision(&decisions, &record, &outputs);
    fuzz_must(outputs.count == 1);
    fuzz_must(taken == (outputs.items[0].kind == HUB_OUTPUT_LOG));
    if (!taken || strcmp(outputs.items[0].topic, "log.trial") != 0)
        return;
    struct hub_input entry = entry_of(trial, "", outputs.items[0].value);
    entry.key = outputs.items[0].key;
    struct hub_fold *second = load(trial);
    size_t before = trial->published_count;
    fold(trial, &entry);
    struct hub_outputs again = {.arena = &trial->arena};
    struct hub_error error;
    fuzz_must(hub_fold_entry(second, &entry, &again, &error) == HUB_OK);
    fuzz_must(again.count == trial->published_count - before && again.count > 0);
    for (size_t i = 0; i < again.count; i++)
        fuzz_must(hub_bytes_equal(again.items[i].value, trial->published[before + i]->value));
    hub_fold_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    struct trial trial = {.fold = hub_fold_new(fuzz_catalogue(), trials(), &hub_sha256, 0)};
    struct hub_input first = entry_of(&trial, "sus/ctgov/A", statement(&trial, 10));
    fold(&trial, &first);
    struct hub_input second = entry_of(&trial, "sus/euctr/B", statement(&trial, 12));
    fold(&trial, &second);
    for (size_t i = 0; i < DECISIONS_MAX && !fuzz_input_ended(&input); i++)
        decide(&trial, &input);
    hub_fold_free(trial.fold);
    hub_arena_destroy(&trial.arena);
    fuzz_input_free(&input);
    return 0;
}
