#include "child/memory_use.h"

#include "process/proc_status.h"

uint64_t memory_own_kib(pid_t pid, const char* total) {
    long long whole = proc_status(pid, total), shared = proc_status(pid, "RssShmem");
    if (whole <= 0) return 0;
    return (uint64_t)(shared > 0 && whole > shared ? whole - shared : whole);
}
