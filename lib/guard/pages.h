// HAKMEM_PAGES: every block on pages of its own, which the processor guards. Guard mode (guard.c) asks here first, and
// guards the blocks itself for which there are no pages.
//
//   page: | pattern | block | pattern, 0 to 15 bytes | closed page          HAKMEM_PAGES=end
//   closed page | block | pattern to the end of its last page |             HAKMEM_PAGES=start
//
//   record:  NONE or QUARANTINED ──malloc──> LIVE ──free──> QUARANTINED: closed, reused first in, first out
//            LIVE <──> CHECKED while hak_check looks at it          CHANGING while malloc, realloc or free is at work
//
// A read or write behind the closed page's edge, or of a freed block, raises SIGSEGV at the instruction. A write into
// the pattern is found at free, at realloc and at exit; a read of it is not seen.
// Thread-safety: as the public functions.
// Errors: a broken rule ends the process, with the words of guard_faults.h.
// The release build has none of this.
#ifndef HAK_GUARD_PAGES_H
#define HAK_GUARD_PAGES_H

#include "guard/guard_call.h"
#include "superslab/page_region.h"

#if HAK_CHECKED
typedef enum { PAGES_UNDECIDED, PAGES_OFF, PAGES_ON } PagesMode;
extern HAK_INTERNAL _Atomic uint32_t hak_pages_mode;
bool pages_decide(void);
// Call this before the process gives up its right to make system calls: blocks get no pages from then on.
void pages_stop(void);

HAK_INLINE bool pages_on(void) {
    return HAK_UNLIKELY(load_relaxed(&hak_pages_mode) != PAGES_OFF) && pages_decide();
}

// Whether p lies in the region. If so, all that follows is for it.
HAK_INLINE bool pages_contain(const void* p) {
    return HAK_UNLIKELY(page_region_contains(p));
}

// alignment: a power of two. All bytes are zero. NULL: the block is for guard mode.
void* pages_allocate(const GuardCall* call, size_t alignment, size_t size);
// size: what a sized free was told; NULL: nothing.
void pages_free(const GuardCall* call, const void* p, const size_t* size);
size_t pages_usable_size(const GuardCall* call, const void* p);

// The steps of realloc. Seizes a live block, so that nobody else can free or resize it, and checks it.
GuardPlace pages_seize(const char* check, const GuardCall* call, const void* p);
// Frees a seized block.
void pages_retire(const GuardCall* call, const GuardPlace* place);
// Gives a seized block back to the program, which keeps it, shorter if `size` is smaller. NULL: it is too small.
void* pages_stay(const GuardPlace* place, size_t size);

// Checks the patterns around all live blocks, for hak_check at the end of the process.
void pages_check_live(const char* site);
#endif

#endif
