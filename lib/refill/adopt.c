#include "config/options.h"
#include "refill/stages.h"

enum { PROBES = 8 };

OwnedSlab refill_adopt(HakTcb* me, unsigned size_class) {
    if (!hak_option(ss_adopt) && !tcb_is_reserve(me)) {  // the reserve TCB keeps no slab for later
        tcb_count(me, HAK_C_early_disabled);
        return (OwnedSlab){0};
    }
    if (!registry_has(size_class)) {
        tcb_count(me, HAK_C_early_empty);
        return (OwnedSlab){0};
    }
    ClaimResult result;
    OwnedSlab slab = slab_adopt_registered(me, size_class, PROBES, &result);
    if (slab.number == 0) tcb_count(me, result == CLAIM_FOREIGN ? HAK_C_early_foreign : HAK_C_early_empty);
    return slab;
}
