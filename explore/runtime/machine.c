#include "runtime/machine.h"

#include <string.h>

#if defined(__x86_64__)

#include <asm/prctl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SAVED = 6 };  // registers that a call keeps

__asm__(".text\n"
        ".globl machine_switch\n"
        ".type machine_switch, @function\n"
        "machine_switch:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size machine_switch, . - machine_switch\n");

void* machine_prepare(void* stack, size_t bytes, void (*body)(void)) {
    uint64_t* top = (uint64_t*)(((uintptr_t)stack + bytes) & ~(uintptr_t)15);
    *--top = 0;  // where body() would return to; keeps the alignment of a call
    *--top = (uint64_t)(uintptr_t)body;
    for (int i = 0; i < SAVED; i++) *--top = 0;
    return top;
}

static bool has_instruction;  // the kernel lets programs write the base of fs

void machine_start(void) {
    enum { FSGSBASE = 2 };
    has_instruction = (getauxval(AT_HWCAP2) & FSGSBASE) != 0;
}

uintptr_t machine_thread_pointer(void) {
    uintptr_t pointer;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

void machine_set_thread_pointer(uintptr_t pointer) {
    if (has_instruction)
        __asm__ volatile("wrfsbase %0" : : "r"(pointer) : "memory");
    else
        syscall(SYS_arch_prctl, ARCH_SET_FS, pointer);
}

#elif defined(__aarch64__)

__asm__(".text\n"
        ".globl machine_switch\n"
        ".type machine_switch, %function\n"
        "machine_switch:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size machine_switch, . - machine_switch\n");

void* machine_prepare(void* stack, size_t bytes, void (*body)(void)) {
    enum { FRAME = 160, LINK = 88 };  // x30 is where machine_switch returns to
    char* top = (char*)(((uintptr_t)stack + bytes) & ~(uintptr_t)15) - FRAME;
    memset(top, 0, FRAME);
    *(uint64_t*)(void*)(top + LINK) = (uint64_t)(uintptr_t)body;
    return top;
}

void machine_start(void) {
}

uintptr_t machine_thread_pointer(void) {
    uintptr_t pointer;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer));
    return pointer;
}

void machine_set_thread_pointer(uintptr_t pointer) {
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(pointer) : "memory");
}

#else
#error "no switch for this architecture yet"
#endif
