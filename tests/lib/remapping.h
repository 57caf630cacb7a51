/* What a connector has read and published, to be mapped again by another configuration: a source of lines of
 * CSV (id,status,name), whose documents and records are kept. What a test does not expect stops the test. */
#pragma once

#include "connectors/kit/remap.h"
#include "tests/lib/source.h"

enum { REMAPPING_RECORDS_MAX = 64, REMAPPING_TEXT_MAX = 16 };

struct remapping_published {
    const char *key, *id;
    struct hub_bytes message;
};

struct remapping {
    struct source source;
    struct hub_arena arena; /* of what is published */
    struct remapping_published published[REMAPPING_RECORDS_MAX];
    size_t published_count;
    const char *texts[REMAPPING_TEXT_MAX]; /* of the documents, by sequence from 1 */
    struct hub_journal_list journal;
    struct hub_remap *remap; /* the test's */
    char text[4096];         /* the test's: what is to be done */
};

void remapping_open(struct remapping *remapping, const char *configuration);
void remapping_close(struct remapping *remapping);
void remapping_publish(struct remapping *remapping, const struct hub_outgoing *outgoing);
/* A document, list.csv; a line is a record. */
void remapping_feed(struct remapping *remapping, const char *lines);
/* As a snapshot without it does. */
void remapping_vanish(struct remapping *remapping, const char *key);
/* Tells `remap` all that is published. */
void remapping_tell(struct remapping *remapping);
