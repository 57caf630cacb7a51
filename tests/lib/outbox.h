/* The transport postgres on its own, on the outbox that `connector explain` shows, in a server that the
 * tests of a program share. */
#pragma once

#include "tests/lib/database.h"
#include "tests/lib/reading.h"

struct outbox {
    struct database *database;
    struct session *one, *two, *three;
    struct reading reading;
    bool is_open;
    char *position; /* as committed last, or NULL */
};

/* Of the group, and of each test: a new outbox each. */
int outbox_begin_all(void **state);
int outbox_end_all(void **state);
int outbox_begin(void **state);
int outbox_end(void **state);

/* Its options for the transport, and more: ", name: value". */
const char *outbox_options(struct outbox *outbox, const char *more);
void outbox_open(struct outbox *outbox, const char *more);
void outbox_close(struct outbox *outbox);
/* As after a kill: from what was committed. */
void outbox_restart(struct outbox *outbox);

/* Has the interval pass, and polls until a look at the table is over; how many documents came. */
size_t outbox_look(struct outbox *outbox);
/* The same without the interval: how many documents came before nothing more was there to be done. */
size_t outbox_wait(struct outbox *outbox);
void outbox_commit(struct outbox *outbox);
/* Looks until a poll fails so; its reason. */
const char *outbox_fails(struct outbox *outbox, enum hub_status wanted);

/* Looks and commits until nothing comes any more; the rows that came, as "2 3 1". */
const char *outbox_rows(struct outbox *outbox);
/* The number of the row that came as document `index` of the last look. */
int64_t outbox_row(struct outbox *outbox, size_t index);
void assert_rows(struct outbox *outbox, const char *wanted);
