// Sampled guard pages: a wrong act on a sampled block is told in the words of guard mode with the stacks, and the
// process dies as it would have, or goes on where that was asked for. Each case runs in a child whose stderr is a log.
//
//   sample [CASE...]     needs libhakmem preloaded, without HAKMEM_SAMPLE: each case switches it on itself
#include "support/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, SLOTS = 64, AT_START = 0, AT_END = 1 };

typedef struct {
    const char* name;
    void (*run)(void);
    int status;         // as wait gives it; EXIT(n): exit status n
    unsigned faults;    // how many are told
    const char* check;  // of the first; NULL: nothing is told
    const char* site;
    const char* words;  // in the first line
} Case;

#define EXIT(n) ((n) << 8)

// Hides from the compiler what is done wrong here.
static char* volatile a;
static char* volatile b;
static volatile char sink;
static volatile size_t size_sink;

// ---- the library

static void set_option(const char* name, const char* value) {
    int (*set)(const char*, const char*) = NULL;
    void* symbol = test_symbol("hak_option_set");
    CHECK(symbol != NULL, "no hak_option_set: run this under libhakmem");
    memcpy(&set, &symbol, sizeof set);  // C11 has no cast from an object pointer to a function pointer
    CHECK(set(name, value) == 0, "%s=%s", name, value);
}

static void sample_one_in(const char* every) {
    set_option("HAKMEM_SAMPLE", every);
}

static const char* describe(const void* p) {
    static char text[256];
    size_t (*function)(const void*, char*, size_t) = NULL;
    void* symbol = test_symbol("hak_describe");
    memcpy(&function, &symbol, sizeof function);
    function(p, text, sizeof text);
    return text;
}

static bool is_sampled(const void* p) {
    return strstr(describe(p), "sampled block of") != NULL;
}

// A sampled block on the wanted side of its slot.
static char* block_at(int side, size_t size) {
    enum { IN_BIN_MOST = 32 };
    for (int tries = 0; tries < 200; tries++) {
        char* p = malloc(size);
        if (!is_sampled(p) && tries < IN_BIN_MOST) continue;  // it was in the bin before samples were asked for
        CHECK(is_sampled(p), "%s", describe(p));
        if (((uintptr_t)p % PAGE == 0) == (side == AT_START)) return p;
        free(p);
    }
    CHECK(false, "no block of %zu bytes on side %d", size, side);
    return NULL;
}

static void in_thread(void* (*function)(void*), void* argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, function, argument) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

// ---- accesses

static void read_behind(void) {
    a = block_at(AT_END, 32);
    sink = a[32];
}

static void write_behind_padding(void) {
    a = block_at(AT_END, 20);
    a[32] = 1;
}

static void read_before(void) {
    a = block_at(AT_START, 100);
    sink = a[-3];
}

static void write_before(void) {
    a = block_at(AT_START, 100);
    a[-1] = 1;
}

static void read_of_nothing(void) {
    a = malloc(0);
    sink = a[0];
}

static void write_far_behind(void) {
    a = block_at(AT_START, 5000);
    a[8192] = 1;
}

static void read_behind_largest(void) {
    a = malloc(16384);
    sink = a[16384];
}

static void write_behind_aligned(void) {
    a = memalign(256, 256);
    while ((uintptr_t)a % PAGE == 0) a = memalign(256, 256);
    a[256] = 1;
}

static void read_after_free_at_start(void) {
    a = block_at(AT_START, 100);
    free(a);
    sink = a[7];
}

static void write_after_free_at_end(void) {
    a = block_at(AT_END, 100);
    free(a);
    a[99] = 1;
}

static void* free_it(void* p) {
    free(p);
    return NULL;
}

static void* use_it(void* p) {
    sink = ((char*)p)[1];
    return NULL;
}

static void read_after_free_in_threads(void) {
    a = block_at(AT_END, 64);
    in_thread(free_it, a);
    in_thread(use_it, a);
}

static void old_address_after_realloc(void) {
    a = block_at(AT_END, 64);
    b = realloc(a, 65);
    sink = a[0];
}

static void call_of_freed(void) {
    a = block_at(AT_START, 64);
    free(a);
    void (*function)(void);
    memcpy(&function, (void*)&a, sizeof function);
    function();
}

static void copy_behind(void) {
    static char from[200];
    a = block_at(AT_END, 128);
    memcpy(a, from, 129 + (size_t)sink);
}

// ---- calls

static void padding_at_free(void) {
    a = block_at(AT_END, 20);
    a[20] = 'p';
    free(a);
}

static void padding_of_aligned(void) {
    a = memalign(256, 300);
    while ((uintptr_t)a % PAGE == 0) a = memalign(256, 300);
    memcpy(a + 302, "xyz", 3);
    free(a);
}

static void behind_at_free(void) {
    a = block_at(AT_START, 20);
    a[24] = 'q';
    free(a);
}

static void before_at_free(void) {
    a = block_at(AT_END, 32);
    a[-2] = 'u';
    free(a);
}

static void behind_at_realloc(void) {
    a = block_at(AT_START, 33);
    a[33] = 'r';
    b = realloc(a, 100);
}

static void behind_at_check(void) {
    a = block_at(AT_START, 33);
    a[33] = 'c';
    test_check_heap();
}

static void free_twice_at_start(void) {
    a = block_at(AT_START, 100);
    free(a);
    free(a);
}

static void free_twice_at_end(void) {
    a = block_at(AT_END, 100);
    free(a);
    free(a);
}

static void free_twice_in_threads(void) {
    a = block_at(AT_END, 100);
    in_thread(free_it, a);
    free(a);
}

static void free_of_nothing_twice(void) {
    a = malloc(0);
    free(a);
    free(a);
}

static void free_inside(void) {
    a = block_at(AT_START, 100);
    free(a + 48);
}

static void free_inside_of_freed(void) {
    a = block_at(AT_END, 128);
    free(a);
    free(a + 32);
}

static void free_between(void) {
    a = block_at(AT_START, 100);
    free(a - 64);
}

static void realloc_of_freed(void) {
    a = block_at(AT_START, 64);
    free(a);
    a = realloc(a, 100);
}

static void size_of_freed(void) {
    a = block_at(AT_START, 64);
    free(a);
    size_sink = malloc_usable_size(a);
}

