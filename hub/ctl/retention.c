/* hubctl retention show, keys, end. */
#include "hub/ctl/erase.h"
#include "hub/ctl/retention_read.h"
#include "hub/ctl/source.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <string.h>

static const int64_t DAY_MS = 86400000;

/* --- show --- */

static void add_day(struct hub_ctl_table *table, int64_t end_ms) {
    HUB_SCOPED_BUFFER text = {0};
    if (end_ms == HUB_RETENTION_NEVER)
        hub_buffer_append_text(&text, "-");
    else
        hub_render_date(end_ms / DAY_MS, &text);
    hub_ctl_table_cell(table, "%s", hub_buffer_text(&text));
}

static void add_duration(struct hub_ctl_table *table, const struct hub_retention_class *kept) {
    if (!kept->has_end)
        hub_ctl_table_cell(table, "always");
    else
        hub_ctl_table_cell(table, "%lld %s", (long long)(kept->years + kept->days),
                           kept->years > 0 ? "years" : "days");
}

static void add_after(struct hub_ctl_table *table, const struct hub_retention_clock *clock) {
    HUB_SCOPED_BUFFER text = {0};
    for (size_t i = 0; i < clock->count; i++)
        hub_buffer_append_format(&text, "%s%s", i == 0 ? "" : ", ", clock->paths[i]);
    hub_ctl_table_cell(table, "%s", clock->count == 0 ? "-" : hub_buffer_text(&text));
}

static void tell_why(const struct hub_retention *policy) {
    for (size_t i = 0; i < HUB_RETENTION_CLASSES; i++)
        printf("%c: %s\n", HUB_RETENTION_ORDER[i], policy->classes[i].because);
}

static void show(const struct hub_retention_reading *reading) {
    static const char *const head[] = {"DOMAIN", "CLASS", "KEPT", "AFTER",
                                       "RECORDS", "UNDATED", "OVER", "NEXT"};
    const struct hub_ctl *ctl = reading->ctl;
    struct hub_ctl_table table = {.head = head, .columns = 8};
    for (size_t i = 0; i < ctl->catalogue->domain_count; i++) {
        const struct hub_domain *domain = &ctl->catalogue->domains[i];
        const struct hub_retention_count *count = &reading->counts[i];
        char letter = hub_retention_of_domain(domain);
        if (ctl->domain != NULL && strcmp(ctl->domain, domain->name) != 0)
            continue;
        hub_ctl_table_cell(&table, "%s", domain->name);
        hub_ctl_table_cell(&table, "%c", letter);
        add_duration(&table, hub_retention_class(&reading->policy, letter));
        add_after(&table, &reading->policy.clocks[i]);
        hub_ctl_table_cell(&table, "%zu", count->records);
        hub_ctl_table_cell(&table, "%zu", count->undated);
        hub_ctl_table_cell(&table, "%zu", count->over);
        add_day(&table, count->next_end_ms);
    }
    hub_ctl_table_show(ctl, &table);
    hub_ctl_table_free(&table);
    if (!ctl->json)
        tell_why(&reading->policy);
}

enum hub_exit hub_ctl_retention_show(struct hub_ctl *ctl) {
    struct hub_retention_reading reading;
    enum hub_exit code = hub_retention_open(ctl, &reading);
    if (code == HUB_EXIT_OK)
        code = hub_retention_read(&reading, /* with_keys= */ false);
    if (code == HUB_EXIT_OK)
        show(&reading);
    hub_retention_close(&reading);
    return code;
}

/* --- keys --- */

enum state { RUNNING, UNDATED, ELSEWHERE, HELD, OVER, ERASED };
static const char *const state_names[] = {"running", "undated", "elsewhere", "held", "over", "erased"};

struct judging {
    struct hub_retention_reading reading;
    struct hub_arena arena;
    struct hub_keys keys;
    struct hub_error error;
};

/* A key that is over is looked for: it may be another institution's. */
static enum hub_status judge(struct judging *judging, const struct hub_retention_key *key,
                             enum state *ret_state) {
    struct hub_key_note note;
    struct hub_subject *found = NULL;
    size_t count = 0;
    bool is_noted = false;
    *ret_state = ERASED;
    HUB_TRY(hub_key_note_read(&judging->keys, HUB_KEYS_ERASED, key->key_id, &judging->arena, &note,
                              &is_noted, &judging->error));
    if (is_noted)
        return HUB_OK;
    *ret_state = key->end_ms == HUB_RETENTION_NEVER ? UNDATED : RUNNING;
    if (key->end_ms > judging->reading.now_ms)
        return HUB_OK;
    *ret_state = HELD;
    HUB_TRY(hub_key_note_read(&judging->keys, HUB_KEYS_HELD, key->key_id, &judging->arena, &note,
                              &is_noted, &judging->error));
    if (is_noted)
        return HUB_OK;
    HUB_TRY(hub_subjects_find(&judging->keys, key->key_id, &judging->arena, &found, &count,
                              &judging->error));
    *ret_state = count == 0 ? ELSEWHERE : OVER;
    return HUB_OK;
}

