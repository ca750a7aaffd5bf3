#include "oracle/whole.h"

#include "runtime/system.h"
#include "slab/ownership.h"
#include "superslab/free_slabs.h"
#include "superslab/size_class.h"
#include "superslab/units.h"

// --- free memory

// Such a SuperSlab goes back at once. If its slabs are mappings, the system may refuse to unmap it.
static bool some_are_idle(void) {
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        const Unit* unit = &hak_heap.unit[u];
        if (unit->kind == UNIT_SLABS && (unit->free_slabs | unit->gap_slabs) == UINT32_MAX) return true;
    }
    return false;
}

static const char* fault_of_heap(void) {
    if (units_check() != 0) return "lists of free units";
    if (free_slabs_check() != 0) return "free slabs";
    return some_are_idle() && !slabs_are_mappings() ? "SuperSlabs, of which one has no slab in use" : NULL;
}

// --- registry

static const HakLock* class_lock[CLASS_COUNT];
static unsigned class_locks;

static void note_class_lock(HakLock* lock, unsigned number) {
    (void)number;
    class_lock[class_locks++] = lock;
}

static size_t accept(SlabNumber s) {
    (void)s;
    return 0;
}

static const char* fault_of_class(const volatile void* word) {
    for (unsigned c = 0; c < class_locks; c++)
        if (word == &class_lock[c]->word && registry_check(c, accept) != 0) return "registry of a class";
    return NULL;
}

// --- when a lock becomes free

static void lock_became_free(const volatile void* word) {
    if (run.limits.strategy->repeats && run.limits.strategy->repeats()) return;
    const bool of_class = word >= (const void*)class_lock[0] && word <= (const void*)&class_lock[class_locks - 1]->word;
    if (word != &heap_lock.word && !of_class) return;
    run.active = false;  // nothing of this is a step of the run
    const char* what = of_class ? fault_of_class(word) : fault_of_heap();
    run.active = true;
    if (what)
        run_fault("whole", "thread %c gives up a lock, and what it guards is not whole: %s", 'A' + (int)current_thread,
                  what);
}

void whole_start(void) {
    registry_locks(note_class_lock, 0);
    word_became_zero = lock_became_free;
}
