#include "oracle/rest.h"

#include "config/changes.h"
#include "config/options.h"
#include "front/life.h"
#include "oracle/blocks.h"
#include "refill/give_back.h"
#include "runtime/system.h"
#include "slab/slab.h"
#include "superslab/free_slabs.h"
#include "superslab/superslab.h"
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

static bool is_listed(const HakTcb* wanted) {
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (tcb == wanted) return true;
    return false;
}

static void check_own_block(const HakTcb* tcb) {
    if (!is_listed(tcb)) run_fault("pool", "control block %u of a thread is not in the list of all", tcb->number);
    if (tcb->pooled) run_fault("pool", "control block %u of a thread is in the pool", tcb->number);
}

// If the user has fixed how many blocks a bin holds, no bin has more.
static void check_bins(unsigned t) {
    for (unsigned c = CLASS_FIRST; hak_option(fast_cap) >= 0 && c < CLASS_COUNT; c++)
        if (bin_blocks(&hak_tls.bin[c]) > hak_tls.bin[c].cap)
            run_fault("bound", "a bin of thread %c has %u blocks, and room for %u", 'A' + (int)t,
                      bin_blocks(&hak_tls.bin[c]), hak_tls.bin[c].cap);
}

// While other threads exist, hak_check looks at what the calling one has.
static void check_threads(void) {
    explored_single_threaded = 0;
    for (unsigned t = 0; t < thread_count; t++) {
        if (!exists(t)) continue;
        thread_become(t);
        if (hak_tls.tcb == NULL) continue;
        check_own_block(hak_tls.tcb);
        check_bins(t);
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

// --- slabs

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

// With U, whoever frees into the slab completes the hand-over.
static void check_slab_left_behind(SlabNumber s, const HakTcb* owner) {
    if (load_relaxed(&owner->state) != TCB_LOST || load_relaxed(remote_word(s)) == REMOTE_UNOWNED) return;
    if (peek_any(s)->in_registry) run_fault("registry", "slab %u of a lost thread is in the registry for ever", s);
}

static void check_slab(SlabNumber s) {
    uint64_t word = load_relaxed(owner_word(s));
    if (!tag_is_class(word_tag(word)) && word_tag(word) != TAG_RUNS) return;
    if (is_left_behind(owner_of(word))) {
        check_slab_left_behind(s, owner_of(word));
        return;
    }
    if (word_owner(word))
        run_fault("owner", "slab %u is owned by thread %u after all threads ended", s, owner_of(word)->number);
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

// --- control blocks

static bool owns_nothing(const HakTcb* tcb) {
    bool nothing = tcb->bundled == 0 && tcb->partial_slabs == 0 && tcb->run_superslabs == 0;
    nothing &= tcb->parked_blocks != 0 || tcb->cached_pages + tcb->long_pages == 0;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++)
        nothing &= tcb->tiny[c].bound == 0 && tcb->tiny[c].partial == 0 && tcb->tiny[c].full == 0;
    return nothing;
}

static void check_control_blocks(void) {
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) {
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

// As many threads as there are control blocks in the pool get all of them, and no new one.
static void check_pool(void) {
    enum { TAKEN_MOST = 64 };
    HakTcb* taken[TAKEN_MOST];
    uint32_t pooled = 0, with_bins = 0, newest = 0;
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) {
        pooled += tcb->pooled;
        with_bins += tcb->pooled && tcb->parked_blocks != 0;
        if (tcb->number > newest) newest = tcb->number;
    }
    parked_seen = 0;
    tcb_check_parked(count_parked);
    if (parked_seen != with_bins)
        run_fault("pool", "%u control blocks have parked bins, and %u are where others find them", with_bins,
                  parked_seen);
    check_places(with_bins);
    for (uint32_t i = 0; i < pooled && i < TAKEN_MOST; i++) {
        taken[i] = tcb_take(&hak_tls);
        if (taken[i] && taken[i]->number > newest)
            run_fault("pool", "%u control blocks are in the pool, and %u can be taken", pooled, i);
    }
    for (uint32_t i = 0; i < pooled && i < TAKEN_MOST; i++)
        if (taken[i]) tcb_give(taken[i]);
}

// --- the end

static void free_all(void) {
    for (unsigned b = 0; b < block_count; b++) {
        if (!blocks[b].there) continue;
        hak_free(block_take(b));
    }
}

static bool some_are_lost(void) {
    bool lost = run.cut_off != 0 || run.copied;
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) lost |= load_relaxed(&tcb->state) == TCB_LOST;
    return lost;
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
}

static void check_bound(const char* what, uint32_t count, uint64_t most) {
    if (most && count > most)
        run_fault("bound", "%u %s are in use at the end, at most %lu were expected", count, what, (unsigned long)most);
}

void rest_check(const Scenario* scenario) {
    explored_single_threaded = 1;
    if (run.copied) notice_copy();
    if (!some_change_is_missing()) check_threads();
    check_bound("slabs", free_slab_totals.taken, scenario->slabs_most);
    check_bound("SuperSlabs", superslab_count, scenario->superslabs_most);
    end_threads();
    if (some_change_is_missing()) return;  // what it leaves behind is known, see refill/unsafe_drain.h
    each_slab(check_slab);
    check_registry();
    check_control_blocks();
    if (!run.forked) check_pool();
    check_heap();
    free_all();
    give_all_back();
    check_nothing_left();
}
