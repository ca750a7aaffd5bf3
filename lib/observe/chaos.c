#include "observe/chaos.h"

#include "base/atomic.h"
#include "config/options.h"
#include "os/os.h"

_Atomic int64_t hak_chaos_odds;

void chaos_yield(void) {
    static _Atomic uint64_t streams;
    static HAK_TLS uint64_t state;
    if (state == 0)
        state =
            (uint64_t)hak_option(seed) * 0x9e3779b97f4a7c15u + (add_relaxed(&streams, 1u) + 1) * 0xd1342543de82ef95u;
    // xorshift64* (Marsaglia 2003, Vigna 2016)
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    if ((state * 0x2545f4914f6cdd1du >> 32) % (uint64_t)load_relaxed(&hak_chaos_odds) == 0) os_yield();
}