// ---- going on

static void report(void) {
    set_option("HAKMEM_ON_ERROR", "report");
}

static void reported_read(void) {
    report();
    a = block_at(AT_START, 100);
    a[7] = 'k';
    free(a);
    CHECK(a[7] == 'k', "the read of a freed byte gave %d", a[7]);
    CHECK(a[8] == a[8], "a second read");
}

// Once a slot; and the next block closes what was opened.
static void reported_each_time(void) {
    report();
    a = block_at(AT_END, 32);
    a[33] = 1;
    a[34] = 1;
    free(a);
    for (int i = 0; i < 32 * SLOTS; i++) {
        char* p = block_at(AT_END, 32);
        bool again = p == a;
        if (again) p[35] = 1;
        free(p);
        if (again) return;
    }
    CHECK(false, "the slot was never used again");
}

// Opened pages are not for execution: it cannot go on.
static void reported_call_of_freed(void) {
    report();
    call_of_freed();
}

static void reported_calls(void) {
    report();
    a = block_at(AT_END, 20);
    free(a);
    free(a);
    free(a + 4);
    free(a - 16);
    CHECK(malloc_usable_size(a) == 0, "%zu", malloc_usable_size(a));
    errno = 0;
    CHECK(realloc(a, 10) == NULL && errno == EINVAL, "errno %d", errno);
    a = block_at(AT_END, 20);
    a[21] = 1;
    free(a);
    test_check_heap();
}

// ---- handlers of the program

static volatile sig_atomic_t handled, other_handled;
static sigjmp_buf back;
static struct sigaction found;
static void (*volatile after_handling)(void);

static void handle(int number, siginfo_t* info, void* context) {
    (void)context;
    CHECK(number == SIGSEGV && (info->si_code <= 0 || info->si_addr != NULL), "signal %d, code %d", number,
          info->si_code);
    handled++;
    if (after_handling) after_handling();
}

static void handle_other(int number) {
    (void)number;
    other_handled++;
    _exit(9);
}

static void install(void (*with_info)(int, siginfo_t*, void*), void (*plain)(int), int flags, struct sigaction* old) {
    struct sigaction action = {.sa_flags = flags};
    if (with_info)
        action.sa_sigaction = with_info, action.sa_flags |= SA_SIGINFO;
    else
        action.sa_handler = plain;
    CHECK(sigaction(SIGSEGV, &action, old) == 0, "sigaction");
}

static void exit_3(void) {
    _exit(3 + (handled != 1));
}

// Another sample, which sees what handler is in force.
static void sample_again(void) {
    free(block_at(AT_END, 16));
}

static void handler_before(void) {
    sample_one_in("0");
    after_handling = exit_3;
    install(handle, NULL, 0, NULL);
    sample_one_in("1");
    a = block_at(AT_END, 32);
    sink = a[32];
}

static void handler_after(void) {
    after_handling = exit_3;
    sample_again();
    install(handle, NULL, 0, NULL);
    sample_again();
    a = block_at(AT_END, 32);
    sink = a[32];
}

static void plain_handler_after(void) {
    sample_again();
    install(NULL, handle_other, 0, NULL);
    a = block_at(AT_END, 32);
    sink = a[32];
}

// Passes the signal on to what it found, as breakpad and others do.
static void handle_and_pass_on(int number, siginfo_t* info, void* context) {
    handled++;
    if (handled > 2) _exit(8);
    if (found.sa_flags & SA_SIGINFO)
        found.sa_sigaction(number, info, context);
    else
        _exit(7);
}

static void handler_passes_on(void) {
    sample_again();
    install(handle_and_pass_on, NULL, 0, &found);
    a = block_at(AT_END, 32);
    sink = a[32];
}

// It finds our handler, which stands before itself.
static void handler_installed_twice(void) {
    sample_again();
    install(handle_and_pass_on, NULL, 0, NULL);
    sample_again();
    install(handle_and_pass_on, NULL, 0, &found);
    a = block_at(AT_END, 32);
    sink = a[32];
}

static void jump_back(void) {
    siglongjmp(back, 1);
}

static void handler_jumps_back(void) {
    after_handling = jump_back;
    sample_again();
    install(handle, NULL, 0, NULL);
    for (volatile int i = 0; i < 3; i++) {
        a = block_at(AT_END, 32);
        if (sigsetjmp(back, 1) == 0) {
            sink = a[32];
            CHECK(false, "the read was done");
        }
        CHECK(handled == i + 1, "%d", (int)handled);
    }
}

static void use_signal_stack(void) {
    static char memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack");
}

// As handler_jumps_back, on a signal stack, where each context has the same address.
static void handler_on_signal_stack(void) {
    use_signal_stack();
    after_handling = jump_back;
    sample_again();
    install(handle, NULL, SA_ONSTACK, NULL);
    for (volatile int i = 0; i < 3; i++) {
        a = block_at(AT_END, 32);
        if (sigsetjmp(back, 1) == 0) sink = a[32];
        CHECK(handled == i + 1, "%d", (int)handled);
    }
}

static void handler_for_once(void) {
    sample_again();
    install(handle, NULL, (int)SA_RESETHAND, NULL);
    a = block_at(AT_END, 32);
    sink = a[32];
}

