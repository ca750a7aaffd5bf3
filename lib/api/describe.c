// hak_describe: what the tables say of an address.
#include "base/text.h"
#include "sample/sample.h"
#include "slab/run_map.h"
#include "superslab/heap.h"
#include "superslab/huge.h"
#include "superslab/owner_word.h"
#include "superslab/size_class.h"
#include "thread/link.h"
#include "thread/operation.h"
#include "thread/tls.h"

#include <hakmem/hakmem.h>

// Whether the block is in a list of the caller's. The list may be damaged, so it is followed only within slabs of the
// class, and never through the block itself.
static bool is_listed(const void* block, const void* first, uint32_t most, uint64_t tag) {
    const void* at = first;
    for (uint32_t i = 0; at && i < most; i++) {
        if (at == block) return true;
        if (!heap_contains(at) || word_tag(load_relaxed(&hak_heap.owner[slab_number_of(at)])) != tag) return false;
        uint64_t next = link_target(*(const uint64_t*)at);
        if (link_is_no_block(next) || next % 16 != 0) return false;
        at = (const void*)(uintptr_t)next;
    }
    return false;
}

static bool is_in_bin(const TlsBin* bin, const void* block, unsigned size_class) {
    const void* first = (const void*)(uintptr_t)link_target(bin->head);
    return bin->cap > bin->room && is_listed(block, first, (uint32_t)(bin->cap - bin->room), tag_of_class(size_class));
}

static bool is_in_own_bin(const void* block, unsigned size_class) {
    const TlsBin* counted = counted_bin(size_class);
    return is_in_bin(&hak_tls.bin[size_class], block, size_class) || (counted && is_in_bin(counted, block, size_class));
}

// What is known of a block of an own slab. If it is in neither list, the tables do not say who has it: the program, or
// another thread's bin, a bundle, or the remote stack.
static const char* state_of_own(const void* block, SlabNumber s, unsigned size_class, uintptr_t index) {
    const TinySlabMeta* meta = peek_own(s);
    if (index >= load_relaxed(&meta->carved)) return ", never handed out";
    bool is_free = is_listed(block, meta->freelist, meta_free(meta), tag_of_class(size_class));
    return is_free || is_in_own_bin(block, size_class) ? ", free" : ", live or cached";
}

// If another thread owns the slab, only the caller's bin stands still.
static const char* state_of(const void* block, SlabNumber s, unsigned size_class, uintptr_t index,
                            const HakTcb* owner) {
    if (index >= class_capacity(size_class)) return ", behind the last block";
    if (owner && owner == hak_tls.tcb) return state_of_own(block, s, size_class, index);
    return is_in_own_bin(block, size_class) ? ", free" : "";
}

static size_t describe_block(char* buffer, size_t size, const void* p, SlabNumber s, uint64_t word) {
    unsigned size_class = (unsigned)(word_tag(word) / TAG_PER_CLASS);
    uint32_t block_size = size_of_class(size_class);
    uintptr_t offset = (uintptr_t)p - (uintptr_t)slab_address(s), index = offset / block_size;
    const HakTcb* owner = (const HakTcb*)(uintptr_t)word_owner(word);
    const char* block = (const char*)slab_address(s) + index * block_size;
    return text_format(buffer, size, "%p: SuperSlab %p, slab %u, class %u (%u bytes), block %u at %p + %u, owner %u%s",
                       p, unit_address(unit_of_slab(s)), s, size_class, block_size, (unsigned)index, block,
                       (unsigned)(offset % block_size), owner ? owner->number : 0,
                       state_of(block, s, size_class, index, owner));
}

static size_t describe_run(char* buffer, size_t size, const void* p, SlabNumber s) {
    SlabNumber head = first_slab(unit_of_slab(s));
    const HakTcb* owner = (const HakTcb*)(uintptr_t)word_owner(load_relaxed(&hak_heap.owner[head]));
    const char* unit = unit_address(unit_of_slab(s));
    for (const char* at = (const char*)((uintptr_t)p & ~(PAGE_SIZE_BYTES - 1)); at >= unit; at -= PAGE_SIZE_BYTES) {
        size_t bytes = run_pages(at) * PAGE_SIZE_BYTES;
        if (bytes > (size_t)((const char*)p - at))
            return text_format(buffer, size,
                               "%p: SuperSlab %p, page run of %zu bytes at %p + %zu, live or cached, owner %u", p, unit,
                               bytes, at, (size_t)((const char*)p - at), owner ? owner->number : 0);
        if (bytes) break;
    }
    return text_format(buffer, size, "%p: SuperSlab %p, free or cached pages, owner %u", p, unit,
                       owner ? owner->number : 0);
}

static size_t describe_unit(char* buffer, size_t size, const void* p, SlabNumber s) {
    UnitNumber u = unit_of_slab(s);
    const Unit* unit = &hak_heap.unit[u];
    switch ((UnitKind)unit->kind) {
    case UNIT_HUGE:
    case UNIT_HUGE_REST:
        while (hak_heap.unit[u].kind == UNIT_HUGE_REST) u--;
        return text_format(buffer, size, "%p: huge block of %zu bytes at %p + %zu, live", p, hak_heap.unit[u].size,
                           unit_address(u), (size_t)((const char*)p - (const char*)unit_address(u)));
    case UNIT_SLABS:
        if (unit->gap_slabs >> (s % SLABS_PER_UNIT) & 1)
            return text_format(buffer, size, "%p: SuperSlab %p, slab %u, a gap that is never used", p, unit_address(u),
                               s);
        return text_format(buffer, size, "%p: SuperSlab %p, slab %u, free%s", p, unit_address(u), s,
                           unit->dirty_slabs >> (s % SLABS_PER_UNIT) & 1 ? "" : ", its memory given back");
    case UNIT_FREE:
        return text_format(buffer, size, "%p: free memory of the allocator%s", p,
                           unit->dirty ? "" : ", given back to the system");
    case UNIT_NONE:
    case UNIT_LOST:
    case UNIT_CLOSED:
    case UNIT_RUNS: break;
    }
    return text_format(buffer, size, "%p: address space of the allocator, not in use", p);
}

size_t hak_describe(const void* p, char* buffer, size_t size) {
    if (sample_contains(p)) return sample_describe(p, buffer, size);
    if (!heap_contains(p)) return text_format(buffer, size, "%p: foreign, no memory of this allocator", p);
    SlabNumber s = (SlabNumber)slab_number_of(p);
    uint64_t word = load_relaxed(&hak_heap.owner[s]), tag = word_tag(word);
    if (tag_is_class(tag)) return describe_block(buffer, size, p, s, word);
    if (tag_is_runs(tag)) return describe_run(buffer, size, p, s);
    operation_watch_if_due();
    hak_lock(&heap_lock);
    size_t length = describe_unit(buffer, size, p, s);
    hak_unlock(&heap_lock);
    return length;
}
