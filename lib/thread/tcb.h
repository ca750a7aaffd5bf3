// The control block of a thread: everything a thread keeps but its TLS bins.
//
//   state | owner-only: bound slab, lists and hints of each class, page runs, bundles, counters | between two threads: parked bins
//
// Control blocks are type-stable: a block goes to the pool when its thread ends and to a later thread, never back to the system,
// because its address stands in owner words that others read. Those with parked bins are handed out before the others; among each
// the checked build takes the oldest, and it never forgets their hints.
//
//   LIVING -> LEFT     in the child of a fork, for a thread that does not exist there and was in no operation: all of it is whole
//   LIVING -> LOST     the same for one that was in an operation: nobody ever touches what it owned, but for RX (OWNERSHIP.md)
//   LEFT -> LIVING     by a compare-and-swap, for one thread, which goes on where the other one stopped, or gives up what it owned
//
// The first two are written while the child has one thread, so all of its threads agree on who is LOST, for ever.
//
//   tls != NULL: a thread has it, or is about to;  pooled: it is in the pool, and owns nothing
//
// Thread-safety: the thread's own, but for the state, for runs_pushed, which anybody sets, and for counters, which anybody may read.
// Errors: tcb_take gives NULL when there is no memory.
#ifndef HAK_THREAD_TCB_H
#define HAK_THREAD_TCB_H

#include "base/atomic.h"
#include "base/lock.h"
#include "count/counters.h"
#include "superslab/geometry.h"
#include "thread/bin.h"

typedef enum { TCB_LIVING, TCB_LEFT, TCB_LOST } TcbState;
typedef enum { OUTSIDE, INSIDE, ASKED } TcbInside;  // thread/operation.h

enum {
    STICKY_SLABS = 4,
    BUNDLES = 8,
    RUN_BUCKETS = 10,
    RUN_SHORT_LEAST = 5,
    RUN_SHORT_MOST = 16,
    RUN_CACHE_BINS = 8,
    RUN_CACHE_BLOCKS = 32,
    LONG_RUNS = 4,
    OVERFLOWS_SAMPLE = 64  // that many overflows are counted at a time
};

// What a thread keeps for one size class. Sticky, hot and bench are hints, not ownership.
typedef struct {
    SlabNumber bound;                 // the slab that refills take from; 0: none
    SlabNumber partial;               // own slabs with free blocks, bound one not counted
    SlabNumber partial_last;          // the other end of that list
    SlabNumber full, full_last;       // own slabs without free blocks, if these are large: the newest and the oldest
    SlabNumber hot;                   // most recently got a block back
    SlabNumber bench;                 // what was hot before
    SlabNumber sticky[STICKY_SLABS];  // the last slabs bound
    uint16_t sticky_next;             // one more with each slab bound
    uint8_t seen_binds;               // its lower half, at the last look
    uint8_t full_count;
    uint32_t partial_count;
    uint32_t partial_free;       // blocks on the free lists of the partial slabs
    _Atomic uint32_t overflows;  // frees that found the TLS SLL full
    uint32_t overflow_ticks;     // `ticks` when the last OVERFLOWS_SAMPLE of them began
    uint64_t seen_head;          // of the bin, at the last look
    int32_t seen_room;
    uint32_t seen_overflows;
} TinyTLSSlab;

// Blocks of one foreign slab on their way there.
typedef struct {
    SlabNumber slab;
    uint32_t count;
    void* first;
    void* last;
} RemoteBundle;

// Page runs of one length that their owner freed and may want again soon. They count as used. An array, not a list: the first line
// of a large block is seldom warm.
typedef struct {
    uint32_t count;
    void* block[RUN_CACHE_BLOCKS];
} RunCache;

// A longer one.
typedef struct {
    void* block;
    uint32_t pages;
} LongRun;

