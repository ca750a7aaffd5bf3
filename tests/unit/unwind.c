// Walks of stacks are those of the C library's backtrace(), or those of known chains of calls; and nothing that a stack
// or a table may hold leads to a fault.
#include "stack/unwind.h"

#include "base/random.h"
#include "stack/code.h"
#include "unit.h"
#include "unit/unwind_chain.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define NOT_INLINED static __attribute__((noinline))
#define NO_TAIL_CALL __asm__ volatile("" : : : "memory")

enum { PAGE = 4096, MOST = 200 };

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

// --- both walks at one place

typedef struct {
    uintptr_t ours[STACK_DEPTH_MAX];
    uint32_t ours_count;
    void* theirs[MOST];
    int theirs_count;
} Walks;

NOT_INLINED void walk_both(void* walks) {
    Walks* w = walks;
    w->theirs_count = backtrace(w->theirs, MOST);
    w->ours_count =
        stack_here(__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0), w->ours, STACK_DEPTH_MAX);
    NO_TAIL_CALL;
}

// backtrace() begins with the function that calls it, and a sanitizer's with itself. The walk begins with the caller of
// that function.
static void expect_the_same(const Walks* w) {
    int first = 1, most = w->theirs_count;
    while (first < 3 && w->ours[0] != (uintptr_t)w->theirs[first]) first++;
    if (most > first + STACK_DEPTH_MAX) most = first + STACK_DEPTH_MAX;
    for (int i = first; i < most && i - first < (int)w->ours_count; i++)
        if (w->ours[i - first] != (uintptr_t)w->theirs[i])
            fail_msg("frame %d is %#lx, and backtrace() says %p", i - first, w->ours[i - first], w->theirs[i]);
    assert_int_equal(w->ours_count, most - first);
}

static void code_without_frame_pointers(void** state) {
    (void)state;
    for (unsigned depth = 0; depth < 90; depth++) {
        Walks w;
        chain_without_frame_pointers(walk_both, &w, depth);
        assert_true(w.ours_count > depth + CHAIN_LENGTH || w.ours_count == STACK_DEPTH_MAX);
        expect_the_same(&w);
    }
}

static void code_with_frame_pointers(void** state) {
    (void)state;
    for (unsigned depth = 0; depth < 90; depth++) {
        Walks w;
        chain_with_frame_pointers(walk_both, &w, depth);
        assert_true(w.ours_count > depth + CHAIN_LENGTH || w.ours_count == STACK_DEPTH_MAX);
        expect_the_same(&w);
    }
}

static void deep_recursion(void** state) {
    (void)state;
    Walks w;
    chain_without_frame_pointers(walk_both, &w, 20000);
    assert_int_equal(w.ours_count, STACK_DEPTH_MAX);
    expect_the_same(&w);
}

// --- code without tables: backtrace() stops there

NOT_INLINED void walk_ours(void* walks) {
    Walks* w = walks;
    w->ours_count =
        stack_here(__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0), w->ours, STACK_DEPTH_MAX);
    NO_TAIL_CALL;
}

static uintptr_t after_the_call;

NOT_INLINED void call_without_tables(Walks* w, unsigned depth) {
    chain_without_tables(walk_ours, w, depth);
    NO_TAIL_CALL;
}

static void code_without_tables(void** state) {
    (void)state;
    for (unsigned depth = 0; depth < 10; depth++) {
        Walks w, around;
        call_without_tables(&w, depth);
        walk_both(&around);
        after_the_call = (uintptr_t)call_without_tables;
        assert_in_range(w.ours[depth + CHAIN_LENGTH], after_the_call, after_the_call + 100);
#if defined(__aarch64__)
        // From there on only functions with a frame record are found: where the stack begins is not known any more.
        assert_true(w.ours_count > depth + CHAIN_LENGTH + 1);
        continue;
#endif
        assert_int_equal(w.ours_count, around.ours_count + depth + CHAIN_LENGTH + 1);
        // From the caller of this test on both are the same.
        for (uint32_t i = 1; i < around.ours_count; i++)
            assert_int_equal(w.ours[depth + CHAIN_LENGTH + 1 + i], around.ours[i]);
    }
}

// --- interrupted code

static Walks here;  // of a handler
static uintptr_t from_context[STACK_DEPTH_MAX];
static uint32_t from_context_count;
static unsigned handled;