// Somebody tries an address with a handler of his own, and restores what he found: that was ours, before the first one.
static void handler_restored(void) {
    sample_one_in("0");
    after_handling = exit_3;
    install(handle, NULL, 0, NULL);
    sample_one_in("1");
    sample_again();
    install(NULL, handle_other, 0, &found);
    sample_again();
    CHECK(sigaction(SIGSEGV, &found, NULL) == 0, "sigaction");
    sample_again();
    sink = *(volatile char*)mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fault_elsewhere(void) {
    sample_again();
    sink = *(volatile char*)mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void ignored(void) {
    sample_one_in("0");
    signal(SIGSEGV, SIG_IGN);
    sample_one_in("1");
    sample_again();
    raise(SIGSEGV);
    a = block_at(AT_END, 32);
    sink = a[32];
}

static void sent(void) {
    sample_again();
    raise(SIGSEGV);
}

static void sent_to_handler(void) {
    after_handling = exit_3;
    sample_again();
    install(handle, NULL, 0, NULL);
    sample_again();
    raise(SIGSEGV);
}

static void fault_again(void) {
    if (handled > 2) _exit(5);
    b = block_at(AT_END, 32);
    sink = b[32];
}

static void nested(void) {
    after_handling = fault_again;
    sample_again();
    install(handle, NULL, 0, NULL);
    a = block_at(AT_END, 32);
    sink = a[32];
}

static void nested_allowed(void) {
    after_handling = fault_again;
    sample_again();
    install(handle, NULL, SA_NODEFER, NULL);
    a = block_at(AT_END, 32);
    sink = a[32];
}

// The handler allocates, frees, and ends its thread.
static void allocate_and_end_thread(void) {
    enum { BLOCKS = 300 };
    static char* blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) memset(blocks[i] = malloc((size_t)i), 1, (size_t)i);
    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
    pthread_exit(NULL);
}

static void* fault_in_thread(void* unused) {
    (void)unused;
    char* p = block_at(AT_END, 32);
    sink = p[32];
    return NULL;
}

static void thread_ends_in_handler(void) {
    after_handling = allocate_and_end_thread;
    sample_again();
    install(handle, NULL, 0, NULL);
    for (int i = 0; i < 3; i++) {
        sample_one_in("1");
        in_thread(fault_in_thread, NULL);
        CHECK(handled == i + 1, "%d", (int)handled);
        for (int n = 0; n < 1000; n++) free(malloc((size_t)n));
        test_check_heap();
    }
}

// ---- handlers that are left

static volatile char* volatile nowhere = (volatile char*)8;

static void null_fault(void) {
    if (sigsetjmp(back, 1) == 0) sink = *nowhere;
}

// Passes on to what it found, deeper in the stack than the kernel would call that.
static void pass_on_deeper(int number, siginfo_t* info, void* context) {
    char* volatile deeper = __builtin_alloca(256);
    deeper[0] = 1;
    other_handled++;
    if (other_handled > 4) _exit(8);
    found.sa_sigaction(number, info, context);
    deeper[1] = 1;
}

// On the signal stack each fault has a context of the same address, also after a handler that never came back.
static void install_around_left_handler(void) {
    use_signal_stack();
    after_handling = jump_back;
    sample_one_in("0");
    install(handle, NULL, SA_ONSTACK, NULL);
    sample_one_in("1");
    sample_again();
    null_fault();
    CHECK(handled == 1, "%d", (int)handled);
    install(pass_on_deeper, NULL, SA_ONSTACK, &found);
}

static void left_handler_is_called_again(void) {
    install_around_left_handler();
    for (int i = 1; i <= 3; i++) {
        null_fault();
        CHECK(other_handled == i && handled == 1 + i, "%d, %d", (int)other_handled, (int)handled);
    }
}

static void fault_after_left_handler_is_told(void) {
    a = block_at(AT_END, 32);
    install_around_left_handler();
    if (sigsetjmp(back, 1) == 0) sink = a[32];
    CHECK(handled == 2, "%d", (int)handled);
}

#ifdef __GLIBC__  // musl has no setcontext
static ucontext_t place_to_go_on;

static void go_on_by_setcontext(void) {
    setcontext(&place_to_go_on);
}

static void handler_left_by_setcontext(void) {
    install_around_left_handler();
    after_handling = go_on_by_setcontext;
    for (volatile int i = 1; i <= 3; i++) {
        volatile bool again = false;
        CHECK(getcontext(&place_to_go_on) == 0, "getcontext");
        if (!again) {
            again = true;
            sink = *nowhere;
        }
        CHECK(handled == 1 + i && other_handled == i, "%d, %d", (int)handled, (int)other_handled);
    }
}
#endif

static void pass_on_and_jump_back(int number, siginfo_t* info, void* context) {
    pass_on_deeper(number, info, context);
    siglongjmp(back, 1);
}

// What stands for the default action is called, and its end does not come, as the handler does not return.
static void default_is_left(void) {
    sample_again();
    install(pass_on_and_jump_back, NULL, 0, &found);
    for (int i = 1; i <= 3; i++) {
        null_fault();
        sample_one_in("0");  // the handler stays in force
        CHECK(other_handled == i, "%d", (int)other_handled);
    }
}

// It returns, so the process ends, and at once.
static void default_is_passed_on_to(void) {
    sample_again();
    install(pass_on_deeper, NULL, 0, &found);
    sink = *nowhere;
}

// The handler below is for once; the one in force is not, and stays.
static void handler_for_once_is_passed_on_to(void) {
    after_handling = jump_back;
    sample_one_in("0");
    install(handle, NULL, (int)SA_RESETHAND, NULL);
    sample_one_in("1");
    sample_again();
    sample_one_in("0");
    install(pass_on_deeper, NULL, 0, &found);
    for (int i = 1; i <= 3; i++) {
        null_fault();
        CHECK(other_handled == i && handled == i, "%d, %d", (int)other_handled, (int)handled);
    }
}

static void pass_on_without_context(int number, siginfo_t* info, void* context) {
    (void)context;
    found.sa_sigaction(number, info, NULL);
}

static void handler_gets_no_context(void) {
    after_handling = jump_back;
    sample_one_in("0");
    install(handle, NULL, 0, NULL);
    sample_one_in("1");
    sample_again();
    sample_one_in("0");
    install(pass_on_without_context, NULL, 0, &found);
    for (int i = 1; i <= 2; i++) {
        null_fault();
        CHECK(handled == i, "%d", (int)handled);
    }
}

static void jump_back_from_plain(int number) {
    (void)number;
    handled++;
    jump_back();
}

static void (*volatile found_by_signal)(int);

// Calls what it found with the number alone; the registers of further arguments hold something else.
static void pass_on_number(int number) {
    void (*volatile next)(int, uintptr_t, uintptr_t);
    memcpy((void*)&next, (const void*)&found_by_signal, sizeof next);
    next(number, 16, 32);
}

static void chained_by_signal(void) {
    signal(SIGSEGV, jump_back_from_plain);
    sample_again();
    found_by_signal = signal(SIGSEGV, pass_on_number);
    for (int i = 1; i <= 3; i++) {
        null_fault();
        CHECK(handled == i, "%d", (int)handled);
    }
}

// ---- between a fault and its handler
//
// A tracer holds a thread back between the fault and the handler, while another thread of the process changes the slot.

#ifdef __x86_64__
typedef struct {
    void* (*thread)(void*);
    void (*tracer)(pid_t thread);
} Play;

static int orders[2], answers[2];  // pipes, from the tracer and to it
static char* volatile slot;        // the page where the block of the thread began
static char* volatile newer;       // the block that stands there now

static bool can_trace(void) {
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0);
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    return status == 0;
}

