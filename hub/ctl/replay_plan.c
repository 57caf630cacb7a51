/* What hubctl replay is asked for, and what was begun. */
#include "hub/ctl/replay.h"
#include "hub/ctl/when.h"

#include "hub/base/text.h"
#include "hub/io/file.h"

#include <string.h>

enum { BEGUN_SIZE_MAX = 16 * 1024 * 1024 };

/* Options that say what is replayed, as they stand in CERTIFICATE.begun. */
struct asked {
    const char *name, **value;
};

enum { ASKED = 5 };

static void list_asked(struct hub_ctl *ctl, struct asked asked[ASKED]) {
    const struct asked all[ASKED] = {{"from", &ctl->from},
                                     {"to", &ctl->to},
                                     {"topic", &ctl->topic},
                                     {"domain", &ctl->domain},
                                     {"entity", &ctl->entity}};
    memcpy(asked, all, sizeof all);
}

/* --- times --- */

static enum hub_status read_time(const char *option, const char *text, int64_t otherwise_ms,
                                 int64_t *ret_ms, struct hub_error *reterr) {
    *ret_ms = otherwise_ms;
    if (text != NULL && !hub_ctl_when(text, ret_ms))
        return hub_fail(reterr, HUB_REJECT, "%s %s: 2026-03-01 or 2026-03-01T12:00:00+01:00 would "
                        "pass", option, text);
    return HUB_OK;
}

static enum hub_status read_choice(struct hub_replaying *replaying, struct hub_error *reterr) {
    const struct hub_ctl *ctl = replaying->ctl;
    HUB_TRY(read_time("--from", ctl->from, INT64_MIN, &replaying->from_ms, reterr));
    HUB_TRY(read_time("--to", ctl->to, INT64_MAX, &replaying->to_ms, reterr));
    if (replaying->from_ms >= replaying->to_ms)
        return hub_fail(reterr, HUB_REJECT, "--to must be later than --from");
    if (ctl->entity != NULL && ctl->topic != NULL)
        return hub_fail(reterr, HUB_REJECT, "what is about --entity is in all topics of its domain; "
                        "without --topic it would pass");
    replaying->choice.topic = ctl->topic;
    replaying->choice.domain = ctl->domain;
    replaying->choice.entity = ctl->entity;
    return HUB_OK;
}

/* --- logs --- */

/* TOPIC-PARTITION */
static bool take_topic(const char *name, char topic[HUB_TOPIC_SIZE_MAX + 1]) {
    const char *dash = strrchr(name, '-');
    uint64_t partition = 0;
    if (dash == NULL || dash == name || dash - name > HUB_TOPIC_SIZE_MAX ||
        !hub_text_to_number(hub_bytes_of_text(dash + 1), &partition))
        return false;
    memcpy(topic, name, (size_t)(dash - name));
    topic[dash - name] = '\0';
    return true;
}

static enum hub_status add_log(struct hub_replaying *replaying, const char *name, uint64_t size,
                               struct hub_error *reterr) {
    struct hub_replay_log log = {.folder = hub_arena_format(&replaying->arena, "%s/%s",
                                                            replaying->ctl->archive, name),
                                 .size = size};
    HUB_TRY(hub_ctl_keys_of(&replaying->keys, log.folder, &log.key, reterr));
    HUB_GROW(replaying->logs, replaying->log_count, replaying->log_capacity);
    replaying->logs[replaying->log_count++] = log;
    return HUB_OK;
}

/* A log that was never signed has nothing yet. */
static bool is_signed(struct hub_replaying *replaying, const char *name) {
    struct hub_file_facts facts;
    struct hub_error error;
    const char *path = hub_arena_format(&replaying->arena, "%s/%s/checkpoint",
                                        replaying->ctl->archive, name);
    return hub_file_facts(path, &facts, &error) == HUB_OK;
}

static enum hub_status list_logs(struct hub_replaying *replaying, struct hub_error *reterr) {
    char **names = NULL, topic[HUB_TOPIC_SIZE_MAX + 1];
    size_t count = 0;
    HUB_TRY(hub_file_list(replaying->ctl->archive, "", &replaying->arena, &names, &count, reterr));
    for (size_t i = 0; i < count; i++)
        if (take_topic(names[i], topic) && hub_choice_has_topic(&replaying->choice, topic) &&
            is_signed(replaying, names[i]))
            HUB_TRY(add_log(replaying, names[i], /* size= */ 0, reterr));
    if (replaying->log_count == 0)
        return hub_fail(reterr, HUB_REJECT, "%s: there is no log of what is asked for; `ls` shows "
                        "which there are, TOPIC-PARTITION", replaying->ctl->archive);
    return HUB_OK;
}

