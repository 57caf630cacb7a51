/* Writes generated statements to the ingest topics, one transaction for each line of standard input,
 * and answers each line with the counts of records and of poison written so far.
 *
 * A line is a number of records and how they are written (next where it does not say):
 *   next      what the systems say next
 *   evenly    that too, of every trial as often as of any other
 *   shuffled  that too, each lot of a thousand in an order that chance gives
 *   again     what they said lately once more, some of it often, in any order
 *   poison    what is to be refused, in every way that we know of
 *
 * usage: feed BOOTSTRAP TRIALS SEED [each]
 *   each  every system tells of each of its trials, in order, before any is told of again */
#include "hub/io/crypto.h"
#include "hub/io/kafka.h"
#include "tests/bench/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 1000, LARGE = 300 * 1024, LARGER = 2 * 1024 * 1024,
       /* with key, headers and Kafka's own, as much as an ingest topic takes */
       LARGEST = 8 * 1024 * 1024 - 512 };

/* One event that was kept. */
struct kept {
    struct bench_event event;
    struct hub_arena arena;
};

struct feed {
    struct bench_statements *statements;
    struct hub_producer *producer;
    struct kept kept[KEPT];
    size_t kept_count, next;
    uint64_t random;
    int64_t written, poison;
};

static void must(enum hub_status status, const struct hub_error *error) {
    if (status == HUB_OK)
        return;
    fprintf(stderr, "feed: %s\n", error->text);
    exit(1);
}

/* A linear congruential generator (Knuth's MMIX), its upper bits. */
static size_t below(struct feed *feed, size_t bound) {
    feed->random = feed->random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(feed->random >> 33) % bound;
}

static void write_event(struct feed *feed, const struct bench_event *event) {
    struct hub_error error;
    must(bench_event_write(feed->producer, event, &error), &error);
    feed->written++;
}

static struct hub_bytes copy(struct hub_arena *arena, struct hub_bytes bytes) {
    return hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
}

static void keep(struct feed *feed, const struct bench_event *event) {
    struct kept *kept = &feed->kept[feed->next];
    feed->next = (feed->next + 1) % KEPT;
    feed->kept_count += feed->kept_count < KEPT;
    hub_arena_reset(&kept->arena);
    kept->event = *event;
    kept->event.key = copy(&kept->arena, event->key);
    kept->event.value = copy(&kept->arena, event->value);
    for (size_t i = 0; i < event->header_count; i++)
        kept->event.headers[i].value = copy(&kept->arena, event->headers[i].value);
}

static void write_next(struct feed *feed, size_t count, bool evenly) {
    struct bench_event event;
    bench_statements_evenly(feed->statements, evenly);
    for (size_t i = 0; i < count; i++) {
        bench_statements_next(feed->statements, &event);
        keep(feed, &event);
        write_event(feed, &event);
    }
}

static void write_shuffled(struct feed *feed, size_t count) {
    size_t order[KEPT];
    struct bench_event event;
    for (size_t lot; count > 0; count -= lot) {
        lot = count < KEPT ? count : KEPT;
        feed->next = feed->kept_count = 0;
        for (size_t i = 0; i < lot; i++) {
            bench_statements_next(feed->statements, &event);
            keep(feed, &event);
            size_t other = below(feed, i + 1); /* Fisher and Yates, inside out */
            order[i] = order[other];
            order[other] = i;
        }
        for (size_t i = 0; i < lot; i++)
            write_event(feed, &feed->kept[order[i]].event);
    }
}

static void write_again(struct feed *feed, size_t count) {
    for (size_t i = 0; i < count; i++)
        write_event(feed, &feed->kept[below(feed, feed->kept_count)].event);
}

/* --- poison --- */

enum poison { EMPTY_KEY = 0, NO_SYSTEM, OTHER_SYSTEM, OTHER_SOURCE, NO_VALUE, EMPTY, NO_MAGIC,
              NO_SCHEMA, CUT_OFF, TOO_LONG, TOO_LARGE, MUCH_TOO_LARGE, LARGEST_VALUE, LARGEST_KEY, POISONS };

static void grow(struct hub_buffer *value, size_t size) {
    static const uint8_t zeros[4096];
    while (value->size < size)
        hub_buffer_append(value, zeros, size - value->size < 4096 ? size - value->size : 4096);
}

static void spoil_value(struct feed *feed, enum poison poison, struct hub_buffer *value) {
    switch (poison) {
    case EMPTY:
        value->size = 0;
        return;
    case NO_MAGIC:
        value->data[0] = 0x7b;
        return;
    case NO_SCHEMA:
        value->data[1] = 0x7f;
        return;
    case CUT_OFF:
        value->size = 5 + below(feed, value->size - 5);
        return;
    case TOO_LONG:
        grow(value, value->size + 1 + below(feed, 100));
        return;
    case TOO_LARGE:
        grow(value, LARGE);
        return;
    case MUCH_TOO_LARGE:
        grow(value, LARGER);
        return;
    case LARGEST_VALUE:
        grow(value, LARGEST);
        return;
    case EMPTY_KEY:
    case NO_SYSTEM:
    case OTHER_SYSTEM:
    case OTHER_SOURCE:
    case NO_VALUE:
    case LARGEST_KEY:
    case POISONS:
        return;
    }
}

