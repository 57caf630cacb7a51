#include "tests/lib/dropping.h"

#include "tests/lib/cmocka.h"

int dropping_begin(void **state) {
    struct dropping *drop = hub_allocate_zero(1, sizeof *drop);
    folder_make(&drop->folder);
    reading_set_clock(dropping_start_ms);
    *state = drop;
    return 0;
}

int dropping_end(void **state) {
    struct dropping *drop = *state;
    if (drop->reading.transport != NULL)
        reading_close(&drop->reading);
    folder_remove(&drop->folder);
    hub_release(drop);
    return 0;
}

void dropping_open(struct dropping *drop, const char *more) {
    reading_open(&drop->reading, "file-drop",
                 hub_arena_format(&drop->folder.arena, "{folder: %s, poll_interval_ms: 10%s}",
                                  drop->folder.path, more),
                 NULL);
}

void dropping_put(struct dropping *drop, const char *name, const char *text) {
    folder_write(&drop->folder, name, text);
    folder_set_time(&drop->folder, name, reading_clock() - DROPPING_AGE_MS);
}

const struct hub_raw_document *dropping_only(struct dropping *drop) {
    assert_int_equal(drop->reading.batch.count, 1);
    return &drop->reading.batch.documents[0];
}

void dropping_expect_no_more(struct dropping *drop) {
    assert_int_equal(reading_poll(&drop->reading), 0);
    assert_true(drop->reading.batch.exhausted);
}

const char *dropping_take(struct dropping *drop) {
    const char *told = "";
    size_t count = reading_poll(&drop->reading);
    for (size_t i = 0; i < count; i++) {
        const struct hub_raw_document *document = &drop->reading.batch.documents[i];
        told = hub_arena_format(
            &drop->folder.arena, "%s%s%s%s%s", told, i == 0 ? "" : " ", document->name,
            document->refused != NULL ? "!" : "=",
            document->refused != NULL ? document->refused_code : reading_text(&drop->reading, i));
    }
    if (count > 0)
        reading_commit(&drop->reading);
    return told;
}
