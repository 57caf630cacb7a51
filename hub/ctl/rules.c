/* hubctl rules show, diff, activate. */
#include "hub/ctl/rules.h"

#include "hub/engine/topics.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "hub/stages/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 60000 };

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* --- show --- */

static void show_shard(const struct hub_domain *domain, int32_t shard,
                       const struct hub_ctl_ruled *ruled, json_t *list,
                       struct hub_ctl_table *table) {
    bool same = strcmp(ruled->in_force, domain->rules) == 0;
    const json_t *last =
        json_array_get(ruled->history, json_array_size(ruled->history) - 1);
    json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:b, s:s, s:b, s:O}", "domain",
                                          domain->name, "shard", (int)shard, "in_force",
                                          ruled->in_force, "named", ruled->named, "folder",
                                          domain->rules, "same", same, "history",
                                          ruled->history));
    hub_ctl_table_cell(table, "%s", domain->name);
    hub_ctl_table_cell(table, "%d", shard);
    hub_ctl_table_cell(table, "%s", ruled->in_force);
    hub_ctl_table_cell(table, "%s", domain->rules);
    hub_ctl_table_cell(table, "%s", !ruled->named ? "the log names none"
                                    : same        ? "the same"
                                                  : "NOT IN FORCE");
    hub_ctl_table_cell(table, "%s%s", text_of(last, "reason"),
                       last != NULL && !json_is_true(json_object_get(last, "effect"))
                           ? " (without effect: it replaces other rules)"
                           : "");
}

enum hub_exit hub_ctl_rules_show(struct hub_ctl *ctl) {
    static const char *const head[] = {"DOMAIN", "SHARD", "IN FORCE", "FOLDER", "THE FOLDER'S",
                                       "LAST ENTRY"};
    struct hub_ctl_table table = {.head = head, .columns = 6};
    struct hub_arena arena = {0};
    const char *only = ctl->argument_count > 0 ? ctl->arguments[0] : ctl->domain;
    size_t shown = 0;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    struct hub_source *source = hub_ctl_source(ctl);
    bool reached = source != NULL;
    json_t *list = json_array();
    for (size_t i = 0; reached && i < ctl->catalogue->domain_count; i++) {
        const struct hub_domain *domain = &ctl->catalogue->domains[i];
        struct hub_ctl_ruled *shards = NULL;
        int32_t count = 0;
        if (only != NULL && strcmp(only, domain->name) != 0)
            continue;
        shown++;
        reached = hub_ctl_rules_read(ctl, source, domain, &arena, &shards, &count);
        for (int32_t k = 0; reached && k < count; k++)
            show_shard(domain, k, &shards[k], list, &table);
        if (reached)
            hub_ctl_ruled_free(shards, count);
    }
    hub_source_free(source);
    if (reached && ctl->json) {
        json_dumpf(list, stdout, JSON_INDENT(1));
        printf("\n");
    } else if (reached && shown > 0) {
        hub_ctl_table_print(&table);
    }
    json_decref(list);
    hub_ctl_table_free(&table);
    hub_arena_destroy(&arena);
    if (reached && shown == 0)
        fprintf(stderr, "hubctl: there is no domain %s\n", only);
    return !reached ? HUB_EXIT_UNREACHABLE : shown == 0 ? HUB_EXIT_NOT_FOUND : HUB_EXIT_OK;
}

/* --- two rules --- */

struct pair {
    struct hub_ctl *ctl;
    const struct hub_domain *domain;
    struct hub_arena arena;
    struct hub_rules_texts texts[2];
    struct hub_rules *rules[2]; /* from, to */
};

static void end_pair(struct pair *pair) {
    hub_rules_compiler.release(pair->rules[0]);
    hub_rules_compiler.release(pair->rules[1]);
    hub_arena_destroy(&pair->arena);
}

static enum hub_exit begin_pair(struct pair *pair, const char *from, const char *to) {
    struct hub_ctl *ctl = pair->ctl;
    const char *names[] = {from, to};
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    pair->domain = hub_catalogue_domain(ctl->catalogue, hub_bytes_of_text(ctl->arguments[0]));
    if (pair->domain == NULL) {
        fprintf(stderr, "hubctl: there is no domain %s\n", ctl->arguments[0]);
        return HUB_EXIT_NOT_FOUND;
    }
    enum hub_exit code = HUB_EXIT_OK;
    for (size_t i = 0; code == HUB_EXIT_OK && i < 2; i++)
        code = hub_ctl_rules_find(ctl, pair->domain, names[i], &pair->arena, &pair->texts[i],
                                  &pair->rules[i]);
    return code;
}

