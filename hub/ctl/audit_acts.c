/* Administrative acts, read from where each is recorded: decisions and rules in the logs, with what the hub made
 * of them in conflict and match topics; settlements of dead letters; positions that were set by hand. */
#include "hub/ctl/audit.h"

#include "hub/engine/topics.h"
#include "hub/stages/rules_entry.h"
#include "schemas/lib/render.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name)); /* NULL: it is none */
}

static json_int_t number_of(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

static bool is_of(const struct hub_ctl_record *record, const char *subject) {
    return record->schema != NULL && strcmp(record->schema->subject, subject) == 0;
}

static bool is_text(const json_t *object, const char *name, const char *text) {
    const char *own = text_of(object, name);
    return own != NULL && strcmp(own, text) == 0;
}

/* Those of the members that are there. */
static json_t *pick(const json_t *value, const char *const *names) {
    json_t *picked = json_object();
    for (; *names != NULL; names++) {
        json_t *member = json_object_get(value, *names);
        if (member != NULL && !json_is_null(member))
            json_object_set(picked, *names, member);
    }
    return picked;
}

static const char *place_of(struct hub_ctl_audit *audit, const char *topic, int64_t partition,
                            int64_t offset) {
    return hub_arena_format(&audit->arena, "%s/%lld@%lld", topic, (long long)partition,
                            (long long)offset);
}

static void add_place(struct hub_ctl_audit *audit, json_t *act,
                      const struct hub_ctl_record *record) {
    const char *place = place_of(audit, record->topic, record->partition, record->offset);
    json_array_append_new(json_object_get(act, "places"), json_string(place));
    json_object_set(audit->by_place, place, act);
}

static json_t *text_or_null(const char *text) {
    return text == NULL ? json_null() : json_string(text);
}

static json_t *value_or_null(json_t *value) {
    return value == NULL ? json_null() : value;
}

json_t *hub_ctl_audit_add(struct hub_ctl_audit *audit, const struct hub_ctl_record *record,
                          const char *act, const char *who, const char *why, json_t *about,
                          json_t *before, json_t *after) {
    HUB_SCOPED_BUFFER time = {0};
    hub_render_time(record->timestamp_ms, &time);
    json_t *added = json_pack("{s:s, s:I, s:s, s:o, s:o, s:n, s:o, s:o, s:o, s:[]}", "time",
                              hub_buffer_text(&time), "time_ms",
                              (json_int_t)record->timestamp_ms, "act", act, "who",
                              text_or_null(who), "why", text_or_null(why), "told", "about",
                              value_or_null(about), "before", value_or_null(before), "after",
                              value_or_null(after), "places");
    json_array_append_new(audit->acts, added);
    add_place(audit, added, record);
    return added;
}

/* --- rules --- */

/* Whether they replace what is in force in that shard; then they are. */
static bool come_into_force(struct hub_ctl_audit *audit, const struct hub_ctl_record *record,
                            const json_t *value) {
    const char *shard = hub_arena_format(&audit->arena, "%s/%d", record->topic, record->partition);
    const char *in_force = text_of(audit->rules, shard), *replaces = text_of(value, "replaces");
    bool effect = replaces == NULL ? in_force == NULL
                                   : in_force != NULL && strcmp(in_force, replaces) == 0;
    if (effect)
        json_object_set(audit->rules, shard, json_object_get(value, "rules"));
    return effect;
}

static json_t *find_ruling(struct hub_ctl_audit *audit, const struct hub_ctl_record *record,
                           const json_t *value) {
    static const char *const abouts[] = {"domain", "core", "report_hash", NULL};
    const char *replaces = text_of(value, "replaces");
    const char *id = hub_arena_format(&audit->arena, "rules/%s/%s/%s", text_of(value, "domain"),
                                      text_of(value, "rules"),
                                      replaces == NULL ? "first" : text_of(value, "decided_time"));
    json_t *act = json_object_get(audit->by_id, id);
    if (act != NULL) {
        add_place(audit, act, record);
        return act;
    }
    act = hub_ctl_audit_add(audit, record, "rules put in force", text_of(value, "decided_by"),
                            text_of(value, "reason"), pick(value, abouts),
                            json_pack("{s:s?}", "rules", replaces),
                            json_pack("{s:s}", "not_taken", "no log has them"));
    json_object_set(act, "told", json_object_get(value, "decided_time"));
    json_object_set(audit->by_id, id, act);
    return act;
}

/* In a log, of each shard one; or in the topic of decisions, where they wait for the hub. */
void hub_ctl_audit_take_ruling(struct hub_ctl_audit *audit, const struct hub_ctl_record *record) {
    bool in_log = strncmp(record->topic, "log.", 4) == 0;
    struct hub_input entry = {.has_key = true, .key = record->key};
    if (!is_of(record, "rules") || (in_log && !hub_rules_entry_is(&entry)))
        return;
    json_t *value = hub_ctl_value(record);
    json_t *act = find_ruling(audit, record, value);
    if (in_log && come_into_force(audit, record, value))
        json_object_set_new(act, "after", json_pack("{s:O}", "rules", json_object_get(value, "rules")));
    else if (in_log)
        json_object_set_new(act, "after",
                            json_pack("{s:O, s:s}", "rules", json_object_get(value, "rules"),
                                      "without_effect", "it replaces rules that were not in force"));
    json_decref(value);
}

/* --- decisions --- */

static const char *words_of(const json_t *decision) {
    static const char *const words[][2] = {{"CHOOSE", "value chosen"},
                                           {"DEFER", "conflict put off"},
                                           {"REOPEN", "decision taken back"},
                                           {"JOIN", "statements joined"},
                                           {"SEPARATE", "statements kept apart"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_text(decision, "kind", words[i][0]))
            return words[i][1];
    return "decision";
}

/* The subject of a domain: of its conflicts and matches only those are remembered that were decided about. */
static const char *subject_of(struct hub_ctl_audit *audit, const char *domain,
                              const char *subject) {
    return hub_arena_format(&audit->arena, "%s %s", domain, subject);
}

void hub_ctl_audit_take_decision(struct hub_ctl_audit *audit, const struct hub_ctl_record *record) {
    static const char *const abouts[] = {"domain", "subject",        "statements", "others",
                                         "revision", "other_revision", NULL};
    if (!is_of(record, "decision"))
        return;
    json_t *value = hub_ctl_value(record);
    const char *id = text_of(value, "decision_id");
    json_t *act = json_object_get(audit->by_id, id);
    if (act != NULL) {
        add_place(audit, act, record);
    } else {
        act = hub_ctl_audit_add(audit, record, words_of(value),
                                text_of(value, "decided_by"), text_of(value, "reason"),
                                pick(value, abouts), NULL,
                                json_pack("{s:s}", "not_taken", "no record tells what came of it"));
        json_object_set(act, "told", json_object_get(value, "decided_time"));
        json_object_set(audit->by_id, id, act);
        json_object_set_new(audit->subjects,
                            subject_of(audit, text_of(value, "domain"), text_of(value, "subject")),
                            json_null());
    }
    json_decref(value);
}

/* A conflict or a match that moved: where a decision about it moved it, that one's before and after. What else a
 * decision moves is told by those conflicts themselves. */
void hub_ctl_audit_take_outcome(struct hub_ctl_audit *audit, const struct hub_ctl_record *record) {
    static const char *const told[] = {"state",    "transition", "values",  "evidence",
                                       "decision", "proposal",   "refused", NULL};
    HUB_SCOPED_BUFFER subject = {0}, place = {0};
    const char *domain = strchr(record->topic, '.') + 1;
    if (record->schema == NULL)
        return;
    hub_buffer_append_format(&subject, "%s %.*s", domain, (int)record->key.size,
                             (const char *)record->key.data);
    const char *name = hub_buffer_text(&subject);
    if (json_object_get(audit->subjects, name) == NULL)
        return;
    json_t *value = hub_ctl_value(record), *now = pick(value, told);
    hub_buffer_append_format(&place, "log.%s/%d@%lld", domain, record->partition,
                             (long long)number_of(value, "offset"));
    json_t *act = json_object_get(audit->by_place, hub_buffer_text(&place));
    const char *own = text_of(json_object_get(act, "about"), "subject");
    if (own != NULL && hub_bytes_equal_text(record->key, own)) {
        if (json_is_null(json_object_get(act, "before")))
            json_object_set(act, "before", json_object_get(audit->subjects, name));
        json_object_set(act, "after", now);
        add_place(audit, act, record);
    }
    json_object_set_new(audit->subjects, name, now);
    json_decref(value);
}

/* --- dead letters --- */

/* What an operator wrote and admit refused. */
static void refuse_act(struct hub_ctl_audit *audit, const struct hub_ctl_record *record,
                       const json_t *value) {
    if (!is_text(value, "topic", HUB_DECISION_TOPIC))
        return;
    const char *place = place_of(audit, HUB_DECISION_TOPIC, 0, number_of(value, "offset"));
    json_t *act = json_object_get(audit->by_place, place);
    if (act == NULL)
        return;
    json_object_set_new(act, "after", json_pack("{s:O}", "refused", json_object_get(value, "reason")));
    add_place(audit, act, record);
}

/* A letter that is settled already stays as the first said. */
static void settle(struct hub_ctl_audit *audit, const struct hub_ctl_record *record,
                   const json_t *value, const json_t *about) {
    static const char *const letters[] = {"connector", "document", NULL};
    static const char *const reasons[] = {"stage", "code", "reason", "path", NULL};
    const char *place = place_of(audit, record->topic, 0, number_of(about, "offset"));
    json_t *before = json_object_get(audit->letters, place), *letter = pick(value, letters);
    bool refused = is_text(about, "outcome", "REFUSED");
    bool discarded = is_text(about, "outcome", "DISCARDED");
    bool was_open = is_text(before, "state", "open");
    json_t *after = refused ? pick(value, reasons) : json_object();
    json_object_set_new(letter, "letter", json_string(place));
    json_object_set_new(after, "state", json_string(refused ? "open" : "settled"));
    json_object_set(after, "outcome", json_object_get(about, "outcome"));
    json_t *act = hub_ctl_audit_add(audit, record,
                                    discarded ? "dead letter discarded" : "dead letter tried again",
                                    text_of(about, "by"), text_of(about, "because"), letter,
                                    json_incref(before), after);
    json_object_set(act, "told", json_object_get(about, "time"));
    if (!was_open)
        return;
    audit->counts.letters_open -= !refused;
    json_object_set(audit->letters, place, after);
}

void hub_ctl_audit_take_letter(struct hub_ctl_audit *audit, const struct hub_ctl_record *record) {
    static const char *const reasons[] = {"stage", "code", "reason", "path", NULL};
    if (!is_of(record, "deadletter"))
        return;
    json_t *value = hub_ctl_value(record);
    const json_t *about = json_object_get(value, "about");
    if (json_is_object(about)) {
        settle(audit, record, value, about);
    } else {
        audit->counts.letters++;
        audit->counts.letters_open++;
        audit->counts.letters_with_original += json_is_string(json_object_get(value, "original"));
        json_t *letter = pick(value, reasons);
        json_object_set_new(letter, "state", json_string("open"));
        json_object_set_new(audit->letters,
                            place_of(audit, record->topic, record->partition, record->offset), letter);
        refuse_act(audit, record, value);
    }
    json_decref(value);
}
