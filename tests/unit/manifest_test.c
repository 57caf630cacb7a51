/* manifest: what a connector has told, kept as admit would decide it, and carried by records. */
#include "schemas/lib/manifest.h"

#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <string.h>

static struct hub_digest digest_of(const char *text) {
    return hub_sha256.digest(hub_bytes_of_text(text));
}

static void tell(struct hub_inventory *inventory, const char *key, const char *version,
                 const char *says) {
    const struct hub_said said = {.stamp.version = hub_bytes_of_text(version),
                                  .digest = digest_of(says)};
    hub_inventory_tell(inventory, key, &said);
}

static void withdraw(struct hub_inventory *inventory, const char *key, const char *version) {
    const struct hub_said said = {
        .stamp = {.version = hub_bytes_of_text(version), .withdrawn = true},
        .digest = digest_of("withdrawn")};
    hub_inventory_tell(inventory, key, &said);
}

static void assert_said(const struct hub_said *said, const char *version, const char *says) {
    const struct hub_digest digest = digest_of(says);
    assert_true(hub_bytes_equal_text(said->stamp.version, version));
    assert_memory_equal(said->digest.bytes, digest.bytes, HUB_DIGEST_SIZE);
}

static void assert_says(struct hub_inventory *inventory, const char *key, const char *version,
                        const char *says) {
    const struct hub_inventory_item *item = hub_inventory_find(inventory, key);
    assert_non_null(item);
    assert_true(item->is_told);
    assert_said(&item->latest, version, says);
}

static void assert_says_last(struct hub_inventory *inventory, const char *key, const char *version,
                             const char *says) {
    const struct hub_inventory_item *item = hub_inventory_find(inventory, key);
    assert_non_null(item);
    assert_said(&item->last, version, says);
}

static void assert_stands(struct hub_inventory *inventory, const char *key,
                          enum hub_standing standing) {
    const struct hub_inventory_item *item = hub_inventory_find(inventory, key);
    assert_non_null(item);
    assert_int_equal(item->standing, standing);
}

static void count_one(void *context, const struct hub_inventory_item *item) {
    *(size_t *)context += item->key[0] != '\0';
}

static size_t count_of(struct hub_inventory *inventory) {
    size_t count = 0;
    hub_inventory_each(inventory, count_one, &count);
    return count;
}

static bool in_source(struct hub_inventory *inventory, const char *key) {
    return hub_inventory_item_is_in_source(hub_inventory_find(inventory, key));
}

/* --- inventory --- */

static void the_later_version_counts_whichever_comes_first(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell(inventory, "s/1", "9", "nine");
    tell(inventory, "s/1", "10", "ten");
    assert_says(inventory, "s/1", "10", "ten");
    tell(inventory, "s/1", "9", "nine");
    assert_says(inventory, "s/1", "10", "ten");
    assert_says_last(inventory, "s/1", "9", "nine");
    assert_stands(inventory, "s/1", HUB_STATED);
    assert_null(hub_inventory_find(inventory, "s/2"));
    hub_inventory_free(inventory);
}

static void what_is_refused_is_in_the_source_until_it_is_told_again(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    hub_inventory_refuse(inventory, "s/1");
    assert_stands(inventory, "s/1", HUB_REFUSED);
    assert_false(hub_inventory_find(inventory, "s/1")->is_told);
    assert_true(in_source(inventory, "s/1"));
    tell(inventory, "s/1", "1", "one");
    assert_stands(inventory, "s/1", HUB_STATED);
    hub_inventory_refuse(inventory, "s/1");
    assert_says(inventory, "s/1", "1", "one");
    hub_inventory_free(inventory);
}

static void what_is_withdrawn_is_not_in_the_source(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell(inventory, "s/1", "1", "one");
    assert_true(in_source(inventory, "s/1"));
    withdraw(inventory, "s/1", "2");
    assert_false(in_source(inventory, "s/1"));
    hub_inventory_free(inventory);
}

