/* hubctl complete: whether the hub holds all that its sources have, as their connectors'
 * manifests say. */
#pragma once

#include "hub/ctl/read.h"
#include "schemas/lib/manifest.h"

/* --- the decision --- */

enum hub_complete_held { HUB_HELD_NOT, HUB_HELD, HUB_HELD_WITHDRAWN };

/* What there is to know of one source record. */
struct hub_complete_facts {
    const struct hub_inventory_item *item; /* NULL: no manifest has it */
    enum hub_complete_held held;
    const struct hub_digest *digest; /* of what is held; NULL: not, or it cannot be compared */
    bool is_later;      /* something was told of it after the manifest */
    bool is_on_the_way; /* ... and before it, and the hub has yet to take it */
    bool is_of_others;  /* a connector told it that publishes no manifest */
};

enum hub_complete_verdict {
    HUB_COMPLETE_RIGHT, /* it is in the source, and held */
    HUB_COMPLETE_GONE,  /* neither: nothing is to be held */
    HUB_COMPLETE_MISSING,
    HUB_COMPLETE_DIFFERENT,
    HUB_COMPLETE_UNKNOWN, /* it is held, and not in the source */
    HUB_COMPLETE_ON_THE_WAY,
    HUB_COMPLETE_LATER, /* the next manifest tells */
    HUB_COMPLETE_OTHERS,
    HUB_COMPLETE_VERDICTS
};
enum hub_complete_verdict hub_complete_judge(const struct hub_complete_facts *facts);

/* --- what it is decided of --- */

/* A dead letter. */
struct hub_complete_letter {
    const char *place; /* NULL: there is none */
    const char *code;
};

/* One source record. */
struct hub_complete_row {
    const char *key;
    enum hub_complete_held held;
    struct hub_digest digest; /* of what is held */
    int64_t origin;           /* ... its offset in the ingest topic; -1: nothing is */
    const char *teller;       /* the connector that told it last; NULL: it is not in that topic */
    int64_t sequence;         /* ... under this number */
    int32_t partition;        /* where that is in the ingest topic */
    int64_t offset;           /* -1: nowhere */
    /* Of the connector; of the hub of the latest that was told, of the last, and of what is in the
     * ingest topic. */
    struct hub_complete_letter refused, latest_dead, last_dead, dead;
    /* What the manifests have of it; where the hub has refused the latest, that is the last. */
    bool is_listed;
    struct hub_inventory_item item;
    struct hub_complete_letter letter; /* that tells why it is not held, if any does */
    enum hub_complete_verdict verdict;
};

/* A connector's manifest. */
struct hub_complete_teller {
    const char *name;
    int64_t sequence;
    int64_t written_ms;
    const char *damage; /* why it is not compared, or NULL */
};

/* What one institution carries of one system into one domain. */
struct hub_complete_source {
    const char *institution, *system;
    const struct hub_domain *domain;
    struct hub_inventory *inventory; /* of all its manifests together */
    struct hub_complete_teller *tellers;
    size_t teller_count, teller_capacity;
    bool is_comparable; /* digests were made in this folder's schema */
    bool has_look;
    int64_t looked_ms; /* the earliest of their last ones */
    struct hub_complete_rows *rows;
    int64_t counts[HUB_COMPLETE_VERDICTS];
};

struct hub_complete {
    struct hub_ctl *ctl;
    struct hub_arena arena;
    struct hub_source *source;
    struct hub_reader *reader; /* of the source */
    struct hub_complete_source *sources;
    size_t count, capacity;
    bool has_foreign; /* a manifest claims to be another institution's */
};

/* Reads manifests, logs, ingest topics and dead letters, and decides. False where Kafka could not
 * be read, which has been said. */
bool hub_complete_look(struct hub_ctl *ctl, struct hub_complete *complete);
void hub_complete_end(struct hub_complete *complete);
/* The rows of a source, by key. */
void hub_complete_each(struct hub_complete_source *source,
                       void (*take)(void *context, const struct hub_complete_source *source,
                                    const struct hub_complete_row *row),
                       void *context);

/* --- between its files --- */

/* NULL where there is none. */
struct hub_complete_source *hub_complete_source_find(struct hub_complete *complete,
                                                     struct hub_bytes institution,
                                                     struct hub_bytes system,
                                                     const struct hub_domain *domain);
struct hub_complete_source *hub_complete_source_need(struct hub_complete *complete,
                                                     const struct hub_manifest_names *names,
                                                     const struct hub_domain *domain);
struct hub_complete_row *hub_complete_row_find(struct hub_complete_source *source,
                                               struct hub_bytes key);
/* False where it could not be read, which has been said. */
bool hub_complete_read_manifests(struct hub_complete *complete);
bool hub_complete_read_letters(struct hub_complete *complete);
