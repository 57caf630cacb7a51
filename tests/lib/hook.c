#include "tests/lib/hook.h"

#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000 };

/* 24 bytes of the letters A and B. */
static const char secret_a[] = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";
static const char secret_b[] = "whsec_QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC";

int hook_begin(void **state) {
    struct hook *hook = hub_allocate_zero(1, sizeof *hook);
    *state = hook;
    folder_make(&hook->folder);
    hook->address = post_free_address(&hook->arena);
    reading_set_clock((int64_t)HOOK_NOW_S * 1000);
    setenv("HUB_TEST_SECRET", secret_a, /* overwrite= */ 1);
    setenv("HUB_TEST_OTHER", secret_b, /* overwrite= */ 1);
    return 0;
}

int hook_end(void **state) {
    struct hook *hook = *state;
    if (hook->reading.transport != NULL)
        reading_close(&hook->reading);
    folder_remove(&hook->folder);
    hub_arena_destroy(&hook->arena);
    hub_release(hook);
    return 0;
}

void hook_open(struct hook *hook, const char *more) {
    reading_open(&hook->reading, "webhook",
                 hub_arena_format(&hook->arena, "{listen: '%s', path: /in, secrets: "
                                  "'${env:HUB_TEST_SECRET}'%s}", hook->address, more),
                 NULL);
}

/* --- sending --- */

const char *hook_signature(struct hook *hook, char letter, const char *id, const char *timestamp,
                           const char *body) {
    uint8_t secret[24];
    HUB_SCOPED_BUFFER text = {0};
    memset(secret, letter, sizeof secret);
    const char *message = hub_arena_format(&hook->arena, "%s.%s.%s", id, timestamp, body);
    struct hub_digest digest =
        hub_hmac_sha256(hub_bytes(secret, sizeof secret), hub_bytes_of_text(message));
    hub_base64_append(hub_bytes(digest.bytes, HUB_DIGEST_SIZE), &text);
    return hub_arena_format(&hook->arena, "v1,%s", hub_buffer_text(&text));
}

struct post hook_send_more(struct hook *hook, const char *id, const char *body, const char *more) {
    struct post post;
    const char *head = hub_arena_format(
        &hook->arena, "POST /in HTTP/1.1\nContent-Type: application/json\nWebhook-Id: "
        "%s\nWebhook-Timestamp: %s\nWebhook-Signature: %s\n%s", id, HOOK_NOW_TEXT,
        hook_signature(hook, 'A', id, HOOK_NOW_TEXT, body), more);
    post_request(&post, hook->address, head, hub_bytes_of_text(body));
    return post;
}

struct post hook_send(struct hook *hook, const char *id, const char *body) {
    return hook_send_more(hook, id, body, "");
}

void hook_expect_answer(struct post *post, unsigned status, const char *says) {
    assert_int_equal(post_status(post), status);
    if (strstr(post_text(post), says) == NULL)
        fail_msg("'%s' is not in '%s'", says, post_text(post));
    post_close(post);
}

void hook_await(struct hook *hook, size_t count) {
    int64_t until_ms = hub_clock_monotonic_ms() + WAIT_MS;
    while (reading_poll(&hook->reading) < count) {
        if (hub_clock_monotonic_ms() > until_ms)
            fail_msg("%zu documents came of %zu", hook->reading.batch.count, count);
        sched_yield();
    }
    assert_int_equal(hook->reading.batch.count, count);
}
