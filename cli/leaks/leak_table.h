// The blocks of all processes of a run by the stack that allocated them. Stacks are compared by module and offset: the
// same program has other addresses in each process.
// Thread-safety: none needed. Errors: leak_table_add() without memory leaves the stack out.
#ifndef HAKSTRESS_LEAK_TABLE_H
#define HAKSTRESS_LEAK_TABLE_H

#include "binary/build_id.h"
#include "leaks/live_blocks.h"
#include "process/procmaps.h"

enum { LEAK_FRAMES_MAX = 64 };

struct leak_sum {
    uint64_t blocks, bytes;
};

struct leak_sums {
    struct leak_sum of[BLOCK_CLASSES];  // by enum block_class
};

struct leak_module {
    char* path;  // "" for memory of no file
    char build_id[BUILD_ID_TEXT_MAX];
};

struct leak_frame {
    uint32_t module;
    uint64_t offset;   // in the module's file, of the return address; without a file the address itself
    uint64_t address;  // of the same place, as the module's symbols have it; 0: unknown
};

struct leak_stack {
    struct leak_frame* frames;  // the innermost first
    size_t count, processes;
    struct leak_sums sums;
};

struct leak_table {
    struct leak_module* modules;
    struct leak_stack* stacks;
    size_t module_count, stack_count, module_room, stack_room;
    uint32_t* index;  // hash table of numbers of stacks, plus 1
    size_t places;
};

// The modules of one process.
struct leak_modules {
    const struct procmaps* maps;
    struct mapped_module* known;  // by mapping
};

bool leak_modules_open(struct leak_modules* modules, const struct procmaps* maps);
void leak_modules_close(struct leak_modules* modules);

// Adds what a process has for a stack, which is given by return addresses, the innermost first.
void leak_table_add(struct leak_table* table, struct leak_modules* modules, const uint64_t* addresses, size_t count,
                    const struct leak_sums* sums);
void leak_table_free(struct leak_table* table);

void leak_sums_add(struct leak_sums* to, const struct leak_sums* more);

#endif
