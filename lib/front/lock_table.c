#include "front/lock_table.h"

#include "base/text.h"
#include "config/sources.h"
#include "front/process.h"
#include "refill/stages.h"
#include "sample/sample.h"
#include "slab/ownership.h"
#include "superslab/heap.h"
#include "superslab/page_slots.h"
#include "thread/operation.h"
#include "thread/tcb.h"

#include <string.h>

HakLockTable hak_lock_table;

static const struct group* current;
static uint32_t of_current;  // locks of the group so far

static void note(HakLock* lock, unsigned fork);

static void of_fork(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&fork_lock, fork);
}

static void of_beginning(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&init_lock, fork);
}

static void of_reserve(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(tcb_reserve_guard(), fork);
}

static void of_heap(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&heap_lock, fork);
}

static const struct group {
    const char* name;
    uint32_t rank;
    bool many;  // a lock for each class or shard
    void (*locks)(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
} groups[] = {
    {"fork", 0, false, of_fork},
    {"init", 1, false, of_beginning},
    {"reserve", 2, false, of_reserve},
    {"gate", 3, false, mmap_gate_locks},
    {"pool", 4, false, tcb_locks},
    {"registry", 5, true, registry_locks},
    {"heap", 6, false, of_heap},
    {"pages", 7, true, page_locks},
    {"options", LOCK_LEAF, false, hak_options_locks},
    {"sample", LOCK_LEAF, true, sample_locks},
};

static void name_lock(HakNamedLock* named) {
    size_t length = text_length(current->name);
    memcpy(named->name, current->name, length);
    if (!current->many) return;
    named->name[length++] = ' ';
    if (of_current >= 10) named->name[length++] = (char)('0' + of_current / 10);
    named->name[length] = (char)('0' + of_current % 10);
}

static void note(HakLock* lock, unsigned fork) {
    (void)fork;
    if (hak_lock_table.count == LOCK_TABLE_ROOM) return;
    HakNamedLock* named = &hak_lock_table.lock[hak_lock_table.count++];
    *named = (HakNamedLock){.address = (uintptr_t)lock, .rank = current->rank};
    name_lock(named);
    of_current++;
}

static uintptr_t thread_pointer(void) {
    uintptr_t pointer;
#if defined(__x86_64__)
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
#else
    pointer = (uintptr_t)__builtin_thread_pointer();
#endif
    return pointer;
}

void lock_table_fill(void) {
    hak_lock_table.holder_offset = (int64_t)((uintptr_t)&hak_lock_holder - thread_pointer());
    hak_lock_table.count = 0;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        current = &groups[i];
        of_current = 0;
        current->locks(note, 0);
    }
}
