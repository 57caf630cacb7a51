#include "tests/bench/statements.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SYSTEMS = 3, CONDITIONS = 8, PRODUCTS = 6, SPONSORS = 6, PHASES_MAX = 2 };

static const struct {
    const char *name, *institution;
    unsigned share_percent; /* of the trials that it tells of */
} systems[SYSTEMS] = {
    {"ctgov", "sus", 100}, {"cart-register", "lumc", 70}, {"isrctn", "lu", 25}};

static const char *const conditions[CONDITIONS] = {
    "Diffuse Large B-cell Lymphoma",    "Multiple Myeloma",        "Acute Lymphoblastic Leukemia",
    "Relapsed or Refractory Neoplasm",  "Ovarian Cancer",          "Systemic Lupus Erythematosus",
    "Non-Hodgkin Lymphoma, Refractory", "Glioblastoma Multiforme",
};
static const char *const products[PRODUCTS] = {
    "CD19 CAR-T cells",           "BCMA-directed autologous T cells", "Fludarabine",
    "Cyclophosphamide",           "CD7 universal CAR-T cell injection",
    "Dendritic cell vaccine",
};
static const struct {
    const char *org, *text; /* half of the spellings are known */
} sponsors[SPONSORS] = {
    {"ror:02z31g829", "Skane University Hospital"}, {NULL, "University Hospital of Norrland"},
    {"ror:05xvt9f17", "Leiden University Medical Center"}, {NULL, "Example Biotherapeutics Inc."},
    {"ror:012a77v79", "Lund University"}, {NULL, "The Second Affiliated Hospital of Sampletown"},
};

/* The symbols of TrialStatus that are used, by their number there. */
enum status { PLANNED = 0, RECRUITING = 2, ACTIVE = 3, HALTED = 4, COMPLETED = 5, TERMINATED = 6,
              UNKNOWN = 9 };

/* What is said of a trial, but for what never changes. */
struct facts {
    uint8_t status, phases, sponsor;
    uint16_t title, conditions;
    int32_t enrolment, start;
};

struct told {
    bool any;
    struct facts facts;
    int64_t event_time_ms, version_day;
};

struct trial {
    struct facts facts;
    struct told told[SYSTEMS];
};

struct random {
    uint64_t state;
};

struct bench_statements {
    const struct hub_schema *schema;
    struct random random;
    struct trial *trials;
    size_t trial_count;
    struct bench_expected expected;
    struct hub_buffer value;
    struct hub_arena arena;
    int64_t sequence;
    size_t apart;          /* the numbers of trials */
    bool to_and_fro;       /* trials change so */
    bool evenly;           /* trials are told of so */
    size_t each, each_end; /* of the systems' first statements, system by system */
    int64_t picked;        /* the events after them */
};

