/* How long it takes from an ingest topic to the end: generated statements are committed at a steady rate,
 * and a read_committed reader of the last topic says when what came of each was there.
 *
 * Each statement carries its number in `traceparent` (W3C Trace Context), which is passed on with what comes of
 * it. Its time begins when its transaction has been committed, and ends when the reader has the first record
 * with its number. What nothing comes of has none. The first tenth is not counted.
 *
 * usage: latency BOOTSTRAP EVENTS TRIALS SEED EVENTS-PER-SECOND TOPIC
 * prints {"sent": N, "seen": N, "p50_ms": X, "p99_ms": X, "behind_ms": X}; behind: how late the last was sent */
#include "hub/io/crypto.h"
#include "hub/io/kafka.h"
#include "hub/io/kafka_internal.h"
#include "tests/bench/statements.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 200, TIMEOUT_MS = 60000, QUIET_MS = 3000 };
static const int64_t TICK_US = 10000;

struct measuring {
    const char *bootstrap, *topic;
    size_t count;
    _Atomic int64_t *committed_us, *seen_us; /* by number; 0: not yet */
    atomic_bool ready;
    _Atomic int64_t last_seen_us, seen;
    atomic_bool sent; /* all */
};

static void stop(const char *what, const char *why) {
    fprintf(stderr, "latency: %s: %s\n", what, why);
    exit(1);
}

static void must(enum hub_status status, const struct hub_error *error) {
    if (status != HUB_OK)
        stop("hub", error->text);
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void wait_us(int64_t until_us) {
    int64_t left_us = until_us - now_us();
    struct timespec wait = {left_us / 1000000, left_us % 1000000 * 1000};
    if (left_us > 0)
        nanosleep(&wait, NULL);
}

/* --- reading --- */

static void note_seen(struct measuring *measuring, const rd_kafka_message_t *message) {
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    char text[64];
    unsigned long long number = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, "traceparent", &value, &size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        size >= sizeof text)
        return;
    memcpy(text, value, size);
    text[size] = '\0';
    if (sscanf(text, "00-%32llx-", &number) != 1 || number == 0 || number > measuring->count)
        stop("traceparent", text);
    int64_t now = now_us();
    atomic_store(&measuring->last_seen_us, now);
    if (atomic_load(&measuring->seen_us[number - 1]) != 0)
        return;
    atomic_store(&measuring->seen_us[number - 1], now);
    atomic_fetch_add(&measuring->seen, 1);
}

static bool is_over(const struct measuring *measuring) {
    return atomic_load(&measuring->sent) &&
           now_us() - atomic_load(&measuring->last_seen_us) > (int64_t)QUIET_MS * 1000;
}

