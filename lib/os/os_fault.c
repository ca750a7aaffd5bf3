// Makes system calls fail on demand, for the tests of the checked build.
#include "os/os.h"

#include "base/atomic.h"

static _Atomic uint64_t calls, first_failing, last_failing;

void os_fault_arm(uint64_t first, uint64_t count) {
    store_relaxed(&calls, 0u);
    store_relaxed(&first_failing, first);
    store_relaxed(&last_failing,
                  count == 0 ? 0 : first + (count - 1 < UINT64_MAX - first ? count - 1 : UINT64_MAX - first));
}

uint64_t os_fault_calls(void) {
    return load_relaxed(&calls);
}

bool os_fault_hit(void) {
    uint64_t call = add_relaxed(&calls, 1u) + 1;
    return call >= load_relaxed(&first_failing) && call <= load_relaxed(&last_failing);
}
