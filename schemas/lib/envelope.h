/* The envelope of every record: CloudEvents 1.0 in Kafka's binary content mode (Kafka protocol
 * binding 1.0.2, section 3.2), as headers. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"

struct hub_header {
    const char *name;
    struct hub_bytes value;
};

struct hub_envelope {
    const char *id;      /* with the source, unique */
    const char *source;  /* urn:atmp:<institution>:<system> or urn:atmp:hub:<stage> */
    const char *type;    /* atmp.<domain>.registered, updated, merged, split, withdrawn ... */
    const char *subject; /* the record's key */
    bool has_time;
    int64_t time_ms;
};

enum { HUB_ENVELOPE_HEADERS_MAX = 7 };

/* Fills the headers, in the arena or for ever there; returns how many. */
size_t hub_envelope_headers(const struct hub_envelope *envelope, struct hub_arena *arena,
                            struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX]);

/* The same of texts that stay where they are as long as the headers do. */
struct hub_envelope_texts {
    struct hub_bytes id, source, type, subject;
    struct hub_bytes time; /* no data: none */
};
size_t hub_envelope_headers_of(const struct hub_envelope_texts *texts,
                               struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX]);
struct hub_bytes hub_envelope_time(struct hub_arena *arena, int64_t time_ms);