/* splitmix64 */
static uint64_t next_random(struct random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static unsigned below(struct random *random, unsigned bound) {
    return (unsigned)(next_random(random) % bound);
}

/* The index that a weighted throw of the dice falls on. */
static size_t weighted(struct random *random, const unsigned *weights, size_t count) {
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    unsigned left = below(random, sum);
    for (size_t i = 0; i + 1 < count; i++) {
        if (left < weights[i])
            return i;
        left -= weights[i];
    }
    return count - 1;
}

static struct facts first_facts(struct random *random) {
    static const uint8_t statuses[] = {RECRUITING, UNKNOWN, COMPLETED, PLANNED,
                                       ACTIVE,     TERMINATED, HALTED};
    static const unsigned status_weights[] = {760, 585, 224, 220, 205, 134, 25};
    static const unsigned phase_weights[] = {298, 988, 474, 216, 27};
    return (struct facts){.status = statuses[weighted(random, status_weights, 7)],
                          .phases = (uint8_t)weighted(random, phase_weights, 5),
                          .sponsor = (uint8_t)below(random, SPONSORS),
                          .title = 0,
                          .conditions = (uint16_t)below(random, 1000),
                          .enrolment = 5 + (int32_t)below(random, 120),
                          .start = 17000 + (int32_t)below(random, 3000)};
}

/* --- what changes --- */

/* Legal steps only: a step outside the life cycle would be a conflict of its own. */
static bool step_status(struct random *random, struct facts *facts) {
    static const uint8_t running[] = {RECRUITING, ACTIVE, HALTED, UNKNOWN};
    if (facts->status == COMPLETED || facts->status == TERMINATED)
        return false;
    uint8_t before = facts->status;
    if (below(random, 20) == 0)
        facts->status = below(random, 3) > 0 ? COMPLETED : TERMINATED;
    else
        while (facts->status == before)
            facts->status = running[below(random, 4)];
    return true;
}

/* to_and_fro: what it changes to it was before, or will be soon. */
static void change(struct random *random, struct facts *facts, bool to_and_fro) {
    enum { STATUS, PHASES, START, ENROLMENT, TITLE, CONDITION, SPONSOR };
    static const unsigned weights[] = {148, 141, 75, 54, 11, 19, 3};
    size_t field = weighted(random, weights, sizeof weights / sizeof *weights);
    if (field == STATUS && step_status(random, facts))
        return;
    switch (field) {
    case PHASES:
        facts->phases = (uint8_t)((facts->phases + 1 + below(random, 4)) % 5);
        return;
    case ENROLMENT:
        facts->enrolment = to_and_fro ? facts->enrolment ^ 16
                                      : facts->enrolment + 1 + (int32_t)below(random, 20);
        return;
    case TITLE:
        facts->title = (uint16_t)(to_and_fro ? facts->title ^ 1 : facts->title + 1);
        return;
    case CONDITION:
        facts->conditions = (uint16_t)((facts->conditions + 1 + below(random, 900)) % 1000);
        return;
    case SPONSOR:
        facts->sponsor = (uint8_t)(to_and_fro ? facts->sponsor ^ 1 : (facts->sponsor + 1) % SPONSORS);
        return;
    default:
        facts->start = to_and_fro ? facts->start ^ 32 : facts->start + 1 + (int32_t)below(random, 60);
        return;
    }
}

static bool same_facts(const struct facts *a, const struct facts *b) {
    return a->status == b->status && a->phases == b->phases && a->sponsor == b->sponsor &&
           a->title == b->title && a->conditions == b->conditions &&
           a->enrolment == b->enrolment && a->start == b->start;
}

/* Fields in which the systems contradict each other. Conditions differ without a conflict. */
static int count_conflicts(const struct trial *trial) {
    bool status = false, phases = false, sponsor = false, title = false, enrolment = false,
         start = false;
    const struct facts *first = NULL;
    for (size_t i = 0; i < SYSTEMS; i++) {
        const struct facts *facts = &trial->told[i].facts;
        if (!trial->told[i].any)
            continue;
        if (first == NULL)
            first = facts;
        status |= facts->status != first->status;
        phases |= facts->phases != first->phases;
        sponsor |= facts->sponsor != first->sponsor;
        title |= facts->title != first->title;
        enrolment |= facts->enrolment != first->enrolment;
        start |= facts->start != first->start;
    }
    return status + phases + sponsor + title + enrolment + start;
}

/* --- encoding: the fields of Trial, in their order --- */

static void encode_date(struct hub_buffer *buffer, int32_t day) {
    hub_encode_long(buffer, 1);
    hub_encode_long(buffer, day);
    hub_encode_long(buffer, /* precision DAY= */ 0);
}

static void encode_digest(struct hub_buffer *buffer, uint64_t number) {
    struct random random = {number};
    hub_encode_long(buffer, 1);
    for (int i = 0; i < 4; i++) {
        uint64_t part = next_random(&random);
        hub_buffer_append(buffer, &part, sizeof part);
    }
}

static void encode_stamp(struct hub_buffer *buffer, const struct told *told, size_t system,
                         int64_t sequence) {
    char text[64];
    snprintf(text, sizeof text, "2025-%02lld-%02lld~%012lld",
             (long long)(1 + told->version_day / 28), (long long)(1 + told->version_day % 28),
             (long long)sequence);
    hub_encode_text(buffer, text);
    hub_encode_long(buffer, 1); /* event_time */
    hub_encode_long(buffer, told->event_time_ms);
    hub_encode_long(buffer, /* offset_minutes= */ 60);
    hub_encode_long(buffer, 0); /* zone */
    hub_encode_long(buffer, 0); /* recorded_time */
    hub_encode_long(buffer, /* state CURRENT= */ 0);
    hub_encode_long(buffer, 0); /* reason */
    snprintf(text, sizeof text, "%s-%lld.json#/studies/%lld", systems[system].name,
             (long long)(sequence / 50), (long long)(sequence % 50));
    hub_encode_optional_text(buffer, text);
    encode_digest(buffer, (uint64_t)sequence);
    encode_digest(buffer, system);
}

static void encode_identifier(struct hub_buffer *buffer, const char *scheme, const char *value) {
    hub_encode_text(buffer, scheme);
    hub_encode_long(buffer, 0); /* issuer */
    hub_encode_text(buffer, value);
    hub_encode_long(buffer, 0); /* version */
    hub_encode_long(buffer, /* relation SELF= */ 0);
}

enum { FIRST_NUMBER = 20000000, NUMBERS_END = 100000000, APART = 13, APART_WHERE_MANY = 7 };

/* As far apart as in ClinicalTrials.gov, where about every thirteenth number is taken: how many others
 * are one slip away from a number is work for the hub. Where eight digits are too few for that, closer. */
static size_t apart(size_t trials) {
    return trials < (NUMBERS_END - FIRST_NUMBER) / APART ? APART : APART_WHERE_MANY;
}

static size_t number_of(const struct bench_statements *statements, size_t trial) {
    return FIRST_NUMBER + trial * statements->apart;
}

/* NCT numbers name the trial everywhere; ISRCTN adds its own. */
static void encode_identifiers(struct bench_statements *statements, size_t system, size_t trial) {
    struct hub_buffer *buffer = &statements->value;
    char number[32];
    bool own = strcmp(systems[system].name, "isrctn") == 0;
    hub_encode_array_begin(buffer, own ? 2 : 1);
    snprintf(number, sizeof number, "NCT%08zu", number_of(statements, trial));
    encode_identifier(buffer, "nct", number);
    if (own) {
        snprintf(number, sizeof number, "ISRCTN%08zu", number_of(statements, trial));
        encode_identifier(buffer, "isrctn", number);
    }
    hub_encode_array_end(buffer);
}

static void encode_title(struct hub_buffer *buffer, size_t trial, const struct facts *facts) {
    static const char *const forms[] = {
        "%s for %s, study %zu/%u",
        "Safety and Efficacy of %s in Patients With %s (%zu/%u)",
        "A Phase I/II, Open-label, Single-arm Study of the Safety and Efficacy of %s in the Treatment "
        "of %s, %zu/%u"};
    char text[256];
    const char *product = products[trial % PRODUCTS];
    const char *condition = conditions[trial / 7 % CONDITIONS];
    unsigned form = (unsigned)(trial % 10 == 0 ? 0 : trial % 10 < 7 ? 1 : 2);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, forms[form], product, condition, trial, facts->title);
#pragma GCC diagnostic pop
    hub_encode_array_begin(buffer, 1);
    hub_encode_text(buffer, "en");
    hub_encode_text(buffer, text);
    hub_encode_array_end(buffer);
}

