#include "slab/remote.h"

#include "observe/chaos.h"
#include "observe/ring.h"
#include "observe/steps.h"
#include "thread/link.h"
#include "thread/operation.h"

RemoteBlocks remote_drain(HakTcb* me, OwnedSlab slab) {
    operation_must_be_open(me, "remote_drain");
    slab_assert_owner(me, slab.number, "drain");
    uint64_t word = load_relaxed(remote_word(slab.number));
    if (remote_count(word) == 0) return (RemoteBlocks){NULL, 0};
    ring_record(HAK_EVENT_drain, remote_first(word), slab.number, remote_count(word));
    STEP(D1);
    word = exchange_acquire(remote_word(slab.number), REMOTE_EMPTY);  // pairs with the release in remote_push
    tcb_count(me, HAK_C_drain);
    counter_add(&me->counters, HAK_C_drained_blocks, remote_count(word));
    return (RemoteBlocks){remote_first(word), remote_count(word)};
}

bool remote_has(OwnedSlab slab, const void* block) {
    uint64_t word = load_acquire(remote_word(slab.number));  // pairs with the release in remote_push
    return link_list_has(remote_first(word), remote_count(word), block);
}

bool remote_push(HakTcb* me, SlabNumber s, void* first, void* last, uint32_t count) {
    STEP(R2);
    uint64_t word = load_relaxed(remote_word(s));
    for (;;) {
        if (word == REMOTE_UNOWNED) return false;
        link_write(last, remote_first(word));
        STEP(R3);
        // pairs with the acquire in remote_drain
        if (cas_release(remote_word(s), &word, remote_make(first, remote_count(word) + count))) break;
        tcb_count(me, HAK_C_remote_retry);
    }
    tcb_count(me, HAK_C_remote_push);
    return true;
}
