#include "oracle/rest.h"

#include "config/changes.h"
#include "config/options.h"
#include "front/life.h"
#include "inside/calls.h"
#include "oracle/blocks.h"
#include "oracle/clean.h"
#include "oracle/locks.h"
#include "oracle/words.h"
#include "refill/give_back.h"
#include "runtime/memory.h"
#include "runtime/steps.h"
#include "runtime/streams.h"
#include "runtime/system.h"
#include "slab/slab.h"
#include "superslab/free_slabs.h"
#include "superslab/superslab.h"
#include "superslab/tails.h"
#include "superslab/units.h"
#include "thread/tls.h"

#include <hakmem/hakmem.h>
#include <string.h>

// --- threads

static bool exists(unsigned t) {
    return threads[t].state != GONE && threads[t].state != UNBORN;
}

// A copy without handlers is repaired when its only thread notices it, which is before the end adds another one.
static void notice_copy(void) {
    for (unsigned t = 0; t < thread_count; t++) {
        if (!exists(t)) continue;
        thread_become(t);
        hak_lock_tell_wait();
    }
    thread_become(SETUP);
}

static void check_heap(void) {
    if (thread_tcb() == NULL) return;  // no memory for one, which a scenario may want
    if (hak_check() == 0) return;
    char text[FAULT_TEXT];
    size_t length = 0;
    for (const char* c = system_messages(); *c && length < sizeof text - 1; c++) text[length++] = *c == '\n' ? ' ' : *c;
    text[length] = '\0';
    run_fault("heap", "%s", text);
}

// Everything below follows the list.
static void check_list_ends(void) {
    enum { MOST = 1000 };
    uint32_t count = 0;
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (++count > MOST) run_fault("pool", "the list of control blocks has no end");
}

static bool is_listed(const HakTcb* wanted) {
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (tcb == wanted) return true;
    return false;
}

static void check_own_block(const HakTcb* tcb) {
    if (!is_listed(tcb)) run_fault("pool", "control block %u of a thread is not in the list of all", tcb->number);
    if (tcb->pooled) run_fault("pool", "control block %u of a thread is in the pool", tcb->number);
    if (load_relaxed(&tcb->tls) != thread_tls())
        run_fault("pool", "control block %u does not name the thread that has it", tcb->number);
}

// If the user has fixed how many blocks a bin holds, no bin has more.
static void check_bins(unsigned t) {
    for (unsigned c = CLASS_FIRST; hak_option(fast_cap) >= 0 && c < CLASS_COUNT; c++)
        if (bin_blocks(&thread_tls()->bin[c]) > thread_tls()->bin[c].cap)
            run_fault("bound", "a bin of thread %c has %u blocks, and room for %u", 'A' + (int)t,
                      bin_blocks(&thread_tls()->bin[c]), thread_tls()->bin[c].cap);
}

// Whether the owner has a note at the SuperSlab's place, or will come to the SuperSlab in its turn.
static bool is_told(const HakTcb* me, SlabNumber s) {
    if (load_relaxed(&me->runs_pushed[unit_of_slab(s) % PUSHED_RUNS]) || me->absorb_ends > 1) return true;
    SlabNumber in_turn = me->absorb_ends == 0 ? 0 : me->next_absorbed ? me->next_absorbed : me->runs;
    while (in_turn && in_turn != s) in_turn = peek_own(in_turn)->next;
    return in_turn != 0;
}

// slab/remote_free.h: an owner of page runs learns that others have freed some.
static void check_told(unsigned t) {
    const HakTcb* me = thread_tls()->tcb;
    for (SlabNumber s = me->runs; s && run.stale_used == 0 && !run.forked; s = peek_own(s)->next)
        if (remote_count(load_relaxed(remote_word(s))) && !is_told(me, s))
            run_fault("told", "page runs were freed into slab %u of thread %c, which was not told", s, 'A' + (int)t);
}

// While other threads exist, hak_check looks at what the calling one has.
static void check_threads(void) {
    explored_single_threaded = 0;
    for (unsigned t = 0; t < thread_count; t++) {
        if (!exists(t)) continue;
        thread_become(t);
        if (thread_tls()->tcb == NULL) continue;
        check_own_block(thread_tls()->tcb);
        check_bins(t);
        check_told(t);
        check_heap();
    }
    thread_become(SETUP);
    explored_single_threaded = 1;
}

