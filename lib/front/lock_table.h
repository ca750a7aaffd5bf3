// The locks of the allocator by name, for who looks at the process from outside: who holds which, and who waits for it.
// In the checked build only.
// Thread-safety: written once, before the ring tells its address. Errors: locks beyond its room are left out.
#ifndef HAK_FRONT_LOCK_TABLE_H
#define HAK_FRONT_LOCK_TABLE_H

#include "base/lock.h"

enum { LOCK_TABLE_ROOM = 128 };

typedef struct {
    uint64_t address;  // of a HakLock
    char name[20];     // with the number of those that share a name: "registry 7"
    uint32_t rank;     // as in front/locks.h
} HakNamedLock;

typedef struct {
    int64_t holder_offset;  // from a thread's pointer to its thread-local memory to the holder that its locks name
    uint32_t count;
    HakNamedLock lock[LOCK_TABLE_ROOM];
} HakLockTable;

extern HAK_INTERNAL HakLockTable hak_lock_table;

void lock_table_fill(void);

#endif
