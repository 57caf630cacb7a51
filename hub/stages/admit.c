#include "hub/stages/admit.h"

#include "hub/base/table.h"
#include "hub/base/text.h"
#include "hub/stages/admit_check.h"
#include "hub/stages/letter.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <stdlib.h>

/* The symbols of Admitted's Outcome, in order. */
enum outcome { NEW = 0, CHANGED, UNCHANGED, LATE, WITHDRAWN, MOVED };

/* One source record: the statement in force. */
struct source {
    UT_hash_handle hh;
    char *key; /* <system>/<source id> */
    int32_t shard;
    char *version;
    bool has_event_time;
    int64_t event_time_ms;
    struct hub_digest hash;
    char *status; /* life-cycle state, or NULL */
    bool withdrawn;
};

struct hub_admit {
    struct hub_admit_config config;
    struct hub_readers readers;
    const struct hub_schema *admitted_schema, *deadletter_schema;
    char *own_source; /* what the header ce_source begins with */
    struct source *sources;
    struct hub_admit_counts counts;
};

struct hub_admit *hub_admit_new(const struct hub_admit_config *config) {
    struct hub_admit *admit = hub_allocate_zero(1, sizeof *admit);
    admit->config = *config;
    admit->config.institution = hub_copy_text(config->institution);
    admit->config.topic = hub_copy_text(config->topic);
    hub_readers_init(&admit->readers, config->catalogue, config->domain);
    admit->admitted_schema = hub_catalogue_latest(config->catalogue, "admitted");
    admit->deadletter_schema = hub_catalogue_latest(config->catalogue, "deadletter");
    assert(admit->admitted_schema != NULL && admit->deadletter_schema != NULL);
    HUB_SCOPED_BUFFER own_source = {0};
    hub_buffer_append_format(&own_source, "urn:atmp:%s:", config->institution);
    admit->own_source = hub_copy_text(hub_buffer_text(&own_source));
    return admit;
}

