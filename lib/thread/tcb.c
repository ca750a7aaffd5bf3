#include "thread/tcb.h"

#include "observe/steps.h"
#include "os/os.h"
#include "superslab/guard_record.h"
#include "superslab/owner_word.h"

_Atomic(HakTcb*) tcb_newest;
static HakLock pool_lock, reserve_lock;
typedef struct {
    HakTcb *first, *last;
} Pool;
static Pool parked, bare;       // under pool_lock: with parked bins, and without
static uint32_t places = 8;     // under pool_lock; TCBs that may have parked bins
static uint32_t places_booked;  // under pool_lock; TCBs in `parked`, and those that are about to go there
static uint32_t made;           // under pool_lock
static HakTcb first_reserve;
static HakTcb* reserve;         // under reserve_lock; NULL: not used yet
static _Atomic bool some_left;  // some TCB may be LEFT

// Publishes a new TCB: from here on others may see it.
static void list(HakTcb* tcb) {
    tcb->owner_part = owner_part_of((uint64_t)(uintptr_t)tcb);
    tcb->next_all = load_relaxed(&tcb_newest);
    while (!cas_release(&tcb_newest, &tcb->next_all, tcb)) {}  // pairs with the acquire in tcb_all
#if HAK_CHECKED
    store_relaxed(&hak_guard_root.threads, (const void*)&tcb_newest);
#endif
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

// Makes a TCB for a thread, or for the pool (NULL).
static HakTcb* make(struct HakTls* tls) {
    HakTcb* tcb = os_map_resident(sizeof *tcb);  // a thread soon uses nearly all of it
    if (tcb == NULL) return NULL;
    hak_lock(&pool_lock);
    tcb->number = ++made;
    hak_unlock(&pool_lock);
    store_relaxed(&tcb->inside, INSIDE);
    store_relaxed(&tcb->tls, tls);
    list(tcb);
    return tcb;
}

// Under pool_lock. In the child of a fork, the count may not include the place that this thread booked.
static void free_place(void) {
    if (places_booked) places_booked--;
}

// First `inside`, so that the TCB does not count as left; then `tls`, and only then out of the pool. So a handler that
// forks in between finds the TCB either in the pool or with its thread.
static void leave_pool(HakTcb* tcb, struct HakTls* tls) {
    store_relaxed(&tcb->inside, INSIDE);
    store_relaxed(&tcb->tls, tls);
    tcb->pooled = false;
}

static HakTcb* take_pooled(struct HakTls* tls, bool bare_too) {
    hak_lock(&pool_lock);
    HakTcb* tcb = pop(&parked);
    if (tcb)
        free_place();
    else if (bare_too)
        tcb = pop(&bare);
    if (tcb) leave_pool(tcb, tls);
    hak_unlock(&pool_lock);
    return tcb;
}

// The state decides who gets the TCB: it does not become LEFT again before the next fork. When tls is written, another
// thread may already have taken the TCB, given up its slabs and put it into the pool. Yet tls comes first: a handler
// that forks in between sees by it that the TCB is the caller's.
static bool take_if_left(HakTcb* tcb, struct HakTls* tls) {
    struct HakTls *nobody = NULL, *mine = tls;
    uint32_t left = TCB_LEFT;
    if (load_relaxed(&tcb->state) != TCB_LEFT) return false;
    STEP(T2);
    if (!cas_relaxed(&tcb->tls, &nobody, tls)) return false;
    STEP(T3);
    // Some slabs already name the TCB as their owner. A thread that meets one and reads the old state LEFT still does
    // not take the TCB for LOST.
    if (cas_relaxed(&tcb->state, &left, TCB_LIVING)) {
        store_relaxed(&tcb->inside, INSIDE);
        atomic_thread_fence(memory_order_release);  // before all writes of its new thread
        return true;
    }
    cas_relaxed(&tcb->tls, &mine, NULL);  // unless a thread that took it out of the pool has set it
    return false;
}

HakTcb* tcb_take_left(struct HakTls* tls) {
    STEP(T1);
    if (!load_relaxed(&some_left)) return NULL;
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (take_if_left(tcb, tls)) return tcb;
    store_relaxed(&some_left, false);
    return NULL;
}

HakTcb* tcb_take(struct HakTls* tls) {
    HakTcb* tcb = take_pooled(tls, false);
    if (tcb == NULL) tcb = tcb_take_left(tls);
    STEP(T6);
    if (tcb == NULL) tcb = take_pooled(tls, true);
    return tcb ? tcb : make(tls);
}

void tcb_give(HakTcb* tcb) {
    Pool* pool = tcb->parked_blocks ? &parked : &bare;
    hak_lock(&pool_lock);
    tcb->pooled = true;
    store_relaxed(&tcb->tls, NULL);
    store_relaxed(&tcb->inside, OUTSIDE);  // inside the lock: after it, the next thread may be in an operation
    if (HAK_CHECKED)
        append(pool, tcb);
    else
        prepend(pool, tcb);
    hak_unlock(&pool_lock);
}

void tcb_stop_parking(void) {
    hak_lock(&pool_lock);
    places = 0;
    hak_unlock(&pool_lock);
}

bool tcb_book_parking(void) {
    hak_lock(&pool_lock);
    bool booked = places_booked < places;
    places_booked += booked;
    hak_unlock(&pool_lock);
    return booked;
}

void tcb_cancel_parking(void) {
    hak_lock(&pool_lock);
    free_place();
    hak_unlock(&pool_lock);
}

HakTcb* tcb_take_parked(struct HakTls* tls, uint64_t now, uint64_t ms) {
    HakTcb *before = NULL, *tcb;
    hak_lock(&pool_lock);
    for (tcb = parked.first; tcb && tcb->parked_ms + ms > now; tcb = tcb->next_pooled) before = tcb;
    if (tcb) {
        if (before)
            before->next_pooled = tcb->next_pooled;
        else
            parked.first = tcb->next_pooled;
        if (parked.last == tcb) parked.last = before;
        free_place();
        leave_pool(tcb, tls);
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
    HakTcb* tcb = make(NULL);
    if (tcb) tcb_give(tcb);
}

// NULL: no reserve TCB is usable (none yet, or a fork found it in use), and there is no memory for one.
static HakTcb* reserve_block(void) {
    if (reserve) return reserve;
    HakTcb* tcb = load_relaxed(&first_reserve.state) == TCB_LOST ? os_map(sizeof *tcb) : &first_reserve;
    reserve = tcb;  // before list(): the child of a fork replaces it, whether it is listed or not
    if (tcb) list(tcb);
    return tcb;
}

HakTcb* tcb_reserve_lock(void) {
    hak_lock(&reserve_lock);
    HakTcb* tcb = reserve_block();
    if (tcb == NULL) hak_unlock(&reserve_lock);
    return tcb;
}

void tcb_reserve_unlock(void) {
    hak_unlock(&reserve_lock);
}

HakTcb* tcb_all(void) {
    return load_acquire(&tcb_newest);  // pairs with the release in list
}

HakLock* tcb_reserve_guard(void) {
    return &reserve_lock;
}

void tcb_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&pool_lock, fork);
}