static const char *hash_of(const char *report, char ret_hash[HUB_DIGEST_TEXT_SIZE]) {
    struct hub_digest digest = hub_sha256.digest(hub_bytes_of_text(report));
    hub_digest_text(&digest, HUB_DIGEST_SIZE, ret_hash);
    return ret_hash;
}

/* --- diff --- */

/* The members of a sample in a line. */
static void print_sample(const json_t *sample) {
    const char *key;
    json_t *value;
    printf("    ");
    json_object_foreach((json_t *)sample, key, value) {
        char *text = json_is_string(value)
                         ? hub_copy_text(json_string_value(value))
                         : json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
        if (*text != '\0')
            printf(" %s %s;", key, text);
        free(text);
    }
    printf("\n");
}

static void print_report(const json_t *report, const char *hash) {
    static const struct {
        const char *name, *words;
    } rows[] = {{"merged", "entities that are several now and become one"},
                {"split", "entities that are one now and become several"},
                {"values_changed", "fields whose value changes"},
                {"sources_changed", "fields whose value stays, and is another statement's"},
                {"conflicts_opened", "conflicts opened"},
                {"conflicts_closed", "conflicts closed"},
                {"conflicts_changed", "conflicts of another severity"},
                {"matches_opened", "possible matches opened"},
                {"matches_closed", "possible matches closed"}};
    const char *field;
    json_t *count, *sample;
    size_t i;
    printf("%s: from rules %s to %s, on %lld entries\n", text_of(report, "domain"),
           text_of(report, "from"), text_of(report, "to"),
           (long long)json_integer_value(json_object_get(report, "entries")));
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        const json_t *finding = json_object_get(report, rows[row].name);
        printf("%6lld  %s\n", (long long)json_integer_value(json_object_get(finding, "count")),
               rows[row].words);
        if (strcmp(rows[row].name, "values_changed") == 0)
            json_object_foreach(json_object_get(report, "fields"), field, count)
                printf("%6lld    of %s\n", (long long)json_integer_value(count), field);
        json_array_foreach(json_object_get(finding, "samples"), i, sample)
            print_sample(sample);
    }
    printf("report %s\n", hash);
}

static enum hub_exit write_report(const char *path, const char *report) {
    struct hub_error error;
    if (hub_file_write(path, hub_bytes_of_text(report), &error) == HUB_OK)
        return HUB_EXIT_OK;
    fprintf(stderr, "hubctl: %s\n", error.text);
    return HUB_EXIT_USAGE;
}

