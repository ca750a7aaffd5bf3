// The debug ring: the last events of every thread, in memory that outlives a crash.
//
//   HakRingFile | foreign drains | slot 0 header | slot 0 records ... | slot 1 header ... | ... | crash record
//
// A supervisor that wants to read it after the process died passes shared memory to hak_ring_attach(), or names a file
// (HAKMEM_RING_FILE). Otherwise the first thread maps private memory. A thread has one slot from its beginning to its
// end; later threads use the slot again.
// Thread-safety: a slot has one writer. Readers may read at any time; the newest record may be half written.
// Errors: without a free slot or memory, nothing is recorded, and nothing else changes.
// The release build has none of this: ring_record() is an empty inline function there.
#ifndef HAK_OBSERVE_RING_H
#define HAK_OBSERVE_RING_H

#include "base/atomic.h"
#include "observe/crash_record.h"

typedef enum {
    HAK_EVENT_NONE,
#define EVENT(name, meaning) HAK_EVENT_##name,
#include "observe/events.def"
#undef EVENT
    HAK_EVENT_COUNT
} HakEvent;

typedef struct {
    uint64_t tsc;  // hak_ring_clock()
    uint64_t ptr;
    uint64_t b;
    uint32_t a;
    uint32_t event;
} HakRingRecord;

typedef struct {
    _Atomic uint64_t written;  // records ever written; the newest is written - 1, at index (written - 1) % records
    _Atomic uint64_t thread;   // the allocator's thread number; 0: the slot is free
    _Atomic uint32_t os_tid;   // gettid() of that thread
    uint8_t pad[108];          // to 128 bytes
    HakRingRecord records[];
} HakRingSlot;

#define HAK_RING_MAGIC UINT64_C(0x31474e4952484b48)
#define HAK_RING_VERSION 6u
#define HAK_RING_SLOTS 256u
#define HAK_RING_FOREIGN_DRAINS 1024u
#define HAK_RING_LAST_WORDS 1024u

// A drain of a slab that another thread owned: what a missing change does (refill/unsafe_drain.h). The last one of each
// slab is kept, because a ring may cover only milliseconds and the crash may come later. At index
// slab % HAK_RING_FOREIGN_DRAINS. If several threads write one at a time, the last wins.
typedef struct {
    uint64_t tsc;    // when it began; 0: none
    uint64_t first;  // address of the first block
    uint32_t slab;
    uint32_t change;        // number of the missing change
    uint32_t thread;        // number of the thread that drained
    uint32_t os_tid;        // its gettid()
    uint32_t owner;         // number of the thread that owned the slab
    uint32_t owner_os_tid;  // 0: unknown
    uint32_t blocks;
    uint32_t size_class;
    uint8_t pad[16];  // to 64 bytes
} HakForeignDrain;

typedef struct {
    _Atomic uint64_t magic;  // written last
    // A pair taken at the start. With a second pair of its own, a reader turns tsc into time.
    uint64_t start_tsc;
    uint64_t start_ns;
    uint32_t version;
    uint32_t slots;
    uint32_t records;     // per slot, a power of two
    uint32_t slot_bytes;  // sizeof(HakRingSlot) + records * sizeof(HakRingRecord)
    uint32_t pid;
    // Where in the process's memory a reader finds more; 0: not there (yet).
    uint64_t heap;                         // HakHeap (superslab/heap.h)
    uint64_t link_key;                     // hak_link_key
    uint64_t guard;                        // hak_guard_root (superslab/guard_record.h)
    uint64_t stacks;                       // hak_stack_table (stack/stack_table.h)
    uint64_t locks;                        // hak_lock_table (front/lock_table.h)
    _Atomic uint64_t foreign_drains[8];    // by number of the missing change: all that there were
    _Atomic uint32_t has_last_words;       // 1: last_words is complete
    char last_words[HAK_RING_LAST_WORDS];  // why the process aborted itself
    // Wrong acts after which the process went on (HAKMEM_ON_ERROR=report), and the line about the first of them.
    _Atomic uint32_t passed;
    char first_passed[HAK_RING_LAST_WORDS];
    _Atomic uint32_t refused;                           // allocations that an option made fail (front/refuse.h)
    uint8_t pad[4096 - 164 - 2 * HAK_RING_LAST_WORDS];  // to 4096 bytes
} HakRingFile;