static void set_logs(struct hub_replaying *replaying) {
    json_t *logs = json_array();
    for (size_t i = 0; i < replaying->log_count; i++) {
        const struct hub_checkpoint *checkpoint = hub_replay_checkpoint(replaying->replay, i);
        HUB_SCOPED_BUFFER root = {0}, key = {0};
        replaying->logs[i].size = checkpoint->size;
        hub_base64_append(hub_bytes(checkpoint->root.bytes, HUB_DIGEST_SIZE), &root);
        hub_note_key_append(&replaying->logs[i].key, &key);
        json_array_append_new(
            logs, json_pack("{s:s, s:s, s:I, s:s, s:s}", "log",
                            strrchr(replaying->logs[i].folder, '/') + 1, "origin",
                            checkpoint->origin, "size", (json_int_t)checkpoint->size, "root",
                            hub_buffer_text(&root), "key", hub_buffer_text(&key)));
    }
    json_object_set_new(replaying->begun, "logs", logs);
}

/* --- what was begun --- */

static enum hub_status load_begun(struct hub_replaying *replaying, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER text = {.size_max = BEGUN_SIZE_MAX};
    json_error_t error;
    HUB_TRY(hub_file_read(replaying->begun_path, &text, reterr));
    replaying->begun = json_loadb((const char *)text.data, text.size, 0, &error);
    if (!json_is_array(json_object_get(replaying->begun, "logs")))
        return hub_fail(reterr, HUB_REJECT, "%s: it is not what a replay begins with",
                        replaying->begun_path);
    return HUB_OK;
}

/* What is given again must be the same; what is not is taken from there. */
static enum hub_status take_asked(struct hub_replaying *replaying, struct hub_error *reterr) {
    struct asked asked[ASKED];
    list_asked(replaying->ctl, asked);
    for (size_t i = 0; i < ASKED; i++) {
        const char *was = json_string_value(json_object_get(replaying->begun, asked[i].name));
        const char *given = *asked[i].value;
        if (given != NULL && (was == NULL || strcmp(given, was) != 0))
            return hub_fail(reterr, HUB_REJECT, "it was begun with %s%s%s, not with --%s %s: what was "
                            "begun is gone on with as it was", was == NULL ? "no" : "",
                            was == NULL ? " --" : "--", asked[i].name, asked[i].name, given);
        *asked[i].value = was;
    }
    return HUB_OK;
}

static enum hub_status take_logs(struct hub_replaying *replaying, struct hub_error *reterr) {
    const json_t *logs = json_object_get(replaying->begun, "logs"), *log = NULL;
    char topic[HUB_TOPIC_SIZE_MAX + 1];
    size_t i = 0;
    json_array_foreach(logs, i, log) {
        const char *name = json_string_value(json_object_get(log, "log"));
        json_int_t size = json_integer_value(json_object_get(log, "size"));
        if (name == NULL || strchr(name, '/') != NULL || !take_topic(name, topic) || size <= 0)
            return hub_fail(reterr, HUB_REJECT, "%s: log %zu is none", replaying->begun_path, i);
        HUB_TRY(add_log(replaying, name, (uint64_t)size, reterr));
    }
    return HUB_OK;
}

/* --- the whole --- */

static enum hub_status open_replay(struct hub_replaying *replaying, struct hub_error *reterr) {
    const struct hub_replay_config config = {.logs = replaying->logs,
                                             .log_count = replaying->log_count,
                                             .from_ms = replaying->from_ms,
                                             .to_ms = replaying->to_ms};
    HUB_TRY(hub_replay_open(&config, &replaying->replay, reterr));
    replaying->values = hub_values_new();
    json_t *were = json_incref(json_object_get(replaying->begun, "logs"));
    set_logs(replaying);
    bool same = were == NULL || json_equal(were, json_object_get(replaying->begun, "logs"));
    json_decref(were);
    if (!same)
        return hub_fail(reterr, HUB_REJECT, "%s: its logs are not those of this archive",
                        replaying->begun_path);
    for (size_t i = 0; i < replaying->log_count; i++)
        HUB_TRY(hub_choice_learn(&replaying->choice, &replaying->logs[i], reterr));
    return HUB_OK;
}

enum hub_status hub_replay_plan(struct hub_replaying *replaying, struct hub_error *reterr) {
    if (replaying->ctl->resume) {
        HUB_TRY(load_begun(replaying, reterr));
        HUB_TRY(take_asked(replaying, reterr));
        HUB_TRY(read_choice(replaying, reterr));
        HUB_TRY(take_logs(replaying, reterr));
    } else {
        replaying->begun = json_object();
        HUB_TRY(read_choice(replaying, reterr));
        HUB_TRY(list_logs(replaying, reterr));
    }
    return open_replay(replaying, reterr);
}

enum hub_status hub_replay_begin(struct hub_replaying *replaying, struct hub_error *reterr) {
    struct asked asked[ASKED];
    list_asked(replaying->ctl, asked);
    for (size_t i = 0; i < ASKED; i++)
        json_object_set_new(replaying->begun, asked[i].name,
                            *asked[i].value == NULL ? json_null()
                                                    : json_string(*asked[i].value));
    char *text = hub_need(json_dumps(replaying->begun, JSON_INDENT(1)));
    enum hub_status status =
        hub_file_write(replaying->begun_path, hub_bytes_of_text(text), reterr);
    hub_release(text);
    return status;
}
