/* What hubctl replay ends with: what was replayed, so that others can tell that it is that. */
#include "hub/ctl/replay.h"

#include "hub/io/file.h"
#include "schemas/lib/slice.h"

#include <stdio.h>
#include <string.h>

/* --- by what it was made --- */

static struct hub_replay_rules *find_rules(struct hub_replaying *replaying, const char *topic,
                                           struct hub_bytes rules, int64_t core) {
    for (size_t i = replaying->rules_count; i > 0; i--) {
        struct hub_replay_rules *found = &replaying->rules[i - 1];
        if (found->core == core && hub_bytes_equal_text(rules, found->rules) &&
            strcmp(found->topic, topic) == 0)
            return found;
    }
    HUB_GROW(replaying->rules, replaying->rules_count, replaying->rules_capacity);
    struct hub_replay_rules *fresh = &replaying->rules[replaying->rules_count++];
    *fresh = (struct hub_replay_rules){.topic = hub_copy_text(topic),
                                       .rules = hub_copy_bytes(rules.data, rules.size),
                                       .core = core};
    return fresh;
}

/* Each unified record says by which rules, and by which core, it was made. */
static void note_rules(struct hub_replaying *replaying, const struct hub_archive_record *record,
                       const struct hub_schema *schema) {
    const struct hub_type *root = schema->root;
    int rules = root->kind == HUB_RECORD ? hub_type_field(root, "rules") : -1;
    int core = root->kind == HUB_RECORD ? hub_type_field(root, "core") : -1;
    if (rules < 0 || core < 0 || root->fields[rules].type->kind != HUB_STRING ||
        root->fields[core].type->kind != HUB_INT)
        return;
    struct hub_bytes body = record->record.value;
    struct hub_bytes text = hub_slice_octets(hub_slice_field(root, body, (size_t)rules));
    int64_t number = hub_slice_long(hub_slice_field(root, body, (size_t)core));
    find_rules(replaying, record->leaf.topic, text, number)->records++;
}

void hub_replay_count_in(struct hub_replaying *replaying, const struct hub_archive_record *record,
                         const struct hub_schema *schema) {
    struct hub_replay_place *last = &replaying->last;
    memcpy(last->topic, record->leaf.topic, strlen(record->leaf.topic) + 1);
    last->partition = record->leaf.partition;
    last->offset = record->leaf.offset;
    last->timestamp_ms = record->leaf.timestamp_ms;
    if (replaying->tally.count == 0)
        replaying->first = *last;
    hub_tally_add(&replaying->tally, &record->leaf.digest);
    if (schema != NULL && strncmp(record->leaf.topic, "unified.", 8) == 0)
        note_rules(replaying, record, schema);
}

/* --- the certificate --- */

static json_t *place(const struct hub_replaying *replaying, const struct hub_replay_place *place) {
    return replaying->tally.count == 0
               ? json_null()
               : json_pack("{s:s, s:i, s:I, s:I}", "topic", place->topic, "partition",
                           (int)place->partition, "offset", (json_int_t)place->offset, "timestamp",
                           (json_int_t)place->timestamp_ms);
}

static json_t *list_rules(const struct hub_replaying *replaying) {
    json_t *list = json_array();
    for (size_t i = 0; i < replaying->rules_count; i++) {
        const struct hub_replay_rules *rules = &replaying->rules[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I}", "topic", rules->topic,
                                              "rules", rules->rules, "core",
                                              (json_int_t)rules->core, "records",
                                              (json_int_t)rules->records));
    }
    return list;
}

static json_t *certificate(const struct hub_replaying *replaying) {
    const struct hub_ctl *ctl = replaying->ctl;
    struct hub_digest tally = hub_tally_digest(&replaying->tally);
    char digest[HUB_DIGEST_TEXT_SIZE];
    hub_digest_text(&tally, HUB_DIGEST_SIZE, digest);
    json_t *certificate = json_pack(
        "{s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:s}", "certificate", "replay",
        ctl->to_file != NULL ? "file" : "topic", ctl->to_file != NULL ? ctl->to_file : ctl->to_topic,
        "count", (json_int_t)replaying->tally.count, "digest", digest, "first",
        place(replaying, &replaying->first), "last", place(replaying, &replaying->last), "rules",
        list_rules(replaying), "keys", replaying->keys.count > 0 ? "given" : "each log's own");
    json_object_update(certificate, replaying->begun);
    json_object_set_new(certificate, "program", json_string("hubctl " HUB_VERSION));
    return certificate;
}

enum hub_status hub_replay_certify(struct hub_replaying *replaying, struct hub_error *reterr) {
    json_t *told = certificate(replaying);
    char *text = hub_need(json_dumps(told, JSON_INDENT(1)));
    HUB_SCOPED_BUFFER lines = {0};
    hub_buffer_append_format(&lines, "%s\n", text);
    json_decref(told);
    hub_release(text);
    HUB_TRY(hub_file_write(replaying->certificate_path, hub_buffer_bytes(&lines), reterr));
    return hub_file_remove(replaying->begun_path, reterr);
}
