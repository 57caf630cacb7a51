/* kafka_reader, kafka_topics: reading to the end, bounds, and topics that are there or are made. */
#include "hub/io/kafka_internal.h"
#include "tests/lib/cluster.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define E(name) RD_KAFKA_RESP_ERR_##name

struct reading {
    struct cluster cluster;
    struct hub_reader *reader;
    struct hub_arena arena;
    struct hub_error error;
    char taken[256]; /* "0 1 2" */
    int64_t stop_at; /* offset at which the taker refuses; -1 never */
};

static void begin(struct reading *reading) {
    *reading = (struct reading){.stop_at = -1};
    cluster_start(&reading->cluster);
    cluster_topic(&reading->cluster, "log", 2);
    expect_ok(hub_reader_new(reading->cluster.bootstrap, &reading->reader, &reading->error),
              &reading->error);
}

static void end(struct reading *reading) {
    hub_reader_free(reading->reader);
    hub_arena_destroy(&reading->arena);
    cluster_stop(&reading->cluster);
}

static void write_records(struct reading *reading, int count) {
    cluster_write(&reading->cluster, "log", 1, "key", "value", count);
}

static enum hub_status take(void *context, const struct hub_kafka_record *record,
                            struct hub_error *reterr) {
    struct reading *reading = context;
    size_t size = strlen(reading->taken);
    if (record->offset == reading->stop_at)
        return hub_fail(reterr, HUB_FATAL, "as the taker says");
    assert_true(hub_bytes_equal_text(record->value, "value"));
    snprintf(reading->taken + size, sizeof reading->taken - size, "%s%lld", size == 0 ? "" : " ",
             (long long)record->offset);
    return HUB_OK;
}

static enum hub_status read_part(struct reading *reading, int64_t from, int64_t to,
                                 int64_t *ret_next) {
    reading->taken[0] = '\0';
    return hub_reader_read(reading->reader, "log", 1, from, to, take, reading, ret_next,
                           &reading->error);
}

static void an_empty_partition_is_read_at_once(void **state) {
    struct reading reading;
    int64_t next = -1;
    (void)state;
    begin(&reading);
    expect_ok(read_part(&reading, 0, -1, &next), &reading.error);
    assert_string_equal(reading.taken, "");
    assert_int_equal(next, 0);
    end(&reading);
}

static void reading_goes_to_the_end_and_tells_where_that_is(void **state) {
    struct reading reading;
    int64_t next = -1;
    (void)state;
    begin(&reading);
    write_records(&reading, 5);
    expect_ok(read_part(&reading, 0, -1, &next), &reading.error);
    assert_string_equal(reading.taken, "0 1 2 3 4");
    assert_int_equal(next, 5);
    expect_ok(read_part(&reading, next, -1, &next), &reading.error); /* nothing new */
    assert_string_equal(reading.taken, "");
    assert_int_equal(next, 5);
    write_records(&reading, 1);
    expect_ok(read_part(&reading, next, -1, NULL), &reading.error);
    assert_string_equal(reading.taken, "5");
    end(&reading);
}

static void reading_stays_within_its_bounds(void **state) {
    struct reading reading;
    int64_t next = -1;
    (void)state;
    begin(&reading);
    write_records(&reading, 5);
    expect_ok(read_part(&reading, 1, 3, &next), &reading.error);
    assert_string_equal(reading.taken, "1 2");
    assert_int_equal(next, 3);
    expect_ok(read_part(&reading, 3, 3, &next), &reading.error);
    assert_string_equal(reading.taken, "");
    expect_refusal(read_part(&reading, 4, 1000, &next), HUB_RETRY, &reading.error,
                   "log/1 ends at 5", "read up to 1000");
    assert_string_equal(reading.taken, "");
    end(&reading);
}

/* What librdkafka is made to say before it says anything else. */
static rd_kafka_message_t *said_first;

rd_kafka_message_t *rd_kafka_consumer_poll(rd_kafka_t *handle, int timeout_ms) {
    rd_kafka_message_t *(*poll)(rd_kafka_t *, int) = dlsym(RTLD_NEXT, "rd_kafka_consumer_poll");
    rd_kafka_message_t *message = said_first;
    said_first = NULL;
    return message != NULL ? message : poll(handle, timeout_ms);
}

