#include "thread/mailbox.h"

#include "refill/refill.h"
#include "thread/link.h"

void refill_take_mail(HakTcb* me) {
    for (void *block = mailbox_take(me), *next; block; block = next) {
        next = link_read(block);
        tcb_count(me, HAK_C_notice_taken);
        block_free(me, block);
    }
}

OwnedSlab refill_mailbox(HakTcb* me, unsigned size_class) {
    if (!mailbox_has_mail(me)) {
        tcb_count(me, HAK_C_early_empty);
        return (OwnedSlab){0};
    }
    refill_take_mail(me);
    return refill_candidate(me, size_class, me->tiny[size_class].partial);
}
