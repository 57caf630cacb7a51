#include "tests/lib/deciding.h"

#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"

#include <stdio.h>
#include <string.h>

#define REASON "'reason': 'As the protocol says.', 'decided_time': '2026-05-01T10:00:00.000Z'"

int64_t decide_revision(struct world *world, const char *key) {
    return look_number(world_entity_of(world, key), "revision");
}

bool decide_about(struct world *world, const char *domain, const char *kind, const char *subject,
                  const char *by, int64_t revision, const char *more) {
    char text[1024];
    snprintf(text, sizeof text,
             "{'decision_id': '%s-%s-%lld', 'domain': '%s', 'subject': '%s', 'kind': '%s', "
             "'revision': %lld, 'decided_by': '%s', %s%s%s}",
             kind, by, (long long)revision, domain, subject, kind, (long long)revision, by, REASON,
             more == NULL ? "" : ", ", more == NULL ? "" : more);
    return world_decide(world, text);
}

void decide_pair(struct world *world, const char *kind, const char *a, const char *b) {
    char more[256];
    snprintf(more, sizeof more, "'statements': ['%s'], 'others': ['%s'], 'other_revision': %lld", a,
             b, (long long)decide_revision(world, b));
    assert_true(
        decide_about(world, "trial", kind, "pair/1", "anna", decide_revision(world, a), more));
}

int decide_slot_shard(void) {
    return hub_admit_shard(test_domain("gmp-slot"), &hub_sha256, hub_bytes_of_text("ror:05xvt9f17"),
                           HUB_SHARDS);
}

void decide_restart(struct world *world) {
    uint64_t before = world_trace(world);
    world_restart(world);
    assert_true(before == world_trace(world));
}

void expect_refusal_of(const json_t *record, const char *words) {
    const char *refused = look_text(record, "refused");
    if (refused == NULL || strstr(refused, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", refused == NULL ? "(nothing)" : refused, words);
}