static void trace_me(void) {
    pid_t me = (pid_t)syscall(SYS_gettid);
    CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "ptrace");
    CHECK(write(answers[1], &me, sizeof me) == sizeof me, "write");
    raise(SIGSTOP);
}

static void* read_freed(void* unused) {
    (void)unused;
    char* volatile p = block_at(AT_START, 24);
    slot = p;
    free(p);
    trace_me();
    sink = p[3];
    p = block_at(AT_START, 48);
    free(p);
    sink = p[3];
    return NULL;
}

static void put_block_at(int side) {
    for (int tries = 0; tries < 100 * SLOTS; tries++) {
        char* p = block_at(side, 32);
        newer = p;
        if ((size_t)(p - slot) < (size_t)4 * PAGE) return;
        free(p);
    }
    CHECK(false, "the slot was never used again");
}

static void obey(char order) {
    switch (order) {
    case 'S': put_block_at(AT_START); return;
    case 'E': put_block_at(AT_END); return;
    case 'F': free(newer); return;
    case 'H': install(handle, NULL, 0, NULL); return;
    default: CHECK(false, "order %c", order);
    }
}

static void be_played(const Play* play) {
    char order;
    pthread_t thread = test_thread(play->thread, NULL);
    while (read(orders[0], &order, 1) == 1 && order != 'Q') {
        obey(order);
        CHECK(write(answers[1], &order, 1) == 1, "write");
    }
    pthread_join(thread, NULL);
    exit(0);
}

static void order(char what) {
    char answer;
    CHECK(write(orders[1], &what, 1) == 1, "write");
    if (what != 'Q') CHECK(read(answers[0], &answer, 1) == 1 && answer == what, "read");
}

// false: the thread has ended.
static bool next_stop(pid_t thread, int signal_to_wait_for) {
    int status;
    CHECK(waitpid(thread, &status, __WALL) == thread, "waitpid");
    if (!WIFSTOPPED(status)) return false;
    CHECK(WSTOPSIG(status) == signal_to_wait_for, "stopped by signal %d", WSTOPSIG(status));
    return true;
}

static void go_on(pid_t thread, int signal_to_give) {
    CHECK(ptrace(PTRACE_CONT, thread, NULL, (void*)(uintptr_t)signal_to_give) == 0, "ptrace");
}

static void go_on_to_end(pid_t thread, int signal_to_give) {
    do go_on(thread, signal_to_give);
    while (next_stop(thread, signal_to_give = SIGSEGV));
}

// Goes on to where the thread is about to make the system call; the second argument is not NULL.
static bool go_on_to_call(pid_t thread, int signal_to_give, long call) {
    struct user_regs_struct now;
    do {
        CHECK(ptrace(PTRACE_SYSCALL, thread, NULL, (void*)(uintptr_t)signal_to_give) == 0, "ptrace");
        signal_to_give = 0;
        if (!next_stop(thread, SIGTRAP)) return false;
        CHECK(ptrace(PTRACE_GETREGS, thread, NULL, &now) == 0, "ptrace");
    } while ((long)now.orig_rax != call || now.rsi == 0 || (long)now.rax != -ENOSYS);
    return true;
}

// Dies as the process did.
static void end_as(int status) {
    if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
}

static void act(const Play* play) {
    int status;
    pid_t thread;
    if (!can_trace()) _exit(TEST_SKIP);
    CHECK(pipe(orders) == 0 && pipe(answers) == 0, "pipe");
    sample_one_in("0");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        sample_one_in("1");
        be_played(play);
    }
    CHECK(read(answers[0], &thread, sizeof thread) == sizeof thread, "read");
    CHECK(next_stop(thread, SIGSTOP), "no stop");
    play->tracer(thread);
    order('Q');
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    end_as(status);
}

static void reopen(pid_t thread) {
    go_on(thread, 0);
    CHECK(next_stop(thread, SIGSEGV), "no fault");
    order('S');
    go_on_to_end(thread, SIGSEGV);
}

// Another block opens the page before the handler looks: the read is done again and goes through. The next is told.
static void page_is_open_again(void) {
    act(&(Play){read_freed, reopen});
}

static void page_is_open_again_and_reported(void) {
    report();
    act(&(Play){read_freed, reopen});
}

static void page_is_open_again_beside_handler(void) {
    install(NULL, handle_other, 0, NULL);
    act(&(Play){read_freed, reopen});
}

// Each time it is open when the handler looks, and closed when the read is done again.
static void reopen_each_time(pid_t thread) {
    enum { TOO_OFTEN = 40 };
    go_on(thread, 0);
    for (int times = 0; next_stop(thread, SIGSEGV); times++) {
        CHECK(times < TOO_OFTEN, "it never ends");
        order('S');
        if (!go_on_to_call(thread, SIGSEGV, SYS_rt_sigreturn)) return;
        order('F');
        go_on(thread, 0);
    }
}

static void page_is_open_each_time(void) {
    act(&(Play){read_freed, reopen_each_time});
}

static void use_other_side(pid_t thread) {
    go_on(thread, 0);
    CHECK(next_stop(thread, SIGSEGV), "no fault");
    order('E');
    go_on_to_end(thread, SIGSEGV);
}

// A live block stands in the slot by now, and the page of the read is one of its closed ones.
static void block_is_gone(void) {
    act(&(Play){read_freed, use_other_side});
}

static void* sample_and_fault(void* unused) {
    (void)unused;
    sample_again();
    install(NULL, handle_other, 0, NULL);
    after_handling = exit_3;
    trace_me();
    char* volatile p = block_at(AT_END, 32);
    sink = p[32];
    return NULL;
}

static void install_meanwhile(pid_t thread) {
    CHECK(go_on_to_call(thread, 0, SYS_rt_sigaction), "no call of rt_sigaction");
    order('H');
    go_on_to_end(thread, 0);
}

