// dlopen of the checked library, without RTLD_DEEPBIND: with that flag a library takes malloc and free from the C
// library, and blocks of the one reach the other. The real dlopen takes search path and namespace from its return
// address. So this one jumps to it, with the program's return address and all arguments in place.
// musl has no such flag.
// Thread-safety: as dlopen.
// Errors: those of the next dlopen.
#include "base/atomic.h"
#include "base/text.h"

#include <dlfcn.h>
#include <errno.h>

#if HAK_CHECKED && defined(RTLD_DEEPBIND)
typedef void* (*Dlopen)(const char* file, int mode);
typedef struct {
    Dlopen next;
    uint64_t mode;
} DlopenCall;  // returned in two registers

HAK_INTERNAL DlopenCall dlopen_without_deepbind(const char* file, int mode);

static _Atomic(Dlopen) next_dlopen;

static Dlopen find_next(void) {
    Dlopen next = (Dlopen)(uintptr_t)dlsym(RTLD_NEXT, "dlopen");
    store_relaxed(&next_dlopen, next);
    return next;
}

// At load: a dlsym during a dlopen would clear an error that the caller has not read yet.
__attribute__((constructor)) static void find_at_load(void) {
    find_next();
}

static HAK_COLD void tell(const char* file) {
    static _Atomic uint32_t told;
    uint32_t no = 0;
    if (cas_acquire(&told, &no, 1u))
        text_warn("hakmem: dlopen of %s with RTLD_DEEPBIND: opened without that flag; otherwise it would pass "
                  "blocks of this library to the C library's free (reported once)\n",
                  file);
}

__attribute__((used)) DlopenCall dlopen_without_deepbind(const char* file, int mode) {
    int saved_errno = errno;
    Dlopen next = load_relaxed(&next_dlopen);
    if (next == NULL) next = find_next();
    if (file != NULL && mode & RTLD_DEEPBIND && !(mode & RTLD_NOLOAD)) tell(file);
    errno = saved_errno;
    return (DlopenCall){next, (uint64_t)(unsigned)(mode & ~RTLD_DEEPBIND)};
}

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
        ".globl dlopen\n"
        ".type dlopen, @function\n"
        ".p2align 4\n"
        "dlopen:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "push %rdi\n.cfi_adjust_cfa_offset 8\n"
        "push %rdx\n.cfi_adjust_cfa_offset 8\n"
        "push %rcx\n.cfi_adjust_cfa_offset 8\n"
        "push %r8\n.cfi_adjust_cfa_offset 8\n"
        "push %r9\n.cfi_adjust_cfa_offset 8\n"
        "call dlopen_without_deepbind\n"
        "mov %rax, %r11\n"
        "mov %edx, %esi\n"
        "pop %r9\n.cfi_adjust_cfa_offset -8\n"
        "pop %r8\n.cfi_adjust_cfa_offset -8\n"
        "pop %rcx\n.cfi_adjust_cfa_offset -8\n"
        "pop %rdx\n.cfi_adjust_cfa_offset -8\n"
        "pop %rdi\n.cfi_adjust_cfa_offset -8\n"
        "jmp *%r11\n"
        ".cfi_endproc\n"
        ".size dlopen, .-dlopen\n"
        ".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
        ".globl dlopen\n"
        ".type dlopen, %function\n"
        ".p2align 4\n"
        "dlopen:\n"
        ".cfi_startproc\n"
        "hint #34\n"
        "stp x29, x30, [sp, #-80]!\n.cfi_def_cfa_offset 80\n.cfi_offset x29, -80\n.cfi_offset x30, -72\n"
        "mov x29, sp\n"
        "stp x0, x2, [sp, #16]\n"
        "stp x3, x4, [sp, #32]\n"
        "stp x5, x6, [sp, #48]\n"
        "str x7, [sp, #64]\n"
        "bl dlopen_without_deepbind\n"
        "mov x16, x0\n"  // the mode is already in w1
        "ldp x0, x2, [sp, #16]\n"
        "ldp x3, x4, [sp, #32]\n"
        "ldp x5, x6, [sp, #48]\n"
        "ldr x7, [sp, #64]\n"
        "ldp x29, x30, [sp], #80\n.cfi_def_cfa_offset 0\n.cfi_restore x29\n.cfi_restore x30\n"
        "br x16\n"
        ".cfi_endproc\n"
        ".size dlopen, .-dlopen\n"
        ".popsection\n");
#endif
#endif
