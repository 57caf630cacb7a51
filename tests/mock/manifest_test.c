/* manifest: what a connector publishes of what it has told, when, and how it goes on from that. */
#include "connectors/kit/manifest.h"

#include "hub/io/crypto.h"
#include "tests/lib/cluster.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <string.h>

static const char topic[] = "manifest.sus";

enum { OPENED_MS = 5000, IDLE_MS = 60000, BUSY_MS = 600000 };

static const char list[] =
    "connector: sus-list\n"
    "institution: sus\n"
    "system: sus-trials\n"
    "source: {transport: file-drop, format: json, folder: .}\n"
    "target: {domain: trial}\n"
    "records:\n"
    "  - for_each: list\n"
    "    key: id\n"
    "    version: {tie: position}\n"
    "    fields: {acronym: name}\n";

struct manifesting {
    struct cluster cluster;
    struct source source;
    struct hub_reader *reader;
    struct hub_manifesting *own;
    struct hub_error error;
};

static struct manifesting begin(void) {
    struct manifesting m = {0};
    cluster_start(&m.cluster);
    source_open(&m.source, list);
    return m;
}

static void open_manifest(struct manifesting *m) {
    expect_ok(hub_reader_new(m->cluster.bootstrap, &m->reader, &m->error), &m->error);
    expect_ok(hub_manifesting_open(m->source.connector, m->reader, OPENED_MS, &m->own, &m->error),
              &m->error);
}

static void end(struct manifesting *m) {
    hub_manifesting_free(m->own);
    hub_reader_free(m->reader);
    source_close(&m->source);
    cluster_stop(&m->cluster);
}

/* A document with one record, as it is told to the manifest. */
static void take(struct manifesting *m, const char *text) {
    struct hub_raw_document document = {.name = "a.json"};
    struct hub_batch batch = {.documents = &document, .count = 1};
    source_feed(&m->source, "a.json", text);
    hub_manifesting_begin_batch(m->own, &batch);
    hub_manifesting_take(m->own, &batch, 0, &m->source.list, /* now_ms= */ 0);
    hub_manifesting_end_batch(m->own, &batch, /* now_ms= */ 0);
}

/* A manifest as another run left it: nothing in it, but for the number it goes up to. */
static void publish(struct manifesting *m, int64_t sequence, int32_t domain_schema) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), HUB_MANIFEST_SUBJECT);
    struct hub_inventory *nothing = hub_inventory_new(&hub_sha256);
    struct hub_manifest whole = {.names = {"sus-list", "sus", "sus-trials", "trial"},
                                 .schema = domain_schema,
                                 .sequence = sequence,
                                 .position = "{}"};
    for (unsigned i = 0; i < HUB_MANIFEST_PARTS; i++) {
        HUB_SCOPED_BUFFER entries = {0};
        HUB_SCOPED_BUFFER message = {0};
        char key[32];
        struct hub_manifest part = {.names = whole.names, .is_part = true, .number = i};
        hub_inventory_encode(nothing, i, &entries, &whole.sums[i]);
        part.entries = hub_buffer_bytes(&entries);
        hub_manifest_encode(schema, &part, &message);
        snprintf(key, sizeof key, "sus-list/%u", i);
        cluster_write_bytes(&m->cluster, topic, 0, key, message.data, message.size);
    }
    HUB_SCOPED_BUFFER message = {0};
    hub_manifest_encode(schema, &whole, &message);
    cluster_write_bytes(&m->cluster, topic, 0, "sus-list", message.data, message.size);
    hub_inventory_free(nothing);
}

/* A record of the ingest topic that has this id. */
static void load(struct manifesting *m, const char *id) {
    source_feed(&m->source, "a.json", "{\"list\": [{\"id\": \"A\", \"name\": \"SKIN\"}]}");
    const struct hub_outgoing *outgoing = &m->source.list.items[0];
    const struct hub_kafka_header header = {"ce_id", hub_bytes_of_text(id)};
    const struct hub_kafka_record record = {.has_key = true,
                                            .has_value = true,
                                            .key = hub_bytes_of_text(outgoing->key),
                                            .value = outgoing->value,
                                            .headers = &header,
                                            .header_count = 1};
    expect_ok(hub_manifesting_load(m->own, &record, &m->error), &m->error);
}

static void without_its_topic_there_is_none(void **state) {
    struct manifesting m = begin();
    (void)state;
    open_manifest(&m);
    assert_null(m.own);
    take(&m, "{\"list\": [{\"id\": \"A\", \"name\": \"SKIN\"}]}");
    end(&m);
}

static void a_first_one_is_published_a_minute_after_nothing_comes_or_ten_later(void **state) {
    struct manifesting m = begin();
    (void)state;
    cluster_topic(&m.cluster, topic, 1);
    open_manifest(&m);
    assert_true(hub_manifesting_has_news(m.own));
    assert_false(hub_manifesting_is_due(m.own, true, OPENED_MS + IDLE_MS - 1));
    assert_true(hub_manifesting_is_due(m.own, true, OPENED_MS + IDLE_MS));
    assert_false(hub_manifesting_is_due(m.own, false, OPENED_MS + BUSY_MS - 1));
    assert_true(hub_manifesting_is_due(m.own, false, OPENED_MS + BUSY_MS));
    end(&m);
}

