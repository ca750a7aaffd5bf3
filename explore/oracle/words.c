#include "oracle/words.h"

#include "runtime/scheduler.h"
#include "slab/ownership.h"
#include "superslab/owner_word.h"

static bool is_slab(uint64_t word) {
    return tag_is_class(word_tag(word));
}

// Whether a word may be that of the i-th slab of a unit.
static bool fits(const Unit* unit, uint32_t i, uint64_t word) {
    switch ((UnitKind)unit->kind) {
    case UNIT_SLABS: return ((unit->free_slabs | unit->gap_slabs) >> i & 1) ? word == WORD_NOT_A_SLAB : is_slab(word);
    case UNIT_RUNS: return i == 0 ? word_tag(word) == TAG_RUNS : word == TAG_RUNS_REST;
    case UNIT_HUGE: return word == (i == 0 ? TAG_HUGE : WORD_NOT_A_SLAB);
    case UNIT_NONE:
    case UNIT_FREE:
    case UNIT_HUGE_REST:
    case UNIT_LOST:
    case UNIT_CLOSED: return word == WORD_NOT_A_SLAB;
    }
    return false;
}

void words_check(void) {
    for (UnitNumber u = 1; u < hak_heap.mapped; u++)
        for (uint32_t i = 0; i < SLABS_PER_UNIT; i++) {
            const uint64_t word = load_relaxed(owner_word(first_slab(u) + i));
            if (!fits(&hak_heap.unit[u], i, word))
                run_fault("words", "slab %u of unit %u, which is of kind %u, has the owner word %lx", i, u,
                          hak_heap.unit[u].kind, (unsigned long)word);
        }
}
