/* Writes generated statements to the ingest topics, and says as JSON what was written and what the
 * hub must count when it has taken them all.
 *
 * usage: produce BOOTSTRAP EVENTS TRIALS SEED */
#include "hub/io/crypto.h"
#include "hub/io/kafka.h"
#include "tests/bench/statements.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 10000 };

static void must(enum hub_status status, const struct hub_error *error) {
    if (status == HUB_OK)
        return;
    fprintf(stderr, "produce: %s\n", error->text);
    exit(1);
}

static void write_all(struct hub_producer *producer, struct bench_statements *statements,
                      int64_t events, struct bench_sum *sum) {
    struct hub_error error;
    struct bench_event event;
    for (int64_t done = 0; done < events;) {
        must(hub_producer_begin(producer, &error), &error);
        for (int64_t i = 0; i < BATCH && done < events; i++, done++) {
            bench_statements_next(statements, &event);
            bench_sum_add(sum, event.key, event.value, event.headers, event.header_count);
            must(bench_event_write(producer, &event, &error), &error);
        }
        must(hub_producer_commit(producer, &error), &error);
    }
}

int main(int argc, char **argv) {
    const char *folder = getenv("HUB_SCHEMAS");
    struct hub_catalogue *catalogue = NULL;
    struct hub_producer *producer = NULL;
    struct bench_sum sum = {0};
    struct hub_error error;
    if (argc != 5) {
        fprintf(stderr, "usage: produce BOOTSTRAP EVENTS TRIALS SEED\n");
        return 2;
    }
    must(hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error),
         &error);
    must(hub_producer_new(argv[1], "bench-produce", &producer, &error), &error);
    struct bench_statements *statements = bench_statements_new(
        catalogue, strtoull(argv[4], NULL, 10), strtoul(argv[3], NULL, 10));
    write_all(producer, statements, strtoll(argv[2], NULL, 10), &sum);
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
