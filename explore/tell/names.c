#include "tell/names.h"

#include "oracle/blocks.h"
#include "slab/remote_word.h"
#include "superslab/owner_word.h"
#include "superslab/size_class.h"
#include "thread/tcb.h"
#include "thread/tls.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HAS_MOST = 64, PLACES_MOST = 128 };

static const Scenario* scenario;
static struct {
    uint64_t control_block;
    uint32_t event;  // from this one on
    uint8_t thread;
} has[HAS_MOST];
static unsigned has_count;
static struct {
    uint64_t address;
    uint8_t block;
} places[PLACES_MOST];
static unsigned place_count;
static bool there_at_start[BLOCKS_MOST];

static Name name(const char* format, ...) __attribute__((format(printf, 1, 2)));
static Name name(const char* format, ...) {
    Name n;
    va_list args;
    va_start(args, format);
    vsnprintf(n.text, sizeof n.text, format, args);
    va_end(args);
    return n;
}

void names_begin(const Scenario* wanted) {
    scenario = wanted;
    has_count = place_count = 0;
}

// --- noting

static void note_control_block(uint32_t event) {
    uint64_t mine = current_thread < thread_count ? (uint64_t)(uintptr_t)thread_tls()->tcb : 0;
    if (mine == 0 || has_count == HAS_MOST) return;
    for (unsigned i = has_count; i > 0; i--)
        if (has[i - 1].control_block == mine) {
            if (has[i - 1].thread == current_thread) return;
            break;
        }
    has[has_count].control_block = mine;
    has[has_count].event = event;
    has[has_count++].thread = (uint8_t)current_thread;
}

static void note_place(uint8_t block) {
    uint64_t at = (uint64_t)(uintptr_t)blocks[block].at;
    for (unsigned i = 0; i < place_count; i++)
        if (places[i].address == at && places[i].block == block) return;
    if (place_count == PLACES_MOST) return;
    places[place_count].address = at;
    places[place_count++].block = block;
}

void names_look(uint32_t event) {
    note_control_block(event);
    for (uint8_t b = 0; b < scenario->block_count; b++)
        if (blocks[b].at) note_place(b);
    for (uint8_t b = 0; event == 0 && b < scenario->block_count; b++) there_at_start[b] = blocks[b].there;
}

// --- asking

Name name_of_control_block(uint64_t address, uint32_t event) {
    int found = -1;
    for (unsigned i = 0; i < has_count; i++)
        if (has[i].control_block == address && (found < 0 || has[i].event <= event)) found = (int)i;
    if (found >= 0) return name("%c", 'A' + has[found].thread);
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if ((uint64_t)(uintptr_t)tcb == address)
            return tcb_is_reserve(tcb) ? name("the reserve") : name("control block %u", tcb->number);
    return name("%#lx", (unsigned long)address);
}

uint32_t slab_of_place(uint64_t address) {
    uint64_t slabs = load_relaxed(&hak_heap.slabs);
    uint64_t owner = address - (uint64_t)(uintptr_t)hak_heap.owner,
             remote = address - (uint64_t)(uintptr_t)hak_heap.remote;
    uint64_t meta = address - (uint64_t)(uintptr_t)hak_heap.meta;
    if (owner / sizeof *hak_heap.owner < slabs) return (uint32_t)(owner / sizeof *hak_heap.owner);
    if (remote / sizeof *hak_heap.remote < slabs) return (uint32_t)(remote / sizeof *hak_heap.remote);
    if (meta / sizeof *hak_heap.meta < slabs) return (uint32_t)(meta / sizeof *hak_heap.meta);
    uint64_t slab = slab_number_of((const void*)(uintptr_t)address);
    return slab < slabs ? (uint32_t)slab : 0;
}

static Name number_of_block(uint64_t address) {
    uint64_t slab = slab_number_of((const void*)(uintptr_t)address);
    if (slab >= load_relaxed(&hak_heap.slabs)) return name("%s", "");
    uint32_t size = hak_heap.meta[slab].block_size;
    uint64_t offset = address - (uint64_t)(uintptr_t)slab_address((SlabNumber)slab);
    if (size == 0) return name("an address in slab %u", (unsigned)slab);
    return name("block %u of slab %u", (unsigned)(offset / size) + 1, (unsigned)slab);
}

