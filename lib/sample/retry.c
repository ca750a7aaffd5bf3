#include "sample/retry.h"

typedef struct {
    uintptr_t pc;
    const void* address;
    uint64_t generation;
    uint32_t times;  // in a row
} LastTry;

static HAK_TLS LastTry last;

RetryAdvice retry_advice(uintptr_t pc, const void* address, uint64_t generation) {
    bool same = last.pc == pc && last.address == address;
    if (same && generation != 0 && last.generation == generation) return RETRY_FOREIGN;
    last = (LastTry){pc, address, generation, same ? last.times + 1 : 1};
    return last.times > RETRIES ? RETRY_OVER : RETRY_AGAIN;
}
