#include "report/unwind.h"

#include "base/json.h"
#include "report/code_place.h"
#include "report/crash_memory.h"
#include "report/unwind_record.h"

#include <errno.h>
#include <fcntl.h>
#include <libunwind-ptrace.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { FRAMES_MAX = 64 };

// Of the innermost frame. On aarch64 UNW_REG_IP is the link register, which leads to each other frame.
#if defined(__x86_64__)
enum { INNERMOST_PC = UNW_REG_IP };
#else
enum { INNERMOST_PC = UNW_AARCH64_PC };
#endif

static int frame_pc(unw_cursor_t* cursor, bool innermost, unw_word_t* pc) {
    return unw_get_reg(cursor, innermost ? (unw_regnum_t)INNERMOST_PC : (unw_regnum_t)UNW_REG_IP, pc);
}

// Frames

static bool same_module(const json_t* a, const json_t* b) {
    return json_equal(json_object_get(a, "module"), json_object_get(b, "module")) == 1;
}

// Not every function has a source file. What the allocator calls in its own file belongs to the allocator.
static void mark_inner_frames(json_t* frames) {
    for (size_t i = json_array_size(frames); i-- > 1;) {
        const json_t* frame = json_array_get(frames, i);
        json_t* inner = json_array_get(frames, i - 1);
        if (json_get_bool(frame, "allocator") && same_module(frame, inner))
            json_object_set_new(inner, "allocator", json_true());
    }
}

static bool is_code(const struct procmaps* maps, uint64_t pc) {
    const struct mapping* mapping = procmaps_find(maps, pc);
    return mapping != NULL && mapping->permissions[2] == 'x';
}

static json_t* walk(unw_addr_space_t space, void* argument, const struct procmaps* maps, const char** problem) {
    json_t* frames = json_array();
    unw_cursor_t cursor;
    unw_word_t pc;
    int status = unw_init_remote(&cursor, space, argument);
    if (status >= 0) status = 1;
    while (status > 0 && json_array_size(frames) < FRAMES_MAX &&
           frame_pc(&cursor, json_array_size(frames) == 0, &pc) >= 0 && pc != 0 &&
           (json_array_size(frames) == 0 || is_code(maps, pc))) {
        json_array_append_new(frames, code_place(maps, pc, json_array_size(frames) > 0));
        status = unw_step(&cursor);
    }
    if (status < 0) *problem = unw_strerror(status);
    mark_inner_frames(frames);
    return frames;
}

// A crash: registers come from the record. libunwind passes its own bookkeeping (struct UPT_info) to every callback, so
// our data must be a part of it.

static struct {
    struct crash_memory memory;
    uint64_t pc, stack_pointer;
} source;

static int access_memory(unw_addr_space_t space, unw_word_t address, unw_word_t* value, int write, void* argument) {
    (void)space, (void)argument;
    if (write) return -UNW_EINVAL;
    return crash_memory_word(&source.memory, address, value) ? 0 : -UNW_EINVAL;
}

#if defined(__x86_64__)
static const int greg_of[] = {
    [UNW_X86_64_RAX] = REG_RAX, [UNW_X86_64_RDX] = REG_RDX, [UNW_X86_64_RCX] = REG_RCX, [UNW_X86_64_RBX] = REG_RBX,
    [UNW_X86_64_RSI] = REG_RSI, [UNW_X86_64_RDI] = REG_RDI, [UNW_X86_64_RBP] = REG_RBP, [UNW_X86_64_RSP] = REG_RSP,
    [UNW_X86_64_R8] = REG_R8,   [UNW_X86_64_R9] = REG_R9,   [UNW_X86_64_R10] = REG_R10, [UNW_X86_64_R11] = REG_R11,
    [UNW_X86_64_R12] = REG_R12, [UNW_X86_64_R13] = REG_R13, [UNW_X86_64_R14] = REG_R14, [UNW_X86_64_R15] = REG_R15,
    [UNW_X86_64_RIP] = REG_RIP,
};
enum { GREGS = sizeof greg_of / sizeof greg_of[0] };

static int index_of(unw_regnum_t number) {
    return number >= 0 && number < GREGS ? greg_of[number] : -1;
}

// A call has left the return address on top of the stack.
static bool leave_callee(void) {
    unw_word_t caller;
    if (access_memory(NULL, source.stack_pointer, &caller, 0, NULL) != 0) return false;
    source.pc = caller;
    source.stack_pointer += sizeof caller;
    return true;
}
#else
// As crash_registers.h numbers them.
static int index_of(unw_regnum_t number) {
    return number >= UNW_AARCH64_X0 && number <= UNW_AARCH64_PC ? (int)number : -1;
}

static bool leave_callee(void) {
    source.pc = source.memory.record->registers[CRASH_LINK];
    return true;
}
#endif

static int access_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t* value, int write, void* argument) {
    (void)space, (void)argument;
    int index = index_of(number);
    if (write || index < 0) return -UNW_EBADREG;
    *value = index == CRASH_PC   ? source.pc
             : index == CRASH_SP ? source.stack_pointer
                                 : source.memory.record->registers[index];
    return 0;
}

