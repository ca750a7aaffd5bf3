#include "front/realloc.h"

#include "config/zero.h"
#include "front/block.h"
#include "front/fastpath.h"
#include "front/large.h"
#include "front/suspect.h"
#include "front/wrong_free.h"
#include "profile/profile.h"
#include "sample/sample.h"
#include "superslab/huge.h"
#include "thread/operation.h"

#include <errno.h>

static void clear_rest(void* p, size_t from) {
    memset((char*)p + from, 0, block_bytes(p) - from);
}

static bool resize_run(void* p, size_t size) {
    size_t old = run_pages(p) * PAGE_SIZE_BYTES;
    HakTcb* me = operation_begin();
    bool resized = run_resize_in_place(me, p, size);
    if (me) operation_end(me);
    if (resized && size > old && zero_is(ZERO_ALLOC)) clear_rest(p, old);
    return resized;
}

static bool class_suits(size_t old, size_t size) {
    enum { LEAST = 16 };  // no block is smaller
    return size <= old && (size >= old / 2 || old == LEAST);
}

static void* realloc_in_place(void* p, size_t old, size_t size) {
    if (old <= SMALL_MAX) return class_suits(old, size) ? p : NULL;
    if (old <= RUN_MAX && word_tag(load_relaxed(&hak_heap.owner[slab_number_of(p)])) != TAG_HUGE)
        return resize_run(p, size) ? p : NULL;
    if (size <= RUN_MAX) return NULL;
    operation_watch_if_due();
    return huge_resize((SlabNumber)slab_number_of(p), size);
}

// Counts what is resized in place like another malloc. A block of a class is not counted then, as it cannot become a
// sample; so a sample that stands for such blocks stays and moves as they do.
static void* resize_counted(void* p, size_t old, size_t size) {
    if (block_is_of_class(p)) return realloc_in_place(p, old, size);
    ProfileSample before = profile_take(p);  // first: where the block moves, its old address is another one's at once
    if (before.usual_bytes != 0) {
        profile_put_back(p, before);
        return class_suits(before.usual_bytes, size) && size <= old ? p : NULL;
    }
    void* same = realloc_in_place(p, old, size);
    if (same == NULL) {
        profile_put_back(p, before);
        return NULL;
    }
    profile_freed(before);
    if (profile_is_on() && profile_is_due(size)) profile_sampled(same, size, size);
    return same;
}

// It always moves, so that a use of the old address is found.
static HAK_COLD void* realloc_sampled(void* p, size_t size) {
    size_t old;
    if (!sample_size("realloc", p, &old)) {
        errno = EINVAL;
        return NULL;
    }
    void* block = fast_malloc(size);
    if (block == NULL) return size <= old ? p : NULL;
    memcpy(block, p, old < size ? old : size);
    counter_add_shared(HAK_C_realloc_copied, 1);
    free_sampled("realloc", p);
    return block;
}

// false: p is no block, or a free one, and that was reported.
static bool may_be_resized(const void* p) {
    if (HAK_UNLIKELY(!is_block_start(p))) {
        wrong_pointer("realloc", p);
        return false;
    }
    return !HAK_UNLIKELY(link_looks_free(p)) || !suspect_is_reported("use_after_free", "realloc", p);
}

void* realloc_block(void* p, size_t size) {
    if (p == NULL) return fast_malloc(size);
    if (size == 0) {
        fast_free(p);
        return NULL;
    }
    if (size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    if (sample_contains(p)) return realloc_sampled(p, size);
    if (HAK_UNLIKELY(!may_be_resized(p))) {
        errno = EINVAL;
        return NULL;
    }
    size_t old = block_bytes(p);
    void* same = profile_has_samples() ? resize_counted(p, old, size) : realloc_in_place(p, old, size);
    if (same) {
        if (size < old && (zero_is(ZERO_FREE) || zero_is(ZERO_ALLOC))) clear_rest(same, size);
        return same;
    }
    void* block = fast_malloc(size);
    if (block == NULL) return size <= old ? p : NULL;
    memcpy(block, p, old < size ? old : size);
    counter_add_shared(HAK_C_realloc_copied, 1);
    fast_free(p);
    return block;
}
