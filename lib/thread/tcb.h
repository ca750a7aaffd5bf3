// The TCB (control block): everything a thread keeps except its TLS bins.
//
//   state | owner-only: bound slab, lists and hints of each class, page runs, bundles, counters
//         | between two threads: parked bins
//
// TCBs are type-stable. When its thread ends, a TCB goes to the pool and from there to a later thread. It never goes
// back to the system, because its address is in owner words that others read. TCBs with parked bins are handed out
// first. The checked build hands out the oldest, and never forgets their hints.
//
//   LIVING -> LEFT     in the child of a fork: its thread does not exist there and was in no operation; it is whole
//   LIVING -> LOST     in the child of a fork: its thread was in an operation; nobody ever touches what it owned,
//                      except by step RX (docs/OWNERSHIP.md)
//   LEFT -> LIVING     by a compare-and-swap: one thread goes on with it, or gives up what it owned
//
// The first two are written while the child has one thread. So all of its threads agree for ever on who is LOST.
//
//   tls != NULL: a thread has it, or is about to;  pooled: it is in the pool, and owns nothing
//
// Thread-safety: the thread's own, except: the state; `inside` and `tls`, which a fork writes, too; what pool_lock
// guards while the TCB is in the pool; runs_pushed, which anybody sets; counters, which anybody may read.
// Errors: tcb_take gives NULL if there is no memory.
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
    RUN_SHORT_LEAST = 5,
    RUN_SHORT_MOST = 16,
    RUN_CACHE_BINS = 8,
    RUN_CACHE_BLOCKS = 25,
    LONG_RUNS = 4,
    FREE_RUN_EXACT = 64,
    FREE_RUN_LISTS = FREE_RUN_EXACT - RUN_SHORT_LEAST + 1 + 3 * 8,
    FREE_RUN_WORDS = (FREE_RUN_LISTS + 63) / 64,
    PUSHED_RUNS = 4,
    OVERFLOWS_SAMPLE = 64  // overflows that one tick of their counter stands for
};

// What a thread keeps for one size class. sticky, hot and bench are hints, not ownership.
typedef struct {
    SlabNumber bound;                 // the slab that refills take from; 0: none
    SlabNumber partial;               // own slabs that have blocks to give, except the bound one: first of the list
    SlabNumber partial_last;          // its last
    SlabNumber full, full_last;       // own slabs of large blocks without a free one: the newest and the oldest
    SlabNumber hot;                   // the slab that most recently got a block back
    SlabNumber bench;                 // the slab that was hot before
    SlabNumber sticky[STICKY_SLABS];  // the last slabs bound
    uint16_t sticky_next;             // slabs bound so far
    uint8_t seen_binds;               // lower half of it at the last scan
    uint8_t full_count;
    uint32_t partial_count;
    uint32_t partial_free;       // blocks on the free lists of the partial slabs
    _Atomic uint32_t overflows;  // frees that found the TLS SLL full
    uint32_t overflow_ticks;     // `ticks` when the current OVERFLOWS_SAMPLE of them began
    uint32_t seen_bins;          // a mix of heads and rooms of the bins at the last scan
    uint32_t seen_overflows;
    uint32_t profile_left;  // mallocs to the next sample of the heap profile, which is the last of them; 0: not drawn
} TinyTLSSlab;

// Blocks of one foreign slab, gathered to be pushed together.
typedef struct {
    SlabNumber slab;
    uint32_t count;
    void* first;
    void* last;
} RemoteBundle;

// Page runs of one length that their owner freed and may soon want again. They count as used. It is an array, not a
// list, because the first line of a large block is seldom in the caches.
typedef struct {
    uint32_t count;
    void* block[RUN_CACHE_BLOCKS];
} RunCache;

// A longer page run.
typedef struct {
    void* block;
    uint32_t pages;
} LongRun;