/* A true end of partition 0, which is empty, as if it were one of partition 1. */
static rd_kafka_message_t *make_end(struct reading *reading, rd_kafka_t **ret_handle,
                                    int64_t offset) {
    rd_kafka_message_t *message = NULL;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    expect_ok(hub_reader_open_handle(reading->cluster.bootstrap, "read_committed", ret_handle,
                                     &reading->error),
              &reading->error);
    rd_kafka_topic_partition_list_add(list, "log", 0)->offset = 0;
    rd_kafka_assign(*ret_handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (message == NULL)
        message = rd_kafka_consumer_poll(*ret_handle, 1000);
    assert_int_equal(message->err, RD_KAFKA_RESP_ERR__PARTITION_EOF);
    message->partition = 1;
    message->offset = offset;
    return message;
}

/* Whoever took it for the end would miss what comes after it, and never know. */
static void an_end_that_is_said_too_early_is_not_the_end(void **state) {
    struct reading reading;
    rd_kafka_t *handle = NULL;
    int64_t next = -1;
    (void)state;
    begin(&reading);
    write_records(&reading, 5);
    said_first = make_end(&reading, &handle, 1);
    expect_ok(read_part(&reading, 1, 4, &next), &reading.error);
    assert_string_equal(reading.taken, "1 2 3");
    assert_int_equal(next, 4);
    hub_reader_close_handle(handle);
    end(&reading);
}

static void an_end_of_another_partition_is_not_the_end(void **state) {
    struct reading reading;
    rd_kafka_t *handle = NULL;
    (void)state;
    begin(&reading);
    write_records(&reading, 5);
    said_first = make_end(&reading, &handle, 7);
    said_first->partition = 0;
    expect_ok(read_part(&reading, 1, 4, NULL), &reading.error);
    assert_string_equal(reading.taken, "1 2 3");
    hub_reader_close_handle(handle);
    end(&reading);
}

static void a_taker_that_refuses_ends_the_reading(void **state) {
    struct reading reading;
    (void)state;
    begin(&reading);
    write_records(&reading, 5);
    reading.stop_at = 2;
    expect_refusal(read_part(&reading, 0, -1, NULL), HUB_FATAL, &reading.error,
                   "as the taker says", "");
    assert_string_equal(reading.taken, "0 1");
    reading.stop_at = -1;
    expect_ok(read_part(&reading, 0, 2, NULL), &reading.error); /* and the reader can be used on */
    assert_string_equal(reading.taken, "0 1");
    end(&reading);
}

static enum hub_status take_headers(void *context, const struct hub_kafka_record *record,
                                    struct hub_error *reterr) {
    struct reading *reading = context;
    (void)reterr;
    for (size_t i = 0; i < record->header_count; i++) {
        size_t size = strlen(reading->taken);
        snprintf(reading->taken + size, sizeof reading->taken - size, "%s=%.*s ",
                 record->headers[i].name, (int)record->headers[i].value.size,
                 (const char *)record->headers[i].value.data);
    }
    return HUB_OK;
}

static void expect_headers(struct reading *reading, const char *headers) {
    reading->taken[0] = '\0';
    expect_ok(hub_reader_read(reading->reader, "log", 1, 0, -1, take_headers, reading, NULL,
                              &reading->error),
              &reading->error);
    assert_string_equal(reading->taken, headers);
}

static void headers_are_those_that_are_wanted(void **state) {
    struct reading reading;
    const char *const headers[] = {"a", "one", "b", "two", "c", "", NULL};
    (void)state;
    begin(&reading);
    cluster_write_headers(&reading.cluster, "log", 1, headers);
    expect_headers(&reading, "a=one b=two c= ");
    hub_reader_want_header(reading.reader, "b");
    expect_headers(&reading, "b=two ");
    hub_reader_want_header(reading.reader, "c");
    expect_headers(&reading, "c= ");
    hub_reader_want_header(reading.reader, "d");
    expect_headers(&reading, "");
    hub_reader_want_header(reading.reader, NULL);
    expect_headers(&reading, "");
    end(&reading);
}

static void a_connection_that_breaks_is_mended(void **state) {
    struct reading reading;
    (void)state;
    begin(&reading);
    write_records(&reading, 5);
    cluster_fail(&reading.cluster, CLUSTER_FETCH, 2, E(_TRANSPORT));
    cluster_fail(&reading.cluster, CLUSTER_FETCH, 1, E(NOT_LEADER_FOR_PARTITION));
    expect_ok(read_part(&reading, 0, -1, NULL), &reading.error);
    assert_string_equal(reading.taken, "0 1 2 3 4");
    end(&reading);
}

static void a_topic_that_is_not_ours_to_read_is_fatal(void **state) {
    struct reading reading;
    (void)state;
    begin(&reading);
    write_records(&reading, 5);
    cluster_fail(&reading.cluster, CLUSTER_FETCH, 10, E(TOPIC_AUTHORIZATION_FAILED));
    assert_int_equal(read_part(&reading, 0, -1, NULL), HUB_FATAL);
    end(&reading);
}

static void bounds_are_the_first_offset_and_the_next(void **state) {
    struct reading reading;
    int64_t first = -1, next = -1;
    (void)state;
    begin(&reading);
    write_records(&reading, 3);
    expect_ok(hub_reader_bounds(reading.reader, "log", 1, &first, &next, &reading.error),
              &reading.error);
    assert_int_equal(first, 0);
    assert_int_equal(next, 3);
    end(&reading);
}

static void ends_are_asked_for_all_at_once(void **state) {
    struct reading reading;
    struct hub_kafka_partition ends[] = {{"log", 1, -1, NULL}, {"log", 0, -1, NULL}};
    (void)state;
    begin(&reading);
    write_records(&reading, 3);
    expect_ok(hub_reader_ends(reading.reader, ends, 2, &reading.error), &reading.error);
    assert_int_equal(ends[0].offset, 3);
    assert_int_equal(ends[1].offset, 0);
    write_records(&reading, 1);
    expect_ok(hub_reader_settle(reading.reader, ends, 2, &reading.error), &reading.error);
    assert_int_equal(ends[0].offset, 4);
    assert_int_equal(ends[1].offset, 0);
    expect_ok(hub_reader_settle(reading.reader, ends, 0, &reading.error), &reading.error);
    end(&reading);
}

static void what_cannot_be_asked_is_retry(void **state) {
    struct reading reading;
    struct hub_kafka_partition ends[] = {{"log", 0, -1, NULL}, {"log", 9, -1, NULL}};
    int64_t first = 0, next = 0;
    (void)state;
    begin(&reading);
    expect_refusal(hub_reader_bounds(reading.reader, "log", 9, &first, &next, &reading.error),
                   HUB_RETRY, &reading.error, "log/9", "");
    expect_refusal(hub_reader_settle(reading.reader, ends, 2, &reading.error), HUB_RETRY,
                   &reading.error, "log/9", "");
    end(&reading);
}

/* As on a machine that has none to give, or not in time; a consumer's own would end the process. */
static void without_a_thread_for_it_is_retry(void **state) {
    pthread_attr_t usual, greedy;
    struct hub_error error;
    char text[256] = "";
    (void)state;
    pthread_getattr_default_np(&usual);
    pthread_attr_init(&greedy);
    pthread_attr_setstacksize(&greedy, (size_t)1 << 46);
    assert_int_equal(pthread_setattr_default_np(&greedy), 0);
    rd_kafka_conf_t *conf = hub_kafka_conf("localhost:1");
    assert_null(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text));
    enum hub_status status = hub_kafka_refused(text, &error);
    rd_kafka_conf_destroy(conf);
    pthread_setattr_default_np(&usual);
    pthread_attr_destroy(&greedy);
    pthread_attr_destroy(&usual);
    expect_refusal(status, HUB_RETRY, &error, "librdkafka: ", "thread");
}

