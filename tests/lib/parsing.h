/* A document through one format: the tree, or why there is none. */
#pragma once

#include "connectors/kit/format.h"
#include "tests/lib/look.h"

struct parsing {
    const struct hub_format *format;
    void *options;
    struct hub_arena arena;
    struct hub_parsed parsed;
    struct hub_error error;
};

/* A format with options from a YAML mapping, "{}" for the defaults. */
void parsing_open(struct parsing *parsing, const char *format, const char *options);
void parsing_close(struct parsing *parsing);

/* Parses; what was parsed before is gone. A document that is refused fails the test. */
void parsing_feed(struct parsing *parsing, const char *text);
void parsing_feed_bytes(struct parsing *parsing, struct hub_bytes document);

/* Parses what must be refused as a whole: the reason. */
const char *parsing_refusal(struct parsing *parsing, const char *text);
const char *parsing_refusal_of_bytes(struct parsing *parsing, struct hub_bytes document);
