/* A transport: how the documents of a source arrive. One C file and one constant structure each, in
 * connectors/transports. A transport hands documents and a position to the runtime and commits
 * nothing itself. */
#pragma once

#include "connectors/kit/options.h"
#include "hub/base/bytes.h"

#include <jansson.h>

/* One document as it was read. */
struct hub_raw_document {
    const char *name; /* a file, an address */
    const char *identity; /* what tells it from others of that name; NULL: the name does */
    struct hub_bytes bytes;
    json_t *context; /* {file: {...}} or {request: {...}, header: {...}}; owned by the batch */
    bool snapshot;   /* it is the whole of what the source has now */
    int64_t withdraw_max_percent; /* a snapshot that lacks more withdraws nothing */
    const char *refused; /* why it could not be read whole, or NULL; bytes may be missing then */
    const char *refused_code; /* SIZE, FILE, FRAME, PERSONAL, MANIFEST or DIGEST, where refused */
};

/* What one poll gives. Bytes and texts live in the batch's arena. */
struct hub_batch {
    struct hub_arena arena;
    struct hub_raw_document *documents;
    size_t count;
    const char *position; /* JSON text: where to go on once these documents are safe in Kafka */
    bool keeps; /* the position is to be safe in Kafka, and commit called, without a document too */
    bool exhausted;       /* nothing more now: a single run may end here */
    int64_t retry_after_ms; /* with HUB_RETRY: so long the source asks to be left alone, or 0 */
    const char *note;       /* one sentence for the log, of what was turned away; or NULL */
    /* A source that is gone through from one end to the other begins with the documents of this batch,
     * or ends with them: then what was in none of these batches is not in it. */
    bool begins_look, ends_look;
    bool is_beside; /* its documents came beside that, and may come in it, too, by another identity */
    const char **unchanged; /* the identities of documents that are there as they were read before */
    size_t unchanged_count, unchanged_capacity;
};
void hub_batch_free(struct hub_batch *batch);
/* A document is there as it was read before. The text lives as long as the batch. */
void hub_batch_keep(struct hub_batch *batch, const char *identity);

struct hub_spool; /* connectors/kit/spool.h */

/* What the runtime gives a transport. */
struct hub_env {
    const char *position; /* as committed last, or NULL for a first run */
    const char *configuration; /* its hash: another one may read what was read otherwise */
    const char *folder;   /* of the configuration: where relative paths begin; NULL: here */
    bool once; /* a single run: it ends where there is nothing more */
    int64_t (*monotonic_ms)(void);
    int64_t (*realtime_ms)(void); /* since 1970-01-01T00:00:00Z; from any thread */
    /* Whether this process was told to end: what takes long gives up then. NULL: never. */
    bool (*is_stopping)(void);
    /* The transport's own, NULL at first: what it keeps from one session to the next, such as a
     * port that answers while Kafka is away. */
    void **kept;
    /* For what comes while Kafka is away; outlives every session, and what is kept. NULL where the
     * options ask for none, and where a transport is tried alone. */
    struct hub_spool *spool;
};

struct hub_transport {
    const char *name;    /* the file's name, and `transport:` in the configuration */
    const char *summary; /* one sentence, for `connector list` and the manual */
    const char *example; /* of what the source must have for it, for `connector explain`; or NULL */
    const struct hub_option *options;
    size_t options_size;
    /* What the table cannot say of the options. HUB_FATAL; NULL: nothing. */
    enum hub_status (*check)(const void *options, struct hub_error *reterr);
    size_t state_size;
    enum hub_status (*open)(void *state, const void *options, const struct hub_env *env,
                            struct hub_error *reterr);
    /* Waits up to timeout_ms for something new. An empty batch is fine. HUB_RETRY: the source
     * cannot be reached now; the runtime waits and asks again. Of a batch that is not
     * HUB_OK nothing but retry_after_ms may be set. */
    enum hub_status (*poll)(void *state, int64_t timeout_ms, struct hub_batch *ret_batch,
                            struct hub_error *reterr);
    /* The batch is safe in Kafka: now acknowledge it. */
    enum hub_status (*commit)(void *state, struct hub_error *reterr);
    void (*close)(void *state); /* takes a state that open() left half made */
    /* Gives up what env.kept holds: no further session comes. NULL where it keeps nothing. */
    void (*release)(void *kept);
    /* Makes of a document that was read from a file what poll would have made of it: for trying
     * configurations. Its context has file.name. NULL: nothing is to be done. */
    void (*dress)(const void *options, struct hub_raw_document *document);
    /* Whether the source is read again and again, so that what did not change comes again. */
    bool (*rereads)(const void *options);
    /* How large env.spool may become, in bytes; 0: the options ask for none. NULL: they never do. */
    int64_t (*spools)(const void *options);
};

/* All transports, NULL-ended, and one of them by name. */
extern const struct hub_transport *const hub_transports[];
const struct hub_transport *hub_transport_find(const char *name);