static enum hub_exit open_judging(struct hub_ctl *ctl, struct judging *judging) {
    *judging = (struct judging){.reading = {.ctl = ctl}};
    if (!hub_ctl_keys(ctl, &judging->arena, &judging->keys))
        return HUB_EXIT_USAGE;
    enum hub_exit code = hub_retention_open(ctl, &judging->reading);
    return code == HUB_EXIT_OK ? hub_retention_read(&judging->reading, /* with_keys= */ true) : code;
}

static void close_judging(struct judging *judging) {
    hub_retention_close(&judging->reading);
    hub_arena_destroy(&judging->arena);
}

static enum hub_exit fail(const struct judging *judging) {
    fprintf(stderr, "hubctl: %s\n", judging->error.text);
    return HUB_EXIT_FINDINGS;
}

enum hub_exit hub_ctl_retention_keys(struct hub_ctl *ctl) {
    static const char *const head[] = {"KEY", "DOMAIN", "CLASS", "STATEMENTS", "END", "STATE"};
    struct judging judging;
    struct hub_ctl_table table = {.head = head, .columns = 6};
    enum hub_exit code = open_judging(ctl, &judging);
    const struct hub_retention_key *key = judging.reading.keys;
    for (; code == HUB_EXIT_OK && key != NULL; key = key->hh.next) {
        enum state state = RUNNING;
        if (ctl->domain != NULL && strcmp(ctl->domain, key->domain) != 0)
            continue;
        if (judge(&judging, key, &state) != HUB_OK)
            code = fail(&judging);
        hub_ctl_table_cell(&table, "%s", key->key_id);
        hub_ctl_table_cell(&table, "%s", key->domain);
        hub_ctl_table_cell(&table, "%c", key->letter);
        hub_ctl_table_cell(&table, "%zu", key->statements);
        add_day(&table, key->end_ms);
        hub_ctl_table_cell(&table, "%s", state_names[state]);
    }
    if (code == HUB_EXIT_OK)
        hub_ctl_table_show(ctl, &table);
    hub_ctl_table_free(&table);
    close_judging(&judging);
    return code;
}

/* --- end --- */

static const char *reason_of(struct judging *judging, const struct hub_retention_key *key) {
    HUB_SCOPED_BUFFER from = {0}, end = {0};
    hub_render_date(key->from_ms / DAY_MS, &from);
    hub_render_date(key->end_ms / DAY_MS, &end);
    return hub_arena_format(&judging->arena, "The end of its retention (%s, class %c): from %s to %s.",
                            key->domain, key->letter, hub_buffer_text(&from), hub_buffer_text(&end));
}

/* Of what the hub has yet to take, some may need a key longer. */
static enum hub_exit check_settled(struct hub_ctl *ctl) {
    enum hub_exit code = hub_ctl_is_settled(ctl);
    if (code == HUB_EXIT_FINDINGS)
        fprintf(stderr, "hubctl: the hub has yet to take some of what was told, and that may need a key "
                        "longer; `hubctl lag` says what\n");
    return code;
}

enum hub_exit hub_ctl_retention_end(struct hub_ctl *ctl) {
    struct judging judging = {0};
    size_t count = 0, held = 0;
    if (ctl->by == NULL || *ctl->by == '\0') {
        fprintf(stderr, "hubctl: --by NAME is needed: it stays in the log\n");
        return HUB_EXIT_USAGE;
    }
    enum hub_exit code = hub_ctl_load(ctl) ? check_settled(ctl) : HUB_EXIT_FINDINGS;
    if (code != HUB_EXIT_OK)
        return code;
    code = open_judging(ctl, &judging);
    const struct hub_retention_key *key = judging.reading.keys;
    struct hub_ctl_ended *ended =
        hub_arena_take(&judging.arena, (HASH_COUNT(key) + 1) * sizeof *ended);
    for (; code == HUB_EXIT_OK && key != NULL; key = key->hh.next) {
        enum state state = RUNNING;
        if (judge(&judging, key, &state) != HUB_OK)
            code = fail(&judging);
        else if (state == OVER)
            ended[count++] = (struct hub_ctl_ended){
                key->key_id, hub_retention_class(&judging.reading.policy, key->letter)->because,
                reason_of(&judging, key)};
        if (state == HELD)
            printf("held     key %s, whose retention has ended\n", key->key_id);
        held += state == HELD;
    }
    if (code == HUB_EXIT_OK)
        code = hub_ctl_erase_ended(ctl, ended, count);
    if (code == HUB_EXIT_OK)
        printf("%zu of %u keys ended, %zu held\n", count, HASH_COUNT(judging.reading.keys), held);
    close_judging(&judging);
    return code;
}