static void what_it_cannot_work_with_is_fatal(void **state) {
    struct hub_error error;
    char text[256] = "";
    (void)state;
    rd_kafka_conf_t *conf = hub_kafka_conf("localhost:1");
    rd_kafka_conf_set(conf, "security.protocol", "ssl", NULL, 0);
    rd_kafka_conf_set(conf, "ssl.ca.location", "/nowhere", NULL, 0);
    assert_null(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text));
    expect_refusal(hub_kafka_refused(text, &error), HUB_FATAL, &error, "librdkafka: ", "ssl.ca.location");
    rd_kafka_conf_destroy(conf);
}

static void partitions_are_counted_and_what_is_not_there_is_minus_one(void **state) {
    struct reading reading;
    int32_t count = 0;
    (void)state;
    begin(&reading);
    expect_ok(hub_reader_partition_count(reading.reader, "log", &count, &reading.error),
              &reading.error);
    assert_int_equal(count, 2);
    expect_ok(hub_reader_partition_count(reading.reader, "other", &count, &reading.error),
              &reading.error);
    assert_int_equal(count, -1);
    end(&reading);
}

static void partitions_are_counted_as_they_were_at_the_last_look(void **state) {
    struct reading reading;
    int32_t count = 0;
    (void)state;
    begin(&reading);
    expect_ok(hub_reader_look(reading.reader, &reading.error), &reading.error);
    cluster_topic(&reading.cluster, "other", 3);
    expect_ok(hub_reader_partition_count(reading.reader, "other", &count, &reading.error),
              &reading.error);
    assert_int_equal(count, -1);
    expect_ok(hub_reader_look(reading.reader, &reading.error), &reading.error);
    expect_ok(hub_reader_partition_count(reading.reader, "other", &count, &reading.error),
              &reading.error);
    assert_int_equal(count, 3);
    end(&reading);
}