// From the interrupted instruction on, both walks of a handler are the same.
static void expect_the_same_from_context(void) {
    int first = 0;
    while (first < here.theirs_count && (uintptr_t)here.theirs[first] != from_context[0]) first++;
    assert_in_range(first, 1, 6);
    for (int i = first; i < here.theirs_count && i - first < STACK_DEPTH_MAX; i++) {
        if (i - first < (int)from_context_count && from_context[i - first] == (uintptr_t)here.theirs[i]) continue;
        fail_msg("interrupted at %#lx, frame %d of %u: backtrace() says %p", from_context[0], i - first,
                 from_context_count, here.theirs[i]);
    }
}

static void walk_in_handler(int signal, siginfo_t* info, void* context) {
    (void)signal, (void)info;
    walk_both(&here);
    from_context_count = stack_of_context(context, from_context, STACK_DEPTH_MAX);
    expect_the_same(&here);
    expect_the_same_from_context();
    handled++;
}

static void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    assert_int_equal(sigaction(signal, &action, NULL), 0);
}

static void raise_signal(void* signal) {
    raise((int)(intptr_t)signal);
    NO_TAIL_CALL;
}

static void a_signal_handler(void** state) {
    (void)state;
    handled = 0;
    handle(SIGUSR1, walk_in_handler, 0);
    chain_without_frame_pointers(raise_signal, (void*)SIGUSR1, 3);
    assert_int_equal(handled, 1);
}

static void a_signal_handler_on_a_stack_of_its_own(void** state) {
    (void)state;
    enum { BYTES = 128 << 10 };
    stack_t own = {.ss_sp = malloc(BYTES), .ss_size = BYTES}, none = {.ss_flags = SS_DISABLE};
    handled = 0;
    assert_int_equal(sigaltstack(&own, NULL), 0);
    handle(SIGUSR2, walk_in_handler, SA_ONSTACK);
    chain_without_frame_pointers(raise_signal, (void*)SIGUSR2, 3);
    assert_int_equal(sigaltstack(&none, NULL), 0);
    free(own.ss_sp);
    assert_int_equal(handled, 1);
}

#if defined(__x86_64__)
enum { TRAP_FLAG = 0x100 };
static bool stepping;
static unsigned not_followed;

// The loader finds its frame by another register than the stack and the frame pointer while it looks up a function.
static bool is_followed(const void* place) {
    CfiTables tables;
    return !code_tables((uintptr_t)place, &tables) || cfi_rule(&tables, (uintptr_t)place).kind != RULE_UNKNOWN;
}

static bool all_are_followed(const void* interrupted) {
    void* places[MOST];
    int count = backtrace(places, MOST);
    bool all = is_followed(interrupted);
    for (int i = 0; i < count; i++) all &= is_followed((char*)places[i] - 1);
    return all;
}

// Traps again behind the next instruction.
static void step_handler(int signal, siginfo_t* info, void* context) {
    greg_t *registers = ((ucontext_t*)context)->uc_mcontext.gregs, *flags = &registers[REG_EFL];
    if (all_are_followed((const void*)registers[REG_RIP]))
        walk_in_handler(signal, info, context);
    else
        not_followed++;
    *flags = stepping ? *flags | TRAP_FLAG : *flags & ~(greg_t)TRAP_FLAG;
}

static void call_through_the_plt(void* unused) {
    (void)unused;
    static const struct timespec no_time;
    nanosleep(&no_time, NULL);
    NO_TAIL_CALL;
}

// In prologues and epilogues, in the procedure linkage table, in the loader and around a system call.
static void each_instruction(void** state) {
    (void)state;
    handled = 0;
    stepping = true;
    handle(SIGTRAP, step_handler, 0);
    raise(SIGTRAP);
    chain_without_frame_pointers(call_through_the_plt, NULL, 2);
    chain_with_frame_pointers(call_through_the_plt, NULL, 1);
    stepping = false;
    NO_TAIL_CALL;
    raise(SIGTRAP);
    printf("%u instructions, and %u that are not followed\n", handled, not_followed);
    assert_true(handled > 200);
}

static sigjmp_buf back;

static void walk_and_leave(int signal, siginfo_t* info, void* context) {
    (void)signal, (void)info;
    from_context_count = stack_of_context(context, from_context, STACK_DEPTH_MAX);
    siglongjmp(back, 1);
}

NOT_INLINED void call_nothing(void* nothing) {
    void (*volatile function)(void) = (void (*)(void))nothing;
    function();
    NO_TAIL_CALL;
}

static void a_call_of_what_is_no_code(void** state) {
    (void)state;
    handle(SIGSEGV, walk_and_leave, 0);
    if (sigsetjmp(back, 1) == 0) chain_without_frame_pointers(call_nothing, (void*)0x10, 2);
    handle(SIGSEGV, walk_and_leave, (int)SA_RESETHAND);
    assert_true(from_context_count > CHAIN_LENGTH + 2);
    assert_int_equal(from_context[0], 0x10);
    assert_in_range(from_context[1], (uintptr_t)call_nothing, (uintptr_t)call_nothing + 500);
}
#endif

