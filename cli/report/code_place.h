// A place of code in a process, as JSON and in words.
// Thread-safety: none. Errors: what is not known is left out.
#ifndef HAKSTRESS_CODE_PLACE_H
#define HAKSTRESS_CODE_PLACE_H

#include "process/procmaps.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// {"pc", "symbol", "offset", "file", "line", "inlined", "module", "module_offset", "allocator": is it the allocator's
// code?}. "inlined" is present if the compiler inlined other functions into "symbol" at this place: [{"symbol",
// "called_from": "FILE:LINE"}], the innermost first. "file" and "line" are then those of the innermost. "of_cxx" and,
// of an inlined function, "called_from_cxx": that line is in a header of the C++ library. Where the function is not
// known, what late_names.h needs.
// `called` is 1 for a return address: it may lie one past the end of a function whose last instruction is the call.
json_t* code_place(const struct procmaps* maps, uint64_t pc, unsigned called);

// The same without a process: `address` is that of the place in the module, as its symbols have it. `readable`: the
// module's file may be read; it is the one that the process had.
json_t* code_place_in(const char* module, bool readable, uint64_t pc, uint64_t address, unsigned called);

// "FUNCTION (FILE:LINE)", or "INNER (FILE:LINE), inlined into FUNCTION", as far as known, else "MODULE+OFFSET"; "" for
// NULL and for what is not code.
void code_place_text(const json_t* place, char* out, size_t size);
// Of frames of a stack, the innermost first: the first place outside of system libraries, headers of the C++ library
// and the allocator. false: there is none, and `out` is the innermost place.
bool code_place_own_text(const json_t* frames, char* out, size_t size);
// "FUNCTION+0x1f, FILE:LINE,", or "INNER, inlined into FUNCTION+0x1f, FILE:LINE,".
void code_place_offset_text(const json_t* place, char* out, size_t size);

#endif
