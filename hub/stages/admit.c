#include "hub/stages/admit.h"

#include "hub/base/memory.h"
#include "hub/stages/admit_check.h"
#include "hub/stages/admit_log.h"
#include "hub/stages/admit_sources.h"
#include "hub/stages/letter.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <stdlib.h>

/* The symbols of Admitted's Outcome, in order. */
enum outcome { NEW = 0, CHANGED, UNCHANGED, LATE, WITHDRAWN, MOVED };

struct hub_admit {
    struct hub_admit_config config;
    struct hub_readers readers;
    const struct hub_schema *deadletter_schema;
    char *own_source; /* what the header ce_source begins with */
    size_t own_source_size;
    bool rest_is_said; /* of the domain, as hub_statement_rest_is_said says */
    struct hub_admit_log log;
    struct hub_sources sources;
    struct hub_admit_counts counts;
    struct hub_arena scratch; /* of the record that is looked at */
};

struct hub_admit *hub_admit_new(const struct hub_admit_config *config) {
    struct hub_admit *admit = hub_allocate_zero(1, sizeof *admit);
    admit->config = *config;
    admit->config.institution = hub_copy_text(config->institution);
    admit->config.topic = hub_copy_text(config->topic);
    hub_readers_init(&admit->readers, config->catalogue, config->domain);
    hub_sources_init(&admit->sources, config->catalogue);
    admit->deadletter_schema = hub_catalogue_latest(config->catalogue, "deadletter");
    assert(admit->deadletter_schema != NULL);
    HUB_SCOPED_BUFFER own_source = {0};
    hub_buffer_append_format(&own_source, "urn:atmp:%s:", config->institution);
    admit->own_source = hub_copy_text(hub_buffer_text(&own_source));
    admit->own_source_size = own_source.size;
    admit->rest_is_said = hub_statement_rest_is_said(config->domain);
    hub_admit_log_init(&admit->log, config->domain->name, config->institution, config->topic);
    return admit;
}

void hub_admit_free(struct hub_admit *admit) {
    if (admit == NULL)
        return;
    hub_sources_free(&admit->sources);
    hub_admit_log_free(&admit->log);
    hub_arena_destroy(&admit->scratch);
    hub_readers_free(&admit->readers);
    hub_release((char *)admit->config.institution);
    hub_release((char *)admit->config.topic);
    hub_release(admit->own_source);
    hub_release(admit);
}

const struct hub_admit_counts *hub_admit_counts(const struct hub_admit *admit) {
    return &admit->counts;
}

void hub_admit_set_counts(struct hub_admit *admit, const struct hub_admit_counts *counts) {
    admit->counts = *counts;
}

void hub_admit_load(struct hub_admit *admit, struct hub_bytes key, struct hub_bytes value) {
    hub_sources_load(&admit->sources, key, value);
}

void hub_admit_set_store(struct hub_admit *admit, const struct hub_store *store) {
    admit->sources.store = store;
}

size_t hub_admit_awake(const struct hub_admit *admit) {
    return admit->sources.awake;
}

void hub_admit_let_sleep(struct hub_admit *admit, const struct hub_store *store) {
    hub_sources_free(&admit->sources);
    hub_sources_init(&admit->sources, admit->config.catalogue);
    admit->sources.store = store;
}

size_t hub_admit_fresh(const struct hub_admit *admit) {
    return admit->sources.fresh_count;
}

void hub_admit_give_fresh(struct hub_admit *admit,
                          void (*take)(void *context, struct hub_bytes key, struct hub_bytes value),
                          void *context) {
    hub_sources_give_fresh(&admit->sources, take, context);
}

uint64_t hub_admit_hook(struct hub_bytes key) {
    return hub_sources_hook(key);
}

/* --- one record --- */

/* A checked statement, with all that the decision needs. */
struct candidate {
    uint64_t hook;             /* of its key */
    struct hub_source *source; /* of its key, where that is in memory */
    const struct hub_system *system;
    struct hub_opened opened;
    struct hub_stamp stamp;
    bool has_hash; /* it is made when it is first needed */
    struct hub_digest hash;
    bool is_repeat; /* what follows the stamp was accepted from the source before: the rest is its */
    const char *status; /* in the schema, or NULL */
    int32_t shard;
};

struct step {
    struct hub_admit *admit;
    const struct hub_input *input;
    struct hub_outputs *outputs;
};

int32_t hub_admit_shard(const struct hub_domain *domain, const struct hub_digester *digester,
                        struct hub_bytes value, int32_t shard_count) {
    if (domain->shard_field < 0)
        return 0;
    const char *org = hub_parties_org(domain->parties, value);
    struct hub_digest digest = digester->digest(org == NULL ? value : hub_bytes_of_text(org));
    uint32_t number = (uint32_t)digest.bytes[0] << 24 | (uint32_t)digest.bytes[1] << 16 |
                      (uint32_t)digest.bytes[2] << 8 | digest.bytes[3];
    return (int32_t)(number % (uint32_t)shard_count);
}

