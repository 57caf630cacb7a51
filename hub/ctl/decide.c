/* hubctl conflict resolve, defer, reopen; entity join, separate: writes a decision, and waits for what
 * the hub makes of it. */
#include "hub/ctl/read.h"

#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"

#include <stdio.h>
#include <string.h>

enum { SIDE_MAX = 64, WAIT_MS = 30000, SUBJECT_DIGITS = 8 };

/* The symbols of DecisionKind, in order. */
enum kind { CHOOSE = 0, DEFER, REOPEN, JOIN, SEPARATE };

struct side {
    const char *keys[SIDE_MAX];
    size_t count;
};

struct deciding {
    struct hub_ctl *ctl;
    struct hub_arena arena;
    enum kind kind;
    const char *prefix; /* of the topics that tell what came of it */
    const char *domain, *subject, *decision_id;
    struct side statements, others;
    int64_t revision, other_revision, shard;
    bool has_other_revision;
    int64_t events_before;
};

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static int64_t number_of(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

/* --- what is decided about --- */

/* The latest record under a key; NULL where there is none. Owned by the caller. */
static json_t *find_latest(struct hub_ctl *ctl, const char *prefix, const char *key,
                           bool *ret_reached) {
    json_t *latest = hub_ctl_latest(ctl, prefix), *record, *found = NULL;
    size_t i;
    *ret_reached = latest != NULL;
    json_array_foreach(latest, i, record) {
        if (strcmp(text_of(record, "key"), key) == 0)
            found = json_incref(record);
    }
    json_decref(latest);
    return found;
}

static enum hub_exit need(struct hub_ctl *ctl, const char *prefix, const char *what,
                          const char *key, json_t **ret_record) {
    bool reached = false;
    *ret_record = find_latest(ctl, prefix, key, &reached);
    if (*ret_record != NULL)
        return HUB_EXIT_OK;
    if (!reached)
        return HUB_EXIT_UNREACHABLE;
    fprintf(stderr, "hubctl: there is no %s %s\n", what, key);
    return HUB_EXIT_NOT_FOUND;
}

static const char *keep(struct deciding *deciding, const char *text) {
    return hub_arena_text(&deciding->arena, text, strlen(text));
}

static enum hub_exit about_conflict(struct deciding *deciding) {
    const char *id = deciding->ctl->arguments[0];
    json_t *record = NULL, *entity = NULL;
    enum hub_exit code = need(deciding->ctl, "conflict.", "conflict", id, &record);
    if (code != HUB_EXIT_OK)
        return code;
    const json_t *conflict = json_object_get(record, "value");
    deciding->prefix = "conflict.";
    deciding->subject = id;
    deciding->domain = keep(deciding, text_of(conflict, "domain"));
    deciding->shard = number_of(record, "partition");
    deciding->events_before = number_of(conflict, "events");
    const char *owner =
        keep(deciding, json_string_value(json_array_get(json_object_get(conflict, "entities"), 0)));
    json_decref(record);
    code = need(deciding->ctl, "unified.", "entity", owner, &entity);
    if (code == HUB_EXIT_OK)
        deciding->revision = number_of(json_object_get(entity, "value"), "revision");
    json_decref(entity);
    return code;
}

static bool add_key(struct side *side, const char *key) {
    if (side->count == SIDE_MAX)
        return false;
    side->keys[side->count++] = key;
    return true;
}

/* Comma-separated statement keys. */
static bool list_keys(struct deciding *deciding, const char *text, struct side *side) {
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        if (size > 0 && !add_key(side, hub_arena_text(&deciding->arena, text, size)))
            return false;
        text += size + (text[size] == ',');
    }
    return true;
}

static bool holds(const struct side *side, const char *key) {
    for (size_t i = 0; i < side->count; i++)
        if (strcmp(side->keys[i], key) == 0)
            return true;
    return false;
}

/* The entity's statements that are not on the other side; at most `limit`. */
static void add_statements(struct deciding *deciding, const json_t *entity, size_t limit,
                           const struct side *but, struct side *side) {
    const json_t *statement;
    size_t i;
    json_array_foreach(json_object_get(entity, "statements"), i, statement) {
        const char *key = text_of(statement, "key");
        if (side->count < limit && (but == NULL || !holds(but, key)))
            add_key(side, keep(deciding, key));
    }
}