typedef struct HakTcb {
    _Atomic uint32_t state;  // TcbState
    uint32_t number;         // 1, 2, ... in order of creation: the thread number of messages and reports
    struct HakTcb* next_all;
    uint64_t owner_part;  // of its owner words; never changes
    struct HakTcb* next_pooled;
    _Atomic(struct HakTls*) tls;         // of the thread that has it
    _Atomic uint32_t inside;             // TcbInside
    bool pooled;                         // under the pool's lock
    bool bins_left;                      // LEFT: the bins of that thread are in `parked`
    uint32_t ticks;                      // refills
    uint64_t next_look_ms;               // when to look for what rests; 0: no look yet
    uint64_t runs_used, seen_runs_used;  // page runs allocated, put into the cache, or taken from it; at the last look
    uint32_t runs_missed;                // runs for which no own SuperSlab had room, since all were looked at
    uint32_t bundled;                    // blocks in bundles
    uint32_t partial_slabs;              // sum of partial_count
    uint32_t run_superslabs;             // SuperSlabs in `runs`
    SlabNumber runs[RUN_BUCKETS];        // own SuperSlabs of page runs, by log2 of their longest free run
    uint32_t cached_pages;               // in run_cache and long_run
    union {
        RunCache run_cache[RUN_CACHE_BINS];  // freed runs of own SuperSlabs, by length (run_cache_bin)
        TlsBin parked[CLASS_COUNT];  // between two threads: bins (refill/parked.h), if parked_blocks != 0 or bins_left
    };
    uint32_t parked_blocks;           // in those bins
    uint64_t parked_ms;               // when they were parked
    LongRun long_run[LONG_RUNS];      // those longer than RUN_SHORT_MOST that were freed last, the oldest first
    uint32_t long_count, long_pages;  // of them
    SlabNumber idle_runs;             // a SuperSlab in which nothing but cached runs was when last looked at; 0: none
    RemoteBundle bundle[BUNDLES];
    HakCounters counters;
    TinyTLSSlab tiny[CLASS_COUNT];
    struct HakQuarantine* quarantine;  // guard mode; NULL: none yet
    _Atomic uint32_t runs_pushed
        HAK_ALIGNED(HAK_CACHE_LINE);  // 1: others have pushed page runs since the owner looked; a hint
} HAK_ALIGNED(4096) HakTcb;

_Static_assert(sizeof(HakTcb) <= 2 * 4096, "resident for each thread");
_Static_assert((1 << (RUN_BUCKETS - 1)) == PAGES_PER_UNIT, "a bucket for every run length");

// For the caller, whose TLS is `tls`, in an operation from then on: one with parked bins, if there is one in the pool; else, in the
// child of a fork, one that a thread has left there.
HakTcb* tcb_take(struct HakTls* tls);
// To the pool; it owns nothing any more, and the operation of its thread ends.
void tcb_give(HakTcb* tcb);
// One that a thread has left in the child of a fork, for the caller to give up what it owns, in an operation. NULL: there is none.
HakTcb* tcb_take_left(struct HakTls* tls);
// One of the few places for control blocks with parked bins, for one that is given soon. false: none is left. A place is free again
// when the control block is taken, or when it is cancelled.
bool tcb_book_parking(void);
// From now on none is: with a change missing slabs are to change hands more often, so that the fault comes sooner.
void tcb_stop_parking(void);
void tcb_cancel_parking(void);
// Out of the pool, for the caller: one whose bins have been parked for `ms` milliseconds or longer. NULL: none.
HakTcb* tcb_take_parked(struct HakTls* tls, uint64_t now, uint64_t ms);
// Number of violated invariants: check() of each with parked bins, under the pool's lock.
size_t tcb_check_parked(size_t (*check)(const HakTcb* tcb));
// Makes a block for the first thread and leaves it in the pool.
void tcb_prepare(void);
// The one block for operations of threads that have none: ended threads, and when there is no memory. Locked while in use.
HakTcb* tcb_reserve_lock(void);
void tcb_reserve_unlock(void);
HAK_INLINE bool tcb_is_reserve(const HakTcb* tcb) {
    return tcb->number == 0;
}

// All blocks ever made, the newest first; follow next_all.
HakTcb* tcb_all(void);

// Around a fork: each lock of this file, outermost first.
void tcb_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// The reserve's alone, which comes before all others here: whoever holds it may wait for any of them.
HakLock* tcb_reserve_guard(void);
// In a copy of the process, before that: if another thread held the pool's lock, nothing is in the pool any more.
void tcb_forget_half_done(void);
// In the child, where the caller alone is left: what becomes of each control block but its own. save(), unless NULL, is told those
// that are LEFT and had a thread. reserve_whole: no thread was using the reserve; else another one takes its place.
void tcb_after_fork_in_child(const struct HakTls* tls, void (*save)(HakTcb* tcb), bool reserve_whole);

// At the end of a thread. In the checked build the next thread of the control block follows them: where a hint leads to another owner's
// slab, the claims are put to the test.
HAK_INLINE void tcb_forget_hints(TinyTLSSlab* tls) {
    if (HAK_CHECKED) return;
    tls->hot = tls->bench = 0;
    for (int i = 0; i < STICKY_SLABS; i++) tls->sticky[i] = 0;
}

HAK_INLINE void tcb_count(HakTcb* tcb, HakCounter which) {
    counter_add(&tcb->counters, which, 1);
}

#endif