static struct hub_bytes shard_value(const struct hub_domain *domain,
                                    const struct hub_opened *opened) {
    if (domain->shard_field < 0)
        return hub_bytes("", 0);
    size_t index = (size_t)domain->shard_field;
    struct hub_bytes value;
    const struct hub_type *type =
        hub_slice_stated(domain->contract.fields[index].field->type,
                         hub_statement_field(opened->body, opened->starts, index), &value);
    return type == NULL ? hub_bytes("", 0) : hub_slice_octets(value);
}

static const char *status_of(const struct hub_domain *domain, const struct hub_opened *opened) {
    if (domain->lifecycle_field < 0)
        return NULL;
    size_t index = (size_t)domain->lifecycle_field;
    struct hub_bytes value;
    const struct hub_type *type =
        hub_slice_stated(domain->contract.fields[index].field->type,
                         hub_statement_field(opened->body, opened->starts, index), &value);
    return type == NULL ? NULL : hub_slice_symbol(type, value);
}

/* The header says whose record it is; the topic is bound to a principal and knows better. */
static enum hub_status check_claimed_source(struct step *step, struct hub_refusal_facts *refusal,
                                            struct hub_error *reterr) {
    struct hub_bytes claimed = hub_input_header(step->input, "ce_source");
    if (claimed.data == NULL)
        return HUB_OK;
    const char *wanted = step->admit->own_source;
    size_t size = step->admit->own_source_size;
    if (claimed.size >= size && memcmp(claimed.data, wanted, size) == 0)
        return HUB_OK;
    *refusal = (struct hub_refusal_facts){.code = "SOURCE", .security = true};
    return hub_fail(reterr, HUB_REJECT, "ce_source does not begin with %s, whose topic this is",
                    wanted);
}

/* --- repeats ---
 *
 * Most records say again what was said before, under another stamp. What follows the stamp of a record that
 * this process has accepted is well-formed, plain, canonical and of good identifiers, times and shard, whatever
 * the stamp: none of it depends on anything but the bytes, the schemas and the rules that the process was
 * started with. So where it comes again byte for byte it need not be looked at. That the bytes are the same is
 * what the digest says, of which the stamp's part ends by itself, with the size of what follows. */

static size_t rest_size(const struct hub_opened *opened) {
    return opened->body.size - opened->starts[1];
}

static void make_hash(struct hub_admit *admit, struct candidate *candidate) {
    const struct hub_opened *opened = &candidate->opened;
    const struct hub_domain *domain = admit->config.domain;
    const struct hub_digester *digester = admit->config.digester;
    if (admit->rest_is_said)
        candidate->hash = hub_statement_digest_of_rest(domain, candidate->system, digester,
                                                       opened->body, opened->starts[1],
                                                       opened->parts, &admit->scratch);
    else
        candidate->hash = hub_statement_digest(domain, candidate->system, digester, opened->body,
                                               opened->starts);
    candidate->has_hash = true;
}

/* The stamp has been walked, and nothing else. */
static bool is_repeat(struct hub_admit *admit, struct candidate *candidate) {
    const struct hub_source *source = candidate->source;
    const struct hub_opened *opened = &candidate->opened;
    if (source == NULL || source->system == NULL || source->rest_size == 0 ||
        !opened->is_verbatim || !opened->plain || opened->elements > 0 ||
        source->rest_size != rest_size(opened))
        return false;
    make_hash(admit, candidate);
    return memcmp(candidate->hash.bytes, source->hash.bytes, HUB_DIGEST_SIZE) == 0;
}

/* Whoever the source is known to be of may carry it. */
static enum hub_status check_key(struct step *step, struct candidate *candidate,
                                 struct hub_refusal_facts *refusal, struct hub_error *reterr) {
    struct hub_admit *admit = step->admit;
    struct hub_bytes key = step->input->key;
    candidate->hook = hub_sources_hook(key);
    candidate->source = hub_sources_awake(&admit->sources, key, candidate->hook);
    if (candidate->source != NULL && candidate->source->system != NULL) {
        candidate->system = candidate->source->system;
        return HUB_OK;
    }
    return hub_admit_check_key(admit->config.domain, admit->config.institution, key,
                               &candidate->system, refusal, reterr);
}

