#include "oracle/blocks.h"

#include "runtime/access.h"
#include "superslab/heap.h"
#include "superslab/owner_word.h"

#include <string.h>

enum { WORD = 8 };

Block blocks[BLOCKS_MOST_ALL];
unsigned block_count;
static Block at_snapshot[BLOCKS_MOST_ALL];
static unsigned count_at_snapshot;

void blocks_forget_all(void) {
    memset(blocks, 0, sizeof blocks);
    block_count = 0;
}

void blocks_snapshot(void) {
    for (unsigned b = 0; b < block_count; b++) blocks[b].clock = (Clock){0};
    memcpy(at_snapshot, blocks, block_count * sizeof *blocks);
    count_at_snapshot = block_count;
}

void blocks_reset(void) {
    memcpy(blocks, at_snapshot, count_at_snapshot * sizeof *blocks);
    if (block_count > count_at_snapshot)
        memset(blocks + count_at_snapshot, 0, (block_count - count_at_snapshot) * sizeof *blocks);
    block_count = count_at_snapshot;
}

unsigned block_new(void) {
    if (block_count == BLOCKS_MOST_ALL) run_fault("scenario", "there are more than %d blocks", BLOCKS_MOST_ALL);
    return block_count++;
}

static uint64_t pattern(unsigned block, unsigned word) {
    return (UINT64_C(0x7e57ab1e00000000) | block) * 0x10001 + word;
}

// Blocks are at least 16 bytes long, and multiples of that.
static char* last_word(const Block* b) {
    return b->at + (b->size < 2 * WORD ? WORD : (b->size - WORD) / WORD * WORD);
}

static void check_alone(unsigned block) {
    const Block* mine = &blocks[block];
    for (unsigned b = 0; b < block_count; b++) {
        const Block* other = &blocks[b];
        if (b == block || !other->there || other->at == NULL) continue;
        if (mine->at < other->at + other->size && other->at < mine->at + mine->size)
            run_fault("two_hands", "%c gets a block of %lu bytes that overlaps a block in use",
                      'A' + (int)current_thread, (unsigned long)mine->size);
    }
}

static void hand_over(unsigned block) {
    Thread* me = &threads[current_thread];
    blocks[block].clock = me->clock;
    blocks[block].history = me->history;
    blocks[block].there = true;
    if (run.active) thread_tick();
}

// What the workloads of hakstress write (docs/FAULTS.md). Read as a link it is 0x6261.
static void write_two_letters(char* at) {
    memory_note_range(at, 2);
    at[0] = 'a';
    at[1] = 'b';
}

static void write_contents(unsigned block) {
    Block* b = &blocks[block];
    if (run.limits.follow) {
        write_two_letters(b->at);
        return;
    }
    access_write(b->at, pattern(block, 0));
    access_write(b->at + WORD, pattern(block, 1));
    if (last_word(b) > b->at + WORD) access_write(last_word(b), pattern(block, 2));
}

void block_made(unsigned block, void* at, uint64_t size) {
    if (block >= block_count) block_count = block + 1;
    blocks[block].at = at;
    blocks[block].size = size < 2 * WORD ? 2 * WORD : size;
    if (at) {
        if (!run.limits.follow) check_alone(block);
        write_contents(block);
    }
    hand_over(block);
}

// --- mappings of somebody else

static bool is_absent(UnitNumber u) {
    return hak_heap.unit[u].kind == UNIT_FREE && hak_heap.unit[u].absent;
}

// The first units that are not mapped any more, or those behind the heap's last one.
static char* find_unmapped(uint64_t bytes) {
    UnitNumber first = 1;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        if (!is_absent(u)) first = u + 1;
        if (((uint64_t)(u + 1 - first) << UNIT_SHIFT) >= bytes) return unit_address(first);
    }
    return unit_address(hak_heap.mapped);
}

void block_made_by_others(uint64_t bytes) {
    char* at = find_unmapped(bytes);
    const uint64_t offset = memory_offset(at);
    if (offset + bytes > ARENA_BYTES) run_fault("scenario", "there is no room for what somebody else maps");
    memory_open(offset, bytes);
    const unsigned block = block_new();
    block_made(block, at, bytes);
    blocks[block].foreign = true;
}

bool blocks_has_foreign_in(const char* at, uint64_t bytes) {
    for (unsigned b = 0; b < block_count; b++)
        if (blocks[b].foreign && blocks[b].at < at + bytes && at < blocks[b].at + blocks[b].size) return true;
    return false;
}

static void check_word(const char* at, uint64_t expected) {
    if (run.limits.follow) return;
    uint64_t found = access_read(at);
    if (found == expected) return;
    run.fault_address = at;
    run.fault_bytes = sizeof found;
    run_fault("contents", "a block in use has changed: %#lx stands where %#lx was written", (unsigned long)found,
              (unsigned long)expected);
}

static void check_contents(unsigned block) {
    const Block* b = &blocks[block];
    check_word(b->at, pattern(block, 0));
    check_word(b->at + WORD, pattern(block, 1));
    if (last_word(b) > b->at + WORD) check_word(last_word(b), pattern(block, 2));
}

unsigned blocks_check_foreign(void) {
    unsigned count = 0;
    for (unsigned b = 0; b < block_count; b++) {
        if (!blocks[b].foreign) continue;
        count++;
        if (!memory_is_open(memory_offset(blocks[b].at), blocks[b].size))
            run_fault("foreign", "a mapping of somebody else at %p is gone", (void*)blocks[b].at);
        check_contents(b);
    }
    return count;
}

void* block_take(unsigned block) {
    Block* b = &blocks[block];
    if (!run.active && !b->there) run_fault("scenario", "the setup takes a block that is not there yet");
    // Its maker may not exist in the child of a fork.
    if (run.forked && !b->there) return NULL;
    while (run.active && !b->there) scheduler_wait(AWAITS, &b->there);
    Thread* me = &threads[current_thread];
    clock_join(&me->clock, b->clock);
    me->history = hash_join(me->history, b->history);
    if (b->at) check_contents(block);
    b->there = false;
    return b->at;
}

unsigned block_without_name(unsigned named) {
    unsigned b = named;
    while (b < block_count && (!blocks[b].there || blocks[b].foreign)) b++;
    return b;
}

static bool same_slab(const void* a, const void* b) {
    const SlabNumber s = (SlabNumber)slab_number_of(a), other = (SlabNumber)slab_number_of(b);
    if (tag_is_class(word_tag(load_relaxed(&hak_heap.owner[s])))) return s == other;
    return unit_of_slab(s) == unit_of_slab(other);
}

// Nothing is expected of a block that no operation made, as those of a thread that the child of a fork does not have.
void blocks_check_placement(const Scenario* scenario, const Placement* placement) {
    const char *at = blocks[placement->block].at, *other = blocks[placement->other].at;
    if (at == NULL || other == NULL) return;
    const bool by_slab = placement->how == PLACED_IN || placement->how == PLACED_OUTSIDE;
    const bool there = by_slab ? same_slab(at, other) : at == other;
    if (there == (placement->how == PLACED_AT || placement->how == PLACED_IN)) return;
    run_fault("placement", "'%s' is expected %s '%s'; it is at %p, and '%s' at %p",
              scenario->block_name[placement->block], placed_words[placement->how],
              scenario->block_name[placement->other], (const void*)at, scenario->block_name[placement->other],
              (const void*)other);
}

void block_moved(unsigned old, const void* at) {
    check_word(at, pattern(old, 0));
    check_word((const char*)at + WORD, pattern(old, 1));
}
