// What the signal handler of a dying thread leaves behind: plain copies, which the supervisor reads. Only the first
// thread that crashes fills it in.
#ifndef HAKSTRESS_CRASH_RECORD_H
#define HAKSTRESS_CRASH_RECORD_H

#include "child/crash_registers.h"

enum { CRASH_STACK_BYTES = 64 << 10, CRASH_MAPS_BYTES = 256 << 10 };

struct crash_record {
    _Atomic uint32_t claimed;  // 0, or the gettid() of the thread that fills this in
    _Atomic uint32_t started;  // 1: everything but stack and maps is filled in
    _Atomic uint32_t ready;    // 1: everything is filled in
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
    char maps[CRASH_MAPS_BYTES];  // /proc/self/maps
};

#endif
