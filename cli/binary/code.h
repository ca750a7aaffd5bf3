// What stands at a place of code in a program or library: the function, the functions that the compiler put into it
// there, and the line of source. From symbols and debug information (DWARF), by elfutils' libdwfl: in the file
// itself, compressed or not, or in the separate file that its build id or .gnu_debuglink names.
// Thread-safety: none. Errors: what is not known is empty.
#ifndef HAKSTRESS_CODE_H
#define HAKSTRESS_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CODE_NAME_MAX = 512, CODE_INLINED_MAX = 8 };

struct code_line {
    char file[128];  // its name, without directories; "": unknown
    uint64_t line;
};

struct code_inlined {
    char function[CODE_NAME_MAX];
    struct code_line call;  // where the function around it calls it
};

struct code {
    char function[CODE_NAME_MAX];  // as the linker knows it; "": unknown
    uint64_t offset;               // from its start
    char unit[64];                 // the file that a function that is not public was compiled from; "": unknown
    struct code_line at;           // in the innermost of `inlined`, or in the function
    size_t inlined_count;
    struct code_inlined inlined[CODE_INLINED_MAX];  // the innermost first
};

// Of byte `file_offset` of an ELF file. False: there is no such file, or no code there.
bool code_at(const char* path, uint64_t file_offset, struct code* out);

#endif