static void end_threads(void) {
    for (unsigned t = 0; t < thread_count; t++) {
        if (!exists(t)) continue;
        thread_become(t);
        system_end_thread();
    }
    thread_become(SETUP);
}

static void check_locks(void) {
    if (!locks_are_free()) run_fault("lock", "a lock is held after all threads ended");
    // No handler knows of a copy, so there the lock of streams stays with a thread that is missing.
    if (streams_are_locked() && !run.copied) run_fault("lock", "the list of streams is locked after all threads ended");
}

// --- slabs

static bool some_are_lost(void) {
    bool lost = run.cut_off != 0 || run.copied;
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) lost |= load_relaxed(&tcb->state) == TCB_LOST;
    return lost;
}

static const HakTcb* owner_of(uint64_t word) {
    return (const HakTcb*)(uintptr_t)word_owner(word);
}

// What threads had that the child of a fork does not have.
static bool is_left_behind(const HakTcb* owner) {
    if (!run.forked || owner == NULL) return false;
    // A copy notices late that it is one, or never.
    return load_relaxed(&owner->state) != TCB_LIVING || (run.copied && !owner->pooled);
}

static bool has_space(SlabNumber s) {
    const TinySlabMeta* meta = peek_any(s);
    if (meta->size_class == CLASS_OF_RUNS) return meta_used(meta) != PAGES_PER_UNIT;
    return meta_free(meta) != 0 || load_relaxed(&meta->carved) < meta->capacity;
}

// With U, whoever frees into the slab completes the hand-over: all but the owner's word is done by then, or nothing.
static void check_slab_left_behind(SlabNumber s, const HakTcb* owner) {
    if (load_relaxed(&owner->state) != TCB_LOST) return;
    const bool stopped = load_relaxed(remote_word(s)) == REMOTE_UNOWNED, is_listed = peek_any(s)->in_registry;
    if (is_listed && !stopped) run_fault("registry", "slab %u of a lost thread is in the registry for ever", s);
    if (stopped && !run.copied && is_listed != has_space(s))
        run_fault("registry", "slab %u of a lost thread takes no remote frees, and %s; it is %sin the registry", s,
                  has_space(s) ? "has free blocks" : "has no free block", is_listed ? "" : "not ");
}

static bool at_rest;  // every thread has ended

static void check_owned(SlabNumber s, const HakTcb* owner) {
    if (at_rest || owner->pooled)
        run_fault("owner", "slab %u is owned by thread %u, which has ended", s, owner->number);
    if (load_relaxed(remote_word(s)) == REMOTE_UNOWNED)
        run_fault("unowned", "slab %u of thread %u takes no remote frees", s, owner->number);
}

static void check_slab(SlabNumber s) {
    uint64_t word = load_relaxed(owner_word(s));
    if (!tag_is_class(word_tag(word)) && word_tag(word) != TAG_RUNS) return;
    if (is_left_behind(owner_of(word))) {
        check_slab_left_behind(s, owner_of(word));
        return;
    }
    if (word_owner(word)) {
        check_owned(s, owner_of(word));
        return;
    }
    if (load_relaxed(remote_word(s)) != REMOTE_UNOWNED)
        run_fault("unowned", "slab %u has no owner and takes remote frees", s);
    if (meta_used(peek_any(s)) == 0) run_fault("empty", "slab %u has no owner and no block in use", s);
    if (run.copied && !peek_any(s)->in_registry) return;  // a copy gives up lists that were half changed
    if (peek_any(s)->in_registry != has_space(s))
        run_fault("registry", "slab %u has no owner and %s; it is %sin the registry", s,
                  has_space(s) ? "free blocks" : "no free block", peek_any(s)->in_registry ? "" : "not ");
}

static void each_slab(void (*check)(SlabNumber s)) {
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        uint8_t kind = hak_heap.unit[u].kind;
        SlabNumber first = first_slab(u), end = first + (kind == UNIT_SLABS ? SLABS_PER_UNIT : kind == UNIT_RUNS);
        for (SlabNumber s = first; s < end; s++) check(s);
    }
}