typedef struct HakTcb {
    _Atomic uint32_t state;  // TcbState
    uint32_t number;         // 1, 2, ... in order of creation: the thread number of messages and reports
    struct HakTcb* next_all;
    uint64_t owner_part;  // the owner part of its owner words; never changes
    struct HakTcb* next_pooled;
    _Atomic(struct HakTls*) tls;        // the TLS of the thread that has it
    _Atomic uint32_t inside;            // TcbInside
    bool pooled;                        // under pool_lock
    bool bins_left;                     // if LEFT: the bins of its thread are in `parked`
    uint32_t ticks;                     // refills
    uint64_t next_scan_ms;              // when the next scan is due; 0: there was none yet
    SlabNumber next_absorbed;           // SuperSlab in `runs` that is absorbed next; 0: the first one
    uint32_t absorb_ends;               // how often the end of `runs` is to be reached, since others have freed
    uint32_t bundled;                   // blocks in bundles
    uint32_t partial_slabs;             // sum of partial_count
    uint32_t run_superslabs;            // SuperSlabs in `runs`
    SlabNumber runs;                    // own SuperSlabs of page runs: first of the list
    uint32_t free_run[FREE_RUN_LISTS];  // their free runs, by length (slab/free_runs.h)
    uint64_t free_run_some[FREE_RUN_WORDS];
    bool run_cache_used;    // since the last scan, a page run came into the cache or left it
    uint32_t cached_pages;  // in run_cache
    union {
        RunCache run_cache[RUN_CACHE_BINS];  // freed runs of own SuperSlabs, by length (run_cache_bin)
        // Between two threads: parked bins (refill/parked.h), if parked_blocks != 0 or bins_left.
        TlsBin parked[CLASS_COUNT];
    };
    uint32_t parked_blocks;           // in the parked bins
    uint64_t parked_ms;               // when they were parked
    LongRun long_run[LONG_RUNS];      // runs longer than RUN_SHORT_MOST, the oldest first
    uint32_t long_count, long_pages;  // their number, and their pages
    SlabNumber idle_runs;             // a SuperSlab that was idle at the last check; 0: none
    RemoteBundle bundle[BUNDLES];
    HakCounters counters;
    TinyTLSSlab tiny[CLASS_COUNT];
    int64_t sample_left;               // blocks that refills may give until the next sample
    bool sample_begun;                 // that was drawn
    struct HakQuarantine* quarantine;  // guard mode; NULL: none yet
    // SuperSlabs of page runs into which others have freed since the owner last looked: hints, 0: none.
    _Atomic SlabNumber runs_pushed[PUSHED_RUNS] HAK_ALIGNED(HAK_CACHE_LINE);
} HAK_ALIGNED(4096) HakTcb;

_Static_assert(sizeof(HakTcb) <= 2 * 4096, "resident for each thread");
_Static_assert(FREE_RUN_EXACT << 3 == PAGES_PER_UNIT, "a list for every run length");

// Gives the caller, whose TLS is `tls`, a TCB, in an operation from then on. First choice is one with parked bins from
// the pool; then, in the child of a fork, one that is LEFT.
HakTcb* tcb_take(struct HakTls* tls);
// Puts the TCB, which owns nothing any more, into the pool. This ends the thread's operation.
void tcb_give(HakTcb* tcb);
// A TCB that is LEFT, in an operation, so that the caller can give up what it owns. NULL: there is none.
HakTcb* tcb_take_left(struct HakTls* tls);
// Books one of the few places for TCBs with parked bins, for a TCB that the caller is about to give. false: none is
// free. The place becomes free when the TCB is taken, or when the booking is cancelled.
bool tcb_book_parking(void);
// From now on nothing is parked: with a missing change, slabs should change hands more often, so that it fails sooner.
void tcb_stop_parking(void);
void tcb_cancel_parking(void);
// Takes a TCB whose bins have been parked for at least `ms` milliseconds out of the pool, for the caller. NULL: none.
HakTcb* tcb_take_parked(struct HakTls* tls, uint64_t now, uint64_t ms);
// Number of violated invariants: calls check() for each TCB with parked bins, under pool_lock.
size_t tcb_check_parked(size_t (*check)(const HakTcb* tcb));
// Makes a TCB for the first thread and leaves it in the pool.
void tcb_prepare(void);
// The reserve TCB: for operations of threads that have none, because they ended or there is no memory. Locked while in
// use.
HakTcb* tcb_reserve_lock(void);
void tcb_reserve_unlock(void);
HAK_INLINE bool tcb_is_reserve(const HakTcb* tcb) {
    return tcb->number == 0;
}

// All TCBs ever made, the newest first; follow next_all.
HakTcb* tcb_all(void);
extern HAK_INTERNAL _Atomic(HakTcb*) tcb_newest;  // for who reads another process

// Around a fork: applies `step` to each lock of this file but the reserve lock, outermost first.
void tcb_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// The reserve lock, which ranks above all others here: its holder may wait for any of them.
HakLock* tcb_reserve_guard(void);
// In a copy of the process, before that: if another thread held pool_lock, the pool is empty from now on.
void tcb_forget_half_done(void);
// In the child, where only the caller exists: decides what becomes of each TCB but its own. Calls save(), unless it is
// NULL, for each one that is LEFT and had a thread. reserve_whole: no thread was using the reserve TCB; else it is
// replaced.
void tcb_after_fork_in_child(const struct HakTls* tls, void (*save)(HakTcb* tcb), bool reserve_whole);

// At a thread's end. The checked build keeps the hints for the TCB's next thread: where they lead to slabs of other
// owners, they put the claims to the test.
HAK_INLINE void tcb_forget_hints(TinyTLSSlab* tls) {
    if (HAK_CHECKED) return;
    tls->hot = tls->bench = 0;
    for (int i = 0; i < STICKY_SLABS; i++) tls->sticky[i] = 0;
}

HAK_INLINE void tcb_count(HakTcb* tcb, HakCounter which) {
    counter_add(&tcb->counters, which, 1);
}

#endif