// A thread installs a handler after the sample has looked which one is in force, and before it puts ours there.
static void handlers_installed_at_once(void) {
    act(&(Play){sample_and_fault, install_meanwhile});
}
#endif

// ---- pages of the program's

static char* volatile protected_page;

static void open_page(int number, siginfo_t* info, void* context) {
    (void)number, (void)context;
    handled++;
    if (handled > 8 || info->si_addr != protected_page + 5) _exit(8);
    mprotect(protected_page, PAGE, PROT_READ | PROT_WRITE);
}

// A program that protects a page of its own block gets its faults, and nobody else does.
static void clean_protected_page(void) {
    install(open_page, NULL, 0, NULL);
    protected_page = memalign(PAGE, PAGE);
    CHECK(is_sampled(protected_page), "%s", describe(protected_page));
    for (int i = 1; i <= 3; i++) {
        CHECK(mprotect(protected_page, PAGE, PROT_NONE) == 0, "mprotect");
        protected_page[5] = 1;
        CHECK(handled == i, "%d", (int)handled);
    }
    free(protected_page);
}

static void clean_protected_page_in_report(void) {
    report();
    clean_protected_page();
}

// ---- nothing wrong

static void clean_family(void) {
    static const size_t sizes[] = {0, 1, 15, 16, 24, 100, 1000, 4095, 4096, 4097, 8000, 16383, 16384, 16385, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        for (int round = 0; round < 6; round++) {
            char* p = calloc(1, size);
            CHECK(is_sampled(p) == (size <= 16384), "%zu: %s", size, describe(p));
            CHECK(!is_sampled(p) || malloc_usable_size(p) == size, "%zu", malloc_usable_size(p));
            CHECK((uintptr_t)p % 16 == 0, "%p", (void*)p);
            for (size_t at = 0; at < size; at++) CHECK(p[at] == 0, "calloc(%zu): byte %zu is %d", size, at, p[at]);
            memset(p, 'c', size);
            p = realloc(p, size + 1000);
            for (size_t at = 0; at < size; at++) CHECK(p[at] == 'c', "realloc: byte %zu is %d", at, p[at]);
            p = realloc(p, size / 2 + 1);
            for (size_t at = 0; at < size / 2; at++) CHECK(p[at] == 'c', "realloc: byte %zu is %d", at, p[at]);
            errno = 4711;
            free(p);
            CHECK(errno == 4711, "errno %d after free", errno);
        }
    }
    CHECK(realloc(malloc(10), 0) == NULL, "realloc to nothing");
}

static void clean_alignment(void) {
    for (size_t alignment = 16; alignment <= 16384; alignment *= 2)
        for (size_t size = 1; size <= 16384; size = size * 3 + 1)
            for (int round = 0; round < 4; round++) {
                void* p = NULL;
                CHECK(posix_memalign(&p, alignment, size) == 0, "posix_memalign(%zu, %zu)", alignment, size);
                CHECK((uintptr_t)p % alignment == 0, "posix_memalign(%zu, %zu): %p", alignment, size, p);
                memset(p, 1, size);
                free(p);
            }
    test_check_heap();
}

// All slots hold a block: then the heap serves. A freed slot is used again after all others.
static void clean_without_slots(void) {
    enum { BLOCKS = 500 };
    static char* blocks[BLOCKS];
    unsigned sampled = 0;
    for (int i = 0; i < BLOCKS; i++) {
        memset(blocks[i] = malloc(48), i, 48);
        sampled += is_sampled(blocks[i]);
    }
    CHECK(sampled == SLOTS, "%u blocks in %d slots", sampled, SLOTS);
    CHECK(test_counter("sample_no_slot") >= BLOCKS - SLOTS, "%lu", (unsigned long)test_counter("sample_no_slot"));
    for (int i = 0; i < BLOCKS; i++)
        for (int at = 0; at < 48; at++) CHECK(blocks[i][at] == (char)i, "block %d, byte %d", i, at);
    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
    CHECK(test_counter("sample_taken") == test_counter("sample_freed"), "%lu taken",
          (unsigned long)test_counter("sample_taken"));
    free(a = malloc(16384));  // it fills its slot
    for (int i = 0; i < SLOTS; i++) {
        b = malloc(16384);
        CHECK(is_sampled(b) && (b == a) == (i == SLOTS - 1), "after %d others: %p and %p", i, (void*)a, (void*)b);
        free(b);
    }
}

static void* leave_block(void* place) {
    *(char**)place = malloc(100);
    free(malloc(200));
    return NULL;
}

static void clean_threads_and_fork(void) {
    char* blocks[20];
    for (int i = 0; i < 20; i++) in_thread(leave_block, &blocks[i]);
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    for (int i = 0; i < 20; i++) {
        memset(blocks[i], pid == 0, 100);
        free(blocks[i]);
    }
    for (int i = 0; i < 2 * SLOTS; i++) free(block_at(AT_END, 100));
    test_check_heap();
    if (pid == 0) exit(0);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child of the fork: %#x", (unsigned)status);
}

static volatile sig_atomic_t checking;

static void* check_on(void* unused) {
    (void)unused;
    while (checking) test_check_heap();
    return NULL;
}

// hak_check looks at live blocks of others, which go on with them meanwhile; so does the child of a fork, which does
// not have the thread that checks.
static void clean_beside_checks(void) {
    enum { BLOCKS = 32 };
    char* blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc(4000 + (size_t)i);
    checking = 1;
    pthread_t checker = test_thread(check_on, NULL);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            CHECK(malloc_usable_size(blocks[i]) >= 4000, "block %d", i);
            blocks[i] = realloc(blocks[i], 4000 + (size_t)((i + round) % 50));
        }
        pid_t pid = fork();
        CHECK(pid >= 0, "fork");
        if (pid == 0) {
            for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child of fork %d: %#x", round, (unsigned)status);
    }
    checking = 0;
    pthread_join(checker, NULL);
}

static void fault_in_child(void) {
    a = block_at(AT_END, 32);
    free(a);
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) sink = a[0];
    int status;
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "the child of the fork: %#x", (unsigned)status);
    free(block_at(AT_END, 32));
}

