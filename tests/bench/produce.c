/* Writes generated statements to the ingest topics, and says as JSON what was written and what the
 * hub must count when it has taken them all.
 *
 * usage: produce BOOTSTRAP EVENTS TRIALS SEED [each|again]
 *   each   until every system has told of each of its trials, however many events that are
 *   again  EVENTS that say again what was said last after that, and not what came before them */
#include "hub/io/crypto.h"
#include "hub/io/kafka.h"
#include "tests/bench/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 10000 };

static void must(enum hub_status status, const struct hub_error *error) {
    if (status == HUB_OK)
        return;
    fprintf(stderr, "produce: %s\n", error->text);
    exit(1);
}

enum mode { USUAL, EACH, AGAIN };

static void write_all(struct hub_producer *producer, struct bench_statements *statements,
                      enum mode mode, int64_t events, struct bench_sum *sum) {
    struct hub_error error;
    struct bench_event event;
    bool ended = false;
    for (int64_t done = 0; !ended;) {
        must(hub_producer_begin(producer, &error), &error);
        for (int64_t i = 0; i < BATCH && !ended; i++) {
            if (mode == AGAIN)
                bench_statements_repeat(statements, &event);
            else
                bench_statements_next(statements, &event);
            bench_sum_add(sum, event.key, event.value, event.headers, event.header_count);
            must(bench_event_write(producer, &event, &error), &error);
            done++;
            ended = mode == EACH ? bench_statements_has_told_each(statements) : done >= events;
        }
        must(hub_producer_commit(producer, &error), &error);
    }
}

/* What was written before it. */
static void pass_over(struct bench_statements *statements) {
    struct bench_event event;
    while (!bench_statements_has_told_each(statements))
        bench_statements_next(statements, &event);
}

static enum mode mode_of(const char *word) {
    return strcmp(word, "each") == 0 ? EACH : AGAIN;
}

int main(int argc, char **argv) {
    const char *folder = getenv("HUB_SCHEMAS");
    struct hub_catalogue *catalogue = NULL;
    struct hub_producer *producer = NULL;
    struct bench_sum sum = {0};
    struct hub_error error;
    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: produce BOOTSTRAP EVENTS TRIALS SEED [each|again]\n");
        return 2;
    }
    enum mode mode = argc == 6 ? mode_of(argv[5]) : USUAL;
    must(hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error),
         &error);
    must(hub_producer_new(argv[1], "bench-produce", &producer, &error), &error);
    struct bench_statements *statements = bench_statements_new(
        catalogue, strtoull(argv[4], NULL, 10), strtoul(argv[3], NULL, 10));
    if (mode != USUAL)
        bench_statements_tell_each(statements);
    if (mode == AGAIN)
        pass_over(statements);
    write_all(producer, statements, mode, strtoll(argv[2], NULL, 10), &sum);
    struct bench_expected expected = bench_statements_expected(statements);
    printf("{\"records\": %lld, \"bytes\": %lld, \"digest\": \"%016llx\", \"created\": %lld, "
           "\"changed\": %lld, \"unchanged\": %lld, \"entities\": %lld, \"conflicts_open\": %lld}\n",
           (long long)sum.records, (long long)sum.bytes, (unsigned long long)sum.digest,
           (long long)expected.created, (long long)expected.changed,
           (long long)expected.unchanged, (long long)expected.entities,
           (long long)expected.conflicts_open);
    bench_statements_free(statements);
    hub_producer_free(producer);
    hub_catalogue_free(catalogue);
    return 0;
}
