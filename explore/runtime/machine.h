// What depends on the processor: a switch from stack to stack, and the thread pointer, by which code finds its
// `__thread` variables.
// Thread-safety: the process's only running thread.
// Errors: none.
#ifndef EXPLORE_RUNTIME_MACHINE_H
#define EXPLORE_RUNTIME_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Call it first.
void machine_start(void);
// Goes on at `to`, which an earlier call saved or machine_prepare() made, and saves in *from where this one stands.
void machine_switch(void** from, void* to);
// A place on a fresh stack, from which body() begins. It must not return.
void* machine_prepare(void* stack, size_t bytes, void (*body)(void));

uintptr_t machine_thread_pointer(void);
void machine_set_thread_pointer(uintptr_t pointer);

#endif
