// Whether an instruction reads or writes: instructions of every kind stop at a closed page, and the answer must be that
// of the processor, which is in the signal frame.
#include "report/instruction.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#if defined(__x86_64__)
static sigjmp_buf back;
static char *closed, *open_page;
static volatile int found, truth;

static void look(int signal, siginfo_t* info, void* context) {
    (void)signal;
    const greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
    struct instruction_state state = {.bytes = INSTRUCTION_MOST,
                                      .to = (uint64_t)registers[REG_RDI],
                                      .stack = (uint64_t)registers[REG_RSP],
                                      .fault = (uint64_t)(uintptr_t)info->si_addr};
    memcpy(state.code, (const void*)(uintptr_t)registers[REG_RIP], sizeof state.code);
    found = (int)instruction_access(&state);
    truth = (registers[REG_ERR] & 2) != 0 ? ACCESS_WRITE : ACCESS_READ;
    siglongjmp(back, 1);
}

static int start(void** state) {
    (void)state;
    closed = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    open_page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return closed == MAP_FAILED || open_page == MAP_FAILED;
}

// `to` is in rdi, `from` in rsi.
#define DEFINE(name, text)                                                                                       \
    static void name(void* to, void* from) {                                                                     \
        __asm__ volatile(text                                                                                    \
                         : "+D"(to), "+S"(from)                                                                  \
                         :                                                                                       \
                         : "rax", "rcx", "rdx", "rbx", "r8", "r9", "r15", "xmm0", "xmm1", "st", "cc", "memory"); \
    }

#define BASIC(X)                                                    \
    X(mov_store, "movq %%rax, 8(%%rdi)")                            \
    X(mov_store_byte, "movb %%al, (%%rdi)")                         \
    X(mov_store_high, "movl %%r8d, 4(%%rdi)")                       \
    X(mov_load, "movq 8(%%rdi), %%rax")                             \
    X(mov_load_high, "movw (%%rdi), %%r15w")                        \
    X(mov_constant, "movl $7, (%%rdi)")                             \
    X(movzx, "movzbl (%%rdi), %%eax")                               \
    X(movsx, "movslq (%%rdi), %%rax")                               \
    X(add_to, "addq %%rax, (%%rdi)")                                \
    X(add_from, "addq (%%rdi), %%rax")                              \
    X(xor_constant, "xorb $1, (%%rdi)")                             \
    X(cmp_constant, "cmpl $1, (%%rdi)")                             \
    X(cmp_with, "cmpq %%rax, (%%rdi)")                              \
    X(cmp_from, "cmpq (%%rdi), %%rax")                              \
    X(test_with, "testb $1, (%%rdi)")                               \
    X(test_with_register, "testq %%rax, (%%rdi)")                   \
    X(increment, "incl (%%rdi)")                                    \
    X(decrement, "decq (%%rdi)")                                    \
    X(negate, "negl (%%rdi)")                                       \
    X(not_it, "notb (%%rdi)")                                       \
    X(multiply, "imull (%%rdi), %%eax")                             \
    X(multiply_wide, "mulq (%%rdi)")                                \
    X(shift, "shll $3, (%%rdi)")                                    \
    X(shift_double, "shldl $3, %%eax, (%%rdi)")                     \
    X(exchange, "xchgq %%rax, (%%rdi)")                             \
    X(exchange_add, "lock xaddl %%eax, (%%rdi)")                    \
    X(compare_exchange, "lock cmpxchgq %%rax, (%%rdi)")             \
    X(compare_exchange_16, "lock cmpxchg16b (%%rdi)")               \
    X(set_if, "setz (%%rdi)")                                       \
    X(move_if, "cmovzq (%%rdi), %%rax")                             \
    X(bit_test, "btl $3, (%%rdi)")                                  \
    X(bit_set, "btsl $3, (%%rdi)")                                  \
    X(push_it, "pushq (%%rdi)\n popq %%rax")                        \
    X(pop_it, "pushq %%rax\n popq (%%rdi)")                         \
    X(call_it, "call *(%%rdi)")                                     \
    X(jump_it, "jmp *(%%rdi)")                                      \
    X(store_string, "movl $8, %%ecx\n rep stosb")                   \
    X(load_string, "xchgq %%rsi, %%rdi\n lodsb")                    \
    X(scan_string, "movl $8, %%ecx\n repne scasb")                  \
    X(copy_to, "movl $8, %%ecx\n rep movsb")                        \
    X(copy_from, "xchgq %%rsi, %%rdi\n movl $8, %%ecx\n rep movsq") \
    X(compare_strings, "movl $8, %%ecx\n repe cmpsb")               \
    X(sse_store, "movups %%xmm0, (%%rdi)")                          \
    X(sse_load, "movups (%%rdi), %%xmm0")                           \
    X(sse_store_low, "movlps %%xmm0, (%%rdi)")                      \
    X(sse_load_high, "movhps (%%rdi), %%xmm0")                      \
    X(sse_store_double, "movsd %%xmm0, (%%rdi)")                    \
    X(sse_load_double, "movsd (%%rdi), %%xmm0")                     \
    X(sse_store_integer, "movdqu %%xmm0, (%%rdi)")                  \
    X(sse_load_integer, "movdqu (%%rdi), %%xmm0")                   \
    X(sse_store_quad, "movq %%xmm0, (%%rdi)")                       \
    X(sse_load_quad, "movq (%%rdi), %%xmm0")                        \
    X(sse_store_word, "movd %%xmm0, (%%rdi)")                       \
    X(sse_add, "addps (%%rdi), %%xmm0")                             \
    X(sse_past_caches, "movntdq %%xmm0, (%%rdi)")                   \
    X(past_caches, "movnti %%rax, (%%rdi)")                         \
    X(x87_store, "fldz\n fstpl (%%rdi)\n fstp %%st(0)")             \
    X(x87_store_long, "fldz\n fstpt (%%rdi)\n fstp %%st(0)")        \
    X(x87_store_integer, "fldz\n fistpll (%%rdi)\n fstp %%st(0)")   \
    X(x87_load, "fldl (%%rdi)\n fstp %%st(0)")                      \
    X(x87_load_long, "fldt (%%rdi)\n fstp %%st(0)")                 \
    X(x87_add, "fldz\n fadds (%%rdi)\n fstp %%st(0)")               \
    X(store_control, "stmxcsr (%%rdi)")                             \
    X(load_control, "ldmxcsr (%%rdi)")

