/* inventory: what of a source its documents leave in the manifest, whatever became of each record.
 */
#include "connectors/kit/inventory.h"

#include "hub/io/crypto.h"
#include "schemas/lib/slice.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

static const char list[] =
    "connector: sus-list\n"
    "institution: sus\n"
    "system: sus-trials\n"
    "source: {transport: file-drop, format: json, folder: ., mode: snapshot}\n"
    "target: {domain: trial}\n"
    "records:\n"
    "  - for_each: list\n"
    "    when: {present: id}\n"
    "    key: id\n"
    "    version: {from: version, tie: position}\n"
    "    fields:\n"
    "      acronym: name\n"
    "      status: {from: status, table: {open: RECRUITING}, else: reject}\n";

struct taking {
    struct source source;
    struct hub_inventory *inventory;
};

static void open_taking(struct taking *taking) {
    source_open(&taking->source, list);
    source_remember(&taking->source);
    taking->inventory = hub_inventory_new(&hub_sha256);
}

static void close_taking(struct taking *taking) {
    hub_inventory_free(taking->inventory);
    source_close(&taking->source);
}

static void take(struct taking *taking) {
    hub_inventory_take_list(taking->inventory, taking->source.connector, "list.json",
                            &taking->source.list);
    source_commit(&taking->source);
}

static void snapshot(struct taking *taking, const char *text, int64_t withdraw_max_percent) {
    source_feed_snapshot(&taking->source, text, withdraw_max_percent);
    take(taking);
}

#define RECORD(id, version, name, status)                                                          \
    "{\"id\": \"" id "\", \"version\": \"" version "\", \"name\": \"" name                         \
    "\", \"status\": \"" status "\"}"
#define LIST(records) "{\"list\": [" records "]}"

static const struct hub_inventory_item *item(struct taking *taking, const char *id) {
    const char *key = hub_arena_format(&taking->source.arena, "sus-trials/%s", id);
    const struct hub_inventory_item *found = hub_inventory_find(taking->inventory, key);
    assert_non_null(found);
    return found;
}

static void count_one(void *context, const struct hub_inventory_item *item) {
    *(size_t *)context += item->key[0] != '\0';
}

static size_t count_of(struct taking *taking) {
    size_t count = 0;
    hub_inventory_each(taking->inventory, count_one, &count);
    return count;
}

static void a_published_record_is_stated_with_the_digest_that_admit_makes_of_it(void **state) {
    struct taking taking;
    uint32_t starts[HUB_FIELDS_MAX + 1];
    (void)state;
    open_taking(&taking);
    snapshot(&taking, LIST(RECORD("A", "1", "SKIN", "open")), 100);
    const struct hub_connector *connector = taking.source.connector;
    struct hub_bytes body = taking.source.list.items[0].body;
    hub_slice_fields(connector->domain->schema->root, body, starts);
    struct hub_digest digest = hub_statement_digest(connector->domain, connector->system,
                                                    &hub_sha256, body, starts);
    assert_memory_equal(item(&taking, "A")->latest.digest.bytes, digest.bytes, HUB_DIGEST_SIZE);
    assert_int_equal(item(&taking, "A")->standing, HUB_STATED);
    assert_int_equal(count_of(&taking), 1);
    close_taking(&taking);
}

static void what_did_not_change_stays_as_it_was_told(void **state) {
    struct taking taking;
    (void)state;
    open_taking(&taking);
    snapshot(&taking, LIST(RECORD("A", "1", "SKIN", "open")), 100);
    snapshot(&taking, LIST(RECORD("A", "2", "SKIN", "open")), 100);
    assert_int_equal(taking.source.list.counts.unchanged, 1);
    struct hub_bytes version = item(&taking, "A")->latest.stamp.version;
    assert_true(hub_bytes_equal_text(hub_version_of_source(version), "1"));
    assert_int_equal(item(&taking, "A")->standing, HUB_STATED);
    close_taking(&taking);
}

