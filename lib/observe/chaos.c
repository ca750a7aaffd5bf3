#include "observe/chaos.h"

#include "base/atomic.h"
#include "base/random.h"
#include "config/options.h"
#include "os/os.h"

_Atomic int64_t hak_chaos_odds;

void chaos_yield(void) {
    static _Atomic uint64_t streams;
    static HAK_TLS uint64_t state;  // of the thread's stream; 0: not begun
    if (state == 0) state = random_mix((uint64_t)hak_option(seed) + (add_relaxed(&streams, 1u) + 1) * RANDOM_STEP);
    if (random_of(&state) % (uint64_t)load_relaxed(&hak_chaos_odds) == 0) os_yield();
}
