#include "leaks/ended_thread.h"

#include <string.h>
#include <sys/syscall.h>

_Static_assert(sizeof(struct user_regs_struct) <= sizeof(((struct root_thread*)NULL)->registers), "room for all");

#if defined(__x86_64__)
enum { RED_ZONE = 128 };  // below its stack pointer a function may use so much, but not around a system call

// The function that ends the process needs none of these any more, and they hold what earlier functions left there.
static void forget_scratch(uint64_t* registers) {
    struct user_regs_struct kept;
    memcpy(&kept, registers, sizeof kept);
    kept.rax = kept.rcx = kept.rdx = kept.rsi = kept.rdi = kept.r8 = kept.r9 = kept.r10 = kept.r11 = 0;
    memcpy(registers, &kept, sizeof kept);
}

static void read_thread(const struct tracing_end* end, struct root_thread* out) {
    bool called = (int64_t)end->registers.orig_rax >= 0;
    out->stack = end->registers.rsp - (called ? 0 : RED_ZONE);
    out->self = end->registers.fs_base;
    out->vectors = called ? NULL : end->vectors;  // no function keeps them across a call
    if (end->registers.orig_rax == SYS_exit_group || end->registers.orig_rax == SYS_exit)
        forget_scratch(out->registers);
}
#else
static void read_thread(const struct tracing_end* end, struct root_thread* out) {
    out->stack = end->registers.sp;
    out->vectors = end->vectors;
}
#endif

void ended_thread_root(const struct tracing_end* end, struct root_thread* out) {
    *out = (struct root_thread){.vector_count = TRACING_VECTORS};
    memcpy(out->registers, &end->registers, sizeof end->registers);
    read_thread(end, out);
    if (out->vectors == NULL) out->vector_count = 0;
}