static uint32_t marked, listed;

static void count_marked(SlabNumber s) {
    uint64_t word = load_relaxed(owner_word(s));
    if (word_owner(word) == 0 && (tag_is_class(word) || word == TAG_RUNS)) marked += peek_any(s)->in_registry;
}

static size_t count_listed(SlabNumber s) {
    (void)s;
    listed++;
    return 0;
}

static void check_registry(void) {
    marked = listed = 0;
    each_slab(count_marked);
    for (unsigned c = 0; c < CLASS_COUNT; c++) registry_check(c, count_listed);
    if (marked != listed)
        run_fault("registry", "%u slabs are marked as in the registry, and %u are there", marked, listed);
}

static uint32_t slabs_in_use;

static void count_in_use(SlabNumber s) {
    slabs_in_use += hak_heap.unit[unit_of_slab(s)].kind == UNIT_SLABS && load_relaxed(owner_word(s)) != WORD_NOT_A_SLAB;
}

// A thread that the child of a fork does not have may have taken a slab without its word, or was making a SuperSlab.
static void check_counts(void) {
    const uint32_t cut_off = run.forked ? thread_count * SLABS_PER_UNIT : 0;
    slabs_in_use = 0;
    each_slab(count_in_use);
    if (free_slab_totals.taken - slabs_in_use > cut_off)
        run_fault("count", "%u slabs are in use, and %u are counted", slabs_in_use, free_slab_totals.taken);
}

// Each slab that is free can be taken, once. What is taken is not given back.
static void check_free_slabs(void) {
    uint32_t dirty = 0, left = 0;
    bool clean;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++)
        if (hak_heap.unit[u].kind == UNIT_SLABS)
            dirty += (uint32_t)__builtin_popcount(hak_heap.unit[u].free_slabs & hak_heap.unit[u].dirty_slabs);
    if (dirty != free_slab_totals.dirty)
        run_fault("count", "%u free slabs are dirty, and %u are counted", dirty, free_slab_totals.dirty);
    for (SlabNumber s = free_slabs_take(&clean); s; s = free_slabs_take(&clean))
        if (load_relaxed(owner_word(s)) != WORD_NOT_A_SLAB) run_fault("count", "slab %u is in use, and free", s);
    for (UnitNumber u = 1; u < hak_heap.mapped; u++)
        left += hak_heap.unit[u].kind == UNIT_SLABS && hak_heap.unit[u].free_slabs != 0;
    if (left) run_fault("count", "%u SuperSlabs have free slabs that nobody can take", left);
}

// --- control blocks

static bool owns_nothing(const HakTcb* tcb) {
    bool nothing = tcb->bundled == 0 && tcb->partial_slabs == 0 && tcb->run_superslabs == 0;
    nothing &= tcb->parked_blocks != 0 || tcb->cached_pages + tcb->long_pages == 0;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++)
        nothing &= tcb->tiny[c].bound == 0 && tcb->tiny[c].partial == 0 && tcb->tiny[c].full == 0;
    return nothing;
}

// Only a thread that was cut off in an operation is lost. A fork waits for those that use the reserve.
static void check_lost(const HakTcb* tcb) {
    if (run.copied || load_relaxed(&tcb->state) != TCB_LOST) return;
    if (tcb_is_reserve(tcb)) run_fault("lost", "the reserve control block is lost in the child of a fork");
    if (run.cut_off == 0) run_fault("lost", "control block %u is lost, and no thread was cut off", tcb->number);
}

static void check_control_blocks(void) {
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) {
        check_lost(tcb);
        if (tcb_is_reserve(tcb) && (tcb->pooled || load_relaxed(&tcb->state) == TCB_LEFT))
            run_fault("pool", "the reserve control block counts as one that a thread can take");
        if (tcb->pooled && !owns_nothing(tcb))
            run_fault("pool", "control block %u is in the pool and still has something", tcb->number);
        if (!tcb->pooled && !tcb_is_reserve(tcb) && !is_left_behind(tcb))
            run_fault("pool", "control block %u is neither in the pool nor a thread's", tcb->number);
    }
}

static uint32_t parked_seen;

static size_t count_parked(const HakTcb* tcb) {
    (void)tcb;
    parked_seen++;
    return 0;
}

