/* The simulator: the real stages under a simulated log where processes crash in the middle of
 * transactions, shards move, topics are compacted, caches are lost, and records come twice, late,
 * in any order or damaged, while people decide. One seed is one run, with its own mix of faults. */
#include "hub/io/json.h"
#include "tests/sim/simulate.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEEDS_DEFAULT = 10000 };

static const char *const breaches[BREACHES] = {
    "none",       "last-writer-wins", "late-forgotten",
    "decide-again", "cache-ahead",    "torn-transaction", "rules-from-file",
    "stale-facts",
};

static const char usage[] =
    "usage: tests/sim/run [--seeds N] [--from SEED] [--break RULE]\n"
    "       tests/sim/run --seed SEED [--break RULE]\n"
    "  --seeds N     runs N seeds (10000), until one breaks a promise\n"
    "  --from SEED   begins with this one (1)\n"
    "  --seed SEED   runs one and says what happens, step by step\n"
    "  --break RULE  breaks a rule on purpose: last-writer-wins, late-forgotten, decide-again,\n"
    "                cache-ahead, torn-transaction, rules-from-file or stale-facts\n";

/* The only thing a crash of the stages leaves us time to say. */
static volatile uint64_t running_seed;

static void on_abort(int signal_number) {
    char text[64];
    int size = snprintf(text, sizeof text, "seed %" PRIu64 " ends in signal %d\n", running_seed,
                        signal_number);
    if (write(STDERR_FILENO, text, (size_t)size) < 0)
        _exit(2);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static double cpu_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double share(size_t part, size_t whole) {
    return whole == 0 ? 0 : (double)part / (double)whole;
}

static void report(const struct totals *totals, double spent_s) {
    const struct churn *churn = &totals->churn;
    if (totals->runs > 1) /* one seed says the same each time */
        printf("%zu seeds in %.1f s of CPU: %.0f seeds and %.0f simulated hours per CPU second\n",
               totals->runs, spent_s, (double)totals->runs / spent_s,
               (double)totals->simulated_ms / 3600000 / spent_s);
    printf("records: %zu; %zu log entries; %" PRId64 " late, %" PRId64 " withdrawn, %" PRId64
           " moved to another shard, %" PRId64 " dead letters\n",
           totals->records, totals->entries, totals->late, totals->withdrawn, totals->moved,
           totals->dead);
    printf("decisions: %zu, in %zu seeds; %" PRId64 " taken, %" PRId64 " refused; %" PRId64
           " events of conflicts, %" PRId64 " of matches\n",
           totals->decisions, totals->decided_runs, totals->taken, totals->refused,
           totals->conflict_events, totals->match_events);
    printf("rules: %zu changes, in %zu seeds; %" PRId64 " entries with effect, %" PRId64
           " without\n", totals->rules, totals->ruled_runs, totals->ruled, totals->overruled);
    printf("references: %zu changes of trials, in %zu seeds; %" PRId64 " facts, %zu breaches in the "
           "end\n", totals->changes, totals->referring_runs, totals->facts, totals->breaches);
    printf("faults: %zu crashes, %zu transactions aborted, %zu rebalances, %zu compactions, "
           "%zu checkpoints, %zu caches lost\n",
           totals->crashes, totals->aborted, totals->moves, totals->compactions,
           totals->checkpoints, totals->caches_lost);
    printf("churn: an added record moves %.3f other statements to another id (at most %zu) and "
           "changes %.3f other clusters (at most %zu)\n",
           share(churn->ids, churn->records), churn->ids_max,
           share(churn->clusters, churn->records), churn->clusters_max);
}

static int run_many(uint64_t from, uint64_t count, enum breach breach) {
    struct totals totals = {0};
    char failure[4096];
    double began_s = cpu_s();
    for (uint64_t seed = from; seed < from + count; seed++) {
        running_seed = seed;
        if (simulate(seed, breach, /* tells= */ false, &totals, failure, sizeof failure))
            continue;
        printf("seed %" PRIu64 " (the %" PRIu64 ". run) breaks a promise: %s\n"
               "tests/sim/run --seed %" PRIu64 "%s%s tells how\n",
               seed, seed - from + 1, failure, seed, breach == BREACH_NONE ? "" : " --break ",
               breach == BREACH_NONE ? "" : breaches[breach]);
        return 1;
    }
    report(&totals, cpu_s() - began_s);
    printf("no promise is broken\n");
    return 0;
}

static int run_one(uint64_t seed, enum breach breach) {
    struct totals totals = {0};
    char failure[4096];
    double began_s = cpu_s();
    running_seed = seed;
    bool holds = simulate(seed, breach, /* tells= */ true, &totals, failure, sizeof failure);
    report(&totals, cpu_s() - began_s);
    if (holds)
        printf("seed %" PRIu64 ": no promise is broken\n", seed);
    else
        printf("seed %" PRIu64 " breaks a promise: %s\n", seed, failure);
    return !holds;
}

static enum breach find_breach(const char *name) {
    int breach = 0;
    while (breach < BREACHES && strcmp(name, breaches[breach]) != 0)
        breach++;
    return (enum breach)breach;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"seed", required_argument, NULL, 'o'},
                                            {"seeds", required_argument, NULL, 'n'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"break", required_argument, NULL, 'b'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    uint64_t one = 0, count = SEEDS_DEFAULT, from = 1;
    enum breach breach = BREACH_NONE;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'o')
            one = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            count = strtoull(optarg, NULL, 10);
        else if (option == 'f')
            from = strtoull(optarg, NULL, 10);
        else if (option == 'b')
            breach = find_breach(optarg);
        if (option == 'h')
            return fputs(usage, stdout) < 0;
        if (option == '?' || breach == BREACHES)
            return fputs(usage, stderr) < 0 ? 3 : 2;
    }
    if (optind != argc)
        return fputs(usage, stderr) < 0 ? 3 : 2;
    hub_json_open();
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    return one != 0 ? run_one(one, breach) : run_many(from, count, breach);
}