static uint32_t size_of_blocks(uint64_t address) {
    uint64_t slab = slab_number_of((const void*)(uintptr_t)address);
    uint32_t size = slab < load_relaxed(&hak_heap.slabs) ? hak_heap.meta[slab].block_size : 0;
    return size ? size : 1;
}

Name name_of_block(uint64_t address) {
    uint32_t size = size_of_blocks(address);
    for (unsigned i = 0; i < place_count; i++)
        if (address >= places[i].address && address - places[i].address < size)
            return name("%s", scenario->block_name[places[i].block]);
    return number_of_block(address);
}

static unsigned place_of(uint8_t block) {
    unsigned i = 0;
    while (i < place_count && places[i].block != block) i++;
    return i;
}

uint64_t name_address(uint8_t block) {
    unsigned i = place_of(block);
    return i < place_count ? places[i].address : 0;
}

bool name_is_from_start(uint8_t block) {
    return there_at_start[block];
}

Name name_of_block_before(uint8_t block) {
    for (unsigned i = 0; i < place_count; i++) {
        if (places[i].block != block) continue;
        Name first = name_of_block(places[i].address);
        if (strcmp(first.text, scenario->block_name[block]) != 0) return first;
    }
    return name("%s", "");
}

Name name_of_owner(uint64_t word, uint32_t event) {
    if (word == WORD_NOT_A_SLAB) return name("not a slab");
    if (word_owner(word) == 0) return name("nobody");
    return name_of_control_block(word_owner(word), event);
}

Name name_of_remote(uint64_t word) {
    if (word == REMOTE_UNOWNED) return name("U");
    if (word == REMOTE_EMPTY) return name("empty");
    Name first = name_of_block((uint64_t)(uintptr_t)remote_first(word));
    return name("%u block%s, %.60s first", remote_count(word), remote_count(word) == 1 ? "" : "s", first.text);
}

// --- places

static const char* field_of_meta(uint64_t offset) {
    static const struct {
        size_t end;
        const char* words;
    } fields[] = {
        {offsetof(TinySlabMeta, blocks), "the free list"},
        {offsetof(TinySlabMeta, carved), "the counts of used and free blocks"},
        {offsetof(TinySlabMeta, capacity), "the count of cut blocks"},
        {offsetof(TinySlabMeta, next), "the block size"},
        {offsetof(TinySlabMeta, size_class), "the links"},
        {offsetof(TinySlabMeta, where), "the class"},
        {offsetof(TinySlabMeta, in_registry), "the place in its owner's lists"},
        {offsetof(TinySlabMeta, clean), "the mark of the registry"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (offset < fields[i].end) return fields[i].words;
    return "the meta";
}

static bool is_in(uint64_t address, const void* table, uint64_t each) {
    return address - (uint64_t)(uintptr_t)table < each * load_relaxed(&hak_heap.slabs);
}

static Name name_in_control_block(uint64_t address) {
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) {
        uint64_t offset = address - (uint64_t)(uintptr_t)tcb;
        if (offset >= sizeof *tcb) continue;
        const char* field = offset == offsetof(HakTcb, state)    ? "the state"
                            : offset == offsetof(HakTcb, tls)    ? "the word `tls`"
                            : offset == offsetof(HakTcb, inside) ? "the word `inside`"
                                                                 : "a field";
        return name("%s of %s's control block", field, name_of_control_block(address - offset, UINT32_MAX).text);
    }
    return name("%s", "");
}

Name name_of_place(uint64_t address) {
    uint32_t slab = slab_of_place(address);
    if (is_in(address, hak_heap.owner, sizeof *hak_heap.owner)) return name("the owner word of slab %u", slab);
    if (is_in(address, hak_heap.remote, sizeof *hak_heap.remote)) return name("the remote word of slab %u", slab);
    if (is_in(address, hak_heap.meta, sizeof *hak_heap.meta))
        return name("%s of slab %u",
                    field_of_meta((address - (uint64_t)(uintptr_t)hak_heap.meta) % sizeof *hak_heap.meta), slab);
    Name block = name_of_block(address);
    if (block.text[0]) return strchr(block.text, ' ') ? block : name("block %.80s", block.text);
    return name_in_control_block(address);
}
