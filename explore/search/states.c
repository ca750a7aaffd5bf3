#include "search/states.h"

#include <string.h>
#include <sys/mman.h>

// left[s]: the most preemptions that were left when s stale loads were, plus 1; 0: that was not so yet.
typedef struct {
    uint64_t low;
    uint32_t high;
    uint8_t left[STALE_MOST + 1];
} State;

enum { FIRST = 1 << 16 };
#define MOST (UINT64_C(1) << 26)  // 1 GiB

static State* table;
static uint64_t size, count;

static bool allocate(uint64_t wanted) {
    void* memory = mmap(NULL, wanted * sizeof(State), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    table = memory;
    size = wanted;
    return true;
}

static State* find(uint64_t low, uint32_t high) {
    uint64_t i = low & (size - 1);
    while (table[i].low && (table[i].low != low || table[i].high != high)) i = (i + 1) & (size - 1);
    return &table[i];
}

static void grow(void) {
    State* old = table;
    uint64_t old_size = size;
    if (size >= MOST || !allocate(size * 2)) return;
    for (uint64_t i = 0; i < old_size; i++)
        if (old[i].low) *find(old[i].low, old[i].high) = old[i];
    munmap(old, old_size * sizeof(State));
}

static bool had_as_much(const State* state, uint8_t left, uint8_t stale) {
    for (uint8_t s = stale; s <= STALE_MOST; s++)
        if (state->left[s] > left) return true;
    return false;
}

bool states_visit(Hash hash, uint8_t left, uint8_t stale) {
    if (table == NULL && !allocate(FIRST)) return false;
    if (stale > STALE_MOST) stale = STALE_MOST;
    if (count * 3 >= size * 2) grow();
    State* state = find(hash.low ? hash.low : 1, (uint32_t)hash.high);
    if (state->low == 0) {
        if (count * 8 >= size * 7) return false;
        *state = (State){hash.low ? hash.low : 1, (uint32_t)hash.high, {0}};
        count++;
    } else if (had_as_much(state, left, stale)) {
        return true;
    }
    state->left[stale] = (uint8_t)(left + 1);
    return false;
}

void states_forget(void) {
    if (table) munmap(table, size * sizeof(State));
    table = NULL;
    count = size = 0;
}
