#include "tests/lib/delivering.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static int64_t now(void) {
    return DELIVERING_NOW_MS;
}

static enum hub_status read_options(struct delivering *delivering, const char *outbound,
                                    const char *options) {
    for (size_t i = 0; hub_outbounds[i] != NULL; i++)
        if (strcmp(hub_outbounds[i]->name, outbound) == 0)
            delivering->outbound = hub_outbounds[i];
    assert_non_null(delivering->outbound);
    const struct hub_outbound *found = delivering->outbound;
    delivering->options = hub_arena_take_zero(&delivering->arena, 1, found->options_size);
    HUB_TRY(hub_options_read(schema_node(&delivering->arena, options), found->options, NULL,
                             &delivering->arena, delivering->options, &delivering->error));
    return found->check == NULL ? HUB_OK : found->check(delivering->options, &delivering->error);
}

void delivering_open(struct delivering *delivering, const char *outbound, const char *options) {
    const struct hub_env env = {.monotonic_ms = now, .realtime_ms = now};
    expect_ok(read_options(delivering, outbound, options), &delivering->error);
    delivering->state =
        hub_arena_take_zero(&delivering->arena, 1, delivering->outbound->state_size);
    expect_ok(delivering->outbound->open(delivering->state, delivering->options, &env,
                                         &delivering->error),
              &delivering->error);
}

const char *delivering_refusal(struct delivering *delivering, const char *outbound,
                               const char *options) {
    assert_int_equal(read_options(delivering, outbound, options), HUB_FATAL);
    return delivering->error.text;
}

void delivering_close(struct delivering *delivering) {
    if (delivering->state != NULL)
        delivering->outbound->close(delivering->state);
    hub_arena_destroy(&delivering->arena);
    *delivering = (struct delivering){0};
}

enum hub_status delivering_try(struct delivering *delivering, int64_t first, size_t count,
                               int64_t tried_ms) {
    struct hub_event *events = hub_arena_take_zero(&delivering->arena, count, sizeof *events);
    for (size_t i = 0; i < count; i++) {
        long long number = first + (long long)i;
        events[i].number = number;
        events[i].id = hub_arena_format(&delivering->arena, "trying/%lld", number);
        events[i].json = hub_arena_format(&delivering->arena, "{\"number\":%lld}", number);
        events[i].size = strlen(events[i].json);
    }
    delivering->result = (struct hub_outbound_result){0};
    return delivering->outbound->deliver(delivering->state, events, count, tried_ms,
                                         &delivering->result, &delivering->error);
}
