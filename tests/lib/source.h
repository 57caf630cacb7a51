/* A source of an institution, without Kafka: a configuration as a text, documents in, records and
 * dead letters out. What a test does not expect stops the test program's test with its reason.
 *
 * Every document that is fed is also accounted for: what was read is the sum of what became of it,
 * and what goes out is what was counted. */
#pragma once

#include "connectors/kit/pipeline.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"

struct source {
    struct folder folder; /* of connector.yaml */
    const char *keys_folder;
    struct hub_connector *connector;
    struct hub_pipeline pipeline;
    struct hub_arena arena;
    int64_t sequence;
    struct hub_outgoing_list list; /* of the document that was fed last */
    json_t *kept;
};

/* A folder without a configuration yet: for tables and keys beside it. */
void source_make(struct source *source);
void source_load(struct source *source, const char *configuration);
/* What is wrong with a configuration: the error without the path of its file, so that it begins
 * with line:column. */
const char *source_refusal(struct source *source, const char *configuration);
/* Makes and loads. */
void source_open(struct source *source, const char *configuration);
void source_close(struct source *source);

/* From now on only what changed is published, as of what source_commit was told. */
void source_remember(struct source *source);
void source_commit(struct source *source);

void source_feed(struct source *source, const char *name, const char *text);
/* Single quotes stand for double ones. */
void source_feed_json(struct source *source, const char *text);
void source_feed_document(struct source *source, const struct hub_raw_document *document);
void source_feed_snapshot(struct source *source, const char *text, int64_t withdraw_max_percent);

/* The outgoing record of that index, rendered: of a dead letter the letter. Borrowed. */
const json_t *source_record(struct source *source, size_t index);
/* The original bytes in a dead letter; no data where it has none. */
struct hub_bytes source_original(struct source *source, size_t index);
/* A text member of a record: "stage", or "statement.version". NULL where it is no text. */
const char *source_text(struct source *source, size_t index, const char *path);
/* Whether the text is anywhere in what goes out: key, value or headers. */
bool source_tells(const struct source *source, const char *text);

/* Whether a value has all that is expected of it: of objects the members named, of arrays every
 * element, of everything else the same. */
bool source_has(const json_t *value, const json_t *expected);

/* --- one field of one document --- */

/* The configuration of a connector for a domain, with `fields` between braces; line 9. */
const char *source_configuration(const char *domain, const char *fields, struct hub_arena *arena);

/* The fields, fed with a JSON document, give one record that has what is expected (JSON with single
 * quotes); or one dead letter with this code and path; or are refused with an error in which this
 * text stands. */
#define assert_maps(domain, fields, document, expected)                                            \
    source_assert_maps(domain, fields, document, expected, __FILE__, __LINE__)
#define assert_refuses(domain, fields, document, code, path)                                       \
    source_assert_refuses(domain, fields, document, code, path, __FILE__, __LINE__)
#define assert_misconfigured(domain, fields, error)                                                \
    source_assert_misconfigured(domain, fields, error, __FILE__, __LINE__)
void source_assert_maps(const char *domain, const char *fields, const char *document,
                        const char *expected, const char *file, int line);
void source_assert_refuses(const char *domain, const char *fields, const char *document,
                           const char *code, const char *path, const char *file, int line);
void source_assert_misconfigured(const char *domain, const char *fields, const char *error,
                                 const char *file, int line);

/* The text holds the part; both are shown where it does not. */
#define assert_says(text, part) source_assert_says(text, part, __FILE__, __LINE__)
void source_assert_says(const char *text, const char *part, const char *file, int line);
