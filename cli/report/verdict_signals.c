#include "report/verdict_signals.h"

#include "base/json.h"
#include "report/abort_caller.h"
#include "report/signals.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

static bool by_deadlock(struct verdict* verdict, const struct verdict_facts* facts) {
    size_t i, count = json_array_size(facts->deadlock);
    const json_t* line;
    if (count == 0) return false;
    bool of_allocator = false;
    json_array_foreach((json_t*)(uintptr_t)facts->deadlock, i, line) {
        note(verdict, "%s", json_string_value(line));
        of_allocator = of_allocator || strstr(json_string_value(line), "the allocator's lock") != NULL;
    }
    return judge(verdict, of_allocator ? "unknown" : "program", "high",
                 count == 1 ? "a deadlock: a thread waits for a lock that it holds itself"
                            : "a deadlock: threads wait for each other's locks");
}

// The child of `repro` and `guard` counts what it does; of the user's program only this much is known.
static bool by_silence(struct verdict* verdict, const struct verdict_facts* facts) {
    if (strcmp(facts->living, "asked") == 0) {
        note(verdict, "the stacks of all threads in the report show what the process was doing");
        return judge(verdict, "nobody", "high", "nothing is known to be wrong: a report was asked for");
    }
    if (strcmp(facts->living, "timeout") == 0) {
        note(verdict, "the stacks of all threads in the report show what the process was doing when the time was over");
        return judge(verdict, "unknown", "low", "the program had not ended in the time that --timeout gives it");
    }
    note(verdict,
         "no watched process used the processor or the allocator; the stacks of all threads in the report show for "
         "what they waited");
    return judge(verdict, "unknown", "low",
                 "the program waits: for something outside, or for an event that does not come");
}

bool by_hang(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->living == NULL) return false;
    if (facts->stopped) {
        note(verdict, "the process was in state T (stopped) when its silence was noticed");
        return judge(verdict, "outside", "high", "the process was stopped by a signal from outside");
    }
    if (by_deadlock(verdict, facts)) return true;
    if (facts->workload == NULL) return by_silence(verdict, facts);
    note(verdict, "no thread's counter changed; the backtraces show where each thread was");
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, ", and a list that two threads changed is circular");
        verdict->confidence = "medium";
        return true;
    }
    return judge(verdict, "unknown", "low", "a deadlock between threads, or an endless loop in one");
}

// The number of the sender may be that of another PID namespace, so the backtrace counts, too.
static bool is_own_abort(const struct verdict_facts* facts) {
    size_t i;
    const json_t* frame;
    if (facts->process == 0 || facts->record->sender == facts->process) return true;
    json_array_foreach((json_t*)(uintptr_t)facts->backtrace, i, frame) {
        const char* function = json_get_text(frame, "symbol");
        if (function != NULL && strcmp(function, "abort") == 0) return true;
    }
    return false;
}

bool by_sender(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = facts->record;
    if (record == NULL || record->code > 0 || (record->signal == SIGABRT && is_own_abort(facts))) return false;
    if (record->sender == facts->process && facts->process != 0) {
        note(verdict, "%s was sent by process %d, the one that died", signal_name(record->signal), record->sender);
        return judge(verdict, facts->workload != NULL ? "unknown" : "program", "medium",
                     "the process sent the signal to itself");
    }
    note(verdict, "%s was sent by process %d, not caused by a memory access", signal_name(record->signal),
         record->sender);
    return judge(verdict, "outside", "high", "a signal from outside");
}

bool by_foreign_drain(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->record == NULL || !has_foreign_drain(facts)) return false;
    note_drain(verdict, facts->story);
    if (facts->record->code > 0)
        note(verdict, "%s at 0x%" PRIx64, signal_name(facts->record->signal), facts->record->fault_address);
    cause_missing_change(verdict, facts->story, ", and both changed its free list");
    verdict->confidence = facts->story->tie == TIE_LATEST ? "low" : "medium";
    return true;
}

// What the signals mean that are not about a memory access.
static const char* cause_of_signal(int signal) {
    switch (signal) {
    case SIGFPE: return "an arithmetic fault, such as a division by zero";
    case SIGILL: return "an invalid instruction: a compiler's trap in unreachable code, or a wrong jump";
    case SIGTRAP: return "a breakpoint without a debugger: a trap in the program's code, or a wrong jump";
    case SIGSYS: return "a system call that seccomp or a sandbox forbids";
    default: return NULL;
    }
}

bool by_instruction(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = facts->record;
    const char* cause = record != NULL && record->code > 0 ? cause_of_signal(record->signal) : NULL;
    if (cause == NULL) return false;
    note(verdict, "%s (%s) at 0x%" PRIx64, signal_name(record->signal), signal_code_name(record->signal, record->code),
         record->fault_address);
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "medium", cause);
}

bool by_caller_of_abort(struct verdict* verdict, const struct verdict_facts* facts) {
    const char* function;
    if (facts->record == NULL || facts->record->signal != SIGABRT) return false;
    const char* cause = abort_caller_cause(facts->backtrace, &function);
    if (cause == NULL) return false;
    note(verdict, "abort() was called from within %s (see the backtrace)", function);
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "high", cause);
}

bool by_other_signal(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = facts->record;
    if (record == NULL) return false;
    if (record->signal == SIGABRT && !facts->has_ring) {
        note(verdict,
             "the process called abort(); its debug ring is missing, so it is not known whether a check of the "
             "library failed before");
        return judge(verdict, "unknown", "low",
                     "an assertion or a check of the library failed: see its message on stderr");
    }
    if (record->signal == SIGABRT) {
        note(verdict, "the process called abort(), and no check had failed");
        return judge(verdict, "unknown", "low", "the process called abort() itself, or the C library did");
    }
    const char* cause = cause_of_signal(record->signal);
    note(verdict, "%s at 0x%" PRIx64, signal_name(record->signal), record->fault_address);
    return judge(verdict, "unknown", "low",
                 cause != NULL ? cause
                               : "an access to memory that is not mapped or does not allow this kind of access");
}

bool by_death(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->died_of == 0) return false;
    if (facts->handler_died)
        note(verdict, "a thread crashed, and then the crash handler itself crashed");
    else
        note(verdict, "the process died of %s before anything could be copied", signal_name(facts->died_of));
    if (has_foreign_drain(facts)) note_drain(verdict, facts->story);
    if (facts->died_of == SIGKILL)
        return judge(verdict, "outside", "medium",
                     "killed from outside: by hand, or by the kernel when memory ran out (see dmesg)");
    return judge(verdict, "unknown", "low", "nothing is known about the crash");
}