static void one_that_is_there_is_gone_on_from(void **state) {
    struct manifesting m = begin();
    (void)state;
    cluster_topic(&m.cluster, topic, 1);
    publish(&m, 7, m.source.connector->domain->schema->id);
    open_manifest(&m);
    assert_false(hub_manifesting_has_news(m.own));
    load(&m, "sus-list/7/0");    /* it is in it */
    load(&m, "sus-other/12/0");  /* another's */
    load(&m, "sus-list/never"); /* nobody's */
    assert_false(hub_manifesting_has_news(m.own));
    load(&m, "sus-list/8/0");
    assert_true(hub_manifesting_has_news(m.own));
    end(&m);
}

static void one_of_another_version_of_the_domain_is_begun_again(void **state) {
    struct manifesting m = begin();
    (void)state;
    cluster_topic(&m.cluster, topic, 1);
    publish(&m, 7, m.source.connector->domain->schema->id - 1);
    open_manifest(&m);
    assert_true(hub_manifesting_has_news(m.own));
    end(&m);
}

/* As published, but for one part. */
static void assert_begun_again(struct hub_bytes entries, unsigned number) {
    struct manifesting m = begin();
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), HUB_MANIFEST_SUBJECT);
    struct hub_manifest part = {.names = {"sus-list", "sus", "sus-trials", "trial"},
                                .is_part = true,
                                .number = number,
                                .entries = entries};
    HUB_SCOPED_BUFFER message = {0};
    char key[32];
    cluster_topic(&m.cluster, topic, 1);
    publish(&m, 7, m.source.connector->domain->schema->id);
    hub_manifest_encode(schema, &part, &message);
    snprintf(key, sizeof key, "sus-list/%u", number);
    cluster_write_bytes(&m.cluster, topic, 0, key, message.data, message.size);
    open_manifest(&m);
    assert_true(hub_manifesting_has_news(m.own));
    end(&m);
}

static void one_whose_parts_are_not_what_it_sums_up_is_begun_again(void **state) {
    struct hub_inventory *other = hub_inventory_new(&hub_sha256);
    HUB_SCOPED_BUFFER entries = {0};
    struct hub_manifest_sum sum = {0};
    (void)state;
    hub_inventory_begin_look(other);
    hub_inventory_refuse(other, "sus-trials/A");
    for (unsigned i = 0; i < HUB_MANIFEST_PARTS && sum.count == 0; i++) {
        hub_buffer_clear(&entries);
        hub_inventory_encode(other, i, &entries, &sum);
        if (sum.count > 0)
            assert_begun_again(hub_buffer_bytes(&entries), i);
    }
    assert_int_equal(sum.count, 1);
    hub_inventory_free(other);
}

static void one_that_cannot_be_read_is_begun_again(void **state) {
    (void)state;
    assert_begun_again(hub_bytes("\x02", 1), 3); /* an entry, which is not there */
}

/* How many offsets the topic has gone on by. */
static int64_t write_all(struct manifesting *m, struct hub_producer *producer) {
    struct hub_kafka_partition before = {topic, 0, -1, NULL}, after = before;
    expect_ok(hub_reader_ends(m->reader, &before, 1, &m->error), &m->error);
    expect_ok(hub_producer_begin(producer, &m->error), &m->error);
    expect_ok(hub_manifesting_write(m->own, producer, "{}", 1, &m->error), &m->error);
    expect_ok(hub_producer_commit(producer, &m->error), &m->error);
    hub_manifesting_written(m->own, OPENED_MS);
    expect_ok(hub_reader_ends(m->reader, &after, 1, &m->error), &m->error);
    return after.offset - before.offset;
}

static void after_the_first_only_what_changed_is_written(void **state) {
    struct manifesting m = begin();
    struct hub_producer *producer = NULL;
    (void)state;
    cluster_topic(&m.cluster, topic, 1);
    open_manifest(&m);
    expect_ok(hub_producer_new(m.cluster.bootstrap, "test", &producer, &m.error), &m.error);
    take(&m, "{\"list\": [{\"id\": \"A\", \"name\": \"SKIN\"}]}");
    int64_t first = write_all(&m, producer);
    assert_false(hub_manifesting_has_news(m.own));
    assert_false(hub_manifesting_is_due(m.own, false, OPENED_MS + BUSY_MS));
    take(&m, "{\"list\": [{\"id\": \"A\", \"name\": \"BONE\"}]}");
    int64_t second = write_all(&m, producer);
    assert_int_equal(first - second, HUB_MANIFEST_PARTS - 1);
    hub_producer_free(producer);
    end(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_its_topic_there_is_none),
        cmocka_unit_test(a_first_one_is_published_a_minute_after_nothing_comes_or_ten_later),
        cmocka_unit_test(one_that_is_there_is_gone_on_from),
        cmocka_unit_test(one_of_another_version_of_the_domain_is_begun_again),
        cmocka_unit_test(one_whose_parts_are_not_what_it_sums_up_is_begun_again),
        cmocka_unit_test(one_that_cannot_be_read_is_begun_again),
        cmocka_unit_test(after_the_first_only_what_changed_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