// --- libraries

static void walk_in_library(const char* path, unsigned depth, Walks* w, void** at) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    void (*chain)(ChainEnd*, void*, unsigned);
    *(void**)&chain = *at = dlsym(library, "chain_in_library");
    assert_non_null(chain);
    chain(walk_both, w, depth);
    assert_int_equal(dlclose(library), 0);
}

static void code_of_a_library(void** state) {
    (void)state;
    Walks w;
    void* at;
    walk_in_library(CHAIN_LIBRARY, 5, &w, &at);
    expect_the_same(&w);
}

// The second library has the same calls at the same places, with other frames around them.
static void a_library_in_the_place_of_another(void** state) {
    (void)state;
    Walks w;
    void *first, *second;
    for (unsigned depth = 0; depth < 4; depth++) {
        walk_in_library(CHAIN_LIBRARY, depth, &w, &first);
        expect_the_same(&w);
        walk_in_library(OTHER_CHAIN_LIBRARY, depth, &w, &second);
        expect_the_same(&w);
    }
    if (first != second) skip();
}

// --- other stacks

static void* walk_in_thread(void* walks) {
    walk_both(walks);
    return walks;
}

static void the_first_function_of_a_thread(void** state) {
    (void)state;
    pthread_t thread;
    Walks w;
    assert_int_equal(pthread_create(&thread, NULL, walk_in_thread, &w), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(w.ours_count >= 2);
    expect_the_same(&w);
}

enum { COROUTINE_STACK = 16 * PAGE };

// Memory between two pages that cannot be read.
static char* fenced(size_t bytes) {
    char* at = mmap(NULL, bytes + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    assert_int_equal(mprotect(at, PAGE, PROT_NONE) | mprotect(at + PAGE + bytes, PAGE, PROT_NONE), 0);
    return at + PAGE;
}

static ucontext_t outside, inside;
static Walks in_coroutine;

static void walk_in_coroutine(void) {
    chain_without_frame_pointers(walk_both, &in_coroutine, 2);
}

static void run_coroutine(char* stack, size_t bytes, void (*function)(void)) {
    assert_int_equal(getcontext(&inside), 0);
    inside.uc_stack = (stack_t){.ss_sp = stack, .ss_size = bytes};
    inside.uc_link = &outside;
    makecontext(&inside, function, 0);
    assert_int_equal(swapcontext(&outside, &inside), 0);
}

static void a_context_of_makecontext(void** state) {
    (void)state;
    char* stack = fenced(COROUTINE_STACK);
    run_coroutine(stack, COROUTINE_STACK, walk_in_coroutine);
    assert_true(in_coroutine.ours_count >= CHAIN_LENGTH + 3);
    expect_the_same(&in_coroutine);
    munmap(stack - PAGE, COROUTINE_STACK + 2 * PAGE);
}

// --- little stack: this is the first test, before any rule is known

static Walks in_little_stack;

static void walk_ours_in_coroutine(void) {
    walk_ours(&in_little_stack);
    NO_TAIL_CALL;
}

static void a_first_walk_needs_little_stack(void** state) {
    (void)state;
    enum { PAINT = 0x5a, LITTLE = SANITIZED ? 12000 : 3000 };
    char* stack = fenced(COROUTINE_STACK);
    memset(stack, PAINT, COROUTINE_STACK);
    run_coroutine(stack, COROUTINE_STACK, walk_ours_in_coroutine);
    size_t untouched = 0;
    while (stack[untouched] == PAINT) untouched++;
    printf("%zu bytes of stack\n", COROUTINE_STACK - untouched);
    assert_true(COROUTINE_STACK - untouched < LITTLE);
    assert_int_equal(in_little_stack.ours_count, 2);
    munmap(stack - PAGE, COROUTINE_STACK + 2 * PAGE);
}

// --- damage

#if defined(__x86_64__)
enum { DAMAGED_BYTES = 2 * PAGE };

// A word of a damaged stack: code, an address on the stack or near its ends, or anything.
static uintptr_t damaged_word(uint64_t* random, const Walks* code, const char* stack) {
    uint64_t r = random_of(random), kind = r % 8;
    if (kind < 4) return code->ours[(r >> 8) % code->ours_count];
    if (kind < 7) return (uintptr_t)stack - PAGE + ((r >> 8) % (DAMAGED_BYTES + 2 * PAGE) & ~(uint64_t)(r >> 40 & 7));
    return r;
}

static void a_damaged_stack(void** state) {
    (void)state;
    enum { ROUNDS = 30000 };
    Walks code;
    chain_without_frame_pointers(walk_ours, &code, 20);
    char* stack = fenced(DAMAGED_BYTES);
    uint64_t random = 4711, long_walks = 0;
    for (int round = 0; round < ROUNDS; round++) {
        if (round % 100 == 0)
            for (size_t i = 0; i < DAMAGED_BYTES / 8; i++)
                ((uintptr_t*)(void*)stack)[i] = damaged_word(&random, &code, stack);
        ucontext_t context = {.uc_flags = 0};
        greg_t* registers = context.uc_mcontext.gregs;
        registers[REG_RIP] = (greg_t)damaged_word(&random, &code, stack);
        registers[REG_RSP] = (greg_t)((uintptr_t)stack + (random_of(&random) % DAMAGED_BYTES & ~UINT64_C(7)));
        registers[REG_RBP] = (greg_t)damaged_word(&random, &code, stack);
        uintptr_t out[STACK_DEPTH_MAX + 1];
        out[STACK_DEPTH_MAX] = 1;
        uint32_t count = stack_of_context(&context, out, STACK_DEPTH_MAX);
        assert_in_range(count, 1, STACK_DEPTH_MAX);
        assert_int_equal(out[STACK_DEPTH_MAX], 1);
        long_walks += count > 3;
    }
    printf("seed 4711, %lu walks of more than three frames\n", long_walks);
    assert_true(long_walks > 100);
    munmap(stack - PAGE, DAMAGED_BYTES + 2 * PAGE);
}
#endif

// --- tables that end too early, set against memory that cannot be read

static struct {
    CfiTables whole;
    uintptr_t place;
    char* copy;
    size_t room;
    int memory;  // /proc/self/mem: a sanitizer does not see what is read there
} cut;

static FrameRule rule_of_first(size_t bytes) {
    const uint8_t* start = (const uint8_t*)cut.copy + cut.room - bytes;
    if (bytes == 0) return (FrameRule){.kind = RULE_UNKNOWN};
    off_t from = (off_t)(uintptr_t)cut.whole.start;
    assert_int_equal(pread(cut.memory, cut.copy + cut.room - bytes, bytes, from), bytes);
    CfiTables tables = {start + (cut.whole.index - cut.whole.start), start, start + bytes};
    if (tables.index >= tables.end) return (FrameRule){.kind = RULE_UNKNOWN};
    return cfi_rule(&tables, cut.place + (uintptr_t)(start - cut.whole.start));
}

static void tables_that_are_cut(void** state) {
    (void)state;
    enum { NEAR = 400 };
    cut.place = (uintptr_t)tables_that_are_cut + 10;
    assert_true(code_tables(cut.place, &cut.whole));
    FrameRule expected = cfi_rule(&cut.whole, cut.place);
    assert_int_equal(expected.kind, RULE_CALL);
    size_t too_few = 0, enough = (size_t)(cut.whole.end - cut.whole.start);
    cut.room = (enough + PAGE - 1) / PAGE * PAGE;
    cut.copy = fenced(cut.room);
    cut.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    while (enough - too_few > 1) {
        size_t middle = too_few + (enough - too_few) / 2;
        FrameRule rule = rule_of_first(middle);
        bool known = rule.kind != RULE_UNKNOWN;
        if (known) assert_memory_equal(&rule, &expected, sizeof rule);
        *(known ? &enough : &too_few) = middle;
    }
    // The last bytes that are needed are those of the function itself. Each of them is.
    for (size_t bytes = too_few; bytes > too_few - NEAR; bytes--)
        assert_int_equal(rule_of_first(bytes).kind, RULE_UNKNOWN);
    close(cut.memory);
    munmap(cut.copy - PAGE, cut.room + 2 * PAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_walk_needs_little_stack),
        cmocka_unit_test(code_without_frame_pointers),
        cmocka_unit_test(code_with_frame_pointers),
        cmocka_unit_test(deep_recursion),
        cmocka_unit_test(code_without_tables),
        cmocka_unit_test(a_signal_handler),
        cmocka_unit_test(a_signal_handler_on_a_stack_of_its_own),
#if defined(__x86_64__)
        cmocka_unit_test(each_instruction),
        cmocka_unit_test(a_call_of_what_is_no_code),
        cmocka_unit_test(a_damaged_stack),
#endif
        cmocka_unit_test(code_of_a_library),
        cmocka_unit_test(a_library_in_the_place_of_another),
        cmocka_unit_test(the_first_function_of_a_thread),
        cmocka_unit_test(a_context_of_makecontext),
        cmocka_unit_test(tables_that_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
