#include "sample/handler.h"

#include "base/atomic.h"
#include "base/syscall.h"
#include "config/options.h"
#include "os/os.h"
#include "sample/call.h"
#include "sample/words.h"

#include <signal.h>

// In the kernel's layout.
typedef struct {
    union {
        void (*plain)(int);
        void (*with_info)(int, siginfo_t*, void*);
    } handler;
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
} KernelAction;

enum { LEVELS = 8, SET_BYTES = 8, FROM_USER_SPACE = 0 };

static KernelAction below[LEVELS];  // what each level passes on to; fixed once the level is in use
static _Atomic uint32_t levels;     // in use
static _Atomic bool ends;           // the default action is in force, and will end the process

#if defined(__x86_64__)
enum { NEEDS_RESTORER = 0x04000000 };
// Debuggers and unwinders know the frame of a signal by these very instructions.
HAK_INTERNAL void sample_restorer(void);
__asm__(".pushsection .text\n"
        ".p2align 4\n"
        "nop\n"  // unwinders look up the address before a return address
        ".globl sample_restorer\n"
        ".hidden sample_restorer\n"
        ".type sample_restorer, @function\n"
        "sample_restorer:\n"
        "mov $15, %rax\n"
        "syscall\n"
        ".size sample_restorer, .-sample_restorer\n"
        ".popsection\n");
#else
enum { NEEDS_RESTORER = 0 };
#define sample_restorer NULL
#endif

static bool exchange(const KernelAction* wanted, KernelAction* found) {
    return !sys_failed(sys_call4(SYS_rt_sigaction, SIGSEGV, (long)wanted, (long)found, SET_BYTES));
}

// --- the signal

static void set_default(void) {
    const KernelAction by_default = {0};
    exchange(&by_default, NULL);  // cannot fail: the signal and the address are valid
}

static void send_again(void) {
    sys_call3(SYS_tgkill, os_process_id(), os_thread_id(), SIGSEGV);
}

// The kernel ends a process that faults while it ignores the signal.
static void pass_on_to_default(bool ignored, bool faulted) {
    if (ignored && !faulted) return;
    store_relaxed(&ends, true);
    set_default();
    if (!faulted) send_again();  // a fault comes again by itself
}

static void pass_on(uint32_t level, int signal, siginfo_t* info, void* context) {
    KernelAction action = below[level];
    bool faulted = info->si_code > FROM_USER_SPACE;
    if (action.handler.plain == SIG_DFL || action.handler.plain == SIG_IGN) {
        pass_on_to_default(action.handler.plain == SIG_IGN, faulted);
        return;
    }
    if (action.flags & (uint64_t)SA_RESETHAND) set_default();
    if (action.flags & SA_SIGINFO)
        action.handler.with_info(signal, info, context);
    else
        action.handler.plain(signal);
}

// Of the page fault's error code.
static AccessKind kind_of(const void* context) {
#if defined(__x86_64__)
    enum { WRITE = 2, EXECUTE = 16 };
    uint64_t error = (uint64_t)((const ucontext_t*)context)->uc_mcontext.gregs[REG_ERR];
    return error & EXECUTE ? ACCESS_EXECUTE : error & WRITE ? ACCESS_WRITE : ACCESS_READ;
#else
    (void)context;
    return ACCESS_UNKNOWN;
#endif
}

// Tells it. true: the access can be done now.
static bool settle(const void* address, const void* context) {
    SampleCall access;
    call_note_context(&access, context);
    Slot* slot = words_of_access(address, kind_of(context), &access);
    if (slot == NULL) return false;
    if (hak_option(on_error) != 0) return slot_tear(address);
    slot_keep(slot);  // else another block could open it before the process ends by the same access
    return false;
}

// One delivery of the signal. A handler that passes it on to the level that it found comes here again, deeper in the
// stack and with the same context. The next delivery may have the same context if the handler left by longjmp.
typedef struct {
    const void *context, *frame;
    uint32_t visited;  // bit n: level n
} Delivery;

static HAK_TLS Delivery delivery;

static void visit(uint32_t level, int signal, siginfo_t* info, void* context) {
    if (delivery.visited & UINT32_C(1) << level) {  // a handler that was installed twice passes on to itself
        pass_on_to_default(false, info->si_code > FROM_USER_SPACE);
        return;
    }
    delivery.visited |= UINT32_C(1) << level;
    pass_on(level, signal, info, context);
}

static HAK_NOINLINE void on_signal(uint32_t level, int signal, siginfo_t* info, void* context) {
    const void* frame = __builtin_frame_address(0);
    if (delivery.context == context && frame < delivery.frame) {
        visit(level, signal, info, context);
        return;
    }
    Delivery before = delivery;
    delivery = (Delivery){context, frame, 0};
    bool ours = info->si_code > FROM_USER_SPACE && slots_contain(info->si_addr);
    if (!ours || !settle(info->si_addr, context)) visit(level, signal, info, context);
    delivery = before;
}

// --- levels

#define LEVEL(n)                                                        \
    static void level_##n(int signal, siginfo_t* info, void* context) { \
        on_signal(n, signal, info, context);                            \
    }
LEVEL(0)
LEVEL(1)
LEVEL(2)
LEVEL(3)
LEVEL(4)
LEVEL(5)
LEVEL(6)
LEVEL(7)
static void (*const level_handler[LEVELS])(int, siginfo_t*, void*) = {level_0, level_1, level_2, level_3,
                                                                      level_4, level_5, level_6, level_7};

static bool is_ours(const KernelAction* action) {
    for (uint32_t i = 0; i < LEVELS; i++)
        if (action->handler.with_info == level_handler[i]) return true;
    return false;
}

static bool is_same(const KernelAction* a, const KernelAction* b) {
    return a->handler.plain == b->handler.plain && a->flags == b->flags && a->mask == b->mask;
}

// The level that passes on to this action; a new one if need be. LEVELS: none is left.
static uint32_t level_before(const KernelAction* action) {
    uint32_t count = load_relaxed(&levels);
    for (uint32_t i = 0; i < count; i++)
        if (is_same(&below[i], action)) return i;
    if (count == LEVELS) return LEVELS;
    below[count] = *action;
    store_release(&levels, count + 1);  // pairs with the order in which the kernel calls the handler later
    return count;
}

static KernelAction action_of(uint32_t level) {
    const KernelAction* next = &below[level];
    bool is_handler = next->handler.plain != SIG_DFL && next->handler.plain != SIG_IGN;
    uint64_t flags = is_handler ? next->flags & ~(uint64_t)SA_RESETHAND : SA_ONSTACK;
    return (KernelAction){.handler.with_info = level_handler[level],
                          .flags = flags | SA_SIGINFO | NEEDS_RESTORER,
                          .restorer = sample_restorer,
                          .mask = is_handler ? next->mask : 0};
}

void handler_install(void) {
    KernelAction found = {.flags = 0};
    if (load_relaxed(&ends) || !exchange(NULL, &found) || is_ours(&found)) return;
    // What ours has replaced may be one that another thread has installed since: then that is put behind ours, too.
    uint32_t level = level_before(&found);
    while (level < LEVELS) {
        KernelAction action = action_of(level), replaced = found;
        if (!exchange(&action, &replaced) || is_same(&replaced, &found) || is_ours(&replaced)) return;
        found = replaced;
        level = level_before(&found);
        if (level == LEVELS) exchange(&found, NULL);
    }
}