// After a jump to an address without code, the return address is still where the call left it: go on from the caller.
static json_t* leave_wild_pc(void) {
    uint64_t pc = source.pc;
    if (is_code(source.memory.maps, pc) || !leave_callee()) return NULL;
    json_t* frame = json_object();
    json_put_hex(frame, "pc", pc);
    json_put_text(frame, "symbol", "(not code)");
    return frame;
}

static json_t* walk_process(pid_t pid, const char** problem) {
    static unw_accessors_t accessors;
    accessors = _UPT_accessors;
    accessors.access_mem = access_memory;
    accessors.access_reg = access_register;
    json_t* frames = NULL;
    unw_addr_space_t space = unw_create_addr_space(&accessors, 0);
    void* argument = _UPT_create(pid);
    if (space != NULL && argument != NULL)
        frames = walk(space, argument, source.memory.maps, problem);
    else
        *problem = "out of memory";
    if (argument != NULL) _UPT_destroy(argument);
    if (space != NULL) unw_destroy_addr_space(space);
    return frames != NULL ? frames : json_array();
}

// libunwind needs a process, and finds no files after it has changed its root.
static json_t* walk_record(const char** problem) {
    json_t* frames = unwind_record(&source.memory, source.pc, source.stack_pointer, problem);
    mark_inner_frames(frames);
    return frames;
}

json_t* unwind_crash(const CrashRecord* record, const struct procmaps* maps, pid_t pid, const char** problem) {
    enum { FEW = 1 };
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    source.memory = (struct crash_memory){record, maps, pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1};
    source.pc = record->registers[CRASH_PC];
    source.stack_pointer = record->registers[CRASH_SP];

    json_t* wild = leave_wild_pc();
    json_t* frames = pid > 0 ? walk_process(pid, problem) : json_array();
    if (json_array_size(frames) <= FEW) {
        const char* no_record = NULL;
        json_t* others = walk_record(&no_record);
        bool more = json_array_size(others) > json_array_size(frames);
        if (more || pid <= 0) *problem = more ? NULL : no_record;
        json_decref(more ? frames : others);
        if (more) frames = others;
    }
    if (source.memory.process >= 0) close(source.memory.process);
    if (wild != NULL) json_array_insert_new(frames, 0, wild);
    return frames;
}

// A living thread

// Returns false if ptrace is refused. A thread that does not stop within a second is blocked in the kernel.
bool unwind_hold(pid_t thread, const char** problem) {
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0 || ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0) {
        *problem = strerror(errno);
        return false;
    }
    for (int i = 0; i < 1000; i++) {
        int status;
        if (waitpid(thread, &status, __WALL | WNOHANG) == thread) return WIFSTOPPED(status);
        struct timespec nap = {.tv_nsec = 1000000};
        nanosleep(&nap, NULL);
    }
    *problem = "the thread could not be stopped within a second";
    return false;
}

void unwind_let_go(pid_t thread) {
    ptrace(PTRACE_DETACH, thread, NULL, NULL);
}

// The caller of a function that has pushed nothing: its return address is on top of the stack.
static struct { uint64_t pc, stack_pointer; } caller;

static int access_caller(unw_addr_space_t space, unw_regnum_t number, unw_word_t* value, int write, void* argument) {
    if (write) return -UNW_EBADREG;
    if (number != UNW_REG_IP && number != UNW_REG_SP) return _UPT_access_reg(space, number, value, write, argument);
    *value = number == UNW_REG_IP ? caller.pc : caller.stack_pointer;
    return 0;
}

// clone3 has no unwind table for the instructions around its system call, so the walk ended there.
static void walk_on_from_clone(json_t* frames, void* argument, const struct procmaps* maps, const char** problem) {
    static unw_accessors_t accessors;
    unw_word_t sp;
    const char* function = json_get_text(json_array_get(frames, 0), "symbol");
    bool cut = json_array_size(frames) == 1 && function != NULL && strstr(function, "clone") != NULL;
    if (!cut || _UPT_access_reg(NULL, UNW_REG_SP, &sp, 0, argument) < 0 ||
        _UPT_access_mem(NULL, sp, &caller.pc, 0, argument) < 0 || !is_code(maps, caller.pc))
        return;
    caller.stack_pointer = sp + sizeof caller.pc;
    accessors = _UPT_accessors;
    accessors.access_reg = access_caller;
    unw_addr_space_t space = unw_create_addr_space(&accessors, 0);
    json_t* more = space != NULL ? walk(space, argument, maps, problem) : json_array();
    if (space != NULL) unw_destroy_addr_space(space);
    json_array_extend(frames, more);
    json_decref(more);
}

json_t* unwind_held(const struct procmaps* maps, pid_t thread, const char** problem) {
    json_t* frames = NULL;
    unw_addr_space_t space = unw_create_addr_space(&_UPT_accessors, 0);
    void* argument = _UPT_create(thread);
    if (space != NULL && argument != NULL)
        frames = walk(space, argument, maps, problem);
    else
        *problem = "out of memory";
    if (frames != NULL) walk_on_from_clone(frames, argument, maps, problem);
    if (argument != NULL) _UPT_destroy(argument);
    if (space != NULL) unw_destroy_addr_space(space);
    return frames != NULL ? frames : json_array();
}
