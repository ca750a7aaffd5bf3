// Slots: pages between guard pages, one block in each.
//
//   | guard | slot 0: 4 pages | guard | slot 1: 4 pages | guard | ... | guard |      all of it closed at first
//
//   flush to the end:    guard | closed  closed  closed | ... pattern, block, pattern | guard
//   flush to the start:  guard | block, pattern ... | closed  closed  closed          | guard
//                                as many pages are open as hold the block
//
// The pattern shows writes that the pages allow. The first page, the two in the middle, the last page and the guard
// page are mappings of their own, which the kernel neither splits nor joins when it opens and closes one of them: that
// takes a third of the time. Their advice, which means nothing for such memory, differs from one to the next. A slot is
// parted so when it is used again: the processes that are over soon do not gain by it.
//
//   CLOSED --take--> CHANGING --open--> LIVE --seize--> CHANGING --close--> CLOSED
//   LIVE --check--> CHECKED --checked--> LIVE      its pattern is looked at, or a fault is told; others see it live
//   KEPT: a fault was told of it, and it is never used again
//
// A state is one word with the time of its last close, so the slot that was closed longest ago is taken next. Nothing
// is locked: a thread that ends, or that the child of a fork does not have, costs at most the slot that it was
// changing. A page of a slot stays resident while it is closed; larger blocks give theirs back.
// Thread-safety: any thread; the fields of a slot are those of who has changed its state to CHANGING. Others read them
// in one piece with slot_view, or for a message, and may then see two blocks mixed.
// Errors: false or NULL if the system refuses.
#ifndef HAK_SAMPLE_SLOTS_H
#define HAK_SAMPLE_SLOTS_H

#include "base/atomic.h"
#include "superslab/geometry.h"

enum { SLOT_PAGES = 4, SAMPLE_FRAMES = 32 };
#define SLOT_BYTES (SLOT_PAGES * PAGE_SIZE_BYTES)  // at least; whole pages of the system
_Static_assert(SLOT_BYTES == SMALL_MAX, "a slot holds a block of any class");

// Who called malloc or free, and from where: return addresses, the innermost first.
typedef struct {
    uint32_t thread;         // number of its TCB; 0: it has none, as it never allocated or is at its end
    uint32_t system_thread;  // then: as the system numbers it
    uint32_t depth;
    uintptr_t pc[SAMPLE_FRAMES];
} SampleCall;

typedef struct {
    char* block;
    void* behind;       // the block of the heap that it stands for, or NULL
    size_t size;        // as asked for
    char* open;         // first open page while the block is live
    size_t open_bytes;  // 0 for a block of no bytes
    char* pattern;      // the pattern begins here, before the block
    char* pattern_end;  // and ends here, behind it
    bool parted;        // its pages are mappings of their own
    bool used;          // held a block before
    bool used_before;   // held another one before that
    uint64_t since;     // when it got the block: milliseconds
    _Atomic bool torn;  // a page of it, or a guard page beside it, was opened for an access to go on
    SampleCall allocated, freed;
} Slot;

typedef enum { SLOT_CLOSED, SLOT_CHANGING, SLOT_LIVE, SLOT_CHECKED, SLOT_KEPT } SlotState;

typedef struct {
    _Atomic uintptr_t base;
    _Atomic size_t bytes;     // 0: there are no slots yet
    size_t page, slot_bytes;  // a page of the system; a slot
    uint32_t count;
    _Atomic uint64_t* word;  // by slot: time of the last close, and state
    Slot* slot;
} SlotRegion;

extern HAK_INTERNAL SlotRegion hak_slots;

HAK_INLINE bool slots_contain(const void* p) {
    return (uintptr_t)p - load_relaxed(&hak_slots.base) < load_acquire(&hak_slots.bytes);  // pairs with slots_map
}

// Maps the region for `count` slots; once, under a lock of the caller's.
bool slots_map(uint32_t count, bool in_dumps);

// Of an address in the region: the slot that it lies in, or whose guard page it is: the one before the slot. The last
// guard page has none.
Slot* slot_at(const void* p);
// The slot before or behind it; NULL: none.
Slot* slot_before(const Slot* slot);
char* slot_start(const Slot* slot);
SlotState slot_state(const Slot* slot);
HAK_INLINE bool slot_is_live(const Slot* slot) {
    SlotState state = slot_state(slot);
    return state == SLOT_LIVE || state == SLOT_CHECKED;
}

// The slot that was closed longest ago, for the caller to change. NULL: none is closed.
Slot* slot_take(void);
// Places a block and makes the slot live. size <= SLOT_BYTES, alignment <= PAGE_SIZE_BYTES. false: it is closed again.
bool slot_open(Slot* slot, size_t alignment, size_t size, bool at_end);
// Makes a live slot the caller's to change; waits a moment for one that another thread is changing, and for more than a
// second for one that another thread checks. Then that thread does not exist in this copy of the process, and the slot
// is taken over; so it is at once if the caller is a signal handler that interrupted the check. false: not live.
bool slot_seize(Slot* slot);
// Keeps a live block from being closed while its pattern is looked at. false: it is not live, or another thread has it.
bool slot_check(Slot* slot);
void slot_checked(Slot* slot);
// In the child of a fork: nobody checks any more.
void slots_in_child(void);
// Undoes slot_seize.
void slot_let_go(Slot* slot);
void slot_close(Slot* slot);

// A slot as it was at one moment.
typedef struct {
    Slot fields;
    SlotState state;
    uint64_t word;  // its state and time
    bool whole;     // else a thread is changing it, and the fields may be of two blocks
} SlotView;
// Waits a moment for a thread that changes the slot.
void slot_view(const Slot* slot, SlotView* out);
HAK_INLINE bool slot_view_is_live(const SlotView* view) {
    return view->state == SLOT_LIVE || view->state == SLOT_CHECKED;
}
// The same in all views of one live block, and not 0. 0: not whole.
uint64_t slot_view_generation(const SlotView* view);
// Holds the slot in the state that was seen: a closed one is never taken again; a live one is not closed before
// slot_checked, or before the wait of slot_seize is over. false: the state is another one by now.
bool slot_hold(Slot* slot, const SlotView* view);
// Opens the page of an address in the region, until the slot beside it is opened the next time.
bool slot_tear(const void* p);

// The bytes around a seized block that are not as slot_open left them. count 0: none.
typedef struct {
    const unsigned char* first;
    size_t count;
    bool before;  // they lie before the block
} SlotDamage;
SlotDamage slot_damage(const Slot* slot);

#endif