static void what_a_whole_look_does_not_find_is_gone(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell(inventory, "s/stays", "1", "one");
    tell(inventory, "s/goes", "1", "one");
    withdraw(inventory, "s/withdrawn", "2");
    hub_inventory_refuse(inventory, "s/never-told");
    hub_inventory_begin_look(inventory);
    tell(inventory, "s/stays", "1", "one");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/stays", HUB_STATED);
    assert_stands(inventory, "s/goes", HUB_GONE);
    assert_false(in_source(inventory, "s/goes"));
    assert_stands(inventory, "s/withdrawn", HUB_STATED);
    assert_null(hub_inventory_find(inventory, "s/never-told"));
    tell(inventory, "s/goes", "1", "one");
    assert_stands(inventory, "s/goes", HUB_STATED);
    hub_inventory_free(inventory);
}

static void of_several_connectors_the_later_counts_and_what_one_still_sees(void **state) {
    struct hub_inventory *one = hub_inventory_new(&hub_sha256);
    struct hub_inventory *all = hub_inventory_new(&hub_sha256);
    (void)state;
    tell(one, "s/1", "1", "one");
    hub_inventory_begin_look(one);
    hub_inventory_end_look(one);
    assert_stands(one, "s/1", HUB_GONE);
    hub_inventory_join(all, hub_inventory_find(one, "s/1"));
    assert_stands(all, "s/1", HUB_GONE);
    tell(all, "s/1", "2", "two");
    hub_inventory_join(all, hub_inventory_find(one, "s/1"));
    assert_says(all, "s/1", "2", "two");
    assert_stands(all, "s/1", HUB_STATED);
    hub_inventory_refuse(one, "s/1");
    hub_inventory_join(all, hub_inventory_find(one, "s/1"));
    assert_stands(all, "s/1", HUB_REFUSED);
    tell(one, "s/1", "3", "three");
    hub_inventory_join(all, hub_inventory_find(one, "s/1"));
    assert_stands(all, "s/1", HUB_REFUSED);
    assert_says(all, "s/1", "3", "three");
    hub_inventory_free(one);
    hub_inventory_free(all);
}

static void what_has_no_key_is_only_counted_in_a_look_and_until_the_next(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    hub_inventory_begin_document(inventory, "a.csv");
    hub_inventory_refuse(inventory, NULL);
    assert_int_equal(count_of(inventory), 0);
    hub_inventory_begin_look(inventory);
    hub_inventory_begin_document(inventory, "a.csv");
    hub_inventory_refuse(inventory, NULL);
    hub_inventory_refuse(inventory, NULL);
    hub_inventory_begin_document(inventory, "b.csv");
    hub_inventory_refuse(inventory, NULL);
    hub_inventory_end_look(inventory);
    assert_int_equal(count_of(inventory), 3);
    hub_inventory_begin_look(inventory);
    hub_inventory_begin_document(inventory, "a.csv");
    hub_inventory_refuse(inventory, NULL);
    hub_inventory_end_look(inventory);
    assert_int_equal(count_of(inventory), 1);
    hub_inventory_free(inventory);
}

/* --- documents --- */

static void tell_in(struct hub_inventory *inventory, const char *document, const char *key) {
    hub_inventory_begin_document(inventory, document);
    tell(inventory, key, "1", key);
}

static void what_stands_in_a_document_that_is_there_as_it_was_is_there(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell_in(inventory, "a", "s/kept");
    hub_inventory_begin_document(inventory, "a");
    hub_inventory_refuse(inventory, "s/refused");
    tell_in(inventory, "b", "s/gone");
    hub_inventory_begin_look(inventory);
    hub_inventory_keep_document(inventory, "a");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/kept", HUB_STATED);
    assert_stands(inventory, "s/refused", HUB_REFUSED);
    assert_stands(inventory, "s/gone", HUB_GONE);
    hub_inventory_begin_look(inventory);
    hub_inventory_keep_document(inventory, "b");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/gone", HUB_STATED);
    assert_stands(inventory, "s/kept", HUB_GONE);
    hub_inventory_free(inventory);
}

static void what_has_left_its_document_does_not_come_back_with_it(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell_in(inventory, "a", "s/left");
    hub_inventory_begin_look(inventory);
    tell_in(inventory, "a", "s/other");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/left", HUB_GONE);
    hub_inventory_begin_look(inventory);
    hub_inventory_keep_document(inventory, "a");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/left", HUB_GONE);
    assert_stands(inventory, "s/other", HUB_STATED);
    hub_inventory_free(inventory);
}