void hub_admit_free(struct hub_admit *admit) {
    struct source *source, *next;
    if (admit == NULL)
        return;
    HASH_ITER(hh, admit->sources, source, next) {
        HASH_DELETE(hh, admit->sources, source);
        hub_release(source->key);
        hub_release(source->version);
        hub_release(source->status);
        hub_release(source);
    }
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

size_t hub_admit_size(const struct hub_admit *admit) {
    return HASH_COUNT(admit->sources);
}

static struct source *find_source(struct hub_admit *admit, struct hub_bytes key) {
    struct source *source = NULL;
    HASH_FIND(hh, admit->sources, key.data, key.size, source);
    return source;
}

static struct source *add_source(struct hub_admit *admit, struct hub_bytes key) {
    struct source *source = hub_allocate_zero(1, sizeof *source);
    source->key = hub_copy_bytes(key.data, key.size);
    HASH_ADD_KEYPTR(hh, admit->sources, source->key, key.size, source);
    return source;
}

static char *copy_octets(struct hub_bytes octets) {
    return hub_copy_bytes(octets.data, octets.size);
}

static void replace_text(char **text, char *fresh) {
    hub_release(*text);
    *text = fresh;
}

/* --- the admitted topic --- */

static void encode_admitted(const struct hub_admit *admit, const struct source *source,
                            enum outcome outcome, struct hub_buffer *value) {
    hub_frame_append(value, admit->admitted_schema->id);
    hub_encode_long(value, source->shard);
    hub_encode_text(value, source->version);
    hub_encode_long(value, source->has_event_time);
    if (source->has_event_time)
        hub_encode_long(value, source->event_time_ms);
    hub_buffer_append(value, source->hash.bytes, HUB_DIGEST_SIZE);
    hub_encode_optional_text(value, source->status);
    hub_encode_long(value, source->withdrawn);
    hub_encode_long(value, outcome);
}

enum hub_status hub_admit_load(struct hub_admit *admit, struct hub_bytes key,
                               struct hub_bytes value, struct hub_error *reterr) {
    /* The fields of Admitted, in order. */
    enum { SHARD = 0, VERSION, EVENT_TIME, HASH, STATUS, STATE, OUTCOME, FIELDS };
    struct hub_bytes body, event_time, status;
    int32_t id = 0;
    const struct hub_type *type = admit->admitted_schema->root;
    uint32_t starts[FIELDS + 1];
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {.starts = starts};
    HUB_TRY(hub_frame_open(value, &id, &body, reterr));
    if (id != admit->admitted_schema->id)
        return hub_fail(reterr, HUB_FATAL, "admitted record with schema id %d; %d would pass", id,
                        admit->admitted_schema->id);
    HUB_TRY(hub_walk(type, body, &limits, &walk, reterr));
    struct source *source = find_source(admit, key);
    if (source == NULL)
        source = add_source(admit, key);
#define FIELD(index) hub_bytes_part(body, starts[index], starts[(index) + 1])
    source->shard = (int32_t)hub_slice_long(FIELD(SHARD));
    replace_text(&source->version, copy_octets(hub_slice_octets(FIELD(VERSION))));
    source->has_event_time =
        hub_slice_stated(type->fields[EVENT_TIME].type, FIELD(EVENT_TIME), &event_time) != NULL;
    source->event_time_ms = source->has_event_time ? hub_slice_long(event_time) : 0;
    memcpy(source->hash.bytes, FIELD(HASH).data, HUB_DIGEST_SIZE);
    bool has_status =
        hub_slice_stated(type->fields[STATUS].type, FIELD(STATUS), &status) != NULL;
    replace_text(&source->status, has_status ? copy_octets(hub_slice_octets(status)) : NULL);
    source->withdrawn = hub_slice_long(FIELD(STATE)) == 1;
#undef FIELD
    return HUB_OK;
}

/* --- one record --- */

/* A checked statement, with all that the decision needs. */
struct candidate {
    struct hub_opened opened;
    struct hub_stamp stamp;
    struct hub_digest hash;
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

/* Where several institutions carry a system, the source's version is part of what is said: the
 * carriers' copies are told apart by it. */
static struct hub_digest hash_of(const struct hub_admit *admit, const struct hub_system *system,
                                 const struct candidate *candidate) {
    HUB_SCOPED_BUFFER content = {0};
    hub_statement_content(admit->config.domain, candidate->opened.body, candidate->opened.starts,
                          &content);
    if (system->carrier_count > 1)
        hub_buffer_append_bytes(&content, hub_version_of_source(candidate->stamp.version));
    return admit->config.digester->digest(hub_buffer_bytes(&content));
}

/* The header says whose record it is; the topic is bound to a principal and knows better. */
static enum hub_status check_claimed_source(struct step *step, struct hub_refusal_facts *refusal,
                                            struct hub_error *reterr) {
    struct hub_bytes claimed = hub_input_header(step->input, "ce_source");
    if (claimed.data == NULL)
        return HUB_OK;
    const char *wanted = step->admit->own_source;
    size_t size = strlen(wanted);
    if (claimed.size >= size && memcmp(claimed.data, wanted, size) == 0)
        return HUB_OK;
    *refusal = (struct hub_refusal_facts){.code = "SOURCE", .security = true};
    return hub_fail(reterr, HUB_REJECT, "ce_source does not begin with %s, whose topic this is",
                    wanted);
}

static enum hub_status check(struct step *step, struct candidate *candidate,
                             struct hub_refusal_facts *refusal, struct hub_error *reterr) {
    struct hub_admit *admit = step->admit;
    const struct hub_input *input = step->input;
    const struct hub_system *system = NULL;
    HUB_TRY(check_claimed_source(step, refusal, reterr));
    HUB_TRY(hub_admit_check_key(admit->config.domain, admit->config.institution, input->key,
                                &system, refusal, reterr));
    *refusal = (struct hub_refusal_facts){.code = "NULL"};
    if (!input->has_value)
        return hub_fail(reterr, HUB_REJECT,
                        "a record without a value; a withdrawal is a record with state WITHDRAWN, "
                        "and the end of retention is the hub's to say");
    *refusal = (struct hub_refusal_facts){.code = "AVRO"};
    HUB_TRY(hub_readers_open(&admit->readers, input->value, step->outputs->arena,
                             &candidate->opened, reterr));
    HUB_TRY(hub_admit_check_statement(admit->config.domain, &candidate->opened,
                                      input->timestamp_ms, step->outputs->arena, refusal, reterr));
    candidate->stamp = hub_statement_stamp(admit->config.domain, candidate->opened.body,
                                           candidate->opened.starts);
    candidate->hash = hash_of(admit, system, candidate);
    candidate->status = status_of(admit->config.domain, &candidate->opened);
    candidate->shard =
        hub_admit_shard(admit->config.domain, admit->config.digester,
                        shard_value(admit->config.domain, &candidate->opened),
                        admit->config.shard_count);
    return HUB_OK;
}

/* Version, then event time, then hash. */
static int compare_versions(const struct candidate *candidate, const struct source *source) {
    int order = hub_text_natural_compare(candidate->stamp.version,
                                         hub_bytes_of_text(source->version));
    if (order != 0)
        return order;
    if (candidate->stamp.has_event_time != source->has_event_time)
        return candidate->stamp.has_event_time ? 1 : -1;
    if (source->has_event_time && candidate->stamp.event_time_ms != source->event_time_ms)
        return candidate->stamp.event_time_ms > source->event_time_ms ? 1 : -1;
    return memcmp(candidate->hash.bytes, source->hash.bytes, HUB_DIGEST_SIZE);
}

static enum outcome decide(const struct candidate *candidate, const struct source *source) {
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

static const char *type_of(enum outcome outcome) {
    switch (outcome) {
    case NEW:
        return "registered";
    case WITHDRAWN:
        return "withdrawn";
    default:
        return "updated";
    }
}

/* Appends the statement to the log under `prefix` and its key, with what it replaced. */
static struct hub_output *write_log(struct step *step, const char *prefix, int32_t shard,
                                    const struct source *replaced, enum outcome outcome) {
    struct hub_admit *admit = step->admit;
    struct hub_arena *arena = step->outputs->arena;
    const char *key =
        hub_arena_format(arena, "%s%s/%.*s", prefix, admit->config.institution,
                         (int)step->input->key.size, (const char *)step->input->key.data);
    struct hub_output *output =
        hub_outputs_add(step->outputs, HUB_OUTPUT_LOG, shard, hub_bytes_of_text(key));
    const char *origin = hub_arena_format(arena, "%s/%d@%lld", admit->config.topic,
                                          step->input->partition, (long long)step->input->offset);
    const char *type = hub_arena_format(arena, "atmp.%s.%s", admit->config.domain->name,
                                        type_of(outcome));
    struct hub_envelope envelope = {.id = origin,
                                    .source = "urn:atmp:hub:admit",
                                    .type = type,
                                    .subject = key,
                                    .has_time = true, .time_ms = step->input->timestamp_ms};
    hub_output_envelope(step->outputs, output, &envelope, step->input);
    hub_output_header_text(step->outputs, output, "hub_origin", origin);
    if (replaced != NULL)
        hub_output_header_text(step->outputs, output, "hub_replaced_version", replaced->version);
    if (replaced != NULL && replaced->status != NULL)
        hub_output_header_text(step->outputs, output, "hub_replaced_status", replaced->status);
    return output;
}

static void set_value(struct step *step, struct hub_output *output, struct hub_bytes value) {
    char *copy = hub_arena_text(step->outputs->arena, (const char *)value.data, value.size);
    output->value = hub_bytes(copy, value.size);
}

/* The statement taken back from the shard it leaves: the same record, withdrawn, in the newest
 * schema. */
static void retract(struct step *step, const struct candidate *candidate,
                    const struct source *source) {
    const struct hub_domain *domain = step->admit->config.domain;
    const struct hub_opened *opened = &candidate->opened;
    HUB_SCOPED_BUFFER value = {0};
    hub_frame_append(&value, domain->schema->id);
    hub_statement_append_withdrawn(domain, opened->body, opened->starts, hub_bytes(NULL, 0),
                                   "moved to another shard", &value);
    struct hub_output *output = write_log(step, "", source->shard, source, WITHDRAWN);
    hub_output_value(step->outputs, output, &value);
    hub_output_header(step->outputs, output, "hub_moved_to", shard_value(domain, opened));
}

static void write_admitted(struct step *step, const struct source *source, enum outcome outcome) {
    HUB_SCOPED_BUFFER value = {0};
    struct hub_output *output = hub_outputs_add(step->outputs, HUB_OUTPUT_ADMITTED,
                                                step->admit->config.partition, step->input->key);
    encode_admitted(step->admit, source, outcome, &value);
    hub_output_value(step->outputs, output, &value);
}

static void take_over(struct source *source, const struct candidate *candidate) {
    source->shard = candidate->shard;
    replace_text(&source->version, copy_octets(candidate->stamp.version));
    source->has_event_time = candidate->stamp.has_event_time;
    source->event_time_ms = candidate->stamp.event_time_ms;
    source->hash = candidate->hash;
    replace_text(&source->status,
                 candidate->status == NULL ? NULL : hub_copy_text(candidate->status));
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

static void accept(struct step *step, const struct candidate *candidate) {
    struct hub_admit *admit = step->admit;
    struct source *source = find_source(admit, step->input->key);
    enum outcome outcome = decide(candidate, source);
    count(&admit->counts, outcome);
    if (outcome == LATE) {
        struct hub_output *output = write_log(step, "late/", source->shard, NULL, outcome);
        set_value(step, output, candidate->opened.written);
        write_admitted(step, source, outcome);
        return;
    }
    if (outcome != UNCHANGED) {
        if (outcome == MOVED)
            retract(step, candidate, source);
        const struct source *replaced = outcome == MOVED ? NULL : source;
        int32_t shard = outcome == WITHDRAWN && source != NULL ? source->shard : candidate->shard;
        struct hub_output *output = write_log(step, "", shard, replaced, outcome);
        set_value(step, output, candidate->opened.written);
    }
    if (source == NULL)
        source = add_source(admit, step->input->key);
    int32_t shard_before = source->shard;
    bool stays = outcome == UNCHANGED || (outcome == WITHDRAWN && source->version != NULL);
    take_over(source, candidate);
    if (stays)
        source->shard = shard_before; /* the entry under the key stands where it stood */
    write_admitted(step, source, outcome);
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

void hub_admit_record(struct hub_admit *admit, const struct hub_input *input,
                      struct hub_outputs *outputs) {
    struct step step = {admit, input, outputs};
    struct candidate candidate = {0};
    struct hub_refusal_facts refusal = {.code = "KEY"};
    struct hub_error error = {{0}};
    admit->counts.read++;
    if (check(&step, &candidate, &refusal, &error) == HUB_OK)
        accept(&step, &candidate);
    else
        refuse(&step, &refusal, &error);
}
