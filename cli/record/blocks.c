#include "record/blocks.h"

#include <stdlib.h>

#define ROOM_FIRST ((size_t)1024)

static size_t home(const struct blocks* blocks, uint64_t address) {
    return (size_t)((address * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (blocks->room - 1);
}

static size_t find(const struct blocks* blocks, uint64_t address) {
    size_t at = home(blocks, address);
    while (blocks->entries[at].address != 0 && blocks->entries[at].address != address)
        at = (at + 1) & (blocks->room - 1);
    return at;
}

static bool grow(struct blocks* blocks) {
    struct blocks larger = {.room = blocks->room != 0 ? blocks->room * 2 : ROOM_FIRST, .count = blocks->count};
    larger.entries = calloc(larger.room, sizeof *larger.entries);
    if (larger.entries == NULL) return false;
    for (size_t i = 0; i < blocks->room; i++)
        if (blocks->entries[i].address != 0)
            larger.entries[find(&larger, blocks->entries[i].address)] = blocks->entries[i];
    free(blocks->entries);
    *blocks = larger;
    return true;
}

bool blocks_put(struct blocks* blocks, uint64_t address, uint32_t slot) {
    if (blocks->count * 2 >= blocks->room && !grow(blocks)) return false;
    blocks->entries[find(blocks, address)] = (struct block_entry){address, slot};
    blocks->count++;
    return true;
}

uint32_t blocks_take(struct blocks* blocks, uint64_t address) {
    if (blocks->count == 0) return NO_SLOT;
    size_t hole = find(blocks, address);
    if (blocks->entries[hole].address == 0) return NO_SLOT;
    const uint32_t slot = blocks->entries[hole].slot;
    const size_t mask = blocks->room - 1;
    // An entry that was moved past this slot moves back.
    for (size_t at = (hole + 1) & mask; blocks->entries[at].address != 0; at = (at + 1) & mask) {
        if (((at - home(blocks, blocks->entries[at].address)) & mask) < ((at - hole) & mask)) continue;
        blocks->entries[hole] = blocks->entries[at];
        hole = at;
    }
    blocks->entries[hole].address = 0;
    blocks->count--;
    return slot;
}

void blocks_free(struct blocks* blocks) {
    free(blocks->entries);
}
