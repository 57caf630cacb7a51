/* What a stage knows and has not looked at yet: records of the topics of its state, found by hooks.
 *
 * A hook is a hash of something that a record can be reached by: its key, an identifier that it gives,
 * the entity that it is about. Which hooks a record has is said when it is put away. Asked for a hook, a
 * store gives every record that has it, of each key the last one that it was given; it may give others
 * too. What it must never do is leave one out. */
#pragma once

#include "hub/base/hook.h"
#include "hub/base/hook_set.h"
#include "hub/base/status.h"
#include "hub/stages/entry.h"

enum { HUB_STORE_TOPICS_MAX = 4 };

/* Given a record of the topic (by the stage's own numbers). It is valid during the call, in which the
 * store must not be asked. */
typedef enum hub_status (*hub_store_take)(void *context, unsigned topic,
                                          const struct hub_input *record, struct hub_error *reterr);

/* A store outside the stage, such as the cache of the process that it runs in. */
struct hub_store {
    void *context;
    /* `given`, or NULL, is the asker's: what it was given before may be left out. */
    enum hub_status (*find)(void *context, uint64_t hook, struct hub_given *given,
                            hub_store_take take, void *take_context, struct hub_error *reterr);
    /* Every record of a topic. */
    enum hub_status (*each)(void *context, unsigned topic, hub_store_take take, void *take_context,
                            struct hub_error *reterr);
};
