// A process that looks from outside as if it had the library, and whose tables hold random bytes: false_live SEED
#include "census/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GARBAGE = 4 << 20 };

static uint64_t garbage[GARBAGE / sizeof(uint64_t)];

__attribute__((used)) HakLive hak_live = {.magic = HAK_LIVE_MAGIC, .layout = HAK_LIVE_LAYOUT};

HAK_LIVE_PUT_NOTE;

static uint64_t state;

static uint64_t any(void) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return state ^ state >> 29;
}

// Small numbers are more likely to be taken for something.
static uint64_t any_word(void) {
    uint64_t kind = any() >> 61;
    if (kind < 2) return any() % 16;
    if (kind < 4) return (uint64_t)(uintptr_t)&garbage[any() % (GARBAGE / sizeof garbage[0])] & ~UINT64_C(63);
    return kind < 6 ? any() & 0x0807060504030201 : any();
}

static void* somewhere(void) {
    return (void*)((uintptr_t)&garbage[any() % (GARBAGE / 2 / sizeof garbage[0])] & ~(uintptr_t)4095);
}

int main(int argc, char** argv) {
    static HakHeap heap;
    static _Atomic(HakTcb*) newest;
    state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    for (size_t i = 0; i < GARBAGE / sizeof garbage[0]; i++) garbage[i] = any_word();
    for (size_t i = 0; i < sizeof heap / sizeof(uint64_t); i++) ((uint64_t*)&heap)[i] = any_word();
    heap.owner = somewhere();
    heap.meta = somewhere();
    heap.remote = somewhere();
    heap.unit = somewhere();
    heap.mapped = heap.tabled = UINT32_MAX;
    heap.base |= 1;
    newest = somewhere();
    newest->next_all = newest;  // a circle
    memset(hak_live.version, '"', sizeof hak_live.version);
    hak_live.heap = &heap;
    hak_live.newest = &newest;
    hak_live.shared = somewhere();
    hak_live.request = somewhere();
    hak_live.wake = somewhere();
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
