// A stack that a process noted, read from its memory (stack/stack_table.h).
// Thread-safety: none needed. Errors: 0 addresses if the stack is not known.
#ifndef HAKSTRESS_NOTED_STACK_H
#define HAKSTRESS_NOTED_STACK_H

#include "process/process_memory.h"

// `root` is the address of the process's hak_stack_table; 0: none. Writes at most `most` addresses, the innermost
// first, and returns how many.
size_t noted_stack_read(const struct process_memory* memory, uint64_t root, uint32_t number, uint64_t* out,
                        size_t most);

#endif
