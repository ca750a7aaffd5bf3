#include "front/lock_table.h"

#include "base/text.h"
#include "front/locks.h"

#include <string.h>

HakLockTable hak_lock_table;

static const LockGroup* current;
static uint32_t of_current;  // locks of the group so far

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
    for (size_t i = 0; i < LOCK_GROUPS; i++) {
        current = &lock_groups[i];
        of_current = 0;
        current->locks(note, 0);
    }
}