static void what_is_told_beside_a_look_is_there_and_stays_in_its_document(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell_in(inventory, "a", "s/1");
    hub_inventory_begin_look(inventory);
    hub_inventory_begin_document(inventory, NULL);
    tell(inventory, "s/1", "2", "two");
    tell(inventory, "s/2", "1", "one");
    hub_inventory_refuse(inventory, NULL);
    hub_inventory_refuse_document(inventory);
    hub_inventory_end_look(inventory);
    assert_int_equal(count_of(inventory), 2);
    assert_stands(inventory, "s/1", HUB_STATED);
    assert_stands(inventory, "s/2", HUB_STATED);
    hub_inventory_begin_look(inventory);
    hub_inventory_keep_document(inventory, "a");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/1", HUB_STATED);
    hub_inventory_free(inventory);
}

/* Told before documents were noted, or read back from the ingest topic. */
static void what_stood_nobody_knows_where_is_not_gone_while_documents_are_kept(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell(inventory, "s/1", "1", "one");
    hub_inventory_begin_look(inventory);
    hub_inventory_keep_document(inventory, "a");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/1", HUB_STATED);
    hub_inventory_begin_look(inventory);
    tell_in(inventory, "a", "s/2");
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/1", HUB_GONE);
    hub_inventory_free(inventory);
}

static void what_stood_in_a_document_that_cannot_be_read_is_refused(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    (void)state;
    tell_in(inventory, "a", "s/1");
    hub_inventory_begin_document(inventory, "a");
    hub_inventory_refuse_document(inventory);
    assert_stands(inventory, "s/1", HUB_STATED); /* of no whole look */
    hub_inventory_begin_look(inventory);
    hub_inventory_begin_document(inventory, "a");
    hub_inventory_refuse_document(inventory);
    hub_inventory_begin_document(inventory, "never read");
    hub_inventory_refuse_document(inventory);
    hub_inventory_end_look(inventory);
    assert_stands(inventory, "s/1", HUB_REFUSED);
    assert_int_equal(count_of(inventory), 2);
    hub_inventory_free(inventory);
}

/* --- parts --- */

static unsigned part_of(const char *key) {
    return digest_of(key).bytes[0] % HUB_MANIFEST_PARTS;
}

static struct hub_manifest_sum sum_of(struct hub_inventory *inventory, unsigned part) {
    HUB_SCOPED_BUFFER entries = {0};
    struct hub_manifest_sum sum;
    hub_inventory_encode(inventory, part, &entries, &sum);
    return sum;
}

static bool is_same_sum(struct hub_manifest_sum a, struct hub_manifest_sum b) {
    return a.count == b.count && memcmp(a.digest.bytes, b.digest.bytes, HUB_DIGEST_SIZE) == 0;
}

static void many(struct hub_inventory *inventory, int from, int to) {
    for (int i = from; i < to; i++) {
        char key[16];
        snprintf(key, sizeof key, "s/%d", i);
        tell(inventory, key, "1", key);
    }
}

static void a_change_changes_the_sum_of_its_part_and_of_no_other(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    struct hub_manifest_sum before[HUB_MANIFEST_PARTS];
    (void)state;
    many(inventory, 0, 300);
    for (unsigned i = 0; i < HUB_MANIFEST_PARTS; i++)
        before[i] = sum_of(inventory, i);
    tell(inventory, "s/17", "2", "another");
    for (unsigned i = 0; i < HUB_MANIFEST_PARTS; i++)
        assert_int_equal(is_same_sum(before[i], sum_of(inventory, i)), i != part_of("s/17"));
    hub_inventory_free(inventory);
}

static void sums_do_not_depend_on_the_order_of_telling(void **state) {
    struct hub_inventory *one = hub_inventory_new(&hub_sha256);
    struct hub_inventory *other = hub_inventory_new(&hub_sha256);
    int64_t count = 0;
    (void)state;
    many(one, 0, 200);
    many(other, 100, 200);
    (void)sum_of(other, 0);
    many(other, 0, 100);
    for (unsigned i = 0; i < HUB_MANIFEST_PARTS; i++) {
        assert_true(is_same_sum(sum_of(one, i), sum_of(other, i)));
        count += sum_of(one, i).count;
    }
    assert_int_equal(count, 200);
    hub_inventory_free(one);
    hub_inventory_free(other);
}

