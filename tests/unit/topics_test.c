/* topics: which there are, and how they are kept. */
#include "hub/engine/topics.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

#include <stdlib.h>
#include <string.h>

struct listed {
    struct hub_arena arena;
    struct hub_topic_config *topics;
    size_t count;
};

static void list(struct listed *listed) {
    *listed = (struct listed){0};
    hub_topics_list(test_catalogue(), &listed->arena, &listed->topics, &listed->count);
}

static const struct hub_topic_config *topic(const struct listed *listed, const char *name) {
    for (size_t i = 0; i < listed->count; i++)
        if (strcmp(listed->topics[i].name, name) == 0)
            return &listed->topics[i];
    fail_msg("no topic %s", name);
    return NULL;
}

static const char *setting(const struct hub_topic_config *topic, const char *name) {
    for (size_t i = 0; topic->settings[i] != NULL; i += 2)
        if (strcmp(topic->settings[i], name) == 0)
            return topic->settings[i + 1];
    return "";
}

static void each_domain_has_its_topics_and_each_institution_its_own(void **state) {
    static const char *const names[] = {"log.trial", "unified.trial", "conflict.trial",
                                        "match.trial", "ingest.sus.trial", "ingest.lu.trial",
                                        "admitted.lumc.trial", "deadletter.hub", "deadletter.sus",
                                        HUB_DECISION_TOPIC, "position", "manifest.sus"};
    struct listed listed;
    (void)state;
    list(&listed);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(topic(&listed, names[i]));
    for (size_t i = 0; i < listed.count; i++)
        for (size_t k = i + 1; k < listed.count; k++)
            assert_string_not_equal(listed.topics[i].name, listed.topics[k].name);
    hub_arena_destroy(&listed.arena);
}

static void what_belongs_to_a_shard_has_as_many_partitions_as_the_log(void **state) {
    struct listed listed;
    (void)state;
    list(&listed);
    assert_int_equal(topic(&listed, "log.trial")->partitions, 1); /* no natural shard value */
    assert_int_equal(topic(&listed, "log.gmp-slot")->partitions, HUB_SHARDS);
    assert_int_equal(topic(&listed, "unified.gmp-slot")->partitions, HUB_SHARDS);
    assert_int_equal(topic(&listed, "conflict.gmp-slot")->partitions, HUB_SHARDS);
    assert_int_equal(topic(&listed, "match.gmp-slot")->partitions, HUB_SHARDS);
    assert_int_equal(hub_topics_shard_count(test_domain("gmp-slot")), HUB_SHARDS);
    hub_arena_destroy(&listed.arena);
}

static void admitted_topics_have_the_partitions_of_their_ingest_topics(void **state) {
    struct listed listed;
    (void)state;
    list(&listed);
    assert_int_equal(topic(&listed, "ingest.sus.trial")->partitions, HUB_INGEST_PARTITIONS);
    assert_int_equal(topic(&listed, "admitted.sus.trial")->partitions, HUB_INGEST_PARTITIONS);
    hub_arena_destroy(&listed.arena);
}

/* A source's own old times would make the compaction lag void. */
static void every_topic_is_stamped_by_the_broker(void **state) {
    struct listed listed;
    (void)state;
    list(&listed);
    for (size_t i = 0; i < listed.count; i++)
        assert_string_equal(setting(&listed.topics[i], "message.timestamp.type"), "LogAppendTime");
    hub_arena_destroy(&listed.arena);
}

static void the_log_is_kept_and_what_has_a_state_is_compacted(void **state) {
    struct listed listed;
    (void)state;
    list(&listed);
    assert_string_equal(setting(topic(&listed, "log.trial"), "cleanup.policy"), "delete");
    assert_string_equal(setting(topic(&listed, "log.trial"), "retention.ms"), "-1");
    assert_string_equal(setting(topic(&listed, "deadletter.hub"), "cleanup.policy"), "delete");
    assert_string_equal(setting(topic(&listed, "unified.trial"), "cleanup.policy"), "compact");
    assert_string_equal(setting(topic(&listed, "admitted.sus.trial"), "cleanup.policy"),
                        "compact");
    assert_string_equal(setting(topic(&listed, "position"), "cleanup.policy"), "compact");
    hub_arena_destroy(&listed.arena);
}

/* Its bytes, and its key twice. */
static void a_dead_letter_has_room_for_whatever_an_ingest_topic_takes(void **state) {
    struct listed listed;
    (void)state;
    list(&listed);
    long taken = strtol(setting(topic(&listed, "ingest.sus.trial"), "max.message.bytes"), NULL, 10);
    long room = strtol(setting(topic(&listed, "deadletter.hub"), "max.message.bytes"), NULL, 10);
    assert_true(taken > 0 && 2 * taken + 65536 <= room);
    hub_arena_destroy(&listed.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_domain_has_its_topics_and_each_institution_its_own),
        cmocka_unit_test(what_belongs_to_a_shard_has_as_many_partitions_as_the_log),
        cmocka_unit_test(admitted_topics_have_the_partitions_of_their_ingest_topics),
        cmocka_unit_test(every_topic_is_stamped_by_the_broker),
        cmocka_unit_test(the_log_is_kept_and_what_has_a_state_is_compacted),
        cmocka_unit_test(a_dead_letter_has_room_for_whatever_an_ingest_topic_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
