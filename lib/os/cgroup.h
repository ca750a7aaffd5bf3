// The limit of the control group that the process is in, version 2 or 1, as the files of the kernel tell it.
// Source: Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, Documentation/filesystems/proc.rst (mountinfo).
// Thread-safety: none, callers hold a lock: the buffers are static, as a thread's stack may be small. Errors: what cannot be read is no limit.
#ifndef HAK_OS_CGROUP_H
#define HAK_OS_CGROUP_H

#include "base/compiler.h"

typedef struct {
    char folder[512];  // of the group; empty: none was found
    size_t top;        // length of the part of it that is the mount point: groups above are not to be seen
    bool unified;      // version 2
} Cgroup;

typedef struct {
    uint64_t limit, room;  // bytes; UINT64_MAX: no limit
} CgroupRoom;

// Finds the folder of the group. root: what stands before each path, "" but for tests.
bool cgroup_find(Cgroup* group, const char* root);
// What the group, or one above it, leaves: the least.
CgroupRoom cgroup_room(const Cgroup* group);

#endif