#define AVX(X)                                                                                  \
    X(avx_store, "vmovups %%ymm0, (%%rdi)")                                                     \
    X(avx_load, "vmovups (%%rdi), %%ymm0")                                                      \
    X(avx_store_high, "vmovdqu %%xmm9, 64(%%rdi)")                                              \
    X(avx_store_quad, "vmovq %%xmm0, (%%rdi)")                                                  \
    X(avx_load_quad, "vmovq (%%rdi), %%xmm0")                                                   \
    X(avx_extract, "vextractf128 $1, %%ymm0, (%%rdi)")                                          \
    X(avx_insert, "vinsertf128 $1, (%%rdi), %%ymm0, %%ymm0")                                    \
    X(avx_compare, "vpcmpeqb (%%rdi), %%ymm0, %%ymm0")                                          \
    X(avx_broadcast, "vpbroadcastd (%%rdi), %%ymm0")                                            \
    X(avx_store_masked, "vpcmpeqd %%ymm1, %%ymm1, %%ymm1\n vpmaskmovd %%ymm0, %%ymm1, (%%rdi)") \
    X(avx_load_masked, "vpcmpeqd %%ymm1, %%ymm1, %%ymm1\n vpmaskmovd (%%rdi), %%ymm1, %%ymm0")

#define AVX512(X)                                        \
    X(evex_store, "vmovdqu64 %%zmm0, (%%rdi)")           \
    X(evex_store_high, "vmovdqu8 %%ymm17, 32(%%rdi)")    \
    X(evex_load, "vmovdqu64 (%%rdi), %%zmm0")            \
    X(evex_compare, "vpcmpub $4, (%%rdi), %%zmm0, %%k1") \
    X(evex_narrow, "vpmovqb %%zmm0, (%%rdi)")            \
    X(evex_widen, "vpmovzxbq (%%rdi), %%zmm0")

BASIC(DEFINE)
AVX(DEFINE)
AVX512(DEFINE)

struct one {
    const char* name;
    void (*run)(void* to, void* from);
};
#define ENTRY(name, text) {#name, name},

static void expect_all(const struct one* list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        found = truth = ACCESS_UNKNOWN;
        if (sigsetjmp(back, 1) == 0) list[i].run(closed + 4096, open_page);
        if (truth == ACCESS_UNKNOWN) fail_msg("%s did not stop", list[i].name);
        if (found != truth) fail_msg("%s: found %d, the processor says %d", list[i].name, found, truth);
    }
}

static void reads_and_writes_are_told_apart(void** state) {
    (void)state;
    static const struct one basic[] = {BASIC(ENTRY)}, avx[] = {AVX(ENTRY)}, avx512[] = {AVX512(ENTRY)};
    struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_NODEFER}, before;
    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    expect_all(basic, sizeof basic / sizeof basic[0]);
    if (__builtin_cpu_supports("avx2")) expect_all(avx, sizeof avx / sizeof avx[0]);
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        expect_all(avx512, sizeof avx512 / sizeof avx512[0]);
    sigaction(SIGSEGV, &before, NULL);
}

static void without_bytes_nothing_is_known(void** state) {
    (void)state;
    assert_int_equal(instruction_access(&(struct instruction_state){.bytes = 0}), ACCESS_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_are_told_apart),
        cmocka_unit_test(without_bytes_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
#else
int main(void) {
    return 77;
}
#endif