/* The same sides have the same subject, whichever is named first: the newest decision counts. */
static const char *name_pair(struct deciding *deciding) {
    const struct side *a = &deciding->statements, *b = &deciding->others;
    HUB_SCOPED_BUFFER text = {0};
    char digits[2 * SUBJECT_DIGITS + 1];
    if (strcmp(a->keys[0], b->keys[0]) > 0) {
        a = &deciding->others;
        b = &deciding->statements;
    }
    for (size_t i = 0; i < a->count; i++)
        hub_buffer_append_format(&text, "%s\n", a->keys[i]);
    hub_buffer_append_text(&text, "~\n");
    for (size_t i = 0; i < b->count; i++)
        hub_buffer_append_format(&text, "%s\n", b->keys[i]);
    struct hub_digest digest = hub_sha256.digest(hub_buffer_bytes(&text));
    hub_digest_text(&digest, SUBJECT_DIGITS, digits);
    return hub_arena_format(&deciding->arena, "pair/%s", digits);
}

/* Of two entities: to join them one statement of each is enough; to keep them apart all are named. */
static enum hub_exit about_two_entities(struct deciding *deciding, const json_t *a) {
    json_t *record = NULL;
    size_t limit = deciding->kind == JOIN ? 1 : SIDE_MAX;
    enum hub_exit code =
        need(deciding->ctl, "unified.", "entity", deciding->ctl->arguments[1], &record);
    if (code != HUB_EXIT_OK)
        return code;
    const json_t *b = json_object_get(record, "value");
    add_statements(deciding, a, limit, NULL, &deciding->statements);
    add_statements(deciding, b, limit, NULL, &deciding->others);
    deciding->other_revision = number_of(b, "revision");
    deciding->has_other_revision = true;
    json_decref(record);
    return HUB_EXIT_OK;
}

