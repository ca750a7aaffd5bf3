// A block that went from one allocator to another: a block of ours that the C library's own free or realloc got, or a
// block of the C library's malloc that came to our free. Both allocators are in use if a library was opened with
// RTLD_DEEPBIND or has its own malloc.
// Thread-safety: none needed. Errors: CROSSED_NOT if there is no sign of it.
#ifndef HAKSTRESS_CROSSED_BLOCK_H
#define HAKSTRESS_CROSSED_BLOCK_H

#include "observe/crash_record.h"
#include "child/messages.h"
#include "report/heap_view.h"

#include <jansson.h>

enum crossing {
    CROSSED_NOT,
    CROSSED_TO_LIBC,     // ours, in a function of the C library's malloc
    CROSSED_FROM_LIBC,   // the C library's, in a function of ours
    CROSSED_FROM_OTHER,  // another malloc is in force, and our free got a block
};

struct crossed_block {
    enum crossing crossing;
    char function[64];  // the function that got the block; "": unknown
    uint64_t block;     // 0: unknown
    uint64_t bytes;     // of the C library's chunk, its header included
    char text[512];     // where the block lies, in words
};

struct crossed_block_input {
    const CrashRecord* record;          // NULL: nothing was copied
    const struct check_message* check;  // NULL: no check failed
    const json_t* backtrace;            // of the crashed thread; NULL: none
    struct heap_view* heap;
};

struct crossed_block crossed_block_find(const struct crossed_block_input* of);

#endif