static void clean_without_memory(void) {
    struct rlimit limit = {.rlim_cur = mapped_bytes() + (1 << 20), .rlim_max = RLIM_INFINITY};
    sample_one_in("0");
    free(malloc(100));  // the heap has what it needs
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
    sample_one_in("1");
    for (int i = 0; i < 100; i++) {
        a = malloc(100);
        CHECK(a != NULL && !is_sampled(a), "%s", describe(a));
        free(a);
        b = malloc(100 + (size_t)i * 16);
        CHECK(b != NULL, "malloc");
    }
    CHECK(test_counter("sample_no_memory") > 0, "no memory was never noticed");
    CHECK(test_counter("sample_taken") == 0, "%lu taken", (unsigned long)test_counter("sample_taken"));
}

// Core dumps leave out what madvise marked: "dd" in VmFlags.
static bool is_in_dumps(const void* p) {
    char line[512];
    bool here = false, left_out = false;
    FILE* maps = fopen("/proc/self/smaps", "r");
    CHECK(maps != NULL, "smaps");
    while (fgets(line, sizeof line, maps)) {
        unsigned long first, end;
        if (sscanf(line, "%lx-%lx ", &first, &end) == 2) here = (uintptr_t)p >= first && (uintptr_t)p < end;
        if (here && strncmp(line, "VmFlags:", 8) == 0) left_out = strstr(line, " dd") != NULL;
    }
    fclose(maps);
    return !left_out;
}

static void clean_dumps(void) {
    a = block_at(AT_END, 64);
    b = block_at(AT_START, 64);
    free(b);
    CHECK(!is_in_dumps(a) && !is_in_dumps(b), "slots are in core dumps");
}

// About one in a hundred of the blocks that bins get, at random.
static void clean_rate(void) {
    enum { BLOCKS = 100000, EVERY = 100, EXPECTED = BLOCKS / EVERY };
    static char* blocks[BLOCKS];
    unsigned sampled = 0, last = 0, near = 0, far = 0, odd = 0;
    sample_one_in("100");
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(40);
        if (!is_sampled(blocks[i])) continue;
        sampled++;
        near += i - last < EVERY / 2;
        far += i - last > EVERY * 3 / 2;
        odd += i % 2;
        last = i;
        free(blocks[i]);
        blocks[i] = NULL;
    }
    for (unsigned i = 0; i < BLOCKS; i++) free(blocks[i]);
    test_say("rate: %u of %d sampled, %u soon after another, %u late, %u odd ones", sampled, BLOCKS, near, far, odd);
    CHECK(sampled > EXPECTED * 85 / 100 && sampled < EXPECTED * 115 / 100, "%u, expected %d", sampled, EXPECTED);
    CHECK(near > sampled / 8 && near < sampled * 3 / 8, "%u of %u soon after another", near, sampled);
    CHECK(far > sampled / 8 && far < sampled * 3 / 8, "%u of %u late", far, sampled);
    CHECK(odd > sampled / 3 && odd < sampled * 2 / 3, "%u of %u at odd places", odd, sampled);
}

// With a large N there are at most 200 a second in the long run.
static void clean_price(void) {
    enum { BLOCKS = 2000, AT_ONCE = 16, EACH_MS = 5, SLACK = 8 };
    static char* blocks[BLOCKS];
    sample_one_in("1000");
    uint64_t before = test_counter("sample_taken");
    double start = now_seconds(), end = start;
    while (end < start + 0.2) {
        for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc(1500);
        for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
        end = now_seconds();
    }
    uint64_t taken = test_counter("sample_taken") - before;
    test_say("price: %lu samples in %.0f ms", (unsigned long)taken, (end - start) * 1000);
    CHECK(taken > 0 && (double)taken < (end - start) * 1000 / EACH_MS + AT_ONCE + SLACK, "%lu samples in %.0f ms",
          (unsigned long)taken, (end - start) * 1000);
}

// Blocks that are freed and allocated again at once, in a bin that is never refilled.
static void clean_recycled(void) {
    enum { NODES = 100000 };
    static char* nodes[NODES];
    unsigned kept = 0, recycled = 0;
    sample_one_in("256");
    for (int i = 0; i < NODES; i++) {
        nodes[i] = malloc(64);
        char* p = malloc(200);
        bool node_is_sampled = is_sampled(nodes[i]);
        kept += node_is_sampled;
        recycled += is_sampled(p);
        free(p);
        if (!node_is_sampled) continue;
        free(nodes[i]);
        nodes[i] = NULL;
    }
    for (int i = 0; i < NODES; i++) free(nodes[i]);
    test_say("recycled: %u samples of new blocks, %u of recycled ones", kept, recycled);
    CHECK(kept > 30 && recycled > 30, "%u samples of new blocks, %u of recycled ones", kept, recycled);
}

// What bins hold while hits are stopped is not lost.
static void clean_memory(void) {
    enum { BLOCKS = 500, ROUNDS = 200 };
    static char* blocks[BLOCKS];
    size_t before = 0;
    sample_one_in("512");
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            free(malloc(200));
            memset(blocks[i] = malloc(2000), 1, 2000);
        }
        for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
        if (round == ROUNDS / 10) before = rss_bytes();
    }
    test_expect_flat(before, 1 << 20, "memory");
    test_check_heap();
}

// Refills, and blocks that found their bin full, of a child that does the same work.
static void count_work(const char* every, uint64_t counts[2]) {
    enum { BLOCKS = 3000, ROUNDS = 20 };
    static char* blocks[BLOCKS];
    uint64_t* shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED, "mmap");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        set_option("HAKMEM_PURGE_MS", "3600000");  // no scan comes between
        sample_one_in(every);
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc((size_t)(i % 7) * 300);
            for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
        }
        shared[0] = test_counter("tls_slab_tried");
        shared[1] = test_counter("free_ss_local");
        shared[2] = test_counter("sample_taken");
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child: %#x", (unsigned)status);
    CHECK((shared[2] > 10) == (strcmp(every, "0") != 0), "%lu samples", (unsigned long)shared[2]);
    memcpy(counts, shared, 2 * sizeof *counts);
    munmap(shared, PAGE);
}

// The heap sees the same mallocs and frees as without samples.
static void clean_rhythm(void) {
    uint64_t without[2], with[2];
    sample_one_in("0");
    count_work("0", without);
    count_work("200", with);
    test_say("rhythm: %lu and %lu refills, %lu and %lu full bins", (unsigned long)without[0], (unsigned long)with[0],
             (unsigned long)without[1], (unsigned long)with[1]);
    CHECK(with[0] == without[0] && with[1] == without[1], "%lu and %lu refills", (unsigned long)without[0],
          (unsigned long)with[0]);
}