static void encode_sponsor(struct hub_buffer *buffer, size_t sponsor) {
    hub_encode_long(buffer, 1);
    hub_encode_optional_text(buffer, sponsors[sponsor].org);
    hub_encode_text(buffer, sponsors[sponsor].text);
}

static void encode_phases(struct hub_buffer *buffer, size_t phases) {
    static const int symbols[][PHASES_MAX] = {{0, -1}, {1, -1}, {1, 2}, {2, -1}, {3, -1}};
    size_t count = symbols[phases][1] < 0 ? 1 : 2;
    hub_encode_array_begin(buffer, count);
    for (size_t i = 0; i < count; i++)
        hub_encode_long(buffer, symbols[phases][i]);
    hub_encode_array_end(buffer);
}

static void encode_conditions(struct hub_buffer *buffer, unsigned number) {
    size_t count = number % 10 < 6 ? 1 : number % 10 < 9 ? 3 : 6;
    hub_encode_array_begin(buffer, count);
    for (size_t i = 0; i < count; i++)
        hub_encode_text(buffer, conditions[(number / 10 + i) % CONDITIONS]);
    hub_encode_array_end(buffer);
}

static void encode_products(struct hub_buffer *buffer, size_t trial) {
    size_t count = trial % 10 < 6 ? 1 : trial % 10 < 9 ? 2 : 4;
    hub_encode_array_begin(buffer, count);
    for (size_t i = 0; i < count; i++) {
        hub_encode_long(buffer, /* kind= */ i == 0 ? 1 : 3);
        hub_encode_text(buffer, products[(trial + i) % PRODUCTS]);
    }
    hub_encode_array_end(buffer);
}