// Each place for parked bins is either taken by bins that are parked, or can be booked.
static void check_places(uint32_t with_bins) {
    enum { PLACES = 8 };
    uint32_t booked = 0;
    while (booked <= PLACES && tcb_book_parking()) booked++;
    for (uint32_t i = 0; i < booked; i++) tcb_cancel_parking();
    if (booked + with_bins != PLACES)
        run_fault("pool", "%u control blocks have parked bins, and %u more may park some, of %u", with_bins, booked,
                  (unsigned)PLACES);
}

// The pool's lists and marks say the same. In the child of a fork, places that were booked by threads that it does not
// have are free. A copy may not count a place that its thread booked before it noticed.
static void check_pool(void) {
    uint32_t with_bins = 0;
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) with_bins += tcb->pooled && tcb->parked_blocks != 0;
    parked_seen = 0;
    tcb_check_parked(count_parked);
    if (parked_seen != with_bins)
        run_fault("pool", "%u control blocks have parked bins, and %u are where others find them", with_bins,
                  parked_seen);
    if (!run.copied) check_places(with_bins);
}

// Threads that begin get what is in the pool, all of it, before a new control block is made. The last check: what is
// taken is not given back.
static void check_pool_is_taken(void) {
    uint32_t newest = 0;
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (tcb->number > newest) newest = tcb->number;
    for (const HakTcb* taken = tcb_take(thread_tls()); taken && taken->number <= newest;)
        taken = tcb_take(thread_tls());
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (tcb->pooled) run_fault("pool", "control block %u is in the pool, and no thread can take it", tcb->number);
}

// --- the end

static void free_all(void) {
    for (unsigned b = 0; b < block_count; b++) {
        if (!blocks[b].there || blocks[b].foreign) continue;
        hak_free(block_take(b));
    }
}

static void end_setup_thread(void) {
    system_end_thread();
    thread_tls_renew(SETUP);
}

// The second time gives back what the first one's end has parked.
static void give_all_back(void) {
    for (int i = 0; i < 2; i++) {
        hak_trim(0);
        end_setup_thread();
    }
    hak_trim(0);
}

static void check_nothing_left(void) {
    if (some_are_lost()) return;
    if (free_slab_totals.taken != 0)
        run_fault("lost", "%u slabs are left when every block is freed", free_slab_totals.taken);
    if (superslab_count != 0) run_fault("lost", "%u SuperSlabs are left when every block is freed", superslab_count);
    if (heap_units() != 0) run_fault("lost", "%u units are still mapped when every block is freed", heap_units());
    if (unit_totals.holes > 1 + blocks_check_foreign())
        run_fault("lost", "what was free is in %lu pieces when all is free", (unsigned long)unit_totals.holes);
}

// Mapped bytes of a unit, of which only the first may be; `head`: the last unit so far with which a huge block begins.
static size_t mapped_bytes(UnitNumber u, UnitNumber head) {
    const Unit* unit = &hak_heap.unit[u];
    if (unit->absent || unit->kind == UNIT_NONE) return 0;
    const bool last = (unit->kind == UNIT_HUGE || unit->kind == UNIT_HUGE_REST) && u == huge_last_unit(head);
    const size_t cut = last ? hak_heap.unit[head].cut : 0;
    return cut ? cut << PAGE_SHIFT : UNIT_SIZE;
}

// What the system has mapped is what the table of units says. Returns the bytes.
static uint64_t check_mapped(void) {
    uint64_t sum = 0;
    UnitNumber head = 0;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        if (hak_heap.unit[u].kind == UNIT_HUGE) head = u;
        const size_t bytes = mapped_bytes(u, head);
        const uint64_t at = (uint64_t)(uintptr_t)unit_address(u) - ARENA;
        sum += bytes;
        if (slabs_are_mappings() || run.may_fail || run.copied) continue;
        if (blocks_has_foreign_in(unit_address(u), UNIT_SIZE)) continue;
        if ((bytes && !memory_is_open(at, bytes)) ||
            (bytes < UNIT_SIZE && !memory_is_closed(at + bytes, UNIT_SIZE - bytes)))
            run_fault("mapped", "of unit %u %lu bytes should be mapped, and it is not so", u, (unsigned long)bytes);
    }
    return sum;
}

