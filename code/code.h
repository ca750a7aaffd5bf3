// What is at a place of code in a program or library: the function, the functions that the compiler inlined there, and
// the source line. From symbols and debug information (DWARF), read by elfutils' libdwfl: in the file itself,
// compressed or not, or in the separate file that its build id or .gnu_debuglink names.
// Thread-safety: none. Errors: what is not known is empty.
#ifndef HAKSTRESS_CODE_H
#define HAKSTRESS_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CODE_NAME_MAX = 512, CODE_PATH_MAX = 256, CODE_INLINED_MAX = 8 };

struct code_line {
    char file[128];            // file name without directories; "": unknown
    char path[CODE_PATH_MAX];  // as the compiler noted it
    uint64_t line;
    bool of_cxx;  // in a header of the C++ library
};

struct code_inlined {
    char function[CODE_NAME_MAX];
    struct code_line call;  // where the surrounding function calls it
    bool passes_size;       // it takes a whole number and returns void*, as functions that allocate do
};

struct code {
    char function[CODE_NAME_MAX];  // the linker's name; "": unknown
    uint64_t offset;               // from its start
    char unit[64];                 // source file of a local function; "": unknown
    bool passes_size;              // as above
    struct code_line at;           // in the innermost of `inlined`, or else in the function
    size_t inlined_count;
    struct code_inlined inlined[CODE_INLINED_MAX];  // the innermost first
};

// For byte `file_offset` of an ELF file. False if there is no such file, or no code there.
bool code_at(const char* path, uint64_t file_offset, struct code* out);
// For an address as the file's symbols have it: without the address at which it was loaded.
bool code_at_address(const char* path, uint64_t address, struct code* out);

#endif