// Bytes of memory for a ring of `records` (a power of two) per thread.
size_t hak_ring_bytes(uint32_t records);
// From its start to the crash record.
size_t hak_ring_crash_offset(uint32_t records);
// Uses zeroed shared memory of hak_ring_bytes(records) for this process. Call it before the first allocation.
void hak_ring_attach(void* memory, uint32_t records);
HakRingFile* hak_ring_file(void);  // NULL: no ring
// The drains of slabs that other threads owned.
HAK_INLINE HakForeignDrain* hak_ring_foreign_drains(HakRingFile* file) {
    return (HakForeignDrain*)(void*)(file + 1);
}
// Slot `index` of the file.
HAK_INLINE HakRingSlot* hak_ring_slot_at(HakRingFile* file, uint32_t index) {
    char* slots = (char*)(hak_ring_foreign_drains(file) + HAK_RING_FOREIGN_DRAINS);
    return (HakRingSlot*)(void*)(slots + (size_t)index * file->slot_bytes);
}
// What the process noted of its end (observe/crash_note.h); all zero: nothing.
HAK_INLINE CrashRecord* hak_ring_crash(HakRingFile* file) {
    return (CrashRecord*)(void*)((char*)file + hak_ring_crash_offset(file->records));
}
const char* hak_event_name(unsigned event);
const char* hak_event_meaning(unsigned event);

#if HAK_CHECKED
extern HAK_INTERNAL HAK_TLS HakRingSlot* hak_ring_slot;
extern HAK_INTERNAL uint32_t hak_ring_mask;  // records - 1
void hak_ring_thread_start(uint64_t thread);
void hak_ring_thread_end(void);
// Notes addresses that a reader of the ring may want to look up in the process.
typedef struct {
    const void *heap, *link_key, *guard, *stacks, *locks;
} HakRingTold;
void hak_ring_tell(HakRingTold addresses);
// From now on the ring keeps the last words for the report (fatal_hook), and counts what the process survived; if
// stderr is closed, nothing else has the words. The first ones stay.
void hak_ring_keep_last_words(void);
// For a process that comes to its end, in any state, even if it has not allocated yet. NULL: no ring. It is the
// parent's in a process that the C library did not fork.
HakRingFile* hak_ring_of_the_dying(void);
// In the child of a fork, for its one thread: a shared ring stays the parent's, and the child uses one of its own.
void hak_ring_after_fork(uint64_t thread);
// The time-stamp counter on x86-64, otherwise nanoseconds of CLOCK_MONOTONIC. Once stopped, it counts its calls: that
// keeps the order of events, but tells no time.
uint64_t hak_ring_clock(void);
// Call this before the process gives up the right to read the counter.
void hak_ring_clock_stop(void);

HAK_INLINE void ring_record(HakEvent event, const void* ptr, uint32_t a, uint64_t b) {
    HakRingSlot* slot = hak_ring_slot;
    if (HAK_UNLIKELY(slot == NULL)) return;
    uint64_t n = load_relaxed(&slot->written);
    HakRingRecord* r = &slot->records[n & hak_ring_mask];
    r->tsc = hak_ring_clock();
    r->ptr = (uint64_t)(uintptr_t)ptr;
    r->b = b;
    r->a = a;
    r->event = (uint32_t)event;
    store_release(&slot->written, n + 1);  // pairs with the acquire of the reader, cli/report/rings.c
}
#else
HAK_INLINE void hak_ring_thread_start(uint64_t thread) {
    (void)thread;
}
HAK_INLINE void hak_ring_thread_end(void) {
}
HAK_INLINE void hak_ring_keep_last_words(void) {
}
HAK_INLINE void hak_ring_after_fork(uint64_t thread) {
    (void)thread;
}
HAK_INLINE void ring_record(HakEvent event, const void* ptr, uint32_t a, uint64_t b) {
    (void)event, (void)ptr, (void)a, (void)b;
}
#endif
#endif