/* ClinicalTrials.gov alone names sites: mostly one, sometimes several. */
static void encode_sites(struct hub_buffer *buffer, size_t system, size_t trial) {
    static const char *const cities[] = {"Lund", "Leiden", "Sampletown", "Umea"};
    size_t count = system != 0 ? 0 : trial % 10 < 8 ? 1 : 3;
    hub_encode_array_begin(buffer, count);
    for (size_t i = 0; i < count; i++) {
        size_t sponsor = (trial + i) % SPONSORS;
        hub_encode_optional_text(buffer, sponsors[sponsor].org);
        hub_encode_text(buffer, sponsors[sponsor].text);
        hub_encode_optional_text(buffer, cities[(trial + i) % 4]);
        hub_encode_optional_text(buffer, "Sweden");
    }
    hub_encode_array_end(buffer);
}

static void encode(struct bench_statements *statements, size_t trial, size_t system) {
    struct hub_buffer *buffer = &statements->value;
    const struct told *told = &statements->trials[trial].told[system];
    const struct facts *facts = &told->facts;
    hub_buffer_clear(buffer);
    hub_frame_append(buffer, statements->schema->id);
    encode_stamp(buffer, told, system, statements->sequence);
    encode_identifiers(statements, system, trial);
    hub_encode_array_end(buffer); /* links */
    encode_title(buffer, trial, facts);
    hub_encode_long(buffer, 0); /* acronym */
    encode_sponsor(buffer, facts->sponsor);
    hub_encode_long(buffer, 1);
    hub_encode_long(buffer, facts->status);
    encode_phases(buffer, facts->phases);
    encode_conditions(buffer, facts->conditions);
    encode_products(buffer, trial);
    hub_encode_long(buffer, 1);
    hub_encode_long(buffer, facts->enrolment);
    hub_encode_long(buffer, /* type TARGET= */ 1);
    encode_date(buffer, facts->start);
    hub_encode_long(buffer, 0);   /* primary_end */
    hub_encode_long(buffer, 0);   /* end */
    hub_encode_array_end(buffer); /* by_country */
    encode_sites(buffer, system, trial);
}

/* --- events --- */