static uint64_t free_dirty_slabs(void) {
    return (unit_totals.dirty_units << (UNIT_SHIFT - SLAB_SHIFT)) + free_slab_totals.dirty;
}

static uint64_t steps_taken(const char* name) {
    for (unsigned step = 0; step < HAK_STEP_COUNT; step++)
        if (strcmp(step_name(step), name) == 0) return run.steps[step];
    return 0;
}

static uint64_t threads_looking(void) {
    uint64_t count = 0;
    for (unsigned t = 0; t < thread_count; t++) {
        if (!exists(t)) continue;
        thread_become(t);
        count += inside_looks_for_runs();
    }
    thread_become(SETUP);
    return count;
}

static void check_bound(const Bound* bound, uint64_t mapped) {
    const struct {
        const char *what, *words;
        uint64_t number;
    } known[] = {{"slabs", "slabs in use at the end", free_slab_totals.taken},
                 {"superslabs", "SuperSlabs in use at the end", superslab_count},
                 {"dirty", "free slabs that occupy memory at the end", free_dirty_slabs()},
                 {"mapped", "KiB mapped at the end", mapped >> 10},
                 {"calls", "system calls", run.calls},
                 {"looking", "threads that look for page runs that others freed", threads_looking()},
                 {bound->what, "steps of the name that is given", steps_taken(bound->what)}};
    unsigned i = 0;
    while (strcmp(known[i].what, bound->what) != 0) i++;
    if (bound->least ? known[i].number >= bound->number : known[i].number <= bound->number) return;
    run_fault("bound", "%lu %s (%s); at %s %lu were expected", (unsigned long)known[i].number, known[i].words,
              bound->what, bound->least ? "least" : "most", (unsigned long)bound->number);
}

static void check_expectations(const Scenario* scenario) {
    blocks_check_foreign();
    const uint64_t mapped = check_mapped();
    for (unsigned i = 0; i < scenario->bound_count; i++) check_bound(&scenario->bound[i], mapped);
    for (unsigned i = 0; i < scenario->placement_count; i++) blocks_check_placement(scenario, &scenario->placement[i]);
}

// A thread that was cut off may have begun to cut a slab, or have taken one without its word.
static void check_memory(void) {
    if (some_are_lost()) return;
    words_check();
    clean_check();
}

static bool is_outside(unsigned t) {
    const Thread* thread = &threads[t];
    return !exists(t) || thread->state == AWAITS || thread->state == FINISHED || thread->op == 0;
}

static bool all_are_outside(unsigned but) {
    for (unsigned t = 0; t < thread_count; t++)
        if (t != but && !is_outside(t)) return false;
    return true;
}

bool rest_is_between(void) {
    if (!run.active || run.forked || some_change_is_missing() || !all_are_outside(current_thread)) return false;
    return run.limits.strategy->repeats == NULL || !run.limits.strategy->repeats();
}

static void check_between(unsigned me) {
    if (!locks_are_free()) run_fault("lock", "a lock is held, and no thread is in the allocator");
    for (unsigned t = 0; t < thread_count; t++) {
        if (!exists(t)) continue;
        thread_become(t);
        if (thread_tls()->tcb == NULL) continue;
        check_own_block(thread_tls()->tcb);
        check_heap();
    }
    thread_become(me);
    at_rest = false;
    each_slab(check_slab);
    words_check();
}

void rest_check_between(void) {
    run.active = false;
    check_between(current_thread);
    run.active = true;
}

void rest_check(const Scenario* scenario) {
    explored_single_threaded = 1;
    check_list_ends();
    if (run.copied) notice_copy();
    if (!some_change_is_missing()) {
        check_threads();
        check_expectations(scenario);
    }
    end_threads();
    if (some_change_is_missing()) return;  // what it leaves behind is known, see refill/unsafe_drain.h
    check_locks();
    at_rest = true;
    each_slab(check_slab);
    check_registry();
    check_memory();
    check_counts();
    check_control_blocks();
    check_pool();
    check_heap();
    free_all();
    give_all_back();
    check_nothing_left();
    check_memory();
    check_pool_is_taken();
    check_free_slabs();
}