/* --- records --- */

static const struct hub_schema *schema(void) {
    return hub_catalogue_latest(test_catalogue(), HUB_MANIFEST_SUBJECT);
}

static const struct hub_manifest_names names = {"sus-list", "sus", "sus-trials", "trial"};

/* Encodes, and decodes into the arena. */
static enum hub_status carry(const struct hub_manifest *manifest, struct hub_buffer *message,
                             struct hub_arena *arena, struct hub_manifest *ret_manifest,
                             struct hub_error *error) {
    hub_manifest_encode(schema(), manifest, message);
    return hub_manifest_decode(schema(), hub_buffer_bytes(message), arena, ret_manifest, error);
}

static void an_inventory_is_the_same_after_it_was_carried(void **state) {
    struct hub_inventory *inventory = hub_inventory_new(&hub_sha256);
    struct hub_inventory *carried = hub_inventory_new(&hub_sha256);
    const struct hub_said timed = {.stamp = {.version = hub_bytes_of_text("2026-03-01~1"),
                                             .has_event_time = true,
                                             .event_time_ms = -5},
                                   .digest = digest_of("timed")};
    struct hub_arena arena = {0};
    struct hub_error error;
    (void)state;
    many(inventory, 0, 150);
    hub_inventory_begin_document(inventory, "a.csv");
    hub_inventory_tell(inventory, "s/timed", &timed);
    tell(inventory, "s/late", "2", "two");
    tell(inventory, "s/late", "1", "one");
    withdraw(inventory, "s/withdrawn", "7");
    hub_inventory_refuse(inventory, "s/refused");
    for (unsigned i = 0; i < HUB_MANIFEST_PARTS; i++) {
        HUB_SCOPED_BUFFER entries = {0};
        HUB_SCOPED_BUFFER message = {0};
        struct hub_manifest_sum sum;
        struct hub_manifest part = {.names = names, .is_part = true, .number = i}, read;
        hub_inventory_encode(inventory, i, &entries, &sum);
        part.entries = hub_buffer_bytes(&entries);
        expect_ok(carry(&part, &message, &arena, &read, &error), &error);
        assert_true(read.is_part);
        assert_int_equal(read.number, i);
        assert_true(hub_bytes_equal(read.entries, part.entries));
        hub_inventory_decode(carried, schema(), read.entries);
        assert_true(is_same_sum(sum, sum_of(carried, i)));
    }
    assert_says(carried, "s/timed", "2026-03-01~1", "timed");
    assert_int_equal(hub_inventory_find(carried, "s/timed")->latest.stamp.event_time_ms, -5);
    assert_says(carried, "s/late", "2", "two");
    assert_says_last(carried, "s/late", "1", "one");
    assert_says_last(carried, "s/timed", "2026-03-01~1", "timed");
    assert_int_equal(hub_inventory_find(carried, "s/timed")->document,
                     hub_inventory_find(inventory, "s/timed")->document);
    assert_int_not_equal(hub_inventory_find(carried, "s/timed")->document, 0);
    assert_stands(carried, "s/refused", HUB_REFUSED);
    assert_false(in_source(carried, "s/withdrawn"));
    hub_arena_destroy(&arena);
    hub_inventory_free(inventory);
    hub_inventory_free(carried);
}

static struct hub_manifest whole(void) {
    struct hub_manifest manifest = {.names = names,
                                    .schema = 100009,
                                    .sequence = 412,
                                    .position = "{\"files\":{}}",
                                    .has_look = true,
                                    .looked_ms = 1764000000000};
    for (int i = 0; i < HUB_MANIFEST_PARTS; i++)
        manifest.sums[i] = (struct hub_manifest_sum){i, digest_of(i % 2 == 0 ? "even" : "odd")};
    return manifest;
}

