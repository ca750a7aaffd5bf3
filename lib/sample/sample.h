// Sampled guard pages: about one block in HAKMEM_SAMPLE is put between guard pages, where a wrong access stops at the
// instruction, in a release build at release's speed. Over many runs it finds what no test found.
// Source: GWP-ASan of Chromium and LLVM (compiler-rt/lib/gwp_asan); K. Serebryany and others, "GWP-ASan:
// Sampling-Based Detection of Memory-Safety Bugs in Production" (2023).
//
//   malloc ── hit ──────────────────────────> a block of the bin: nothing is counted here
//        └── miss ── sample due? ──no───────> refill: its blocks are counted, sample_left goes down
//                        └──yes── a slot? ──> block between guard pages, flush to its end or to its start; behind
//                           |                   it stays the block of the heap, which nobody uses
//                           `- none, or no memory: as without a sample
//   free ── not in the heap ── in a slot? ──> closed until the slot is needed again; the block behind it is freed
//
// When the n-th of the blocks of a refill is to be the sample, the n-th malloc that follows is, in any thread and of
// any size: hits are stopped for so long (door.h). So each block is as likely as any other to be a sample, also one
// that comes from a bin without a refill. The heap sees the same mallocs and frees as without samples.
//
// If N is small (dense), refills take no more blocks than are left until the next sample, and misses alone are samples,
// with no block behind: so with N = 1 every block is one.
// Thread-safety: any thread, and signal handlers; no lock is held while anything is waited for.
// Errors: without a slot or memory nothing is sampled; this is counted. Wrong acts are told by sample/words.h.
#ifndef HAK_SAMPLE_SAMPLE_H
#define HAK_SAMPLE_SAMPLE_H

#include "config/options.h"
#include "sample/door.h"
#include "sample/slots.h"
#include "thread/tls.h"

// Guard mode follows every block, and needs them in the heap.
HAK_INLINE bool sample_is_barred(void) {
    return HAK_CHECKED && hak_option(guard);
}

HAK_INLINE bool sample_on(void) {
    return HAK_UNLIKELY(hak_option(sample) != 0) && !sample_is_barred();
}

enum { SAMPLE_SPARSE = 64 };  // the least N that is not dense
HAK_INLINE bool sample_is_dense(void) {
    return HAK_UNLIKELY((uint64_t)hak_option(sample) - 1 < SAMPLE_SPARSE - 1) && !sample_is_barred();
}

// Whether a malloc that finds its bin empty may be a sample.
HAK_INLINE bool sample_is_near(void) {
    return HAK_UNLIKELY(door_is_open()) || sample_is_dense();
}

HAK_INLINE bool sample_contains(const void* p) {
    return HAK_UNLIKELY(slots_contain(p));
}

// How many blocks come between two samples: 0 to 2 * every - 2, on average one less than `every`.
HAK_INLINE int64_t sample_interval(uint64_t random, int64_t every) {
    return (int64_t)(random % (uint64_t)(2 * every - 1));
}

// For a malloc that finds its bin empty, of a thread with a TCB, if sample_is_near(). size <= SMALL_MAX. NULL: it is no
// sample.
HAK_COLD void* sample_malloc(size_t alignment, size_t size);
// The block of the heap that the program would have got, unless N is dense. Where batches of blocks just fill slabs,
// one block fewer would put all that follow out of step. NULL: none.
HAK_COLD void sample_stands_for(void* sampled, void* behind);
// How many blocks a refill may take at most.
HAK_INLINE uint32_t sample_limit(const HakTcb* me, uint32_t most) {
    if (!sample_is_dense() || me->sample_left >= most) return most;
    return me->sample_left > 1 ? (uint32_t)me->sample_left : 1;
}
// A refill gave a bin so many blocks.
HAK_COLD void sample_run_out(HakTcb* me, uint32_t blocks);
HAK_INLINE void sample_count(HakTcb* me, uint32_t blocks) {
    if (!sample_on()) return;
    me->sample_left -= blocks;
    if (HAK_UNLIKELY(me->sample_left < 0)) sample_run_out(me, blocks);
}

// For pointers in the region of the slots. `function` is the public one, for the message.
// Returns the block of the heap behind it, for the caller to free, or NULL.
HAK_COLD void* sample_free(const char* function, void* p);
// Bytes of a block, as asked for. false: it is no live block; that was told, and the process goes on.
HAK_COLD bool sample_size(const char* function, const void* p, size_t* size);
HAK_COLD bool sample_is_block(const void* p);
// As hak_describe.
HAK_COLD size_t sample_describe(const void* p, char* buffer, size_t size);
// Looks at the bytes around all live blocks. Returns the number of damaged blocks, each told.
HAK_COLD size_t sample_check(void);

typedef struct {
    size_t allocated, active, mapped, tables;  // bytes
} SampleBytes;
SampleBytes sample_bytes(void);

// Around a fork: applies `step` to the locks of this folder.
void sample_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);

#endif
