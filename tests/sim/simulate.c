#include "tests/sim/simulate.h"

#include "hub/io/crypto.h"
#include "hub/stages/rules_entry.h"
#include "tests/lib/ruling.h"
#include "tests/lib/script.h"
#include "tests/sim/decide.h"
#include "tests/sim/references.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 256, DECISIONS_MAX = 16, CHANGES_MAX = 8 };
static const int64_t YEAR_2100_MS = 4102444800000, JUNE_2026_MS = 1780272000000;

enum action {
    INGEST = 0,
    DECIDE,
    ADMIT,
    FOLD,
    CRASH,
    MOVE,
    COMPACT,
    CHECKPOINT,
    LOSE_CACHE,
    RULE,
    REFER,
    CHANGE,
    ACTIONS,
};

/* One record as it is published, and when. */
struct line {
    const char *institution, *key;
    struct hub_bytes value;
    size_t place; /* in the calm run */
    int64_t time_ms;
};

struct run {
    struct test_random random;
    struct hubs *hubs;
    struct totals *totals;
    struct script script;
    struct line lines[LINES_MAX];
    size_t line_count, next_line;
    size_t decisions_left, rules_left, changes_left;
    /* The seed's own mix. */
    size_t weights[ACTIONS];
    size_t batch_max, abort_one_in;
    int64_t pace_ms;
};

static size_t below(struct run *run, size_t bound) {
    return test_random_below(&run->random, bound);
}

static bool chance(struct run *run, size_t one_in) {
    return one_in > 0 && below(run, one_in) == 0;
}

/* --- what will be said --- */

static void add_line(struct run *run, const struct script_line *line, size_t place) {
    if (run->line_count < LINES_MAX)
        run->lines[run->line_count++] =
            (struct line){line->institution, line->key, line->message, place, 0};
}

/* A copy that is no statement, or perhaps another one. */
static struct script_line damage(struct run *run, const struct script_line *line) {
    struct script_line damaged = *line;
    uint8_t *bytes = (uint8_t *)hub_arena_text(
        &run->script.arena, (const char *)line->message.data, line->message.size);
    size_t at = below(run, line->message.size);
    switch (below(run, 4)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << below(run, 8));
        damaged.message.data = bytes;
        return damaged;
    case 1:
        damaged.message.size = at;
        return damaged;
    case 2:
        damaged.message = hub_bytes(NULL, 0);
        return damaged;
    default:
        damaged.institution = strcmp(line->institution, "lu") == 0 ? "sus" : "lu";
        return damaged;
    }
}

/* Lines in the script's order, then moved by at most `reach` places. */
static void shuffle(struct run *run, size_t reach) {
    for (size_t i = run->line_count; reach > 0 && i > 1; i--) {
        size_t span = i < reach ? i : reach;
        size_t k = i - 1 - below(run, span);
        struct line kept = run->lines[i - 1];
        run->lines[i - 1] = run->lines[k];
        run->lines[k] = kept;
    }
}

static void make_lines(struct run *run, uint64_t seed) {
    static const size_t reaches[] = {0, 2, 4, LINES_MAX};
    size_t twice_one_in = chance(run, 2) ? 2 + below(run, 6) : 0;
    size_t damaged_one_in = chance(run, 3) ? 4 + below(run, 16) : 0;
    if (strcmp(run->hubs->domain->name, "gmp-slot") == 0)
        script_make_slots(&run->script, seed);
    else
        script_make_trials(&run->script, seed);
    for (size_t i = 0; i < run->script.count; i++) {
        const struct script_line *line = &run->script.lines[i];
        add_line(run, line, 2 * i);
        if (chance(run, twice_one_in))
            add_line(run, line, 2 * i);
        if (chance(run, damaged_one_in)) {
            struct script_line damaged = damage(run, line);
            add_line(run, &damaged, 2 * i + 1);
        }
    }
    shuffle(run, reaches[below(run, 4)]);
}

