#include "thread/mailbox.h"

#include "thread/link.h"

void* mailbox_take(HakTcb* me) {
    return exchange_seq_cst(&me->mailbox, NULL);  // pairs with the CAS in mailbox_send
}

void* mailbox_send(HakTcb* to, void* block) {
    void* head = load_relaxed(&to->mailbox);
    do link_write(block, head);
    while (!cas_seq_cst(&to->mailbox, &head, block));  // pairs with the exchange in mailbox_take
    uint32_t state = load_seq_cst(&to->state);
    return state == TCB_DEAD || state == TCB_ORPHANED ? mailbox_take(to) : NULL;
}