static void a_whole_tells_where_it_stands_and_what_its_parts_come_to(void **state) {
    struct hub_manifest manifest = whole(), read;
    struct hub_arena arena = {0};
    struct hub_error error;
    HUB_SCOPED_BUFFER message = {0};
    (void)state;
    expect_ok(carry(&manifest, &message, &arena, &read, &error), &error);
    assert_false(read.is_part);
    assert_string_equal(read.names.connector, "sus-list");
    assert_string_equal(read.names.institution, "sus");
    assert_string_equal(read.names.system, "sus-trials");
    assert_string_equal(read.names.domain, "trial");
    assert_int_equal(read.schema, 100009);
    assert_int_equal(read.sequence, 412);
    assert_string_equal(read.position, "{\"files\":{}}");
    assert_true(read.has_look);
    assert_int_equal(read.looked_ms, 1764000000000);
    for (int i = 0; i < HUB_MANIFEST_PARTS; i++)
        assert_true(is_same_sum(read.sums[i], manifest.sums[i]));
    hub_arena_destroy(&arena);
}

static void a_source_that_is_never_seen_whole_says_so(void **state) {
    struct hub_manifest manifest = whole(), read;
    struct hub_arena arena = {0};
    struct hub_error error;
    HUB_SCOPED_BUFFER message = {0};
    (void)state;
    manifest.has_look = false;
    expect_ok(carry(&manifest, &message, &arena, &read, &error), &error);
    assert_false(read.has_look);
    hub_arena_destroy(&arena);
}

static void what_is_no_manifest_is_refused(void **state) {
    struct hub_manifest part = {.names = names, .is_part = true, .number = 64}, read;
    struct hub_arena arena = {0};
    struct hub_error error;
    HUB_SCOPED_BUFFER message = {0};
    (void)state;
    part.entries = hub_bytes("\0", 1);
    expect_refusal(carry(&part, &message, &arena, &read, &error), HUB_FATAL, &error, "part 64",
                   "0 to 63 would pass");
    assert_true(hub_manifest_is_of(schema(), hub_buffer_bytes(&message)));
    message.data[4]++; /* the schema's id */
    assert_false(hub_manifest_is_of(schema(), hub_buffer_bytes(&message)));
    assert_false(hub_manifest_is_of(schema(), hub_bytes("", 0)));
    expect_refusal(hub_manifest_decode(schema(), hub_buffer_bytes(&message), &arena, &read, &error),
                   HUB_FATAL, &error, "a manifest with schema id 1", "would pass");
    message.data[4]--;
    message.size--;
    enum hub_status status =
        hub_manifest_decode(schema(), hub_buffer_bytes(&message), &arena, &read, &error);
    assert_int_equal(status, HUB_REJECT);
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_later_version_counts_whichever_comes_first),
        cmocka_unit_test(what_is_refused_is_in_the_source_until_it_is_told_again),
        cmocka_unit_test(what_is_withdrawn_is_not_in_the_source),
        cmocka_unit_test(what_a_whole_look_does_not_find_is_gone),
        cmocka_unit_test(of_several_connectors_the_later_counts_and_what_one_still_sees),
        cmocka_unit_test(what_has_no_key_is_only_counted_in_a_look_and_until_the_next),
        cmocka_unit_test(what_stands_in_a_document_that_is_there_as_it_was_is_there),
        cmocka_unit_test(what_has_left_its_document_does_not_come_back_with_it),
        cmocka_unit_test(what_is_told_beside_a_look_is_there_and_stays_in_its_document),
        cmocka_unit_test(what_stood_nobody_knows_where_is_not_gone_while_documents_are_kept),
        cmocka_unit_test(what_stood_in_a_document_that_cannot_be_read_is_refused),
        cmocka_unit_test(a_change_changes_the_sum_of_its_part_and_of_no_other),
        cmocka_unit_test(sums_do_not_depend_on_the_order_of_telling),
        cmocka_unit_test(an_inventory_is_the_same_after_it_was_carried),
        cmocka_unit_test(a_whole_tells_where_it_stands_and_what_its_parts_come_to),
        cmocka_unit_test(a_source_that_is_never_seen_whole_says_so),
        cmocka_unit_test(what_is_no_manifest_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