static void what_is_refused_is_in_the_source_all_the_same(void **state) {
    struct taking taking;
    (void)state;
    open_taking(&taking);
    snapshot(&taking,
             LIST(RECORD("A", "1", "SKIN", "closed") "," RECORD("B", "1", "BONE", "open")), 100);
    assert_int_equal(item(&taking, "A")->standing, HUB_REFUSED);
    assert_false(item(&taking, "A")->is_told);
    snapshot(&taking, LIST(RECORD("A", "1", "SKIN", "open") "," RECORD("B", "2", "BONE", "shut")),
             100);
    assert_int_equal(item(&taking, "A")->standing, HUB_STATED);
    assert_int_equal(item(&taking, "B")->standing, HUB_REFUSED);
    assert_true(item(&taking, "B")->is_told);
    /* Told once, and not told again: it is refused still. */
    snapshot(&taking, LIST(RECORD("A", "1", "SKIN", "open") "," RECORD("B", "2", "BONE", "shut")),
             100);
    assert_int_equal(taking.source.list.count, 0);
    assert_int_equal(item(&taking, "B")->standing, HUB_REFUSED);
    close_taking(&taking);
}

static void what_vanished_is_withdrawn_and_what_is_not_withdrawn_for_doubt_is_gone(void **state) {
    struct taking taking;
    (void)state;
    open_taking(&taking);
    snapshot(&taking, LIST(RECORD("A", "1", "SKIN", "open") "," RECORD("B", "1", "BONE", "open") ","
                           RECORD("C", "1", "EYE", "open")), 100);
    snapshot(&taking, LIST(RECORD("A", "1", "SKIN", "open") "," RECORD("B", "1", "BONE", "open")),
             100);
    assert_true(item(&taking, "C")->latest.stamp.withdrawn);
    snapshot(&taking, LIST(RECORD("A", "1", "SKIN", "open")), 10);
    assert_int_equal(item(&taking, "B")->standing, HUB_GONE);
    assert_false(item(&taking, "B")->latest.stamp.withdrawn);
    assert_int_equal(item(&taking, "A")->standing, HUB_STATED);
    assert_int_equal(item(&taking, "C")->standing, HUB_STATED);
    close_taking(&taking);
}

static void a_key_that_looks_like_a_persons_number_is_counted_and_not_named(void **state) {
    struct taking taking;
    (void)state;
    open_taking(&taking);
    snapshot(&taking, LIST(RECORD("19811218-9876", "1", "SKIN", "open") ","
                           RECORD("B", "1", "BONE", "open")), 100);
    assert_int_equal(count_of(&taking), 2);
    assert_null(hub_inventory_find(taking.inventory, "sus-trials/19811218-9876"));
    snapshot(&taking, LIST(RECORD("B", "1", "BONE", "open")), 100);
    assert_int_equal(count_of(&taking), 1);
    close_taking(&taking);
}

static void a_document_that_is_no_snapshot_makes_nothing_gone(void **state) {
    struct taking taking;
    (void)state;
    open_taking(&taking);
    source_feed(&taking.source, "a.json", LIST(RECORD("A", "1", "SKIN", "open")));
    take(&taking);
    source_feed(&taking.source, "b.json", LIST(RECORD("B", "1", "BONE", "open")));
    take(&taking);
    assert_int_equal(item(&taking, "A")->standing, HUB_STATED);
    assert_int_equal(item(&taking, "B")->standing, HUB_STATED);
    close_taking(&taking);
}

static void a_document_that_cannot_be_read_is_one_that_the_source_has(void **state) {
    struct taking taking;
    (void)state;
    open_taking(&taking);
    hub_inventory_begin_look(taking.inventory);
    source_feed(&taking.source, "a.json", "{");
    take(&taking);
    hub_inventory_end_look(taking.inventory);
    assert_int_equal(count_of(&taking), 1);
    close_taking(&taking);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_record_is_stated_with_the_digest_that_admit_makes_of_it),
        cmocka_unit_test(what_did_not_change_stays_as_it_was_told),
        cmocka_unit_test(what_is_refused_is_in_the_source_all_the_same),
        cmocka_unit_test(what_vanished_is_withdrawn_and_what_is_not_withdrawn_for_doubt_is_gone),
        cmocka_unit_test(a_key_that_looks_like_a_persons_number_is_counted_and_not_named),
        cmocka_unit_test(a_document_that_is_no_snapshot_makes_nothing_gone),
        cmocka_unit_test(a_document_that_cannot_be_read_is_one_that_the_source_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
