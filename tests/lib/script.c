#include "tests/lib/script.h"

#include "schemas/lib/frame.h"

#include <stdio.h>
#include <string.h>

enum { RECORDS_MIN = 2, RECORDS_MAX = 9, VERSIONS_MAX = 3, LINES_MAX = 64 };

struct maker {
    struct script *script;
    struct test_random random;
    struct hub_buffer json;
};

static size_t below(struct maker *maker, size_t bound) {
    return test_random_below(&maker->random, bound);
}

static bool chance(struct maker *maker, size_t one_in) {
    return below(maker, one_in) == 0;
}

#define PICK(maker, list) ((list)[below((maker), sizeof(list) / sizeof *(list))])

static void write(struct maker *maker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void write(struct maker *maker, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    hub_buffer_append_text(&maker->json, text);
}

static void begin(struct maker *maker, size_t version) {
    hub_buffer_clear(&maker->json);
    write(maker, "{'statement': {'version': '%zu'", version);
    if (chance(maker, 2))
        write(maker, ", 'event_time': {'time': '2026-0%zu-01T08:00:00'}", 1 + below(maker, 9));
    if (chance(maker, 8))
        write(maker, ", 'state': 'WITHDRAWN', 'reason': 'taken back'");
    write(maker, "}");
}

static void end(struct maker *maker, const char *institution, const char *key) {
    struct script *script = maker->script;
    const struct hub_domain *domain = test_domain(script->domain);
    HUB_SCOPED_BUFFER message = {0};
    write(maker, "}");
    hub_frame_append(&message, domain->schema->id);
    hub_buffer_append_bytes(&message,
                            test_value(domain->schema->root, hub_buffer_text(&maker->json),
                                       &script->arena));
    script->lines[script->count++] = (struct script_line){
        institution, key,
        hub_bytes(hub_arena_text(&script->arena, (const char *)message.data, message.size),
                  message.size)};
}

static void start(struct maker *maker, struct script *script, const char *domain, uint64_t seed) {
    *script = (struct script){.domain = domain, .trials = script->trials};
    script->lines = hub_arena_take_zero(&script->arena, LINES_MAX, sizeof *script->lines);
    *maker = (struct maker){.script = script, .random = {seed}};
}

/* --- trials --- */

static const char *const numbers[][2] = {
    {"nct", "NCT00000101"},        {"nct", "NCT00000102"},        {"nct", "NCT00000103"},
    {"eudract", "2019-000001-11"}, {"eudract", "2019-000002-12"}, {"isrctn", "ISRCTN00000201"},
    {"isrctn", "ISRCTN00000202"},  {"idrcb", "2019-A00001-01"},   {"idrcb", "2019-A00002-02"}};

static const char *const misread[] = {"NCT0000010l", "nct 00000102", "2O19-000001-11", "NCT00000",
                                      "ISRCTN00002001"};

static void write_numbers(struct maker *maker) {
    size_t count = 1 + below(maker, 3), start = below(maker, 9);
    write(maker, ", 'identifiers': [");
    for (size_t i = 0; i < count; i++) {
        const char *const *number = numbers[(start + i * (1 + below(maker, 3))) % 9];
        write(maker, "%s{'scheme': '%s', 'value': '%s', 'relation': '%s'}", i == 0 ? "" : ", ",
              number[0], number[1],
              chance(maker, 6) ? "RELATED" : chance(maker, 6) ? "UNVERIFIED" : "SELF");
    }
    if (chance(maker, 6)) /* as a mapping gives what it could not read or did not expect */
        write(maker, ", {'scheme': 'other', 'value': '%s', 'relation': 'UNVERIFIED'}",
              PICK(maker, misread));
    write(maker, "]");
}

static void write_trial(struct maker *maker) {
    static const char *const states[] = {"PLANNED", "RECRUITING", "ACTIVE", "COMPLETED"};
    static const char *const kinds[] = {"ACTUAL", "TARGET", "UNSTATED"};
    static const char *const starts[] = {"{'value': '2019-01-01', 'precision': 'YEAR'}",
                                         "{'value': '2019-03-01', 'precision': 'MONTH'}",
                                         "{'value': '2019-03-07', 'precision': 'DAY'}",
                                         "{'value': '2019-04-02', 'precision': 'DAY'}"};
    static const char *const sponsors[] = {"ror:02z31g829", "ror:012a77v79", "ror:05xvt9f17"};
    write_numbers(maker);
    if (chance(maker, 2))
        write(maker, ", 'titles': [{'lang': 'en', 'text': 'Title %zu'}]", below(maker, 3));
    if (chance(maker, 2))
        write(maker, ", 'sponsor': {'org': '%s', 'text': 'S'}", PICK(maker, sponsors));
    if (chance(maker, 2))
        write(maker, ", 'status': '%s'", PICK(maker, states));
    if (chance(maker, 2))
        write(maker, ", 'enrolment': {'count': %zu, 'type': '%s'}", 10 + below(maker, 3),
              PICK(maker, kinds));
    if (chance(maker, 2))
        write(maker, ", 'start': %s", PICK(maker, starts));
    if (chance(maker, 3))
        write(maker, ", 'conditions': ['C%zu', 'c%zu']", below(maker, 2), below(maker, 2));
}

void script_make_trials(struct script *script, uint64_t seed) {
    static const char *const voices[][2] = {{"sus", "ctgov"},      {"lumc", "ctgov"},
                                            {"sus", "euctr"},      {"lu", "isrctn"},
                                            {"lumc", "cart-register"}, {"sus", "sus-trials"}};
    struct maker maker;
    start(&maker, script, "trial", seed);
    size_t records = RECORDS_MIN + below(&maker, RECORDS_MAX - RECORDS_MIN + 1);
    for (size_t i = 0; i < records; i++) {
        const char *const *voice = PICK(&maker, voices);
        const char *key = hub_arena_format(&script->arena, "%s/%zu", voice[1], below(&maker, 6));
        size_t versions = 1 + below(&maker, VERSIONS_MAX);
        bool known = false;
        for (size_t k = 0; k < script->count; k++)
            known |= strcmp(script->lines[k].key, key) == 0 &&
                     strcmp(script->lines[k].institution, voice[0]) == 0;
        for (size_t version = 1; !known && version <= versions; version++) {
            begin(&maker, version);
            write_trial(&maker);
            end(&maker, voice[0], key);
        }
    }
    hub_buffer_free(&maker.json);
}

/* --- slots --- */

static void write_slot(struct maker *maker, const char *number) {
    static const char *const states[] = {"FREE",   "HELD", "BOOKED",   "BOOKED",
                                         "IN_USE", "DONE", "CANCELLED"};
    /* Two spellings of one; another of the same shard, and one of another shard. */
    static const char *const facilities[] = {"ror:05xvt9f17", "ror:05xvt9f17", "LUMC",
                                             "ror:02z31g829", "ror:012a77v79"};
    size_t hour = below(maker, 6);
    write(maker, ", 'facility': '%s', 'suite': 'Suite %zu'", PICK(maker, facilities),
          1 + below(maker, 2));
    write(maker, ", 'identifiers': [{'scheme': 'slot', 'issuer': 'lumc-mes', 'value': '%s', "
          "'relation': 'SELF'}]", number);
    write(maker, ", 'interval': {'start': {'time': '2026-03-01T%02zu:00:00'}, 'end': {'time': "
          "'2026-03-01T%02zu:00:00'}}", hour, hour + 1 + below(maker, 3));
    write(maker, ", 'status': '%s'", PICK(maker, states));
    if (maker->script->trials > 0 && !chance(maker, 4))
        write(maker, ", 'links': [{'domain': 'trial', 'role': 'trial', 'identifier': {'scheme': "
              "'nct', 'value': 'NCT0000000%zu', 'relation': 'SELF'}}]",
              below(maker, maker->script->trials));
}

void script_make_slots(struct script *script, uint64_t seed) {
    struct maker maker;
    start(&maker, script, "gmp-slot", seed);
    size_t records = RECORDS_MIN + below(&maker, RECORDS_MAX - RECORDS_MIN + 1);
    for (size_t i = 0; i < records; i++) {
        /* Now and then the calendar tells of the slot before, in its own words. */
        bool calendar = i > 0 && chance(&maker, 4);
        const char *key = hub_arena_format(&script->arena, "%s/%zu",
                                           calendar ? "lumc-calendar" : "lumc-mes", i);
        const char *number = hub_arena_format(&script->arena, "lumc-mes/%zu", i - calendar);
        size_t versions = 1 + below(&maker, VERSIONS_MAX);
        for (size_t version = 1; version <= versions; version++) {
            begin(&maker, version);
            write_slot(&maker, number);
            end(&maker, "lumc", key);
        }
    }
    hub_buffer_free(&maker.json);
}

void script_free(struct script *script) {
    hub_arena_destroy(&script->arena);
}
