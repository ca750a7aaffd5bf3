#include "slab/mailbox.h"

#include "refill/refill.h"

OwnedSlab refill_mailbox(HakTcb* me, unsigned size_class) {
    return refill_candidate(me, size_class, mailbox_fetch(size_class));
}
