// Names for signals, their codes, and registers.
#ifndef HAKSTRESS_SIGNALS_H
#define HAKSTRESS_SIGNALS_H

#include "observe/crash_record.h"

#include <stdbool.h>

const char* signal_name(int signal);                 // "SIGSEGV"
const char* signal_code_name(int signal, int code);  // "SEGV_MAPERR"
const char* register_name(unsigned index);           // of a crash record; NULL: not worth showing
// "read", "write", "execute", or NULL if the processor did not say.
const char* fault_access(const CrashRecord* record);
// Addresses that x86-64 refuses before it looks up the page; the kernel then reports address 0.
bool is_canonical(uint64_t address);

#endif