/* What follows the stamp is not known. */
static enum hub_status check_rest(struct step *step, struct candidate *candidate,
                                  struct hub_refusal_facts *refusal, struct hub_error *reterr) {
    struct hub_admit *admit = step->admit;
    struct hub_opened *opened = &candidate->opened;
    HUB_TRY(hub_readers_finish(&admit->readers, &admit->scratch, opened, reterr));
    HUB_TRY(hub_admit_check_statement(admit->config.domain, opened, step->input->timestamp_ms,
                                      &admit->scratch, &candidate->stamp, refusal, reterr));
    if (!candidate->has_hash || !opened->is_verbatim) /* else it has been made of these bytes */
        make_hash(admit, candidate);
    candidate->status = status_of(admit->config.domain, opened);
    candidate->shard = hub_admit_shard(admit->config.domain, admit->config.digester,
                                       shard_value(admit->config.domain, opened),
                                       admit->config.shard_count);
    return HUB_OK;
}

static enum hub_status check(struct step *step, struct candidate *candidate,
                             struct hub_refusal_facts *refusal, struct hub_error *reterr) {
    struct hub_admit *admit = step->admit;
    const struct hub_input *input = step->input;
    HUB_TRY(check_claimed_source(step, refusal, reterr));
    HUB_TRY(check_key(step, candidate, refusal, reterr));
    *refusal = (struct hub_refusal_facts){.code = "NULL"};
    if (!input->has_value)
        return hub_fail(reterr, HUB_REJECT,
                        "a record without a value; a withdrawal is a record with state WITHDRAWN, "
                        "and the end of retention is the hub's to say");
    *refusal = (struct hub_refusal_facts){.code = "AVRO"};
    HUB_TRY(hub_readers_begin(&admit->readers, input->value, &admit->scratch, &candidate->opened,
                              reterr));
    candidate->is_repeat = is_repeat(admit, candidate);
    if (candidate->is_repeat)
        return hub_admit_check_stamp(admit->config.domain, &candidate->opened, input->timestamp_ms,
                                     &candidate->stamp, refusal, reterr);
    return check_rest(step, candidate, refusal, reterr);
}

static int compare_versions(const struct candidate *candidate, const struct hub_source *source) {
    const struct hub_stamp stamp = {.version = hub_bytes(source->version, source->version_size),
                                    .has_event_time = source->has_event_time,
                                    .event_time_ms = source->event_time_ms};
    return hub_statement_compare(&candidate->stamp, &candidate->hash, &stamp, &source->hash);
}

static enum outcome decide(const struct candidate *candidate, const struct hub_source *source) {
    if (source == NULL)
        return candidate->stamp.withdrawn ? WITHDRAWN : NEW;
    bool same = memcmp(candidate->hash.bytes, source->hash.bytes, HUB_DIGEST_SIZE) == 0;
    int order = compare_versions(candidate, source);
    if (order == 0 || (order > 0 && same))
        return UNCHANGED;
    if (order < 0)
        return LATE;
    if (candidate->stamp.withdrawn)
        return WITHDRAWN;
    return candidate->shard != source->shard ? MOVED : CHANGED;
}

static enum hub_admit_told told_of(enum outcome outcome) {
    switch (outcome) {
    case NEW:
        return HUB_ADMIT_REGISTERED;
    case WITHDRAWN:
        return HUB_ADMIT_WITHDRAWN;
    default:
        return HUB_ADMIT_UPDATED;
    }
}

static struct hub_output *write_log(struct step *step, int32_t shard,
                                    const struct hub_source *replaced, enum outcome outcome) {
    const struct hub_admit_entry entry = {.is_late = outcome == LATE,
                                          .shard = shard,
                                          .told = told_of(outcome),
                                          .replaced = replaced};
    return hub_admit_log_write(&step->admit->log, &entry, step->input, step->outputs);
}

static void set_value(struct step *step, struct hub_output *output, struct hub_bytes value) {
    char *copy = hub_arena_text(step->outputs->arena, (const char *)value.data, value.size);
    output->value = hub_bytes(copy, value.size);
}

/* The statement taken back from the shard it leaves: the same record, withdrawn, in the newest
 * schema. */
static void retract(struct step *step, const struct candidate *candidate,
                    const struct hub_source *source) {
    const struct hub_domain *domain = step->admit->config.domain;
    const struct hub_opened *opened = &candidate->opened;
    struct hub_buffer value = {.arena = &step->admit->scratch};
    hub_frame_append(&value, domain->schema->id);
    hub_statement_append_withdrawn(domain, opened->body, opened->starts, hub_bytes(NULL, 0),
                                   "moved to another shard", &value);
    struct hub_output *output = write_log(step, source->shard, source, WITHDRAWN);
    hub_output_value(step->outputs, output, &value);
    hub_output_header(step->outputs, output, "hub_moved_to", shard_value(domain, opened));
}