void tcb_forget_half_done(void) {
    if (!hak_lock_is_others(&pool_lock)) return;
    parked = bare = (Pool){NULL, NULL};
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) tcb->pooled = false;
}

// In the child: for a TCB whose thread does not exist there, or that was between its thread and the pool.
static void leave_or_lose(HakTcb* tcb, void (*save)(HakTcb* tcb)) {
    bool whole = load_relaxed(&tcb->inside) != INSIDE && load_relaxed(&tcb->state) != TCB_LOST;
    if (whole && load_relaxed(&tcb->tls) && save) save(tcb);
    store_relaxed(&tcb->state, whole ? TCB_LEFT : TCB_LOST);
    if (whole) store_relaxed(&some_left, true);
    store_relaxed(&tcb->tls, NULL);
}

void tcb_after_fork_in_child(const struct HakTls* tls, void (*save)(HakTcb* tcb), bool reserve_whole) {
    if (!hak_lock_is_mine(&pool_lock)) {
        places_booked = 0;  // threads that booked one do not exist in the child
        for (const HakTcb* tcb = parked.first; tcb; tcb = tcb->next_pooled) places_booked++;
    }
    if (!reserve_whole && reserve) {
        store_relaxed(&reserve->state, TCB_LOST);
        reserve = NULL;
    }
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (load_relaxed(&tcb->tls) != tls && !tcb->pooled && !tcb_is_reserve(tcb)) leave_or_lose(tcb, save);
}
