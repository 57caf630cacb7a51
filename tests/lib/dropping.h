/* A folder that file-drop reads, on clocks that stand still: 2026-03-01. */
#pragma once

#include "tests/lib/folder.h"
#include "tests/lib/reading.h"

enum { DROPPING_AGE_MS = 1000 };
static const int64_t dropping_start_ms = 1772323200000;

struct dropping {
    struct folder folder;
    struct reading reading;
};

/* Set up and taken down for each test. */
int dropping_begin(void **state);
int dropping_end(void **state);

/* Opens file-drop on the folder, with more options: ", mode: snapshot". */
void dropping_open(struct dropping *drop, const char *more);

/* A file that was last written DROPPING_AGE_MS ago. */
void dropping_put(struct dropping *drop, const char *name, const char *text);

/* The one document of the last poll. */
const struct hub_raw_document *dropping_only(struct dropping *drop);

/* Polls, and there is nothing, and nothing to come. */
void dropping_expect_no_more(struct dropping *drop);

/* Polls and commits: what came, as "name=text name!CODE" in its order. */
const char *dropping_take(struct dropping *drop);
