/* Records as anybody could write them to an ingest topic, one after the other: each has one
 * outcome and the counts add up; what goes out is Avro; and a partition whose state is loaded again
 * from its own admitted topic before every record decides the same.
 *
 * The first byte picks domain and institution. A record is a byte of flags, a key, a message and,
 * by the flags, a ce_source header. */
#include "hub/base/text.h"
#include "hub/io/crypto.h"
#include "hub/stages/admit.h"
#include "schemas/lib/frame.h"
#include "tests/fuzz/fuzz.h"

enum { RECORDS_MAX = 8, SHARDS = 3, NOW_MS = 1790000000 };

enum flags {
    NO_KEY = 1,
    NO_VALUE = 2,
    UNFRAMED = 4,   /* the message as it is; else it is given its domain's frame */
    OWN_KEY = 8,    /* the key as it is; else a system of the institution's before it */
    HAS_SOURCE = 16,
};

struct trial {
    struct hub_admit_config config;
    struct hub_admit *admit;
    const struct hub_system *system; /* that the institution carries */
    struct hub_arena arena;          /* all outputs so far */
    struct hub_output *admitted[RECORDS_MAX];
    size_t admitted_count;
};

static const struct hub_system *system_of(const struct hub_parties *parties, const char *name) {
    for (size_t i = 0; i < parties->system_count; i++)
        if (hub_system_has_carrier(&parties->systems[i], hub_bytes_of_text(name)))
            return &parties->systems[i];
    return &parties->systems[0];
}

static void begin(struct trial *trial, uint8_t choice) {
    const struct hub_catalogue *catalogue = fuzz_catalogue();
    size_t domain = choice % catalogue->domain_count;
    size_t institution = choice / catalogue->domain_count % catalogue->parties.institution_count;
    trial->config = (struct hub_admit_config){
        .catalogue = catalogue,
        .domain = &catalogue->domains[domain],
        .institution = catalogue->parties.institutions[institution].name,
        .digester = &hub_sha256,
        .shard_count = SHARDS,
        .topic = "ingest",
    };
    trial->system = system_of(&catalogue->parties, trial->config.institution);
    trial->admit = hub_admit_new(&trial->config);
}

static void end(struct trial *trial) {
    hub_admit_free(trial->admit);
    hub_arena_destroy(&trial->arena);
}

static struct hub_bytes joined(struct fuzz_input *input, const char *head, struct hub_bytes rest) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, head);
    hub_buffer_append_bytes(&text, rest);
    return fuzz_exact(input, hub_buffer_bytes(&text));
}

static struct hub_bytes framed(struct fuzz_input *input, int32_t id, struct hub_bytes body) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, id);
    hub_buffer_append_bytes(&message, body);
    return fuzz_exact(input, hub_buffer_bytes(&message));
}

static struct hub_input next_record(struct trial *trial, struct fuzz_input *input) {
    uint8_t flags = fuzz_byte(input);
    struct hub_bytes key = fuzz_piece(input), message = fuzz_piece(input);
    const char *head = hub_arena_format(&input->arena, "%s/", trial->system->name);
    struct hub_header *header = hub_arena_take_zero(&input->arena, 1, sizeof *header);
    header->name = "ce_source";
    if ((flags & HAS_SOURCE) != 0)
        header->value = fuzz_piece(input);
    return (struct hub_input){
        .has_key = (flags & NO_KEY) == 0,
        .has_value = (flags & NO_VALUE) == 0,
        .key = (flags & NO_KEY) != 0    ? hub_bytes(NULL, 0)
               : (flags & OWN_KEY) != 0 ? key
                                        : joined(input, head, key),
        .value = (flags & NO_VALUE) != 0   ? hub_bytes(NULL, 0)
                 : (flags & UNFRAMED) != 0 ? message
                                           : framed(input, trial->config.domain->schema->id,
                                                    message),
        .headers = header,
        .header_count = (flags & HAS_SOURCE) != 0,
        .timestamp_ms = NOW_MS * (int64_t)1000,
    };
}

static void check_outputs(const struct hub_outputs *outputs, struct trial *trial) {
    size_t ends = 0;
    for (size_t i = 0; i < outputs->count; i++) {
        struct hub_output *output = &outputs->items[i];
        fuzz_must(fuzz_is_record(output->value));
        fuzz_must(output->kind == HUB_OUTPUT_LOG || output->kind == HUB_OUTPUT_ADMITTED ||
                  output->kind == HUB_OUTPUT_DEADLETTER);
        fuzz_must(output->kind != HUB_OUTPUT_LOG ||
                  (output->partition >= 0 && output->partition < SHARDS));
        fuzz_must(output->kind == HUB_OUTPUT_DEADLETTER || hub_text_is_utf8(output->key));
        ends += output->kind != HUB_OUTPUT_LOG;
        if (output->kind == HUB_OUTPUT_ADMITTED)
            trial->admitted[trial->admitted_count++] = output;
    }
    fuzz_must(ends == 1);
}

static void check_counts(const struct hub_admit_counts *counts, int64_t read) {
    fuzz_must(counts->read == read);
    fuzz_must(counts->read == counts->created + counts->changed + counts->unchanged +
                                  counts->late + counts->withdrawn + counts->moved + counts->dead);
    fuzz_must(counts->security <= counts->dead);
}

static void check_same(const struct hub_outputs *a, const struct hub_outputs *b) {
    fuzz_must(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        fuzz_must(a->items[i].kind == b->items[i].kind);
        fuzz_must(a->items[i].partition == b->items[i].partition);
        fuzz_must(hub_bytes_equal(a->items[i].key, b->items[i].key));
        fuzz_must(hub_bytes_equal(a->items[i].value, b->items[i].value));
        fuzz_must(a->items[i].header_count == b->items[i].header_count);
        for (size_t k = 0; k < a->items[i].header_count; k++)
            fuzz_must(hub_bytes_equal(a->items[i].headers[k].value, b->items[i].headers[k].value));
    }
}

/* What a process that has just started would decide. */
static void decide_after_loading(struct trial *trial, size_t admitted_count,
                                 const struct hub_input *record, struct hub_outputs *outputs) {
    struct hub_admit *loaded = hub_admit_new(&trial->config);
    struct hub_error error;
    for (size_t i = 0; i < admitted_count; i++)
        hub_admit_load(loaded, trial->admitted[i]->key, trial->admitted[i]->value);
    fuzz_must(hub_admit_record(loaded, record, outputs, &error) == HUB_OK);
    hub_admit_free(loaded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    struct trial trial = {0};
    begin(&trial, fuzz_byte(&input));
    for (int64_t i = 0; i < RECORDS_MAX && !fuzz_input_ended(&input); i++) {
        struct hub_outputs outputs = {.arena = &trial.arena}, again = {.arena = &trial.arena};
        size_t admitted_before = trial.admitted_count;
        struct hub_input record = next_record(&trial, &input);
        record.offset = i;
        fuzz_must(hub_admit_record(trial.admit, &record, &outputs, NULL) == HUB_OK);
        check_outputs(&outputs, &trial);
        check_counts(hub_admit_counts(trial.admit), i + 1);
        decide_after_loading(&trial, admitted_before, &record, &again);
        check_same(&outputs, &again);
    }
    end(&trial);
    fuzz_input_free(&input);
    return 0;
}