/* Half of the faults, each as often as the seed likes. */
static void mix(struct run *run) {
    static const int64_t paces_ms[] = {60000, 3600000, 8 * 3600000};
    run->weights[INGEST] = 2 + below(run, 6);
    run->weights[ADMIT] = 4 + below(run, 8);
    run->weights[FOLD] = 4 + below(run, 8);
    run->weights[CHECKPOINT] = chance(run, 2) ? 1 + below(run, 4) : 0;
    for (int action = CRASH; action <= LOSE_CACHE; action++)
        if (action != CHECKPOINT && chance(run, 2))
            run->weights[action] = 1 + below(run, 2);
    run->batch_max = 1 + below(run, 6);
    run->abort_one_in = chance(run, 2) ? 3 + below(run, 8) : 0;
    run->pace_ms = paces_ms[below(run, 3)];
    if (chance(run, 2)) {
        run->weights[DECIDE] = 2 + below(run, 4);
        run->decisions_left = 2 + below(run, DECISIONS_MAX - 1);
    }
    if (chance(run, 24)) {
        run->weights[RULE] = 1;
        run->rules_left = 1 + below(run, RULES_MAX - 1);
    }
    if (run->hubs->domain->reference_count > 0 && chance(run, 3)) {
        references_begin(run->hubs);
        run->script.trials = TRIALS;
        run->weights[REFER] = 2 + below(run, 8);
        run->weights[CHANGE] = 1 + below(run, 4);
        run->changes_left = 1 + below(run, CHANGES_MAX);
    }
}

/* --- what happens --- */

static void ingest(struct run *run) {
    if (run->next_line == run->line_count)
        return;
    struct line *line = &run->lines[run->next_line++];
    line->time_ms = run->hubs->clock_ms;
    run->totals->records++;
    hubs_ingest(run->hubs, line->institution, line->key, line->value);
}

static void decide(struct run *run) {
    size_t before = run->hubs->slots[0].own.history.count;
    if (run->decisions_left == 0)
        return;
    decide_something(run->hubs, &run->random);
    hub_arena_reset(&run->hubs->scratch);
    if (run->hubs->slots[0].own.history.count == before) {
        if (run->next_line == run->line_count)
            run->decisions_left--; /* nothing to decide about, and nothing will come */
        return;
    }
    run->decisions_left--;
    run->totals->decisions++;
}

/* Other rules, or those of the files again, in place of those asked for last; or of earlier ones,
 * which are not in force any more. */
static void rule(struct run *run) {
    struct hubs *hubs = run->hubs;
    struct ruling ruling;
    struct hub_rules_entry before;
    struct hub_error error;
    if (run->rules_left == 0)
        return;
    run->rules_left--;
    run->totals->rules++;
    size_t which = chance(run, 6) ? below(run, hubs->rules_count) : hubs->rules_count - 1;
    ruling_begin(&ruling, hubs->domain->name);
    if (!chance(run, 4))
        ruling_edit_some(&ruling, &run->random);
    if (hub_rules_entry_open(test_catalogue(), hubs->rules[which], &ruling.arena, &before,
                             &error) == HUB_OK)
        ruling_replace(&ruling, before.rules);
    hubs_tell(hubs, "rule     %s in place of %s", ruling.entry.rules, ruling.entry.replaces);
    hubs_rule(hubs, ruling_message(&ruling));
    ruling_end(&ruling);
}

static void change(struct run *run) {
    if (run->changes_left == 0)
        return;
    run->changes_left--;
    run->totals->changes++;
    references_change(run->hubs, &run->random);
}

static enum action action_of(const struct slot *slot) {
    return slot->kind == SLOT_FOLD ? FOLD : slot->kind == SLOT_REFER ? REFER : ADMIT;
}

/* Any partition where something waits for the action. */
static struct slot *pick_waiting(struct run *run, enum action action) {
    struct slot *waiting[SLOTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < run->hubs->slot_count; i++) {
        struct slot *slot = &run->hubs->slots[i];
        if (action_of(slot) == action && slot_waits(run->hubs, slot))
            waiting[count++] = slot;
    }
    return count == 0 ? NULL : waiting[below(run, count)];
}

static void step(struct run *run, enum action action) {
    struct slot *slot = pick_waiting(run, action);
    if (slot == NULL)
        return;
    bool commit = !chance(run, run->abort_one_in);
    run->totals->aborted += !commit;
    hubs_step(run->hubs, slot, 1 + below(run, run->batch_max), commit);
}