static void clean_descriptions(void) {
    a = block_at(AT_START, 100);
    CHECK(strstr(describe(a + 5), "+ 5, live") != NULL, "%s", describe(a + 5));
    CHECK(strstr(describe(a - 1), "guard page") != NULL, "%s", describe(a - 1));
    free(a);
    CHECK(strstr(describe(a), "+ 0, free") != NULL, "%s", describe(a));
}

#define OF(size) " the " #size "-byte block "
#define GONE " or a block that stood here before"
#define BEHIND(n, size) #n " bytes behind the end of" OF(size)
static const Case cases[] = {
    {"read_behind", read_behind, SIGSEGV, 1, "overflow", "read", ", 0 bytes behind the end of" OF(32)},
    {"write_behind_padding", write_behind_padding, SIGSEGV, 1, "overflow", "write", BEHIND(12, 20)},
    {"read_before", read_before, SIGSEGV, 1, "underflow", "read", "3 bytes before the start of" OF(100)},
    {"write_before", write_before, SIGSEGV, 1, "underflow", "write", "1 byte before the start of" OF(100)},
    {"read_of_nothing", read_of_nothing, SIGSEGV, 1, "overflow", "read", BEHIND(0, 0)},
    {"write_far_behind", write_far_behind, SIGSEGV, 1, "overflow", "write", BEHIND(3192, 5000)},
    {"read_behind_largest", read_behind_largest, SIGSEGV, 1, "overflow", "read", BEHIND(0, 16384)},
    {"write_behind_aligned", write_behind_aligned, SIGSEGV, 1, "overflow", "write", BEHIND(0, 256)},
    {"read_after_free_at_start", read_after_free_at_start, SIGSEGV, 1, "use_after_free", "read",
     ", 7 bytes into" OF(100)},
    {"write_after_free_at_end", write_after_free_at_end, SIGSEGV, 1, "use_after_free", "write", "after it was freed"},
    {"read_after_free_in_threads", read_after_free_in_threads, SIGSEGV, 1, "use_after_free", "read",
     "freed by system thread "},
    {"old_address_after_realloc", old_address_after_realloc, SIGSEGV, 1, "use_after_free", "read", OF(64)},
    {"call_of_freed", call_of_freed, SIGSEGV, 1, "use_after_free", "execute", ", 0 bytes into" OF(64)},
    {"copy_behind", copy_behind, SIGSEGV, 1, "overflow", "write", "behind the end of" OF(128)},
    {"padding_at_free", padding_at_free, SIGABRT, 1, "overflow", "free", "beginning 0 bytes behind it (70 \"p\")"},
    {"padding_of_aligned", padding_of_aligned, SIGABRT, 1, "overflow", "free",
     "wrote 3 bytes past the end of the 300-byte block"},
    {"behind_at_free", behind_at_free, SIGABRT, 1, "overflow", "free", "beginning 4 bytes behind it (71 \"q\")"},
    {"before_at_free", before_at_free, SIGABRT, 1, "underflow", "free", "beginning 2 bytes before it (75 \"u\")"},
    {"behind_at_realloc", behind_at_realloc, SIGABRT, 1, "overflow", "realloc", OF(33)},
    {"behind_at_check", behind_at_check, SIGABRT, 1, "overflow", "hak_check", OF(33)},
    {"free_twice_at_start", free_twice_at_start, SIGABRT, 1, "double_free", "free", "called free with" OF(100)},
    {"free_twice_at_end", free_twice_at_end, SIGABRT, 1, "double_free", "free", "after it was freed"},
    {"free_twice_in_threads", free_twice_in_threads, SIGABRT, 1, "double_free", "free", "freed by system thread "},
    {"free_of_nothing_twice", free_of_nothing_twice, SIGABRT, 1, "double_free", "free", OF(0)},
    {"free_inside", free_inside, SIGABRT, 1, "interior_free", "free", "points 48 bytes into" OF(100)},
    {"free_inside_of_freed", free_inside_of_freed, SIGABRT, 1, "interior_free", "free", ", a freed one"},
    {"free_between", free_between, SIGABRT, 1, "invalid_free", "free", "lies between sampled blocks"},
    {"realloc_of_freed", realloc_of_freed, SIGABRT, 1, "use_after_free", "realloc", "called realloc with" OF(64)},
    {"size_of_freed", size_of_freed, SIGABRT, 1, "use_after_free", "malloc_usable_size", OF(64)},
    {"reported_read", reported_read, EXIT(0), 1, "use_after_free", "read", ", 7 bytes into" OF(100)},
    {"reported_each_time", reported_each_time, EXIT(0), 2, "overflow", "write", ", 1 byte behind the end of" OF(32)},
    {"reported_calls", reported_calls, EXIT(0), 6, "double_free", "free", OF(20)},
    {"reported_call_of_freed", reported_call_of_freed, SIGSEGV, 1, "use_after_free", "execute", OF(64)},
    {"handler_before", handler_before, EXIT(3), 1, "overflow", "read", OF(32)},
    {"handler_after", handler_after, EXIT(3), 1, "overflow", "read", OF(32)},
    {"plain_handler_after", plain_handler_after, EXIT(9), 1, "overflow", "read", OF(32)},
    {"handler_passes_on", handler_passes_on, SIGSEGV, 1, "overflow", "read", OF(32)},
    {"handler_installed_twice", handler_installed_twice, SIGSEGV, 1, "overflow", "read", OF(32)},
    {"handler_jumps_back", handler_jumps_back, EXIT(0), 3, "overflow", "read", OF(32)},
    {"handler_on_signal_stack", handler_on_signal_stack, EXIT(0), 3, "overflow", "read", OF(32)},
    {"handler_for_once", handler_for_once, SIGSEGV, 1, "overflow", "read", OF(32)},
    {"handler_restored", handler_restored, EXIT(3), 0, NULL, NULL, NULL},
    {"fault_elsewhere", fault_elsewhere, SIGSEGV, 0, NULL, NULL, NULL},
    {"ignored", ignored, SIGSEGV, 1, "overflow", "read", OF(32)},
    {"sent", sent, SIGSEGV, 0, NULL, NULL, NULL},
    {"sent_to_handler", sent_to_handler, EXIT(3), 0, NULL, NULL, NULL},
    {"nested", nested, SIGSEGV, 1, "overflow", "read", OF(32)},
    {"nested_allowed", nested_allowed, EXIT(5), 3, "overflow", "read", OF(32)},
    {"thread_ends_in_handler", thread_ends_in_handler, EXIT(0), 3, "overflow", "read", OF(32)},
    {"left_handler_is_called_again", left_handler_is_called_again, EXIT(0), 0, NULL, NULL, NULL},
    {"fault_after_left_handler_is_told", fault_after_left_handler_is_told, EXIT(0), 1, "overflow", "read", OF(32)},
#ifdef __GLIBC__
    {"handler_left_by_setcontext", handler_left_by_setcontext, EXIT(0), 0, NULL, NULL, NULL},
#endif
    {"default_is_left", default_is_left, EXIT(0), 0, NULL, NULL, NULL},
    {"default_is_passed_on_to", default_is_passed_on_to, SIGSEGV, 0, NULL, NULL, NULL},
    {"handler_for_once_is_passed_on_to", handler_for_once_is_passed_on_to, EXIT(0), 0, NULL, NULL, NULL},
    {"chained_by_signal", chained_by_signal, EXIT(0), 0, NULL, NULL, NULL},
    {"handler_gets_no_context", handler_gets_no_context, EXIT(0), 0, NULL, NULL, NULL},
#ifdef __x86_64__
    {"page_is_open_again", page_is_open_again, SIGSEGV, 1, "use_after_free", "read", OF(48)},
    {"page_is_open_again_and_reported", page_is_open_again_and_reported, EXIT(0), 1, "use_after_free", "read", OF(48)},
    {"page_is_open_again_beside_handler", page_is_open_again_beside_handler, EXIT(9), 1, "use_after_free", "read",
     OF(48)},
    {"page_is_open_each_time", page_is_open_each_time, SIGSEGV, 1, "use_after_free", "read", GONE},
    {"block_is_gone", block_is_gone, SIGSEGV, 1, "use_after_free", "read", GONE},
    {"handlers_installed_at_once", handlers_installed_at_once, EXIT(3), 1, "overflow", "read", OF(32)},
#endif
    {"clean_protected_page", clean_protected_page, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_protected_page_in_report", clean_protected_page_in_report, EXIT(0), 0, NULL, NULL, NULL},
    {"fault_in_child", fault_in_child, EXIT(0), 1, "use_after_free", "read", OF(32)},
    {"clean_family", clean_family, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_alignment", clean_alignment, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_without_slots", clean_without_slots, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_beside_checks", clean_beside_checks, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_threads_and_fork", clean_threads_and_fork, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_without_memory", clean_without_memory, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_dumps", clean_dumps, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_rate", clean_rate, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_price", clean_price, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_recycled", clean_recycled, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_memory", clean_memory, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_rhythm", clean_rhythm, EXIT(0), 0, NULL, NULL, NULL},
    {"clean_descriptions", clean_descriptions, EXIT(0), 0, NULL, NULL, NULL},
};

static int run_case(const Case* c, char* said, size_t size) {
    int log = memfd_create("stderr", 0);
    CHECK(log >= 0 && fcntl(log, F_SETFL, O_APPEND) == 0, "no log");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        struct rlimit none = {0, 0};
        dup2(log, STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &none);
        alarm(30);
        sample_one_in("1");
        c->run();
        exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    ssize_t length = pread(log, said, size - 1, 0);
    CHECK(length >= 0, "pread");
    said[length] = '\0';
    test_drop_runner_words(said);
    close(log);
    return status;
}

static unsigned count(const char* said, const char* words) {
    unsigned n = 0;
    for (; (said = strstr(said, words)) != NULL; n++) said += strlen(words);
    return n;
}

static void verify(const Case* c) {
    static char said[1 << 20];
    char begin[128];
    int status = run_case(c, said, sizeof said);
    if (status == EXIT(TEST_SKIP)) {
        test_say("%s: skipped, ptrace is not allowed here", c->name);
        return;
    }
    CHECK(status == c->status, "%s: status %#x: %s", c->name, (unsigned)status, said);
    CHECK(count(said, "hakmem: check=") == c->faults, "%s: not %u faults: %s", c->name, c->faults, said);
    if (c->faults == 0) {
        CHECK(said[0] == '\0', "%s: %s", c->name, said);
        return;
    }
    // What the access was is known from the kernel alone.
    bool is_access = strcmp(c->site, "read") == 0 || strcmp(c->site, "write") == 0 || strcmp(c->site, "execute") == 0;
    const char* site = is_access && test_is_emulated() ? "access" : c->site;
    snprintf(begin, sizeof begin, "hakmem: check=%s site=%s your program ", c->check, site);
    CHECK(strncmp(said, begin, strlen(begin)) == 0, "%s: not \"%s\" but: %s", c->name, begin, said);
    char* end = strchr(said, '\n');
    CHECK(end != NULL, "%s: no whole line: %s", c->name, said);
    *end = '\0';
    CHECK(strstr(said, c->words) != NULL, "%s: no \"%s\": %s", c->name, c->words, said);
    const char* stacks = end + 1;
    CHECK(strstr(stacks, "hakmem: stack=access ") != NULL || strstr(stacks, "hakmem: stack=call ") != NULL,
          "%s: no stack of the act: %s", c->name, stacks);
    bool of_block = strcmp(c->check, "invalid_free") != 0;
    CHECK(!of_block || strstr(stacks, "hakmem: stack=allocated ") != NULL, "%s: no stack of the malloc: %s", c->name,
          stacks);
}

static bool is_wanted(const Case* c, int argc, char** argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], c->name) == 0) return true;
    return argc == 1;
}

int main(int argc, char** argv) {
    test_start("sample", 0);
    unsigned cases_run = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!is_wanted(&cases[i], argc, argv)) continue;
        verify(&cases[i]);
        cases_run++;
    }
    CHECK(cases_run > 0, "no such case");
    test_say("sample: ok, %u cases", cases_run);
    return 0;
}