struct bench_statements *bench_statements_new(const struct hub_catalogue *catalogue, uint64_t seed,
                                              size_t trials) {
    struct bench_statements *statements = hub_allocate_zero(1, sizeof *statements);
    statements->schema = hub_catalogue_latest(catalogue, "trial");
    statements->random.state = seed;
    statements->trials = hub_allocate_zero(trials, sizeof *statements->trials);
    statements->trial_count = trials;
    assert(statements->schema != NULL && trials > 0 && trials <= BENCH_TRIALS_MAX);
    statements->apart = apart(trials);
    for (size_t i = 0; i < trials; i++)
        statements->trials[i].facts = first_facts(&statements->random);
    return statements;
}

void bench_statements_free(struct bench_statements *statements) {
    hub_release(statements->trials);
    hub_buffer_free(&statements->value);
    hub_arena_destroy(&statements->arena);
    hub_release(statements);
}

void bench_statements_tell_each(struct bench_statements *statements) {
    statements->each_end = SYSTEMS * statements->trial_count;
}

void bench_statements_to_and_fro(struct bench_statements *statements) {
    statements->to_and_fro = true;
}

struct bench_expected bench_statements_expected(const struct bench_statements *statements) {
    struct bench_expected expected = statements->expected;
    for (size_t i = 0; i < statements->trial_count; i++) {
        const struct trial *trial = &statements->trials[i];
        for (size_t k = 0; k < SYSTEMS; k++)
            if (trial->told[k].any) {
                expected.entities++;
                break;
            }
        expected.conflicts_open += count_conflicts(trial);
    }
    return expected;
}

void bench_statements_evenly(struct bench_statements *statements, bool evenly) {
    statements->evenly = evenly;
}

/* Few trials are told of often, most of them seldom; or all alike. */
static size_t pick_trial(struct bench_statements *statements) {
    double u = (double)(next_random(&statements->random) >> 11) / 9007199254740992.0;
    double evenly = (double)statements->trial_count * u;
    return (size_t)(statements->evenly ? evenly : evenly * u * u);
}

static bool tells_of(size_t system, size_t trial) {
    return (trial * 2654435761u >> 7) % 100 < systems[system].share_percent;
}

static size_t pick_system(struct bench_statements *statements, size_t trial) {
    for (;;) {
        size_t system = below(&statements->random, SYSTEMS);
        if (tells_of(system, trial))
            return system;
    }
}

/* What a system has not told of yet, where each is to be told of. */
static bool pick_each(struct bench_statements *statements, size_t *ret_trial, size_t *ret_system) {
    while (statements->each < statements->each_end) {
        *ret_system = statements->each / statements->trial_count;
        *ret_trial = statements->each++ % statements->trial_count;
        if (tells_of(*ret_system, *ret_trial))
            return true;
    }
    return false;
}

/* The system says it again, in another document. */
static bool is_repeat_due(const struct bench_statements *statements) {
    return statements->expected.unchanged * 10 < statements->picked * 3;
}

static enum bench_event_kind advance(struct bench_statements *statements, size_t trial_index,
                                     size_t system) {
    struct trial *trial = &statements->trials[trial_index];
    struct told *told = &trial->told[system];
    struct bench_expected *expected = &statements->expected;
    if (told->any && is_repeat_due(statements)) {
        expected->unchanged++;
        return BENCH_REPEAT;
    }
    bool first = !told->any;
    while (!first && same_facts(&told->facts, &trial->facts))
        change(&statements->random, &trial->facts, statements->to_and_fro);
    static const int64_t began_ms = 1735689600000; /* 2025-01-01 */
    told->facts = trial->facts;
    told->event_time_ms = began_ms + statements->sequence * 10;
    told->version_day = statements->sequence / 40000 % 336;
    told->any = true;
    if (first)
        expected->created++;
    else
        expected->changed++;
    return first ? BENCH_FIRST : BENCH_UPDATE;
}