static struct hub_bytes poisoned_key(enum poison poison, struct hub_bytes sound,
                                     struct hub_buffer *space) {
    switch (poison) {
    case EMPTY_KEY: /* without any, Kafka itself refuses it in a compacted topic */
        return hub_bytes("", 0);
    case NO_SYSTEM:
        return hub_bytes_of_text("NCT20000000");
    case OTHER_SYSTEM:
        return hub_bytes_of_text("no-system/NCT20000000");
    case LARGEST_KEY:
        hub_buffer_append_bytes(space, sound);
        grow(space, LARGEST - 1024);
        return hub_buffer_bytes(space);
    default:
        return sound;
    }
}

static void write_poison(struct feed *feed, enum poison poison) {
    const struct bench_event *event = &feed->kept[below(feed, feed->kept_count)].event;
    HUB_SCOPED_BUFFER value = {0};
    HUB_SCOPED_BUFFER key = {0};
    struct hub_kafka_header headers[HUB_ENVELOPE_HEADERS_MAX + 1];
    struct hub_error error;
    char topic[64];
    hub_buffer_append_bytes(&value, event->value);
    spoil_value(feed, poison, &value);
    for (size_t i = 0; i < event->header_count; i++) {
        bool claims = poison == OTHER_SOURCE && strcmp(event->headers[i].name, "ce_source") == 0;
        headers[i] = (struct hub_kafka_header){
            event->headers[i].name,
            claims ? hub_bytes_of_text("urn:atmp:nobody:ctgov") : event->headers[i].value};
    }
    headers[event->header_count] =
        (struct hub_kafka_header){"fault", hub_bytes_of_text("poison")};
    snprintf(topic, sizeof topic, "ingest.%s.trial", event->institution);
    struct hub_kafka_write write = {
        .topic = topic,
        .partition = -1,
        .has_key = true,
        .key = poisoned_key(poison, event->key, &key),
        .value = poison == NO_VALUE ? hub_bytes(NULL, 0) : hub_buffer_bytes(&value),
        .headers = headers,
        .header_count = event->header_count + 1};
    must(hub_producer_write(feed->producer, &write, &error), &error);
    feed->written++;
    feed->poison++;
}

/* --- lines --- */

static void obey(struct feed *feed, const char *line) {
    char *how = NULL;
    size_t count = strtoul(line, &how, 10);
    if (strcmp(how, "\n") == 0 || strcmp(how, " next\n") == 0)
        write_next(feed, count, /* evenly= */ false);
    else if (strcmp(how, " evenly\n") == 0)
        write_next(feed, count, /* evenly= */ true);
    else if (strcmp(how, " shuffled\n") == 0)
        write_shuffled(feed, count);
    else if (strcmp(how, " again\n") == 0)
        write_again(feed, count);
    else if (strcmp(how, " poison\n") == 0)
        for (size_t i = 0; i < count; i++)
            write_poison(feed, (enum poison)((size_t)feed->poison % POISONS));
    else
        exit(2);
}

int main(int argc, char **argv) {
    const char *folder = getenv("HUB_SCHEMAS");
    struct hub_catalogue *catalogue = NULL;
    struct feed *feed = hub_allocate_zero(1, sizeof *feed);
    struct hub_error error;
    char line[64];
    bool each = argc == 5 && strcmp(argv[4], "each") == 0;
    bool to_and_fro = argc == 5 && strcmp(argv[4], "to-and-fro") == 0;
    if (argc != 4 && !each && !to_and_fro) {
        fprintf(stderr, "usage: feed BOOTSTRAP TRIALS SEED [each|to-and-fro]\n");
        return 2;
    }
    must(hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error),
         &error);
    feed->random = strtoull(argv[3], NULL, 10);
    feed->statements = bench_statements_new(catalogue, feed->random, strtoul(argv[2], NULL, 10));
    if (each)
        bench_statements_tell_each(feed->statements);
    if (to_and_fro)
        bench_statements_to_and_fro(feed->statements);
    must(hub_producer_new(argv[1], "fault-feed", &feed->producer, &error), &error);
    while (fgets(line, sizeof line, stdin) != NULL) {
        must(hub_producer_begin(feed->producer, &error), &error);
        obey(feed, line);
        must(hub_producer_commit(feed->producer, &error), &error);
        printf("%lld %lld\n", (long long)feed->written, (long long)feed->poison);
        fflush(stdout);
    }
    hub_producer_free(feed->producer);
    bench_statements_free(feed->statements);
    for (size_t i = 0; i < KEPT; i++)
        hub_arena_destroy(&feed->kept[i].arena);
    hub_release(feed);
    hub_catalogue_free(catalogue);
    return 0;
}
