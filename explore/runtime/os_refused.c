// The rest of os/os.h: what is called for sampled blocks, guard mode and whole stacks alone. A scenario has none of
// them, so the system refuses.
#include "os/os.h"

bool os_leave_out_of_dumps(void* at, size_t bytes) {
    (void)at, (void)bytes;
    return false;
}

void* os_map_closed(size_t bytes) {
    (void)bytes;
    return NULL;
}

bool os_keep_apart(void* at, size_t bytes) {
    (void)at, (void)bytes;
    return false;
}

uintptr_t os_first_stack(void) {
    return 0;
}

size_t os_page_bytes(void) {
    return OS_PAGE;
}

bool os_guard(void* at, size_t bytes, bool closed) {
    (void)at, (void)bytes, (void)closed;
    return false;
}

bool os_open_guarded(void* const* at, unsigned count, size_t bytes) {
    (void)at, (void)count, (void)bytes;
    return false;
}

bool os_close_over(void* at, size_t bytes) {
    (void)at, (void)bytes;
    return false;
}

uint64_t os_address_limit(void) {
    return UINT64_MAX;
}

uint64_t os_memory_bytes(void) {
    return 0;
}

uint64_t os_number_in(const char* path) {
    (void)path;
    return 0;
}

void os_forbid_calls(void) {
}

bool os_calls_are_forbidden(void) {
    return false;
}
