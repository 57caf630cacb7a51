/* Loading a fold from messages, whose keys are their first texts. */
#pragma once

#include "hub/stages/fold.h"
#include "hub/stages/shelf.h"

HUB_MUST_USE enum hub_status test_load(struct hub_fold *fold, enum hub_fold_topic topic,
                                       struct hub_bytes message, struct hub_error *reterr);
/* hub_fold_loaded, and everything is woken. */
HUB_MUST_USE enum hub_status test_loaded(struct hub_fold *fold, struct hub_error *reterr);

/* A store beside the fold, as the cache is. Its records are older than those that are loaded. */
struct test_store {
    struct hub_store store;
    size_t
        *steps; /* how many it still makes, two a call, before it fails with HUB_RETRY; or NULL */
    struct hub_shelf *shelves[HUB_FOLD_TOPICS];
    struct hub_hooks hooks;
};
struct test_store *test_store_new(void);
void test_store_free(struct test_store *store); /* NULL is fine */
/* False where its hooks are not of these rules: it, and what follows it, has to be loaded. The fold is
 * told of numbers that have slips. */
HUB_MUST_USE bool test_store_put(struct test_store *store, const char *rules,
                                 enum hub_fold_topic topic, const struct hub_input *record,
                                 struct hub_fold *fold);
