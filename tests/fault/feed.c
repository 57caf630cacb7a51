/* Writes generated statements to the ingest topics, as many as each line of standard input says, one
 * transaction a line, and answers each line with the count written so far.
 *
 * usage: feed BOOTSTRAP TRIALS SEED [each]
 *   each  of every trial once, in order, before any is told of again */
#include "hub/io/crypto.h"
#include "hub/io/kafka.h"
#include "tests/bench/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(enum hub_status status, const struct hub_error *error) {
    if (status == HUB_OK)
        return;
    fprintf(stderr, "feed: %s\n", error->text);
    exit(1);
}

int main(int argc, char **argv) {
    const char *folder = getenv("HUB_SCHEMAS");
    struct hub_catalogue *catalogue = NULL;
    struct hub_producer *producer = NULL;
    struct hub_error error;
    struct bench_event event;
    char line[32];
    int64_t written = 0;
    bool each = argc == 5 && strcmp(argv[4], "each") == 0;
    if (argc != 4 && !each) {
        fprintf(stderr, "usage: feed BOOTSTRAP TRIALS SEED [each]\n");
        return 2;
    }
    must(hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error),
         &error);
    struct bench_statements *statements = bench_statements_new(
        catalogue, strtoull(argv[3], NULL, 10), strtoul(argv[2], NULL, 10));
    if (each)
        bench_statements_tell_each(statements);
    must(hub_producer_new(argv[1], "fault-feed", &producer, &error), &error);
    while (fgets(line, sizeof line, stdin) != NULL) {
        must(hub_producer_begin(producer, &error), &error);
        for (long left = strtol(line, NULL, 10); left > 0; left--, written++) {
            bench_statements_next(statements, &event);
            must(bench_event_write(producer, &event, &error), &error);
        }
        must(hub_producer_commit(producer, &error), &error);
        printf("%lld\n", (long long)written);
        fflush(stdout);
    }
    hub_producer_free(producer);
    bench_statements_free(statements);
    hub_catalogue_free(catalogue);
    return 0;
}
