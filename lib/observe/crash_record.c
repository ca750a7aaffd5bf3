#include "observe/crash_record.h"

#include "base/bits.h"
#include "base/syscall.h"
#include "os/os.h"

#include <fcntl.h>
#include <ucontext.h>

// Of x86-64. On aarch64 nothing is below the stack pointer, and a few bytes more do no harm.
enum { RED_ZONE = 128 };

static bool can_read_page_of(uint64_t address) {
    uint64_t page = align_down(address, OS_PAGE);
    return page != 0 && os_can_read((const void*)page);
}

static HAK_READS_ANYTHING void copy_stack_from(CrashRecord* record, uint64_t address) {
    record->stack_address = address;
    for (uint64_t at = address; record->stack_bytes < sizeof record->stack; at++) {
        bool enters_page = at == address || at % OS_PAGE == 0;
        if (enters_page && !can_read_page_of(at)) return;  // the end of the stack
        record->stack[record->stack_bytes++] = *(const unsigned char*)at;
    }
}

// After a stack overflow, the readable stack begins one page above the stack pointer.
static void copy_stack(CrashRecord* record, uint64_t stack_pointer) {
    record->stack_bytes = 0;
    copy_stack_from(record, stack_pointer - RED_ZONE);
    if (record->stack_bytes == 0) copy_stack_from(record, align_up(stack_pointer + 1, OS_PAGE));
}

static void copy_thread(CrashRecord* record, const ucontext_t* context) {
    crash_registers_of_context(record->registers, context);
    store_release(&record->started, 1u);  // pairs with the acquire in the report
    copy_stack(record, record->registers[CRASH_SP]);
}

static uint64_t copy_maps_of(CrashRecord* record, const char* path) {
    long maps = sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (sys_failed(maps)) return 0;
    uint64_t bytes = 0;
    while (bytes < sizeof record->maps) {
        long got = sys_call3(SYS_read, maps, (long)(record->maps + bytes), (long)(sizeof record->maps - bytes));
        if (sys_failed(got) || got == 0) break;
        bytes += (uint64_t)got;
    }
    sys_call3(SYS_close, maps, 0, 0);
    return bytes;
}

// Once the first thread has ended, /proc/self/maps is empty. An emulator shows its program's mappings there alone.
void crash_record_copy_maps(CrashRecord* record) {
    uint64_t bytes = copy_maps_of(record, "/proc/self/maps");
    if (bytes == 0) bytes = copy_maps_of(record, "/proc/thread-self/maps");
    if (bytes > 0) record->maps_bytes = bytes;
}

void crash_record_fill(CrashRecord* record, int signal, const siginfo_t* info, const void* context) {
    record->time = 1e-9 * (double)os_clock_ns();
    record->signal = signal;
    record->code = info->si_code;
    record->error = info->si_errno;
    if (info->si_code > 0)
        record->fault_address = (uint64_t)(uintptr_t)info->si_addr;
    else
        record->sender = info->si_pid;
    copy_thread(record, context);
    crash_record_copy_maps(record);
}
