#include "sample/handler.h"

#include "base/atomic.h"
#include "base/signal_action.h"
#include "base/syscall.h"
#include "config/options.h"
#include "os/os.h"
#include "sample/call.h"
#include "sample/words.h"
#include "stack/registers.h"

#include <signal.h>

enum { LEVELS = 8, FROM_USER_SPACE = 0, OPEN = 1 << LEVELS };

static SignalAction below[LEVELS];  // what each level passes on to; fixed once the level is in use
static _Atomic uint32_t levels;     // in use
static _Atomic bool ends;           // the default action is in force, and will end the process

// Where a delivery of the signal has been is noted in its context, which the kernel makes anew for each: uc_link is the
// address of the byte whose index has bit n for level n, and OPEN. So a handler that is left by longjmp leaves nothing
// behind. Neither the kernel nor a handler uses uc_link, which is NULL at first.
static char marks[2 * OPEN];

static bool exchange(const SignalAction* wanted, SignalAction* found) {
    return signal_exchange(SIGSEGV, wanted, found);
}

// --- the signal

static void set_default(void) {
    const SignalAction by_default = {0};
    exchange(&by_default, NULL);  // cannot fail: the signal and the address are valid
}

static void send_again(void) {
    sys_call3(SYS_tgkill, os_process_id(), os_thread_id(), SIGSEGV);
}

// A fault comes again by itself, and the kernel ends a process that faults while it blocks the signal. A handler that
// called this one and then leaves by longjmp goes on as if nothing had been.
static void pass_on_to_default(bool ignored, bool comes_again, ucontext_t* context) {
    if (comes_again && context) {
        ((uint64_t*)(void*)&context->uc_sigmask)[0] |= UINT64_C(1) << (SIGSEGV - 1);
        return;
    }
    if (ignored && !comes_again) return;
    store_relaxed(&ends, true);
    set_default();
    if (!comes_again) send_again();
}

static bool is_default(const SignalAction* action) {
    return action->handler.plain == SIG_DFL || action->handler.plain == SIG_IGN;
}

static bool is_in_force(uint32_t level);

static void pass_on(uint32_t level, int signal, siginfo_t* info, ucontext_t* context, bool comes_again) {
    SignalAction action = below[level];
    if (is_default(&action)) {
        bool ignored = context && action.handler.plain == SIG_IGN && info->si_code <= FROM_USER_SPACE;
        pass_on_to_default(ignored, comes_again, context);
        return;
    }
    if ((action.flags & (uint64_t)SA_RESETHAND) && is_in_force(level)) set_default();
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
    switch (syndrome_access(fault_syndrome(context))) {
    case SYNDROME_READ: return ACCESS_READ;
    case SYNDROME_WRITE: return ACCESS_WRITE;
    case SYNDROME_EXECUTE: return ACCESS_EXECUTE;
    default: return ACCESS_UNKNOWN;
    }
#endif
}

static bool is_execution(AccessKind kind, const void* address, const SampleCall* access) {
    return kind == ACCESS_EXECUTE || (access->depth && access->pc[0] == (uintptr_t)address);
}

// Tells it. true: the access is to be done now. *open: it was told, but the access does not fault again.
static bool settle(const void* address, const void* context, bool is_end, bool* open) {
    SampleCall access;
    call_note_context(&access, context);
    AccessKind kind = kind_of(context);
    AccessEnd end = words_of_access(address, kind, &access, is_end);
    *open = end == ACCESS_TOLD_OPEN;
    if (end == ACCESS_FOREIGN || end == ACCESS_AGAIN) return end == ACCESS_AGAIN;
    return hak_option(on_error) != 0 && !is_execution(kind, address, &access) && slot_tear(address);
}

// The levels that this delivery has been to; 0: none.
static uint32_t visited_of(const ucontext_t* context) {
    uintptr_t index = (uintptr_t)context->uc_link - (uintptr_t)marks;
    return index < sizeof marks ? (uint32_t)index : 0;
}

static void visit(uint32_t level, uint32_t visited, int signal, siginfo_t* info, ucontext_t* context) {
    bool comes_again = info->si_code > FROM_USER_SPACE && !(visited & OPEN);
    if (visited & UINT32_C(1) << level) {  // a handler that was installed twice passes on to itself
        pass_on_to_default(false, comes_again, context);
        return;
    }
    ucontext_t* link = context->uc_link;
    context->uc_link = (ucontext_t*)(void*)&marks[visited | UINT32_C(1) << level];
    pass_on(level, signal, info, context, comes_again);
    context->uc_link = link;
}