static void topics_are_listed_by_name(void **state) {
    struct reading reading;
    char **names = NULL;
    (void)state;
    begin(&reading);
    cluster_topic(&reading.cluster, "admitted", 1);
    cluster_topic(&reading.cluster, "unified", 1);
    expect_ok(hub_reader_topics(reading.reader, &reading.arena, &names, &reading.error),
              &reading.error);
    assert_string_equal(names[0], "admitted");
    assert_string_equal(names[1], "log");
    assert_string_equal(names[2], "unified");
    assert_null(names[3]);
    end(&reading);
}

static void a_cluster_has_an_id(void **state) {
    struct reading reading;
    const char *id = NULL;
    (void)state;
    begin(&reading);
    expect_ok(hub_reader_cluster_id(reading.reader, &reading.arena, &id, &reading.error),
              &reading.error);
    assert_true(strlen(id) > 0);
    end(&reading);
}

/* --- topics --- */

static const char *const no_settings[] = {NULL};

static void a_topic_with_its_partitions_is_left_as_it_is(void **state) {
    struct reading reading;
    (void)state;
    begin(&reading);
    const struct hub_topic_config topic = {"log", 2, no_settings};
    expect_ok(hub_topics_create(reading.cluster.bootstrap, &topic, 1, 1, &reading.error),
              &reading.error);
    end(&reading);
}

static void another_partition_count_is_fatal(void **state) {
    struct reading reading;
    (void)state;
    begin(&reading);
    const struct hub_topic_config topic = {"log", 3, no_settings};
    expect_refusal(hub_topics_create(reading.cluster.bootstrap, &topic, 1, 1, &reading.error),
                   HUB_FATAL, &reading.error, "topic log has 2 partitions", "3 would pass");
    end(&reading);
}

static void a_topic_that_cannot_be_is_fatal(void **state) {
    struct reading reading;
    (void)state;
    begin(&reading);
    const struct hub_topic_config topic = {"other", 200000, no_settings};
    expect_refusal(hub_topics_create(reading.cluster.bootstrap, &topic, 1, 1, &reading.error),
                   HUB_FATAL, &reading.error, "topic 'other'", "");
    end(&reading);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_partition_is_read_at_once),
        cmocka_unit_test(reading_goes_to_the_end_and_tells_where_that_is),
        cmocka_unit_test(reading_stays_within_its_bounds),
        cmocka_unit_test(an_end_that_is_said_too_early_is_not_the_end),
        cmocka_unit_test(an_end_of_another_partition_is_not_the_end),
        cmocka_unit_test(a_taker_that_refuses_ends_the_reading),
        cmocka_unit_test(headers_are_those_that_are_wanted),
        cmocka_unit_test(a_connection_that_breaks_is_mended),
        cmocka_unit_test(a_topic_that_is_not_ours_to_read_is_fatal),
        cmocka_unit_test(bounds_are_the_first_offset_and_the_next),
        cmocka_unit_test(ends_are_asked_for_all_at_once),
        cmocka_unit_test(what_cannot_be_asked_is_retry),
        cmocka_unit_test(without_a_thread_for_it_is_retry),
        cmocka_unit_test(what_it_cannot_work_with_is_fatal),
        cmocka_unit_test(partitions_are_counted_and_what_is_not_there_is_minus_one),
        cmocka_unit_test(partitions_are_counted_as_they_were_at_the_last_look),
        cmocka_unit_test(topics_are_listed_by_name),
        cmocka_unit_test(a_cluster_has_an_id),
        cmocka_unit_test(a_topic_with_its_partitions_is_left_as_it_is),
        cmocka_unit_test(another_partition_count_is_fatal),
        cmocka_unit_test(a_topic_that_cannot_be_is_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