static void set_envelope(struct bench_statements *statements, size_t system, const char *key,
                         const struct told *told, struct bench_event *event) {
    struct hub_arena *arena = &statements->arena;
    struct hub_envelope envelope = {
        .id = hub_arena_format(arena, "%s-%s/%lld/0", systems[system].institution,
                               systems[system].name, (long long)statements->sequence),
        .source = hub_arena_format(arena, "urn:atmp:%s:%s", systems[system].institution,
                                   systems[system].name),
        .type = "atmp.trial.stated",
        .subject = key,
        .has_time = true,
        .time_ms = told->event_time_ms};
    event->header_count = hub_envelope_headers(&envelope, arena, event->headers);
}

/* What the system says of the trial now. */
static void tell(struct bench_statements *statements, size_t trial, size_t system,
                 struct bench_event *event) {
    encode(statements, trial, system);
    bool own = strcmp(systems[system].name, "isrctn") == 0;
    const char *key = hub_arena_format(&statements->arena, "%s/%s%08zu", systems[system].name,
                                       own ? "" : "NCT", number_of(statements, trial));
    event->institution = systems[system].institution;
    event->key = hub_bytes_of_text(key);
    event->value = hub_buffer_bytes(&statements->value);
    set_envelope(statements, system, key, &statements->trials[trial].told[system], event);
    struct bench_sum sum = {0};
    bench_sum_add(&sum, event->key, event->value, event->headers, event->header_count);
    statements->expected.events++;
    statements->expected.bytes += sum.bytes;
}

void bench_statements_next(struct bench_statements *statements, struct bench_event *ret_event) {
    hub_arena_reset(&statements->arena);
    statements->sequence++;
    size_t trial = 0, system = 0;
    bool free_to_pick = !pick_each(statements, &trial, &system);
    if (free_to_pick) {
        trial = pick_trial(statements);
        system = pick_system(statements, trial);
    }
    *ret_event = (struct bench_event){.kind = advance(statements, trial, system)};
    statements->picked += free_to_pick;
    tell(statements, trial, system, ret_event);
}

bool bench_statements_has_told_each(const struct bench_statements *statements) {
    return statements->each >= statements->each_end;
}

void bench_statements_repeat(struct bench_statements *statements, struct bench_event *ret_event) {
    hub_arena_reset(&statements->arena);
    statements->sequence++;
    size_t trial = pick_trial(statements);
    size_t system = pick_system(statements, trial);
    *ret_event = (struct bench_event){.kind = BENCH_REPEAT};
    statements->expected.unchanged++;
    tell(statements, trial, system, ret_event);
}

/* --- sums --- */

static uint64_t mix(uint64_t hash, struct hub_bytes bytes) {
    hash = (hash ^ bytes.size) * 0x100000001b3;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * 0x100000001b3;
    return hash;
}

void bench_sum_add(struct bench_sum *sum, struct hub_bytes key, struct hub_bytes value,
                   const struct hub_header *headers, size_t header_count) {
    uint64_t hash = mix(mix(0xcbf29ce484222325, key), value);
    sum->bytes += (int64_t)(key.size + value.size);
    for (size_t i = 0; i < header_count; i++) {
        struct hub_bytes name = hub_bytes_of_text(headers[i].name);
        hash = mix(mix(hash, name), headers[i].value);
        sum->bytes += (int64_t)(name.size + headers[i].value.size);
    }
    sum->digest += hash;
    sum->records++;
}

enum hub_status bench_event_write(struct hub_producer *producer, const struct bench_event *event,
                                  struct hub_error *reterr) {
    char topic[64];
    snprintf(topic, sizeof topic, "ingest.%s.trial", event->institution);
    struct hub_kafka_write write = {.topic = topic,
                                    .partition = -1,
                                    .has_key = true,
                                    .key = event->key,
                                    .value = event->value,
                                    .headers = (const struct hub_kafka_header *)event->headers,
                                    .header_count = event->header_count};
    return hub_producer_write(producer, &write, reterr);
}