// A handler that found this level may pass on less than it got: what `signal` returned is called with the number alone.
// In a signal's frame the kernel puts what it knows of the signal right beside the context.
static bool is_whole(uint32_t level, bool is_last, int signal, const siginfo_t* info, const ucontext_t* context) {
#if defined(__x86_64__)
    enum { CONTEXT_BYTES = 304 };  // as the kernel has it
    bool beside = (uintptr_t)info - (uintptr_t)context == CONTEXT_BYTES;
#else
    bool beside = (uintptr_t)context - (uintptr_t)info == sizeof *info;
#endif
    if (below[level].flags & SA_SIGINFO) return context != NULL;
    if (is_last) return beside;
    return beside && os_can_read(info) && os_can_read(context) && info->si_signo == signal;
}

// is_last: nobody comes between the kernel and this level.
static HAK_NOINLINE void on_signal(uint32_t level, bool is_last, int signal, siginfo_t* info, ucontext_t* context) {
    if (!is_whole(level, is_last, signal, info, context)) {
        pass_on(level, signal, info, NULL, true);
        return;
    }
    uint32_t visited = visited_of(context);
    bool open = false;
    if (visited == 0 && info->si_code > FROM_USER_SPACE && slots_contain(info->si_addr) &&
        settle(info->si_addr, context, is_last && is_default(&below[level]), &open))
        return;
    visit(level, visited | (open ? OPEN : 0), signal, info, context);
}

// The kernel calls a handler with the context just above its return address. A handler that calls this one has a frame
// between them, unless it has come to its end.
static bool is_called_by_kernel(const void* frame, const void* context) {
#if defined(__x86_64__)
    return (uintptr_t)context - (uintptr_t)frame == 2 * sizeof(void*);
#else
    (void)frame, (void)context;
    return false;
#endif
}

// --- levels

#define LEVEL(n)                                                                                       \
    static void level_##n(int signal, siginfo_t* info, void* context) {                                \
        on_signal(n, is_called_by_kernel(__builtin_frame_address(0), context), signal, info, context); \
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

static bool is_ours(const SignalAction* action) {
    for (uint32_t i = 0; i < LEVELS; i++)
        if (action->handler.with_info == level_handler[i]) return true;
    return false;
}

static bool is_in_force(uint32_t level) {
    SignalAction found = {.flags = 0};
    return exchange(NULL, &found) && found.handler.with_info == level_handler[level];
}

static bool is_same(const SignalAction* a, const SignalAction* b) {
    return a->handler.plain == b->handler.plain && a->flags == b->flags && a->mask == b->mask;
}

// The level that passes on to this action; a new one if need be. LEVELS: none is left.
static uint32_t level_before(const SignalAction* action) {
    uint32_t count = load_relaxed(&levels);
    for (uint32_t i = 0; i < count; i++)
        if (is_same(&below[i], action)) return i;
    if (count == LEVELS) return LEVELS;
    below[count] = *action;
    store_release(&levels, count + 1);  // pairs with the order in which the kernel calls the handler later
    return count;
}

static SignalAction action_of(uint32_t level) {
    const SignalAction* next = &below[level];
    bool is_handler = !is_default(next);
    uint64_t flags = is_handler ? next->flags & ~(uint64_t)SA_RESETHAND : SA_ONSTACK;
    SignalAction action = signal_action(flags | SA_SIGINFO, is_handler ? next->mask : 0);
    action.handler.with_info = level_handler[level];
    return action;
}

void handler_install(void) {
    SignalAction found = {.flags = 0};
    if (load_relaxed(&ends) || !exchange(NULL, &found) || is_ours(&found)) return;
    // What ours has replaced may be one that another thread has installed since: then that is put behind ours, too.
    uint32_t level = level_before(&found);
    while (level < LEVELS) {
        SignalAction action = action_of(level), replaced = found;
        if (!exchange(&action, &replaced) || is_same(&replaced, &found) || is_ours(&replaced)) return;
        found = replaced;
        level = level_before(&found);
        if (level == LEVELS) exchange(&found, NULL);
    }
}
