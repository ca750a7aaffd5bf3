#include "thread/tcb.h"

#include "os/os.h"
#include "superslab/owner_word.h"

static _Atomic(HakTcb*) all;
static HakLock pool_lock, reserve_lock;
typedef struct {
    HakTcb *first, *last;
} Pool;
static Pool parked, bare;       // under pool_lock: with parked bins, and without
static uint32_t places_booked;  // under pool_lock; control blocks in `parked`, and those that may come there
static uint32_t made;           // under pool_lock
static HakTcb reserve;
static bool reserve_listed;  // under reserve_lock

// Made; from here on others may see it.
static void list(HakTcb* tcb) {
    tcb->owner_part = owner_part_of((uint64_t)(uintptr_t)tcb);
    tcb->next_all = load_relaxed(&all);
    while (!cas_release(&all, &tcb->next_all, tcb)) {}  // pairs with the acquire in tcb_all
}

static void append(Pool* pool, HakTcb* tcb) {
    tcb->next_pooled = NULL;
    if (pool->last)
        pool->last->next_pooled = tcb;
    else
        pool->first = tcb;
    pool->last = tcb;
}

static void prepend(Pool* pool, HakTcb* tcb) {
    tcb->next_pooled = pool->first;
    pool->first = tcb;
    if (pool->last == NULL) pool->last = tcb;
}

static HakTcb* pop(Pool* pool) {
    HakTcb* tcb = pool->first;
    if (tcb == NULL) return NULL;
    pool->first = tcb->next_pooled;
    if (pool->first == NULL) pool->last = NULL;
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
    HakTcb* tcb = pop(&parked);
    if (tcb)
        places_booked--;
    else
        tcb = pop(&bare);
    hak_unlock(&pool_lock);
    if (tcb == NULL) tcb = make();
    if (tcb) store_relaxed(&tcb->state, TCB_LIVING);
    return tcb;
}

void tcb_give(HakTcb* tcb) {
    Pool* pool = tcb->parked_blocks ? &parked : &bare;
    hak_lock(&pool_lock);
    if (HAK_CHECKED)
        append(pool, tcb);
    else
        prepend(pool, tcb);
    hak_unlock(&pool_lock);
}

bool tcb_book_parking(void) {
    enum { PLACES = 8 };
    hak_lock(&pool_lock);
    bool booked = places_booked < PLACES;
    places_booked += booked;
    hak_unlock(&pool_lock);
    return booked;
}

void tcb_cancel_parking(void) {
    hak_lock(&pool_lock);
    places_booked--;
    hak_unlock(&pool_lock);
}

HakTcb* tcb_take_parked(uint64_t now, uint64_t ms) {
    HakTcb *before = NULL, *tcb;
    hak_lock(&pool_lock);
    for (tcb = parked.first; tcb && tcb->parked_ms + ms > now; tcb = tcb->next_pooled) before = tcb;
    if (tcb) {
        if (before)
            before->next_pooled = tcb->next_pooled;
        else
            parked.first = tcb->next_pooled;
        if (parked.last == tcb) parked.last = before;
        places_booked--;
    }
    hak_unlock(&pool_lock);
    return tcb;
}

size_t tcb_check_parked(size_t (*check)(const HakTcb* tcb)) {
    size_t wrong = 0;
    hak_lock(&pool_lock);
    for (const HakTcb* tcb = parked.first; tcb; tcb = tcb->next_pooled) wrong += check(tcb);
    hak_unlock(&pool_lock);
    return wrong;
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
    places_booked = 0;  // who had booked one is no more
    for (const HakTcb* tcb = parked.first; tcb; tcb = tcb->next_pooled) places_booked++;
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (tcb != survivor && tcb != &reserve) store_relaxed(&tcb->state, TCB_ORPHANED);
}
