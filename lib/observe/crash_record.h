// What the signal handler of a dying thread leaves behind: plain copies, which hakstress reads. Only the first thread
// that crashes fills it in.
// Thread-safety: the functions are for the thread that has claimed the record; they are safe in a signal handler.
// Errors: what cannot be read is missing from the record.
#ifndef HAK_OBSERVE_CRASH_RECORD_H
#define HAK_OBSERVE_CRASH_RECORD_H

#include "base/atomic.h"
#include "observe/crash_registers.h"

#include <signal.h>

enum { CRASH_STACK_BYTES = 64 << 10, CRASH_MAPS_BYTES = 256 << 10 };

// Nobody has seen the record; it is being reported; the process is needed no longer.
enum { CRASH_UNSEEN, CRASH_SEEN, CRASH_REPORTED };

typedef struct {
    _Atomic uint32_t claimed;  // 0, or the gettid() of the thread that fills this in
    _Atomic uint32_t started;  // 1: everything but stack and maps is filled in
    _Atomic uint32_t ready;    // 1: everything is filled in
    _Atomic uint32_t answer;   // CRASH_...: written by hakstress
    int32_t signal;
    int32_t code;                         // si_code
    int32_t error;                        // si_errno
    int32_t sender;                       // si_pid, if another process sent the signal
    uint64_t fault_address;               // si_addr
    double time;                          // CLOCK_MONOTONIC
    uint64_t tick;                        // hak_ring_clock(); 0: unknown
    uint64_t registers[CRASH_REGISTERS];  // crash_registers.h says which
    uint64_t stack_address;               // of the first byte copied: the stack pointer minus the red zone
    uint64_t stack_bytes;
    uint64_t maps_bytes;
    unsigned char stack[CRASH_STACK_BYTES];
    char maps[CRASH_MAPS_BYTES];  // /proc/thread-self/maps
} CrashRecord;

// Fills in all but `claimed`, `tick` and `ready`, from what a handler with SA_SIGINFO gets.
void crash_record_fill(CrashRecord* record, int signal, const siginfo_t* info, const void* context);
// Keeps the old maps where /proc cannot be read, as after a change of the root.
void crash_record_copy_maps(CrashRecord* record);

#endif
