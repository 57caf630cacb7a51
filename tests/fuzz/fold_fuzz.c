/* A shard's topics as damage could leave them: what they hold is loaded or refused, and then
 * entries are folded, whose outputs are Avro and whose counts add up.
 *
 * The first byte picks the domain. A record is a byte that says which topic, a key and a value. */
#include "hub/io/crypto.h"
#include "hub/stages/fold.h"
#include "hub/stages/rules_entry.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "tests/fuzz/fuzz.h"

enum { RECORDS_MAX = 12 };
enum topic { LOG = 0, UNIFIED, CONFLICT, MATCH, LOADED, TOPICS };

struct trial {
    struct hub_fold *fold;
    const struct hub_domain *domain;
    struct fuzz_input *input;
    int64_t offset;
    bool loaded;
};

/* The same record, but made by these rules and this core: else nothing would ever be loaded. */
static struct hub_bytes made_here(struct trial *trial, struct hub_bytes body) {
    const struct hub_type *type = trial->domain->unified->root;
    bool canonical = false;
    HUB_SCOPED_BUFFER own = {0};
    if (!fuzz_accepts(type, body, &canonical))
        return body;
    for (size_t i = 0; i < type->count; i++) {
        if (strcmp(type->fields[i].name, "rules") == 0)
            hub_encode_text(&own, trial->domain->rules);
        else if (strcmp(type->fields[i].name, "core") == 0)
            hub_encode_long(&own, HUB_CORE_VERSION);
        else
            hub_buffer_append_bytes(&own, hub_slice_field(type, body, i));
    }
    return fuzz_exact(trial->input, hub_buffer_bytes(&own));
}

static struct hub_bytes framed(struct trial *trial, const char *subject, struct hub_bytes body) {
    const struct hub_schema *schema = hub_catalogue_latest(fuzz_catalogue(), subject);
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, body);
    return fuzz_exact(trial->input, hub_buffer_bytes(&message));
}

/* Of fold.h: `read` is the sum of the others. */
static bool adds_up(const struct hub_fold_counts *counts) {
    return counts->read == counts->published + counts->unchanged + counts->superseded +
                               counts->withdrawn + counts->decided + counts->refused +
                               counts->ruled + counts->overruled + counts->facts;
}

static enum hub_status fold_entry(struct trial *trial, const struct hub_input *entry,
                                  struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    enum hub_status status = hub_fold_entry(trial->fold, entry, &outputs, reterr);
    for (size_t i = 0; status == HUB_OK && i < outputs.count; i++)
        fuzz_must(fuzz_is_record(outputs.items[i].value) ||
                  (outputs.items[i].kind == HUB_OUTPUT_IDENTIFIER &&
                   outputs.items[i].value.size == 0));
    fuzz_must(status != HUB_OK || adds_up(hub_fold_counts(trial->fold)));
    hub_arena_destroy(&arena);
    return status;
}

static enum hub_status take_log(struct trial *trial, struct hub_bytes key, struct hub_bytes body,
                                struct hub_error *reterr) {
    struct hub_input entry = {.has_key = true,
                              .has_value = true,
                              .key = key,
                              .offset = trial->offset++,
                              .timestamp_ms = 1790000000000};
    entry.value = framed(trial, hub_rules_entry_is(&entry) ? "rules" : trial->domain->name, body);
    return trial->loaded ? fold_entry(trial, &entry, reterr)
                         : hub_fold_load(trial->fold, HUB_FOLD_LOG, &entry, reterr);
}

static enum hub_status load(struct trial *trial, enum hub_fold_topic topic, struct hub_bytes key,
                            struct hub_bytes message, struct hub_error *reterr) {
    struct hub_input record = {
        .has_key = true, .has_value = true, .key = key, .value = message};
    return hub_fold_load(trial->fold, topic, &record, reterr);
}

/* Nothing is loaded once the loading has ended; from then on there are entries only. */
static enum hub_status take(struct trial *trial, struct hub_error *reterr) {
    enum topic topic = (enum topic)(fuzz_byte(trial->input) % TOPICS);
    struct hub_bytes key = fuzz_piece(trial->input), body = fuzz_piece(trial->input);
    if (topic == LOG || trial->loaded)
        return take_log(trial, key, body, reterr);
    switch (topic) {
    case UNIFIED:
        return load(trial, HUB_FOLD_UNIFIED, key,
                    framed(trial, trial->domain->unified->subject, made_here(trial, body)), reterr);
    case CONFLICT:
        return load(trial, HUB_FOLD_CONFLICT, key, framed(trial, "conflict", body), reterr);
    case MATCH:
        return load(trial, HUB_FOLD_MATCH, key, framed(trial, "match", body), reterr);
    default:
        trial->loaded = true;
        return hub_fold_loaded(trial->fold, reterr);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct hub_catalogue *catalogue = fuzz_catalogue();
    struct fuzz_input input = fuzz_input(data, size);
    struct hub_error error;
    struct trial trial = {.input = &input};
    trial.domain = &catalogue->domains[fuzz_byte(&input) % catalogue->domain_count];
    trial.fold = hub_fold_new(catalogue, trial.domain, &hub_sha256, /* partition= */ 0);
    enum hub_status status = HUB_OK;
    for (size_t i = 0; i < RECORDS_MAX && status == HUB_OK && !fuzz_input_ended(&input); i++)
        status = take(&trial, &error);
    fuzz_must(status == HUB_OK || status == HUB_REJECT || status == HUB_FATAL);
    hub_fold_free(trial.fold);
    fuzz_input_free(&input);
    return 0;
}