static void act(struct run *run, enum action action) {
    struct hubs *hubs = run->hubs;
    struct totals *totals = run->totals;
    switch (action) {
    case INGEST:
        ingest(run);
        return;
    case DECIDE:
        decide(run);
        return;
    case ADMIT:
    case FOLD:
    case REFER:
        step(run, action);
        return;
    case CRASH:
        totals->crashes++;
        hubs_crash(hubs, below(run, hubs->process_count));
        return;
    case MOVE:
        totals->moves++;
        hubs_move(hubs, &hubs->slots[below(run, hubs->slot_count)],
                  below(run, hubs->process_count));
        return;
    case COMPACT:
        totals->compactions++;
        hubs_compact(hubs, chance(run, 2) ? 1000 : below(run, 1000));
        return;
    case CHECKPOINT:
        totals->checkpoints++;
        hubs_checkpoint(hubs, below(run, hubs->process_count));
        return;
    case LOSE_CACHE:
        totals->caches_lost++;
        hubs_lose_cache(hubs, below(run, hubs->process_count));
        return;
    case RULE:
        rule(run);
        return;
    case CHANGE:
        change(run);
        return;
    case ACTIONS:
        return;
    }
}

static bool is_over(struct run *run) {
    return run->next_line == run->line_count && run->decisions_left == 0 &&
           run->rules_left == 0 && run->changes_left == 0 &&
           pick_waiting(run, FOLD) == NULL && pick_waiting(run, ADMIT) == NULL &&
           pick_waiting(run, REFER) == NULL;
}

static void happen(struct run *run) {
    size_t sum = 0;
    for (int action = 0; action < ACTIONS; action++)
        sum += run->weights[action];
    while (!run->hubs->failed && !is_over(run)) {
        size_t chosen = below(run, sum);
        int action = 0;
        for (; chosen >= run->weights[action]; action++)
            chosen -= run->weights[action];
        run->hubs->clock_ms += (int64_t)below(run, (size_t)(2 * run->pace_ms));
        act(run, (enum action)action);
    }
}

static void name_first_rules(struct run *run) {
    struct ruling ruling;
    ruling_begin(&ruling, run->hubs->domain->name);
    hubs_name_rules(run->hubs, ruling_message(&ruling));
    ruling_end(&ruling);
}

/* --- what came of it --- */

