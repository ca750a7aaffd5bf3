// The mailbox: a stack of blocks, each a notice that its slab has free blocks again. Anybody sends, the owner takes all.
//
// A message to a thread that is no more would be lost; so a sender looks at the state after it pushed, and takes everything
// back when the thread is DEAD. The thread on its side becomes DEAD first and looks into its mailbox after that. Both need a
// store before a load of another word, hence seq_cst. A block left behind by such a race reaches the next thread that uses the
// control block, which frees it again.
// Thread-safety: as said. Errors: none.
#ifndef HAK_THREAD_MAILBOX_H
#define HAK_THREAD_MAILBOX_H

#include "thread/tcb.h"

// Sends `block`. Returns the blocks, chained by links, that the caller must send on because the thread is no
// more; or NULL.
void* mailbox_send(HakTcb* to, void* block);
// Takes all blocks, chained by links; NULL: none.
void* mailbox_take(HakTcb* me);

HAK_INLINE bool mailbox_has_mail(HakTcb* me) {
    return load_relaxed(&me->mailbox) != NULL;
}

#endif
