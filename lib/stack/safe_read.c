#include "stack/safe_read.h"

#include "base/atomic.h"
#include "base/bits.h"
#include "os/os.h"

// What is known of the calling thread's own stack; all 0 until the first walk. A handler may come between any two
// accesses, and finds at most less than there is.
static HAK_TLS struct {
    _Atomic uintptr_t low, high;  // can be read
    _Atomic uintptr_t floor;      // cannot be read below; 0: not reached yet
} own;

static bool can_read_page(uintptr_t page) {
    return page != 0 && !os_calls_are_forbidden() && os_can_read((const void*)page);
}

// No stack that is longer is known as a whole.
enum { FAR = 64 << 20 };

static bool is_below(uintptr_t sp, uintptr_t end) {
    return sp < end && end - sp < FAR;
}

// What lies beyond all frames on the stack of the calling thread: on the first thread what the kernel put there, on
// others the thread's variables. 0: sp is not on this stack.
static uintptr_t beyond_frames(uintptr_t sp) {
    uintptr_t variables = (uintptr_t)&own;
    if (is_below(sp, os_first_stack())) return os_first_stack();
    bool first = os_calls_are_forbidden() || os_thread_id() == os_process_id();
    return !first && is_below(sp, variables) ? variables : 0;
}

static void begin_own(uintptr_t sp) {
    uintptr_t end = beyond_frames(sp);
    if (end == 0) return;
    uintptr_t page = align_down(end, OS_PAGE);
    store_relaxed(&own.low, page);
    store_relaxed(&own.high, page + OS_PAGE);
}

// Deep stacks become known over several walks.
static uintptr_t extend_own(uintptr_t low, uintptr_t sp) {
    enum { PAGES_A_WALK = 16 };
    for (int i = 0; i < PAGES_A_WALK && sp < low; i++) {
        if (!can_read_page(low - OS_PAGE)) {
            store_relaxed(&own.floor, low);
            break;
        }
        low -= OS_PAGE;
    }
    store_relaxed(&own.low, low);
    return low;
}

SafeReader safe_reader(uintptr_t sp) {
    if (load_relaxed(&own.high) == 0) begin_own(sp);
    uintptr_t low = load_relaxed(&own.low), high = load_relaxed(&own.high);
    bool below = is_below(sp, low) && load_relaxed(&own.floor) != low;
    if (HAK_UNLIKELY(below)) low = extend_own(low, sp);
    return sp >= low && sp < high ? (SafeReader){low, high} : (SafeReader){0, 0};
}

static bool learn_page(SafeReader* reader, uintptr_t page) {
    if (!can_read_page(page)) return false;
    if (page == reader->high)
        reader->high += OS_PAGE;
    else if (page + OS_PAGE == reader->low)
        reader->low = page;
    else
        *reader = (SafeReader){page, page + OS_PAGE};
    return true;
}

HAK_READS_ANYTHING bool safe_read(SafeReader* reader, uintptr_t at, uintptr_t* word) {
    bool known = at >= reader->low && at < reader->high;
    if (at % sizeof *word != 0 || (!known && !learn_page(reader, align_down(at, OS_PAGE)))) return false;
    *word = *(const uintptr_t*)at;
    return true;
}
