#include "thread/tcb.h"

#include "os/os.h"
#include "superslab/owner_word.h"

static _Atomic(HakTcb*) all;
static HakLock pool_lock, reserve_lock;
static HakTcb *pool_first, *pool_last;  // under pool_lock
static uint32_t made;                   // under pool_lock
static HakTcb reserve;
static bool reserve_listed;  // under reserve_lock

// Made; from here on others may see it.
static void list(HakTcb* tcb) {
    tcb->owner_part = owner_part_of((uint64_t)(uintptr_t)tcb);
    tcb->next_all = load_relaxed(&all);
    while (!cas_release(&all, &tcb->next_all, tcb)) {}  // pairs with the acquire in tcb_all
}

static void pool_append(HakTcb* tcb) {
    tcb->next_pooled = NULL;
    if (pool_last)
        pool_last->next_pooled = tcb;
    else
        pool_first = tcb;
    pool_last = tcb;
}

static void pool_prepend(HakTcb* tcb) {
    tcb->next_pooled = pool_first;
    pool_first = tcb;
    if (pool_last == NULL) pool_last = tcb;
}

static HakTcb* pool_pop(void) {
    HakTcb* tcb = pool_first;
    if (tcb == NULL) return NULL;
    pool_first = tcb->next_pooled;
    if (pool_first == NULL) pool_last = NULL;
    return tcb;
}

static HakTcb* make(void) {
    HakTcb* tcb = os_map_resident(sizeof *tcb);  // a thread soon uses nearly all of it
    if (tcb == NULL) return NULL;
    hak_lock(&pool_lock);
    tcb->number = ++made;
    hak_unlock(&pool_lock);
    list(tcb);
    return tcb;
}

HakTcb* tcb_take(void) {
    hak_lock(&pool_lock);
    HakTcb* tcb = pool_pop();
    hak_unlock(&pool_lock);
    if (tcb == NULL) tcb = make();
    if (tcb) store_relaxed(&tcb->state, TCB_LIVING);
    return tcb;
}

void tcb_give(HakTcb* tcb) {
    hak_lock(&pool_lock);
    if (HAK_CHECKED)
        pool_append(tcb);
    else
        pool_prepend(tcb);
    hak_unlock(&pool_lock);
}

void tcb_prepare(void) {
    HakTcb* tcb = make();
    if (tcb) tcb_give(tcb);
}

HakTcb* tcb_reserve_lock(void) {
    hak_lock(&reserve_lock);
    if (!reserve_listed) list(&reserve);
    reserve_listed = true;
    return &reserve;
}

void tcb_reserve_unlock(void) {
    hak_unlock(&reserve_lock);
}

HakTcb* tcb_all(void) {
    return load_acquire(&all);  // pairs with the release in list
}

void tcb_locks_take(void) {
    hak_lock(&reserve_lock);
    hak_lock(&pool_lock);
}

void tcb_locks_release(void) {
    hak_unlock(&pool_lock);
    hak_unlock(&reserve_lock);
}

void tcb_after_fork_in_child(HakTcb* survivor) {
    hak_lock_reset(&pool_lock);
    hak_lock_reset(&reserve_lock);
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (tcb != survivor && tcb != &reserve) store_relaxed(&tcb->state, TCB_ORPHANED);
}
