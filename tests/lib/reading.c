#include "tests/lib/reading.h"

#include "tests/lib/cmocka.h"

static _Atomic int64_t now_ms = 1772323200000; /* 2026-03-01; transports have threads */

void reading_set_clock(int64_t milliseconds) {
    now_ms = milliseconds;
}

int64_t reading_clock(void) {
    return now_ms;
}

static void prepare(struct reading *reading, const char *transport, const char *options) {
    struct hub_node *node = NULL;
    struct hub_env given = reading->env;
    *reading = (struct reading){.transport = hub_transport_find(transport)};
    assert_non_null(reading->transport);
    reading->env = (struct hub_env){.folder = given.folder,
                                    .once = given.once,
                                    .is_stopping = given.is_stopping,
                                    .spool = given.spool,
                                    .configuration =
                                        given.configuration == NULL ? "" : given.configuration,
                                    .monotonic_ms = reading_clock,
                                    .realtime_ms = reading_clock,
                                    .kept = &reading->kept};
    reading->options =
        hub_arena_take_zero(&reading->arena, 1, reading->transport->options_size);
    reading->state = hub_allocate_zero(1, reading->transport->state_size);
    if (hub_node_parse(hub_bytes_of_text(options), "options.yaml", &reading->arena, &node,
                       &reading->error) != HUB_OK ||
        hub_options_read(node, reading->transport->options, NULL, &reading->arena,
                         reading->options, &reading->error) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

static enum hub_status try_to_open(struct reading *reading, const char *position) {
    reading->env.position = position;
    if (reading->transport->check != NULL)
        HUB_TRY(reading->transport->check(reading->options, &reading->error));
    return reading->transport->open(reading->state, reading->options, &reading->env,
                                    &reading->error);
}

void reading_open(struct reading *reading, const char *transport, const char *options,
                  const char *position) {
    prepare(reading, transport, options);
    if (try_to_open(reading, position) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

const char *reading_refusal(struct reading *reading, const char *transport, const char *options,
                            const char *position) {
    prepare(reading, transport, options);
    enum hub_status status = try_to_open(reading, position);
    if (status != HUB_FATAL)
        fail_msg("FATAL is expected, it is %s", hub_status_name(status));
    return reading->error.text;
}

void reading_close(struct reading *reading) {
    reading->transport->close(reading->state);
    if (reading->kept != NULL)
        reading->transport->release(reading->kept);
    reading->kept = NULL;
    hub_release(reading->state);
    hub_batch_free(&reading->batch);
    hub_arena_destroy(&reading->arena);
}

void reading_restart(struct reading *reading) {
    const char *position = hub_arena_text(&reading->arena, reading->batch.position,
                                          strlen(reading->batch.position));
    reading->transport->close(reading->state);
    hub_release(reading->state);
    reading->state = hub_allocate_zero(1, reading->transport->state_size);
    if (try_to_open(reading, position) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

enum hub_status reading_try(struct reading *reading) {
    hub_batch_free(&reading->batch);
    return reading->transport->poll(reading->state, /* timeout_ms= */ 0, &reading->batch,
                                    &reading->error);
}

size_t reading_poll(struct reading *reading) {
    if (reading_try(reading) != HUB_OK)
        fail_msg("%s", reading->error.text);
    return reading->batch.count;
}

void reading_commit(struct reading *reading) {
    if (reading->transport->commit(reading->state, &reading->error) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

static const struct hub_raw_document *document(struct reading *reading, size_t index) {
    if (index >= reading->batch.count)
        fail_msg("%zu documents came; number %zu is asked for", reading->batch.count, index);
    return &reading->batch.documents[index];
}

const char *reading_name(struct reading *reading, size_t index) {
    return document(reading, index)->name;
}

const char *reading_text(struct reading *reading, size_t index) {
    struct hub_bytes bytes = document(reading, index)->bytes;
    return hub_arena_text(&reading->arena, (const char *)bytes.data, bytes.size);
}
