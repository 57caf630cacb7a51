/* What becomes of one source record when what its source has is compared with what the hub
 * holds. */
#include "hub/ctl/complete.h"

static bool is_same(const struct hub_complete_facts *facts) {
    return facts->digest == NULL ||
           memcmp(facts->digest->bytes, facts->item->latest.digest.bytes, HUB_DIGEST_SIZE) == 0;
}

/* As the item alone would have it. */
static enum hub_complete_verdict judge_item(const struct hub_complete_facts *facts) {
    bool is_held = facts->held == HUB_HELD;
    if (facts->item == NULL || !hub_inventory_item_is_in_source(facts->item)) {
        if (is_held)
            return HUB_COMPLETE_UNKNOWN;
        bool was_told = facts->item != NULL && facts->held == HUB_HELD_WITHDRAWN &&
                        facts->item->standing == HUB_STATED;
        return was_told && !is_same(facts) ? HUB_COMPLETE_DIFFERENT : HUB_COMPLETE_GONE;
    }
    if (facts->held == HUB_HELD_NOT)
        return HUB_COMPLETE_MISSING;
    if (!is_held || facts->item->standing == HUB_REFUSED || !is_same(facts))
        return HUB_COMPLETE_DIFFERENT;
    return HUB_COMPLETE_RIGHT;
}

enum hub_complete_verdict hub_complete_judge(const struct hub_complete_facts *facts) {
    enum hub_complete_verdict verdict = judge_item(facts);
    if (verdict == HUB_COMPLETE_RIGHT || verdict == HUB_COMPLETE_GONE)
        return verdict;
    if (facts->is_on_the_way)
        return HUB_COMPLETE_ON_THE_WAY;
    if (facts->is_later)
        return HUB_COMPLETE_LATER;
    return facts->is_of_others ? HUB_COMPLETE_OTHERS : verdict;
}