enum hub_exit hub_ctl_rules_diff(struct hub_ctl *ctl) {
    struct pair pair = {.ctl = ctl};
    char hash[HUB_DIGEST_TEXT_SIZE];
    char *text = NULL;
    bool differs = false;
    enum hub_exit code = begin_pair(&pair, ctl->from == NULL ? "active" : ctl->from,
                                    ctl->to == NULL ? "file" : ctl->to);
    if (code == HUB_EXIT_OK)
        code = hub_ctl_rules_rehearse(ctl, pair.domain, pair.rules[0], pair.rules[1], &text,
                                      &differs);
    if (code == HUB_EXIT_OK && ctl->report != NULL)
        code = write_report(ctl->report, text);
    if (code == HUB_EXIT_OK) {
        json_t *report = json_loads(text, 0, NULL);
        hash_of(text, hash);
        if (ctl->json) {
            json_object_set_new(report, "report", json_string(hash));
            json_dumpf(report, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
            printf("\n");
        } else {
            print_report(report, hash);
        }
        json_decref(report);
        code = differs ? HUB_EXIT_FINDINGS : HUB_EXIT_OK;
    }
    free(text);
    end_pair(&pair);
    return code;
}

/* --- activate --- */

static bool is_hash(const char *text) {
    return strlen(text) == HUB_DIGEST_TEXT_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == HUB_DIGEST_TEXT_SIZE - 1;
}

/* The report of a file; of a hash by rehearsing again, which comes to the same while the log stands
 * still. */
static enum hub_exit find_report(struct pair *pair, char **ret_report) {
    struct hub_ctl *ctl = pair->ctl;
    struct hub_error error;
    char hash[HUB_DIGEST_TEXT_SIZE];
    bool differs = false;
    if (!is_hash(ctl->report)) {
        HUB_SCOPED_BUFFER text = {.size_max = HUB_RULES_REPORT_SIZE_MAX};
        if (hub_file_read(ctl->report, &text, &error) != HUB_OK) {
            fprintf(stderr, "hubctl: %s\n", error.text);
            return HUB_EXIT_NOT_FOUND;
        }
        *ret_report = hub_copy_text(hub_buffer_text(&text));
        return HUB_EXIT_OK;
    }
    enum hub_exit code = hub_ctl_rules_rehearse(ctl, pair->domain, pair->rules[0], pair->rules[1],
                                                ret_report, &differs);
    if (code != HUB_EXIT_OK || strcmp(hash_of(*ret_report, hash), ctl->report) == 0)
        return code;
    fprintf(stderr, "hubctl: the rehearsal of these rules on the log as it is now is %s, not %s; "
                    "the report's file would pass even where the log has moved\n", hash,
            ctl->report);
    return HUB_EXIT_FINDINGS;
}

static enum hub_status write_rules(struct pair *pair, const char *report, int64_t now_ms,
                                   struct hub_error *reterr) {
    struct hub_ctl *ctl = pair->ctl;
    char hash[HUB_DIGEST_TEXT_SIZE];
    HUB_SCOPED_BUFFER message = {0};
    struct hub_rules_entry entry = {.domain = pair->domain->name,
                                    .rules = pair->rules[1]->domain.rules,
                                    .replaces = pair->rules[0]->domain.rules,
                                    .core = HUB_CORE_VERSION,
                                    .unified_schema = pair->domain->unified->id,
                                    .texts = pair->texts[1],
                                    .report = report,
                                    .report_hash = hash_of(report, hash),
                                    .reason = ctl->reason,
                                    .decided_by = ctl->by,
                                    .decided_time_ms = now_ms};
    hub_rules_entry_encode(&entry, ctl->catalogue, &message);
    struct hub_kafka_write write = {
        .topic = HUB_DECISION_TOPIC,
        .has_key = true,
        .key = hub_bytes_of_text(
            hub_arena_format(&pair->arena, "%s%s", HUB_RULES_PREFIX, pair->domain->name)),
        .value = hub_buffer_bytes(&message)};
    return hub_ctl_write(ctl, &write, 1, reterr);
}

struct letters {
    const struct pair *pair;
    int64_t since_ms;
    json_t *found; /* or NULL */
};

static bool take_letter(void *context, const struct hub_ctl_record *record) {
    struct letters *letters = context;
    const char *key = hub_arena_format((struct hub_arena *)&letters->pair->arena, "%s%s",
                                       HUB_RULES_PREFIX, letters->pair->domain->name);
    if (!hub_bytes_equal_text(record->key, key) || record->timestamp_ms < letters->since_ms)
        return true;
    letters->found = hub_ctl_value(record);
    return letters->found == NULL;
}

/* Whether every shard has the entry of that time; `ret_effect`, whether it has effect in all. */
static bool is_entered(const struct hub_ctl_ruled *shards, int32_t count, int64_t now_ms,
                       int64_t *ret_offsets, bool *ret_effect) {
    *ret_effect = true;
    for (int32_t i = 0; i < count; i++) {
        json_t *entry;
        size_t k;
        ret_offsets[i] = -1;
        json_array_foreach(shards[i].history, k, entry) {
            if (json_integer_value(json_object_get(entry, "time_ms")) != now_ms)
                continue;
            ret_offsets[i] = json_integer_value(json_object_get(entry, "offset"));
            *ret_effect = *ret_effect && json_is_true(json_object_get(entry, "effect"));
        }
        if (ret_offsets[i] < 0)
            return false;
    }
    return true;
}

/* Whether the fold has taken everything up to where the logs were read. */
static bool is_folded(struct pair *pair, const int64_t *offsets, int32_t count,
                      struct hub_error *reterr) {
    struct hub_kafka_partition partitions[HUB_SHARDS];
    for (int32_t i = 0; i < count; i++)
        partitions[i] = (struct hub_kafka_partition){
            hub_arena_format(&pair->arena, "log.%s", pair->domain->name), i, -1, NULL};
    const char *group = hub_arena_format(&pair->arena, "%s-fold", pair->ctl->group);
    if (hub_reader_committed(pair->ctl->bootstrap, group, partitions, (size_t)count, &pair->arena,
                             reterr) != HUB_OK)
        return false;
    for (int32_t i = 0; i < count; i++)
        if (partitions[i].offset <= offsets[i] + (int64_t)strlen(HUB_REMERGE_RANGES))
            return false;
    return true;
}

/* What became of it, once that is known. */
static bool look(struct pair *pair, struct hub_source *source, int64_t now_ms,
                 enum hub_exit *ret_code) {
    struct hub_ctl_ruled *shards = NULL;
    struct letters letters = {.pair = pair, .since_ms = now_ms};
    int64_t offsets[HUB_SHARDS];
    struct hub_error ignored;
    int32_t count = 0;
    bool effect = false;
    *ret_code = HUB_EXIT_UNREACHABLE;
    if (!hub_ctl_read_topic(pair->ctl, source, "deadletter.hub", take_letter, &letters))
        return true;
    if (letters.found != NULL) {
        printf("%s: refused: %s: %s\n", pair->domain->name, text_of(letters.found, "path"),
               text_of(letters.found, "reason"));
        json_decref(letters.found);
        *ret_code = HUB_EXIT_FINDINGS;
        return true;
    }
    if (!hub_ctl_rules_read(pair->ctl, source, pair->domain, &pair->arena, &shards, &count))
        return true;
    bool entered = is_entered(shards, count, now_ms, offsets, &effect);
    hub_ctl_ruled_free(shards, count);
    if (!entered || (effect && !is_folded(pair, offsets, count, &ignored)))
        return false;
    if (effect)
        printf("%s: folded by the rules %s, and merged again by them\n", pair->domain->name,
               pair->rules[1]->domain.rules);
    else
        printf("%s: refused: other rules than %s are in force by now\n", pair->domain->name,
               pair->rules[0]->domain.rules);
    *ret_code = effect ? HUB_EXIT_OK : HUB_EXIT_FINDINGS;
    return true;
}

static enum hub_exit wait_for_entries(struct pair *pair, int64_t now_ms) {
    struct hub_source *source = hub_ctl_source(pair->ctl);
    int64_t deadline_ms = hub_clock_monotonic_ms() + WAIT_MS;
    enum hub_exit code = HUB_EXIT_UNREACHABLE;
    if (source == NULL)
        return code;
    while (hub_clock_monotonic_ms() < deadline_ms) {
        if (look(pair, source, now_ms, &code)) {
            hub_source_free(source);
            return code;
        }
    }
    hub_source_free(source);
    fprintf(stderr, "hubctl: the rules are written, and the hub has not taken them within %d s; it "
                    "will when it runs\n", WAIT_MS / 1000);
    return HUB_EXIT_UNREACHABLE;
}

enum hub_exit hub_ctl_rules_activate(struct hub_ctl *ctl) {
    struct pair pair = {.ctl = ctl};
    struct hub_error error;
    char *report = NULL;
    if (ctl->reason == NULL || ctl->by == NULL || ctl->report == NULL) {
        fprintf(stderr, "hubctl: rules need --report FILE (or its hash) of `hubctl rules diff`, "
                        "--reason TEXT and --by NAME\n");
        return HUB_EXIT_USAGE;
    }
    int64_t now_ms = hub_clock_realtime_ms();
    enum hub_exit code = begin_pair(&pair, "active", ctl->to == NULL ? "file" : ctl->to);
    if (code == HUB_EXIT_OK)
        code = find_report(&pair, &report);
    if (code == HUB_EXIT_OK && write_rules(&pair, report, now_ms, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        code = HUB_EXIT_UNREACHABLE;
    } else if (code == HUB_EXIT_OK) {
        code = wait_for_entries(&pair, now_ms);
    }
    free(report);
    end_pair(&pair);
    return code;
}