/* From what is there on; it is ready once it has come to the end of that. */
static void *read_topic(void *context) {
    struct measuring *measuring = context;
    struct hub_error error;
    rd_kafka_t *client = NULL;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    must(hub_reader_open_handle(measuring->bootstrap, "read_committed", &client, &error), &error);
    rd_kafka_topic_partition_list_add(list, measuring->topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    if (rd_kafka_assign(client, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop("assign", measuring->topic);
    while (!is_over(measuring)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, WAIT_MS);
        if (message == NULL)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            atomic_store(&measuring->ready, true);
        else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            stop("read", rd_kafka_message_errstr(message));
        else
            note_seen(measuring, message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    hub_reader_close_handle(client);
    return NULL;
}

/* --- writing --- */

struct writing {
    struct measuring *measuring;
    struct hub_producer *producer;
    struct bench_statements *statements;
    size_t written;
    double rate; /* statements a second */
};

/* One transaction of the next ones. */
static void write_some(struct writing *writing, size_t count) {
    struct bench_event event;
    struct hub_error error;
    char trace[64];
    must(hub_producer_begin(writing->producer, &error), &error);
    for (size_t i = 0; i < count; i++) {
        bench_statements_next(writing->statements, &event);
        snprintf(trace, sizeof trace, "00-%032llx-%016llx-01",
                 (unsigned long long)(writing->written + i + 1), 1ULL);
        event.headers[event.header_count++] =
            (struct hub_header){"traceparent", hub_bytes_of_text(trace)};
        must(bench_event_write(writing->producer, &event, &error), &error);
    }
    must(hub_producer_commit(writing->producer, &error), &error);
    int64_t now = now_us();
    for (size_t i = 0; i < count; i++)
        atomic_store(&writing->measuring->committed_us[writing->written + i], now);
    writing->written += count;
}

/* The first statement alone, so that everything runs when the others come. */
static void write_first(struct writing *writing) {
    struct measuring *measuring = writing->measuring;
    int64_t began = now_us();
    write_some(writing, 1);
    while (atomic_load(&measuring->seen) == 0) {
        if (now_us() - began > (int64_t)TIMEOUT_MS * 1000)
            stop(measuring->topic, "nothing came of the first statement");
        wait_us(now_us() + TICK_US);
    }
}

/* Returns how late the last one was sent. */
static int64_t write_steadily(struct writing *writing) {
    size_t count = writing->measuring->count;
    int64_t began = now_us(), next = began;
    while (writing->written < count) {
        next += TICK_US;
        wait_us(next);
        size_t due = 1 + (size_t)((double)(now_us() - began) * writing->rate / 1e6);
        due = due < count ? due : count;
        if (due > writing->written)
            write_some(writing, due - writing->written);
        if (now_us() > next) /* what is late is not made up for by a burst of transactions */
            next = now_us();
    }
    return now_us() - began - (int64_t)((double)(count - 1) * 1e6 / writing->rate);
}

/* --- telling --- */

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void tell(const struct measuring *measuring, int64_t behind_us) {
    int64_t *took_us = hub_allocate(measuring->count * sizeof *took_us);
    size_t count = 0;
    for (size_t i = measuring->count / 10; i < measuring->count; i++)
        if (measuring->seen_us[i] != 0)
            took_us[count++] = measuring->seen_us[i] - measuring->committed_us[i];
    if (count == 0)
        stop(measuring->topic, "nothing came of any statement");
    qsort(took_us, count, sizeof *took_us, compare);
    printf("{\"sent\": %zu, \"seen\": %lld, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"behind_ms\": %.3f}\n",
           measuring->count, (long long)measuring->seen, (double)took_us[count / 2] / 1e3,
           (double)took_us[count * 99 / 100] / 1e3, (double)behind_us / 1e3);
    hub_release(took_us);
}

int main(int argc, char **argv) {
    const char *folder = getenv("HUB_SCHEMAS");
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    pthread_t reader;
    if (argc != 7) {
        fprintf(stderr, "usage: latency BOOTSTRAP EVENTS TRIALS SEED EVENTS-PER-SECOND TOPIC\n");
        return 2;
    }
    struct measuring measuring = {
        .bootstrap = argv[1], .topic = argv[6], .count = strtoul(argv[2], NULL, 10)};
    measuring.committed_us = hub_allocate_zero(measuring.count, sizeof *measuring.committed_us);
    measuring.seen_us = hub_allocate_zero(measuring.count, sizeof *measuring.seen_us);
    must(hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error),
         &error);
    struct writing writing = {.measuring = &measuring,
                              .statements = bench_statements_new(catalogue, strtoull(argv[4], NULL, 10),
                                                                 strtoul(argv[3], NULL, 10)),
                              .rate = strtod(argv[5], NULL)};
    must(hub_producer_new(argv[1], "bench-latency", &writing.producer, &error), &error);
    if (pthread_create(&reader, NULL, read_topic, &measuring) != 0)
        stop("pthread_create", "no thread");
    while (!atomic_load(&measuring.ready))
        wait_us(now_us() + TICK_US);
    write_first(&writing);
    int64_t behind_us = write_steadily(&writing);
    atomic_store(&measuring.last_seen_us, now_us());
    atomic_store(&measuring.sent, true);
    pthread_join(reader, NULL);
    tell(&measuring, behind_us);
    bench_statements_free(writing.statements);
    hub_producer_free(writing.producer);
    hub_catalogue_free(catalogue);
    hub_release(measuring.committed_us);
    hub_release(measuring.seen_us);
    return 0;
}
