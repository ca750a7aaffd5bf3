// The program or library that an address of code lies in: its file, the address as the file has it, and the build id,
// which names the build. From what the loader has mapped: no file is opened.
// Thread-safety: any thread, and signal handlers.
// Errors: path "?" if the address lies in no module, or the C library is older than 2.35.
#ifndef HAK_SAMPLE_MODULE_H
#define HAK_SAMPLE_MODULE_H

#include "base/compiler.h"

enum { BUILD_ID_BYTES = 32 };

typedef struct {
    const char* path;
    const void* start;   // where it is mapped; NULL: unknown
    bool is_program;     // the program itself, not a library
    uintptr_t offset;    // of the address in the module, as its symbols count
    uint32_t id_length;  // 0: it has no build id
    const unsigned char* id;
} CodeModule;

// Notes the path of the program, which the loader does not know.
void module_begin(void);
CodeModule module_of(uintptr_t pc);
// Whether the address is in this library, and that is not part of the program.
bool module_is_own(uintptr_t pc);

#endif