static int compare_places(const void *a, const void *b) {
    const struct line *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* The entry of the rules that are in force in the end; NULL data where the files' were never
 * replaced. */
static struct hub_bytes rules_in_force(struct run *run) {
    struct hubs *hubs = run->hubs;
    struct hub_bytes found = hub_bytes(NULL, 0);
    struct hub_arena arena = {0};
    struct hub_rules_entry entry;
    struct hub_error error;
    hubs_load(hubs, &hubs->slots[1]);
    for (size_t i = 0; !hubs->failed && i < hubs->rules_count; i++)
        if (hub_rules_entry_open(test_catalogue(), hubs->rules[i], &arena, &entry, &error) ==
                HUB_OK &&
            strcmp(entry.rules, hub_fold_rules(hubs->slots[1].state)) == 0)
            found = hubs->rules[i];
    hub_arena_destroy(&arena);
    return found;
}

/* What is listed follows from the rules in force in the end. */
static void check_listings_by_rules(struct run *run) {
    struct hub_bytes message = rules_in_force(run);
    struct hub_arena arena = {0};
    struct hub_rules_entry entry;
    struct hub_rules *rules = NULL;
    struct hub_error error;
    if (message.data != NULL &&
        (hub_rules_entry_open(test_catalogue(), message, &arena, &entry, &error) != HUB_OK ||
         hub_rules_entry_compile(test_catalogue(), &entry, &hub_sha256, &rules, &error) !=
             HUB_OK))
        hubs_fail(run->hubs, "the rules in force: %s", error.text);
    if (!run->hubs->failed)
        check_listings(run->hubs, rules == NULL ? run->hubs->domain : &rules->domain);
    hub_rules_compiler.release(rules);
    hub_arena_destroy(&arena);
}

/* The rules of the end from the beginning. */
static void name_rules_of_the_end(struct run *run, struct hubs *calm) {
    struct hub_bytes message = rules_in_force(run);
    struct hub_arena arena = {0};
    struct hub_rules_entry entry;
    struct hub_error error;
    HUB_SCOPED_BUFFER first = {0};
    if (message.data == NULL ||
        hub_rules_entry_open(test_catalogue(), message, &arena, &entry, &error) != HUB_OK)
        return;
    entry.replaces = NULL;
    hub_rules_entry_encode(&entry, test_catalogue(), &first);
    hubs_name_rules(calm, hub_buffer_bytes(&first));
    hub_arena_destroy(&arena);
}

/* One record after the other, until nothing waits. */
static void settle(struct hubs *hubs) {
    for (size_t still = 0; still < hubs->slot_count && !hubs->failed;) {
        still = 0;
        for (size_t i = 0; i < hubs->slot_count && !hubs->failed; i++) {
            if (slot_waits(hubs, &hubs->slots[i]))
                hubs_step(hubs, &hubs->slots[i], 1, true);
            else
                still++;
        }
    }
}

/* The same statements one after the other, in the order of their sources, by the rules of the end;
 * nothing goes wrong. */
static void check_order(struct run *run, enum breach breach) {
    struct hubs *calm = hubs_new(run->hubs->domain->name, 1, 0, breach, false);
    name_rules_of_the_end(run, calm);
    if (run->script.trials > 0) {
        references_begin(calm);
        references_copy(calm, run->hubs);
    }
    calm->tells = run->hubs->tells;
    hubs_tell(calm, "\n--- the same in the order of the sources");
    qsort(run->lines, run->line_count, sizeof *run->lines, compare_places);
    for (size_t i = 0; i < run->line_count && !calm->failed; i++) {
        calm->clock_ms = run->lines[i].time_ms;
        hubs_ingest(calm, run->lines[i].institution, run->lines[i].key, run->lines[i].value);
        settle(calm);
    }
    char *one = check_outcome(run->hubs), *other = check_outcome(calm);
    if (calm->failed)
        hubs_fail(run->hubs, "in the sources' order: %s", calm->failure);
    else if (strcmp(one, other) != 0)
        hubs_fail(run->hubs, "the order changes the outcome\n--- as it happened\n%s--- in the "
                  "sources' order\n%s", one, other);
    hub_release(one);
    hub_release(other);
    hubs_free(calm);
}

static void add_totals(struct run *run) {
    struct totals *totals = run->totals;
    const struct hubs *hubs = run->hubs;
    for (size_t i = 0; i < hubs->slot_count; i++) {
        const struct slot *slot = &hubs->slots[i];
        totals->late += slot->admit_counts.late;
        totals->withdrawn += slot->admit_counts.withdrawn;
        totals->moved += slot->admit_counts.moved;
        totals->taken += slot->fold_counts.decided;
        totals->refused += slot->fold_counts.refused;
        totals->ruled += slot->fold_counts.ruled;
        totals->overruled += slot->fold_counts.overruled;
        totals->facts += slot->refer_counts.facts;
        if (slot->kind != SLOT_FOLD)
            continue;
        totals->entries += slot->input->history.count;
        totals->conflict_events +=
            (int64_t)hubs->outputs[slot->number][HUB_OUTPUT_CONFLICT].history.count;
        totals->match_events +=
            (int64_t)hubs->outputs[slot->number][HUB_OUTPUT_MATCH].history.count;
    }
    totals->dead += (int64_t)hubs->deadletters.history.count;
    totals->referring_runs += run->script.trials > 0;
    totals->breaches += run->script.trials > 0 ? references_standing(hubs) : 0;
}

bool simulate(uint64_t seed, enum breach breach, bool tells, struct totals *totals,
              char *failure, size_t failure_size) {
    struct run run = {.random = {seed}, .totals = totals};
    const char *domain = chance(&run, 3) ? "gmp-slot" : "trial";
    int64_t begin_ms = chance(&run, 4) ? JUNE_2026_MS : YEAR_2100_MS;
    run.hubs = hubs_new(domain, 1 + below(&run, INSTANCES_MAX), begin_ms, breach, tells);
    mix(&run);
    make_lines(&run, seed);
    bool decided = run.decisions_left > 0;
    if (run.rules_left > 0)
        name_first_rules(&run);
    totals->ruled_runs += run.rules_left > 0;
    hubs_tell(run.hubs, "seed     %llu: %s, %zu records, up to %zu decisions, %zu processes",
              (unsigned long long)seed, domain, run.line_count, run.decisions_left,
              run.hubs->process_count);
    happen(&run);
    totals->runs++;
    totals->decided_runs += decided;
    totals->simulated_ms += run.hubs->clock_ms - begin_ms;
    if (!run.hubs->failed)
        check_accounts(run.hubs);
    if (!run.hubs->failed)
        check_reference(run.hubs, &totals->churn);
    if (!run.hubs->failed)
        check_ids(run.hubs);
    if (!run.hubs->failed)
        check_listings_by_rules(&run);
    if (!run.hubs->failed)
        check_references(run.hubs);
    if (!run.hubs->failed && !decided)
        check_order(&run, breach);
    add_totals(&run);
    bool holds = !run.hubs->failed;
    if (!holds)
        snprintf(failure, failure_size, "%s", run.hubs->failure);
    script_free(&run.script);
    hubs_free(run.hubs);
    return holds;
}
