#include "tests/lib/spooling.h"

#include "tests/lib/cmocka.h"

#include <string.h>

static _Atomic bool is_ending;

static bool says_whether(void) {
    return is_ending;
}

static void open_for(struct spooling *spooling, struct reading *reading) {
    struct hub_error error;
    if (hub_spool_open(&spooling->config, &spooling->spool, &error) != HUB_OK)
        fail_msg("%s", error.text);
    reading->env.spool = spooling->spool;
    reading->env.is_stopping = says_whether;
}

void spooling_begin(struct spooling *spooling, struct reading *reading, const char *transport,
                    int64_t size_max_bytes) {
    struct hub_error error;
    folder_make(&spooling->folder);
    folder_write(&spooling->folder, "keys/journal/2026", "0123456789abcdef0123456789abcdef");
    assert_int_equal(hub_keys_load(folder_path(&spooling->folder, "keys"),
                                   &spooling->folder.arena, &spooling->keys, &error), HUB_OK);
    spooling->config = (struct hub_spool_config){.state_folder = spooling->folder.path,
                                                 .name = "called",
                                                 .transport = transport,
                                                 .keys = &spooling->keys,
                                                 .size_max_bytes = size_max_bytes};
    open_for(spooling, reading);
}

void spooling_end(struct spooling *spooling) {
    hub_spool_close(spooling->spool);
    folder_remove(&spooling->folder);
}

size_t spooling_count(struct spooling *spooling) {
    struct hub_error error;
    size_t count = 0;
    assert_int_equal(hub_spool_count(spooling->folder.path, "called", &count, &error), HUB_OK);
    return count;
}

/* Who is told to end keeps nothing. */
void spooling_kill(struct spooling *spooling, struct reading *reading, const char *options,
                   const char *position) {
    const char *copy = position == NULL ? NULL
                                        : hub_arena_text(&spooling->folder.arena, position,
                                                         strlen(position));
    size_t count = spooling_count(spooling);
    is_ending = true;
    reading_close(reading);
    is_ending = false;
    assert_int_equal(spooling_count(spooling), count);
    hub_spool_close(spooling->spool);
    open_for(spooling, reading);
    reading_open(reading, spooling->config.transport, options, copy);
}
