#include "refill/candidate.h"

#include "observe/ring.h"
#include "observe/steps.h"
#include "refill/unsafe_drain.h"

OwnedSlab refill_candidate(HakTcb* me, unsigned size_class, SlabNumber s) {
    static const HakCounter reason[] = {
        [CLAIM_MINE] = HAK_C_early_no_free,      [CLAIM_WON] = HAK_C_early_no_free,
        [CLAIM_FOREIGN] = HAK_C_early_foreign,   [CLAIM_WRONG_TAG] = HAK_C_early_wrong_class,
        [CLAIM_RELEASED] = HAK_C_early_released,
    };
    if (s == 0) {
        tcb_count(me, HAK_C_early_empty);
        return (OwnedSlab){0};
    }
    ClaimResult result;
    STEP(H1);
    OwnedSlab slab = slab_claim(me, s, tag_of_class(size_class), &result);
    if (result == CLAIM_WON) {
        tcb_count(me, HAK_C_adopt_by_refill);
        ring_record(HAK_EVENT_adopt, NULL, s, 2);
    }
    STEP(HB);
    if (slab.number && slab_has_blocks(slab)) return slab;
    if (result == CLAIM_WON) slab_give_up_full(me, slab);
    tcb_count(me, reason[result]);
    return (OwnedSlab){0};
}

OwnedSlab refill_hint(HakTcb* me, Change change, unsigned size_class, SlabNumber s) {
    if (change_is_missing(change)) {
        OwnedSlab slab = unsafe_drain_and_bind(me, change, size_class, s);
        if (slab.number) return slab;
    }
    return refill_candidate(me, size_class, s);
}
