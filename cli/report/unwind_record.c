#include "report/unwind_record.h"

#include "report/session_frames.h"

#include <stdio.h>
#include <ucontext.h>

enum { THREAD = 1 };  // the only one, whatever its number was

struct source {
    const struct crash_memory* memory;
    uint64_t pc, stack_pointer;
};

static pid_t next_thread(Dwfl* session, void* context, void** thread) {
    (void)session;
    if (*thread != NULL) return 0;
    *thread = context;
    return THREAD;
}

static bool read_word(Dwfl* session, Dwarf_Addr address, Dwarf_Word* value, void* context) {
    (void)session;
    return crash_memory_word(((const struct source*)context)->memory, address, value);
}

// In the order of DWARF.
#if defined(__x86_64__)
static bool set_registers(Dwfl_Thread* thread, void* context) {
    static const int order[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
                                REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    enum { COUNT = sizeof order / sizeof order[0], RSP = 7, RIP = 16 };
    const struct source* source = context;
    Dwarf_Word values[COUNT];
    for (size_t i = 0; i < COUNT; i++) values[i] = source->memory->record->registers[order[i]];
    values[RSP] = source->stack_pointer;
    values[RIP] = source->pc;
    return dwfl_thread_state_registers(thread, 0, COUNT, values);
}
#else
static bool set_registers(Dwfl_Thread* thread, void* context) {
    const struct source* source = context;
    Dwarf_Word values[CRASH_SP + 1];
    for (size_t i = 0; i < CRASH_SP; i++) values[i] = source->memory->record->registers[i];
    values[CRASH_SP] = source->stack_pointer;
    dwfl_thread_state_register_pc(thread, source->pc);
    return dwfl_thread_state_registers(thread, 0, CRASH_SP + 1, values);
}
#endif

static bool report_modules(Dwfl* session, const CrashRecord* record) {
    FILE* text = fmemopen((void*)(uintptr_t)record->maps, record->maps_bytes, "r");
    if (text == NULL) return false;
    int status = dwfl_linux_proc_maps_report(session, text);
    fclose(text);
    return status == 0 && dwfl_report_end(session, NULL, NULL) == 0;
}

json_t* unwind_record(const struct crash_memory* memory, uint64_t pc, uint64_t stack_pointer, const char** problem) {
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                             .find_debuginfo = session_finds_no_debug_file};
    static const Dwfl_Thread_Callbacks reading = {
        .next_thread = next_thread, .memory_read = read_word, .set_initial_registers = set_registers};
    struct source source = {memory, pc, stack_pointer};
    json_t* frames = NULL;
    Dwfl* session = dwfl_begin(&callbacks);
    if (session != NULL && report_modules(session, memory->record) &&
        dwfl_attach_state(session, NULL, THREAD, &reading, &source))
        frames = session_frames(session, memory->maps, THREAD, problem);
    else
        *problem = dwfl_errmsg(-1);
    if (session != NULL) dwfl_end(session);
    return frames != NULL ? frames : json_array();
}
