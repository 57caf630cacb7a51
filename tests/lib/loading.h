/* Loading a fold from messages, whose keys are their first texts. */
#pragma once

#include "hub/stages/fold.h"

HUB_MUST_USE enum hub_status test_load(struct hub_fold *fold, enum hub_fold_topic topic,
                                       struct hub_bytes message, struct hub_error *reterr);
/* hub_fold_loaded, and everything is woken. */
HUB_MUST_USE enum hub_status test_loaded(struct hub_fold *fold, struct hub_error *reterr);
