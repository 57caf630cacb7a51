#include "tests/lib/outbox.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"

#include <string.h>
#include <time.h>

enum { POLL_MS = 50, TIMEOUT_S = 30, INTERVAL_MS = 5000 };

static struct database server;

int outbox_begin_all(void **state) {
    (void)state;
    database_make(&server);
    struct session *session = session_open(&server);
    session_do(session, "CREATE ROLE atmp_hub LOGIN; CREATE ROLE guarded LOGIN PASSWORD 's3cret'");
    session_close(session);
    return 0;
}

int outbox_end_all(void **state) {
    (void)state;
    database_remove(&server);
    return 0;
}

int outbox_begin(void **state) {
    struct outbox *outbox = hub_allocate_zero(1, sizeof *outbox);
    *state = outbox;
    outbox->database = &server;
    outbox->one = session_open(&server);
    outbox->two = session_open(&server);
    outbox->three = session_open(&server);
    session_do(outbox->one, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
                            "GRANT USAGE ON SCHEMA public TO PUBLIC");
    session_do(outbox->one, hub_transport_find("postgres")->example);
    return 0;
}

int outbox_end(void **state) {
    struct outbox *outbox = *state;
    if (outbox->is_open)
        outbox_close(outbox);
    session_close(outbox->one);
    session_close(outbox->two);
    session_close(outbox->three);
    hub_release(outbox->position);
    hub_release(outbox);
    return 0;
}

/* --- opening --- */

const char *outbox_options(struct outbox *outbox, const char *more) {
    return hub_arena_format(&outbox->database->folder.arena,
                            "{connection: 'host=%s port=%d dbname=postgres user=atmp_hub'%s}",
                            outbox->database->folder.path, outbox->database->port, more);
}

void outbox_open(struct outbox *outbox, const char *more) {
    reading_open(&outbox->reading, "postgres", outbox_options(outbox, more), outbox->position);
    outbox->is_open = true;
}

void outbox_close(struct outbox *outbox) {
    reading_close(&outbox->reading);
    outbox->is_open = false;
}

void outbox_restart(struct outbox *outbox) {
    struct reading *reading = &outbox->reading;
    hub_batch_free(&reading->batch);
    reading->transport->close(reading->state);
    memset(reading->state, 0, reading->transport->state_size);
    reading->env.position = outbox->position;
    if (reading->transport->open(reading->state, reading->options, &reading->env,
                                 &reading->error) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

/* --- looking --- */

static enum hub_status poll_once(struct outbox *outbox) {
    struct reading *reading = &outbox->reading;
    hub_batch_free(&reading->batch);
    return reading->transport->poll(reading->state, POLL_MS, &reading->batch, &reading->error);
}

size_t outbox_wait(struct outbox *outbox) {
    time_t deadline = time(NULL) + TIMEOUT_S;
    do {
        if (poll_once(outbox) != HUB_OK)
            fail_msg("%s", outbox->reading.error.text);
        assert_true(time(NULL) < deadline);
    } while (outbox->reading.batch.count == 0 && !outbox->reading.batch.exhausted);
    return outbox->reading.batch.count;
}

size_t outbox_look(struct outbox *outbox) {
    reading_set_clock(reading_clock() + INTERVAL_MS);
    return outbox_wait(outbox);
}

void outbox_commit(struct outbox *outbox) {
    hub_release(outbox->position);
    outbox->position = hub_copy_text(outbox->reading.batch.position);
    reading_commit(&outbox->reading);
}

const char *outbox_fails(struct outbox *outbox, enum hub_status wanted) {
    time_t deadline = time(NULL) + TIMEOUT_S;
    enum hub_status status = HUB_OK;
    reading_set_clock(reading_clock() + INTERVAL_MS);
    while ((status = poll_once(outbox)) == HUB_OK)
        assert_true(time(NULL) < deadline);
    if (status != wanted)
        fail_msg("%s: %s", hub_status_name(status), outbox->reading.error.text);
    return outbox->reading.error.text;
}

int64_t outbox_row(struct outbox *outbox, size_t index) {
    assert_true(index < outbox->reading.batch.count);
    return look_number(outbox->reading.batch.documents[index].context, "header.id");
}

const char *outbox_rows(struct outbox *outbox) {
    HUB_SCOPED_BUFFER rows = {0};
    while (outbox_look(outbox) > 0) {
        for (size_t i = 0; i < outbox->reading.batch.count; i++)
            hub_buffer_append_format(&rows, "%s%lld", rows.size == 0 ? "" : " ",
                                     (long long)outbox_row(outbox, i));
        outbox_commit(outbox);
    }
    return hub_arena_text(&outbox->reading.arena, (const char *)rows.data, rows.size);
}

void assert_rows(struct outbox *outbox, const char *wanted) {
    assert_string_equal(outbox_rows(outbox), wanted);
}