static void write_admitted(struct step *step, struct hub_source *source, enum outcome outcome) {
    struct hub_buffer value = {.arena = step->outputs->arena};
    struct hub_output *output = hub_outputs_add(step->outputs, HUB_OUTPUT_ADMITTED,
                                                step->admit->config.partition, step->input->key);
    hub_sources_publish(&step->admit->sources, source, outcome, &value);
    hub_output_value(step->outputs, output, &value);
}

static void take_over(struct hub_admit *admit, struct hub_source *source,
                      const struct candidate *candidate) {
    hub_source_set_version(source, candidate->stamp.version);
    if (candidate->is_repeat)
        return;
    const char *status = candidate->status;
    source->system = candidate->system;
    source->rest_size = candidate->opened.is_verbatim && admit->rest_is_said
                            ? (uint32_t)rest_size(&candidate->opened)
                            : 0;
    source->shard = candidate->shard;
    source->has_event_time = candidate->stamp.has_event_time;
    source->event_time_ms = candidate->stamp.event_time_ms;
    source->hash = candidate->hash;
    if (status == NULL || source->status == NULL || strcmp(status, source->status) != 0)
        hub_source_set_status(&admit->sources, source,
                              status == NULL ? hub_bytes(NULL, 0) : hub_bytes_of_text(status));
    source->withdrawn = candidate->stamp.withdrawn;
}

static void count(struct hub_admit_counts *counts, enum outcome outcome) {
    switch (outcome) {
    case NEW:
        counts->created++;
        return;
    case CHANGED:
        counts->changed++;
        return;
    case UNCHANGED:
        counts->unchanged++;
        return;
    case LATE:
        counts->late++;
        return;
    case WITHDRAWN:
        counts->withdrawn++;
        return;
    case MOVED:;
    }
    counts->moved++;
}

/* What becomes of an accepted record that is not late, and its source. */
static void take(struct step *step, const struct candidate *candidate, struct hub_source *source,
                 enum outcome outcome) {
    struct hub_admit *admit = step->admit;
    if (outcome != UNCHANGED) {
        if (outcome == MOVED)
            retract(step, candidate, source);
        const struct hub_source *replaced = outcome == MOVED ? NULL : source;
        int32_t shard = outcome == WITHDRAWN && source != NULL ? source->shard : candidate->shard;
        struct hub_output *output = write_log(step, shard, replaced, outcome);
        set_value(step, output, candidate->opened.written);
    }
    bool is_first = source == NULL;
    if (is_first)
        source = hub_sources_add(&admit->sources, step->input->key, candidate->hook);
    int32_t shard_before = source->shard;
    take_over(admit, source, candidate);
    if (outcome == UNCHANGED || (outcome == WITHDRAWN && !is_first))
        source->shard = shard_before; /* the entry under the key stands where it stood */
    write_admitted(step, source, outcome);
}

static enum hub_status accept(struct step *step, const struct candidate *candidate,
                              struct hub_error *reterr) {
    struct hub_admit *admit = step->admit;
    struct hub_source *source = candidate->source;
    if (source == NULL)
        HUB_TRY(hub_sources_find(&admit->sources, step->input->key, candidate->hook, &source,
                                 reterr));
    enum outcome outcome = decide(candidate, source);
    count(&admit->counts, outcome);
    if (outcome == LATE) {
        struct hub_output *output = write_log(step, source->shard, NULL, outcome);
        set_value(step, output, candidate->opened.written);
        write_admitted(step, source, outcome);
    } else {
        take(step, candidate, source, outcome);
    }
    return HUB_OK;
}

static void refuse(struct step *step, const struct hub_refusal_facts *refusal,
                   const struct hub_error *error) {
    struct hub_admit *admit = step->admit;
    struct hub_letter letter = {.schema = admit->deadletter_schema,
                                .digester = admit->config.digester,
                                .stage = "admit",
                                .topic = admit->config.topic,
                                .institution = admit->config.institution,
                                .code = refusal->code,
                                .path = refusal->path,
                                .reason = error->text,
                                .security = refusal->security};
    hub_letter_write(&letter, step->input, step->outputs);
    admit->counts.dead++;
    admit->counts.security += refusal->security;
}

enum hub_status hub_admit_record(struct hub_admit *admit, const struct hub_input *input,
                                 struct hub_outputs *outputs, struct hub_error *reterr) {
    struct step step = {admit, input, outputs};
    struct candidate candidate = {0};
    struct hub_refusal_facts refusal = {.code = "KEY"};
    HUB_NOT_ZEROED struct hub_error why; /* where it fails */
    hub_arena_reset_small(&admit->scratch);
    if (check(&step, &candidate, &refusal, &why) == HUB_OK)
        HUB_TRY(accept(&step, &candidate, reterr));
    else
        refuse(&step, &refusal, &why);
    admit->counts.read++;
    return HUB_OK;
}