static enum hub_exit about_entities(struct deciding *deciding) {
    struct hub_ctl *ctl = deciding->ctl;
    json_t *record = NULL;
    enum hub_exit code = need(ctl, "unified.", "entity", ctl->arguments[0], &record);
    if (code != HUB_EXIT_OK)
        return code;
    const json_t *entity = json_object_get(record, "value");
    deciding->prefix = "match.";
    struct hub_bytes prefix, domain;
    if (hub_bytes_cut(hub_bytes_of_text(text_of(record, "topic")), '.', &prefix, &domain))
        deciding->domain =
            hub_arena_text(&deciding->arena, (const char *)domain.data, domain.size);
    deciding->shard = number_of(record, "partition");
    deciding->revision = number_of(entity, "revision");
    if (ctl->argument_count > 1) {
        code = about_two_entities(deciding, entity);
    } else {
        list_keys(deciding, ctl->statement, &deciding->statements);
        add_statements(deciding, entity, SIDE_MAX, &deciding->statements, &deciding->others);
    }
    json_decref(record);
    if (code == HUB_EXIT_OK && (deciding->statements.count == 0 || deciding->others.count == 0)) {
        fprintf(stderr, "hubctl: there are no two sides: name a second entity, or with "
                        "--statement some of the entity's statements\n");
        return HUB_EXIT_USAGE;
    }
    if (code != HUB_EXIT_OK)
        return code;
    deciding->subject = name_pair(deciding);
    bool reached = false;
    json_t *before = find_latest(ctl, "match.", deciding->subject, &reached);
    deciding->events_before = number_of(json_object_get(before, "value"), "events");
    json_decref(before);
    return reached ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

/* --- writing it --- */

static void encode_side(const struct side *side, struct hub_buffer *value) {
    hub_encode_array_begin(value, side->count);
    for (size_t i = 0; i < side->count; i++)
        hub_encode_text(value, side->keys[i]);
    hub_encode_array_end(value);
}

/* As in schemas/hub/decision.avsc. */
static void encode(const struct deciding *deciding, int64_t now_ms, struct hub_buffer *value) {
    const struct hub_ctl *ctl = deciding->ctl;
    hub_frame_append(value, hub_catalogue_latest(ctl->catalogue, "decision")->id);
    hub_encode_text(value, deciding->decision_id);
    hub_encode_text(value, deciding->domain);
    hub_encode_text(value, deciding->subject);
    hub_encode_long(value, deciding->kind);
    encode_side(&deciding->statements, value);
    hub_encode_optional_text(value, NULL); /* field */
    hub_encode_optional_text(value, NULL); /* chosen */
    hub_encode_long(value, deciding->revision);
    encode_side(&deciding->others, value);
    hub_encode_long(value, deciding->has_other_revision);
    if (deciding->has_other_revision)
        hub_encode_long(value, deciding->other_revision);
    hub_encode_long(value, deciding->shard);
    hub_encode_text(value, ctl->reason);
    hub_encode_text(value, ctl->by);
    hub_encode_optional_text(value, NULL); /* confirmed_by */
    hub_encode_long(value, now_ms);
}

static enum hub_status write_decision(struct deciding *deciding, struct hub_error *reterr) {
    const struct hub_ctl *ctl = deciding->ctl;
    struct hub_producer *producer = NULL;
    int64_t now_ms = hub_clock_realtime_ms();
    HUB_SCOPED_BUFFER value = {0};
    deciding->decision_id = hub_arena_format(&deciding->arena, "%s@%lld", deciding->subject,
                                             (long long)now_ms);
    encode(deciding, now_ms, &value);
    struct hub_kafka_write write = {.topic = "decision",
                                    .partition = 0,
                                    .has_key = true,
                                    .key = hub_bytes_of_text(deciding->subject),
                                    .value = hub_buffer_bytes(&value)};
    const char *id = hub_arena_format(&deciding->arena, "%s.ctl.%s", ctl->group, ctl->by);
    HUB_TRY(hub_producer_new(ctl->bootstrap, id, &producer, reterr));
    enum hub_status status = hub_producer_begin(producer, reterr);
    if (status == HUB_OK)
        status = hub_producer_write(producer, &write, reterr);
    if (status == HUB_OK)
        status = hub_producer_commit(producer, reterr);
    hub_producer_free(producer);
    return status;
}

/* --- what came of it --- */

static enum hub_exit tell(const struct deciding *deciding, const json_t *record) {
    const json_t *value = json_object_get(record, "value");
    const json_t *refused = json_object_get(value, "refused");
    bool waits = strcmp(text_of(json_object_get(value, "proposal"), "decision_id"),
                        deciding->decision_id) == 0;
    if (json_is_string(refused)) {
        printf("%s: refused: %s\n", deciding->subject, json_string_value(refused));
        return HUB_EXIT_FINDINGS;
    }
    printf("%s: %s\n", deciding->subject,
           waits                        ? "proposed; a second person has to decide the same"
           : deciding->kind == DEFER    ? "deferred"
           : deciding->kind == REOPEN   ? "reopened"
                                        : "decided");
    return HUB_EXIT_OK;
}

static enum hub_exit wait_for_event(struct deciding *deciding) {
    int64_t deadline_ms = hub_clock_monotonic_ms() + WAIT_MS;
    while (hub_clock_monotonic_ms() < deadline_ms) {
        bool reached = false;
        json_t *record =
            find_latest(deciding->ctl, deciding->prefix, deciding->subject, &reached);
        bool moved = record != NULL && number_of(json_object_get(record, "value"), "events") >
                                           deciding->events_before;
        enum hub_exit code = moved ? tell(deciding, record) : HUB_EXIT_OK;
        json_decref(record);
        if (moved || !reached)
            return moved ? code : HUB_EXIT_UNREACHABLE;
    }
    fprintf(stderr, "hubctl: the decision is written, and the hub has not taken it within %d s; "
                    "it will when it runs\n", WAIT_MS / 1000);
    return HUB_EXIT_UNREACHABLE;
}

static enum hub_exit decide(struct hub_ctl *ctl, enum kind kind) {
    struct deciding deciding = {.ctl = ctl, .kind = kind};
    struct hub_error error;
    bool about_two = kind == JOIN || kind == SEPARATE;
    if (ctl->reason == NULL || ctl->by == NULL) {
        fprintf(stderr, "hubctl: a decision needs --reason TEXT and --by NAME\n");
        return HUB_EXIT_USAGE;
    }
    if (kind == CHOOSE && ctl->statement == NULL) {
        fprintf(stderr, "hubctl: --statement KEY names the statement whose value is chosen\n");
        return HUB_EXIT_USAGE;
    }
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    if (kind == CHOOSE)
        list_keys(&deciding, ctl->statement, &deciding.statements);
    enum hub_exit code = about_two ? about_entities(&deciding) : about_conflict(&deciding);
    if (code == HUB_EXIT_OK && write_decision(&deciding, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        code = HUB_EXIT_UNREACHABLE;
    } else if (code == HUB_EXIT_OK) {
        code = wait_for_event(&deciding);
    }
    hub_arena_destroy(&deciding.arena);
    return code;
}

enum hub_exit hub_ctl_conflict_resolve(struct hub_ctl *ctl) {
    return decide(ctl, CHOOSE);
}

enum hub_exit hub_ctl_conflict_defer(struct hub_ctl *ctl) {
    return decide(ctl, DEFER);
}

enum hub_exit hub_ctl_conflict_reopen(struct hub_ctl *ctl) {
    return decide(ctl, REOPEN);
}

enum hub_exit hub_ctl_entity_join(struct hub_ctl *ctl) {
    return decide(ctl, JOIN);
}

enum hub_exit hub_ctl_entity_separate(struct hub_ctl *ctl) {
    return decide(ctl, SEPARATE);
}
