// A heap profile as it is shown: the stacks of all processes of a run, and what each allocated and held.
//
//   dump_read.h ──> struct heap_profile ──> symbols.h ──> table.h  collapsed.h  pprof.h  page.h
//
// Processes have their libraries in different places, so a frame is a module and an address as the module's symbols
// have it, and stacks with the same frames are one.
// Thread-safety: none. Errors: the functions end hakstress if there is no memory.
#ifndef HAKSTRESS_HEAP_PROFILE_H
#define HAKSTRESS_HEAP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a stack has: at the last moment, at the peak, since the start, and at the first moment that was written.
enum heap_value {
    HEAP_LIVE_BLOCKS,
    HEAP_LIVE_BYTES,
    HEAP_PEAK_BLOCKS,
    HEAP_PEAK_BYTES,
    HEAP_ALL_BLOCKS,
    HEAP_ALL_BYTES,
    HEAP_FIRST_BLOCKS,
    HEAP_FIRST_BYTES,
    HEAP_VALUES
};

struct heap_module {
    char *path, *build_id;  // "-": none
    uint64_t start, end;    // in one of the processes
    uint64_t bias;          // address - bias is as the symbols have it
};

// A function at a place; with inlined ones there are several.
struct heap_line {
    char *function, *linker_name, *file;  // "": unknown
    uint64_t line;                        // 0: unknown
    bool passes_on;                       // it is part of an allocator, or only passes a size on to one
};

enum { HEAP_LINES_MAX = 9 };
struct heap_frame {
    size_t module;
    uint64_t address;  // a return address
    size_t line_count;
    struct heap_line lines[HEAP_LINES_MAX];  // the innermost first
};

struct heap_stack {
    size_t depth;
    size_t* frames;  // the innermost first
    int64_t values[HEAP_VALUES];
};

struct heap_profile {
    struct heap_module* modules;
    struct heap_frame* frames;
    struct heap_stack* stacks;
    size_t module_count, frame_count, stack_count;
    uint64_t rate;      // bytes for a sample
    uint64_t lost;      // samples for which a process had no room
    size_t processes;   // that wrote a profile
    size_t moments;     // the most that one of them wrote
    uint64_t first_ms;  // of the first process, on a clock that never goes back
    uint64_t last_ms;
};

size_t heap_module_of(struct heap_profile* profile, const struct heap_module* module);
size_t heap_frame_of(struct heap_profile* profile, size_t module, uint64_t address);
struct heap_stack* heap_stack_of(struct heap_profile* profile, const size_t* frames, size_t depth);
int64_t heap_sum(const struct heap_profile* profile, enum heap_value value);
void heap_profile_free(struct heap_profile* profile);

// memory that is there
void* heap_more(void* list, size_t count, size_t size);  // room for one more behind `count`
char* heap_text(const char* text);

#endif
