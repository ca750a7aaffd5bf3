#include "slab/mailbox.h"

#include "observe/steps.h"
#include "refill/stages.h"

#include "refill/candidate.h"

OwnedSlab refill_mailbox(HakTcb* me, unsigned size_class) {
    STEP(MF);
    return refill_candidate(me, size_class, mailbox_fetch(size_class));
}
