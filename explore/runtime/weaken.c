#include "runtime/weaken.h"

#include "front/life.h"
#include "front/locks.h"
#include "front/process.h"
#include "runtime/memory.h"
#include "runtime/order.h"
#include "slab/ownership.h"
#include "thread/operation.h"

#include "observe/steps.h"

#include <string.h>

typedef enum {
#define PLACE(name, order, weaker, words) PLACE_##name,
#include "runtime/places.def"
#undef PLACE
    PLACES,
    NOT_A_PLACE = PLACES
} Place;

static const struct {
    const char *name, *words;
    int order, weaker;
} places[PLACES] = {
#define PLACE(name, order, weaker, words) \
    {#name, words ": " #order " made " #weaker, __ATOMIC_##order, __ATOMIC_##weaker},
#include "runtime/places.def"
#undef PLACE
};

uint64_t weakened;
static Place wanted = NOT_A_PLACE;

// --- words

enum { LOCKS_MOST = 256 };
static const HakLock* locks[LOCKS_MOST];
static unsigned lock_count;

static void note_lock(HakLock* lock, unsigned unused) {
    (void)unused;
    if (lock_count < LOCKS_MOST) locks[lock_count++] = lock;
}

static void find_locks(void) {
    lock_count = 0;
    locks_of_ranks(LOCK_RANK_FORK, LOCK_LEAF, note_lock, 0);
}

static bool is_lock(const volatile void* p) {
    for (unsigned i = 0; i < lock_count; i++)
        if ((const volatile void*)locks[i] == p) return true;
    return false;
}

static bool is_inside(const volatile void* p) {
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if ((const volatile void*)&tcb->inside == p) return true;
    return false;
}

static bool is_in(const volatile void* p, const volatile void* table, size_t bytes_each) {
    return (uintptr_t)p - (uintptr_t)table < load_relaxed(&hak_heap.slabs) * bytes_each;
}

// --- places

static Place place_of_owner_word(int order, unsigned step) {
    switch (step) {
    case HAK_STEP_F3: return PLACE_F3;
    case HAK_STEP_A5: return PLACE_A5;
    case HAK_STEP_C1: return PLACE_C1;
    case HAK_STEP_R0: return PLACE_R0;
    case HAK_STEP_RX: return wanted == PLACE_RX_release ? PLACE_RX_release : PLACE_RX_acquire;
    default: return order_acquires(order) ? PLACE_word : PLACE_huge;
    }
}

static Place place_of_remote_word(unsigned step) {
    switch (step) {
    case HAK_STEP_A4: return PLACE_A4;
    case HAK_STEP_R3: return PLACE_R3;
    case HAK_STEP_D1: return PLACE_D1;
    default: return NOT_A_PLACE;
    }
}

// The words of static data that are no locks and have an order that places.def names.
static Place place_of_static(int order, const volatile void* p) {
    const bool acquires = order_acquires(order);
    const struct {
        const volatile void* word;
        Place acquires, releases;
    } words[] = {{&process_has_begun, PLACE_begun_acquire, PLACE_begun_release},
                 {&operation_copies_are_watched, NOT_A_PLACE, PLACE_watch_release},
                 {&have_end_key, PLACE_key_acquire, PLACE_key_release},
                 {&tcb_newest, PLACE_all_acquire, PLACE_all_release}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (p == words[i].word) return acquires ? words[i].acquires : words[i].releases;
    return NOT_A_PLACE;
}

static Place place_of(int order, unsigned step, const volatile void* p) {
    if (p == NULL) return PLACE_inside_fence;
    if (is_in(p, hak_heap.owner, sizeof *hak_heap.owner)) return place_of_owner_word(order, step);
    if (is_in(p, hak_heap.remote, sizeof *hak_heap.remote)) return place_of_remote_word(step);
    if (is_lock(p)) return order_acquires(order) ? PLACE_lock : PLACE_unlock;
    if (is_inside(p)) return PLACE_inside_end;
    return memory_offset(p) >= ARENA_BYTES ? place_of_static(order, p) : NOT_A_PLACE;
}

static int weaken(int order, unsigned step, const volatile void* p, unsigned bytes) {
    (void)bytes;
    if (order == __ATOMIC_RELAXED || place_of(order, step, p) != wanted) return order;
    weakened++;
    return places[wanted].weaker;
}

// --- the choice

static Place place_named(const char* name) {
    unsigned i = 0;
    while (i < PLACES && strcmp(places[i].name, name) != 0) i++;
    return (Place)i;
}

bool weaken_set(const char* name) {
    order_changed = NULL;
    if (name[0] == '\0') return true;
    Place place = place_named(name);
    if (place == NOT_A_PLACE) return false;
    wanted = place;
    find_locks();
    order_changed = weaken;
    return true;
}

unsigned weaken_count(void) {
    return PLACES;
}

const char* weaken_name(unsigned place) {
    return places[place].name;
}

const char* weaken_words(const char* name) {
    Place place = place_named(name);
    return place == NOT_A_PLACE ? "" : places[place].words;
}
