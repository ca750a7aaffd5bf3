#include "front/wrong_free.h"

#include "base/fatal.h"
#include "base/text.h"
#include "config/options.h"
#include "count/counters.h"
#include "front/block.h"
#include "front/others.h"
#include "sample/sample.h"
#include "slab/run_map.h"
#include "slab/slab.h"
#include "superslab/huge.h"
#include "thread/operation.h"

#include <errno.h>

// Ends each message about a block of ours.
#define GUARD_TELLS "; 'hakstress run --guard' (or --pages, for reads) tells who allocated and freed it"

#define WRONG(check, site, ...)                                 \
    do {                                                        \
        bool goes_on = hak_option(on_error) != 0;               \
        if (goes_on) counter_add_shared(HAK_C_free_refused, 1); \
        wrong_call(goes_on, check, site, __VA_ARGS__);          \
    } while (0)

typedef struct {
    const char* start;  // NULL: no block
    size_t bytes;
} Around;

static void wrong_interior(const char* site, const void* p, Around block) {
    size_t into = (size_t)((const char*)p - block.start);
    WRONG("interior_free", site, "%p points %zu byte%s into the block %p of %zu bytes, not to its start" GUARD_TELLS, p,
          into, into == 1 ? "" : "s", (const void*)block.start, block.bytes);
}

static void wrong_dead(const char* site, const void* p) {
    WRONG("invalid_free", site, "%p is not a block in use: it was freed before, or never handed out" GUARD_TELLS, p);
}

static void wrong_in_slab(const char* site, const void* p, SlabNumber s, unsigned size_class) {
    size_t bytes = size_of_class(size_class), offset = (size_t)((const char*)p - (const char*)slab_address(s));
    Around block = {(const char*)p - offset % bytes, bytes};
    if (offset % bytes != 0)
        wrong_interior(site, p, block);
    else
        wrong_dead(site, p);
}

// The run whose pages the address is in. Others may change the map meanwhile, so this is a guess if p is nobody's.
static Around run_around(const void* p) {
    const char* page = (const char*)p - (uintptr_t)p % PAGE_SIZE_BYTES;
    const char* unit = unit_address(unit_of_slab(run_first_slab(p)));
    for (size_t pages = 0; page >= unit; page -= PAGE_SIZE_BYTES) {
        pages = run_pages(page);
        if (pages == 0) continue;
        size_t bytes = pages * PAGE_SIZE_BYTES;
        return (size_t)((const char*)p - page) < bytes ? (Around){page, bytes} : (Around){NULL, 0};
    }
    return (Around){NULL, 0};
}

static void wrong_in_runs(const char* site, const void* p) {
    Around block = run_around(p);
    if (block.start && block.start != p)
        wrong_interior(site, p, block);
    else if ((uintptr_t)p % PAGE_SIZE_BYTES == 0 && run_cached_pages(p) != 0)
        wrong_use_of_free(text_same(site, "free") ? "double_free" : "use_after_free", site, p,
                          "it is in a thread's run cache");
    else
        wrong_dead(site, p);
}

// The huge block that the address is in.
static Around huge_around(const void* p) {
    Around block = {NULL, 0};
    if (hak_lock_is_mine(&heap_lock)) return block;  // a signal handler that interrupted its holder
    UnitNumber u = unit_of_slab((SlabNumber)slab_number_of(p));
    operation_watch_if_due();
    hak_lock(&heap_lock);
    while (u > 1 && hak_heap.unit[u].kind == UNIT_HUGE_REST) u--;
    if (hak_heap.unit[u].kind == UNIT_HUGE) block = (Around){unit_address(u), hak_heap.unit[u].size};
    hak_unlock(&heap_lock);
    return block;
}

static void wrong_in_units(const char* site, const void* p) {
    Around block = huge_around(p);
    if (block.start && block.start != p)
        wrong_interior(site, p, block);
    else
        wrong_dead(site, p);
}

void wrong_pointer(const char* site, const void* p) {
    int saved_errno = errno;
    if (!heap_contains(p)) {
        WRONG("invalid_free", site, "%p is no block of this allocator%s%s", p, tag_words(p), others_words());
    } else {
        SlabNumber s = (SlabNumber)slab_number_of(p);
        uint64_t tag = word_tag(load_relaxed(&hak_heap.owner[s]));
        if (tag_is_class(tag))
            wrong_in_slab(site, p, s, (unsigned)(tag / TAG_PER_CLASS));
        else if (tag_is_runs(tag))
            wrong_in_runs(site, p);
        else
            wrong_in_units(site, p);
    }
    errno = saved_errno;
}

size_t usable_bytes(const char* site, const void* p) {
    size_t sampled;
    if (sample_contains(p)) return sample_size(site, p, &sampled) ? sampled : 0;
    size_t bytes = block_bytes(p);
    if (HAK_UNLIKELY(bytes == 0)) wrong_pointer(site, p);
    return bytes;
}

static size_t bytes_of_free(const void* block) {
    size_t bytes = block_bytes(block);
    return bytes ? bytes : run_cached_pages(block) * PAGE_SIZE_BYTES;
}

void wrong_use_of_free(const char* check, const char* site, const void* block, const char* where) {
    int saved_errno = errno;
    WRONG(check, site, "block %p of %zu bytes was freed before, and not handed out since: %s" GUARD_TELLS, block,
          bytes_of_free(block), where);
    errno = saved_errno;
}
