// The memory limit of the process's control group, version 2 or 1, read from the kernel's files.
// Source: Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, Documentation/filesystems/proc.rst
// (mountinfo).
// Thread-safety: none; callers hold a lock. The buffers are static, because a thread's stack may be small.
// Errors: a file that cannot be read means "no limit".
#ifndef HAK_OS_CGROUP_H
#define HAK_OS_CGROUP_H

#include "base/compiler.h"

typedef struct {
    char folder[512];  // of the group; empty: none was found
    size_t top;        // length of the part of it that is the mount point; groups above that cannot be seen
    bool unified;      // version 2
} Cgroup;

typedef struct {
    uint64_t limit, room;  // bytes; UINT64_MAX: no limit
} CgroupRoom;

// Finds the folder of the group. `root` is put before each path: "" except in tests.
bool cgroup_find(Cgroup* group, const char* root);
// The least room that the group and the groups above it leave.
CgroupRoom cgroup_room(const Cgroup* group);

#endif
