#include "run/perform.h"

#include "config/zero.h"
#include "inside/calls.h"
#include "oracle/blocks.h"
#include "oracle/rest.h"
#include "record/event.h"
#include "run/ends.h"
#include "runtime/streams.h"
#include "runtime/system.h"
#include "superslab/heap.h"
#include "superslab/owner_word.h"

#include <errno.h>
#include <hakmem/hakmem.h>

static unsigned block_of(const Scenario* scenario, const Op* op) {
    return op->block < scenario->block_count ? op->block : block_new();
}

static void check_memory(const void* p) {
    if (p == NULL && errno != ENOMEM)
        run_fault("memory", "an allocation of %c fails without ENOMEM", 'A' + (int)current_thread);
    if (p == NULL && !run.limits.follow && run.limits.failures_most == 0 && !run.may_fail)
        run_fault("memory", "an allocation of %c fails", 'A' + (int)current_thread);
}

static void check_zero(const char* p, uint64_t size) {
    for (uint64_t i = 0; p && i < size; i++)
        if (p[i]) run_fault("zero", "a block that calloc gives %c does not read as zero", 'A' + (int)current_thread);
}

static void allocate(const Scenario* scenario, const Op* op) {
    for (uint32_t i = 0; i < op->count; i++) {
        threads[current_thread].began = threads[current_thread].moment;
        errno = 0;
        void* p = op->kind == OP_CALLOC ? hak_calloc(1, op->size) : hak_malloc(op->size);
        check_memory(p);
        if (op->kind == OP_CALLOC || zero_is(ZERO_ALLOC)) check_zero(p, op->size);
        block_made(block_of(scenario, op), p, op->size);
    }
}

// With HAKMEM_ZERO=free, what a huge block gives up when it shrinks is cleared. Others may take its units at once, but
// not the rest of the last one that it keeps.
static void check_given_up(const char* p, uint64_t size, uint64_t old_size) {
    const uint64_t kept = align_up(size, UNIT_SIZE), end = old_size < kept ? old_size : kept;
    const uint64_t from = align_up(size, PAGE_SIZE_BYTES), word = load_relaxed(&hak_heap.owner[slab_number_of(p)]);
    if (!zero_is(ZERO_FREE) || word_tag(word) != TAG_HUGE || from >= end) return;
    if (memory_find_bytes(memory_offset(p) + from, memory_offset(p) + end) != NOT_TRACKED)
        run_fault("zero", "what a block of %c gave up has not been cleared", 'A' + (int)current_thread);
}

static void reallocate(const Op* op) {
    void* old = block_take(op->old);
    uint64_t old_size = blocks[op->old].size;
    if (old == NULL) {  // no allocation made it, and whoever waits for the new one goes on as well
        block_made(op->block, NULL, op->size);
        return;
    }
    errno = 0;
    void* p = hak_realloc(old, op->size);
    check_memory(p);
    if (p == NULL) {
        block_made(op->block, old, old_size);
        return;
    }
    if (op->size >= 16) block_moved(op->old, p);
    if (p == old) check_given_up(p, op->size, old_size);
    block_made(op->block, p, op->size);
}

static void touch(const Op* op) {
    uint64_t size = blocks[op->block].size;
    void* p = block_take(op->block);
    if (p) block_made(op->block, p, size);
}

static void discard(const Scenario* scenario, uint64_t count) {
    for (unsigned b; count > 0 && (b = block_without_name(scenario->block_count)) < block_count; count--) {
        threads[current_thread].began = threads[current_thread].moment;
        hak_free(block_take(b));
    }
}

static void start(unsigned thread) {
    Thread *me = &threads[current_thread], *born = &threads[thread];
    if (born->state != UNBORN) return;
    clock_join(&born->clock, me->clock);
    thread_tick();
    born->history = hash_join(born->history, me->history);
    born->state = READY;
}

static void dispatch(const Scenario* scenario, const Op* op) {
    switch ((OpKind)op->kind) {
    case OP_MALLOC:
    case OP_CALLOC: allocate(scenario, op); break;
    case OP_REALLOC: reallocate(op); break;
    case OP_FREE: hak_free(block_take(op->block)); break;
    case OP_DISCARD: discard(scenario, op->size); break;
    case OP_TOUCH: touch(op); break;
    case OP_FLUSH: inside_flush(); break;
    case OP_SCAN: inside_scan(); break;
    case OP_TRIM: hak_trim(0); break;
    case OP_EXIT: system_end_thread(); break;
    case OP_START: start(op->thread); break;
    case OP_FORK: system_fork(); break;
    case OP_COPY: system_copy(); break;
    case OP_LOCK_STREAMS: explored_list_lock(); break;
    case OP_UNLOCK_STREAMS: explored_list_unlock(); break;
    case OP_OCCUPY: block_made_by_others(op->size); break;
    case OP_TICK: system_tick(op->size); break;
    case OP_FAIL: system_calls_will_fail((uint32_t)op->size); break;
    case OP_COUNT: break;
    }
}

// What is checked depends on the state alone.
static void check_between(void) {
    if (!rest_is_between()) return;
    const Hash state = ends_state();
    if (ends_between_is_known(state)) return;
    rest_check_between();
    ends_note_between(state);
}

void perform(const Scenario* scenario, const Op* op, uint32_t number) {
    Thread* me = &threads[current_thread];
    record((Event){.kind = EVENT_CALL, .thread = (uint8_t)current_thread, .moment = me->moment, .value = number});
    me->op = number;
    me->began = me->moment;
    dispatch(scenario, op);
    me->op = 0;
    check_between();
    me->step = UINT16_MAX;
    record((Event){.kind = EVENT_RETURN, .thread = (uint8_t)current_thread, .moment = me->moment});
}
