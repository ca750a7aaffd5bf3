// A block that went from one allocator to another: one of ours that the C library's own free or realloc got, or one of
// the C library's malloc that came to our free. Both are there when a library was opened with RTLD_DEEPBIND, or has a
// malloc of its own.
// Thread-safety: none needed. Errors: CROSSED_NOT, no sign of it.
#ifndef HAKSTRESS_CROSSED_BLOCK_H
#define HAKSTRESS_CROSSED_BLOCK_H

#include "child/crash_record.h"
#include "child/messages.h"
#include "report/heap_view.h"

#include <jansson.h>

enum crossing {
    CROSSED_NOT,
    CROSSED_TO_LIBC,     // ours, in a function of the C library's malloc
    CROSSED_FROM_LIBC,   // the C library's, in a function of ours
    CROSSED_FROM_OTHER,  // a malloc is in force that is not ours, and our free got a block
};

struct crossed_block {
    enum crossing crossing;
    char function[64];  // that got the block; "": unknown
    uint64_t block;     // 0: unknown
    uint64_t bytes;     // of the C library's chunk, its header included
    char text[512];     // where the block lies, in words
};

struct crossed_block_input {
    const struct crash_record* record;  // NULL: nothing was copied
    const struct check_message* check;  // NULL: no check spoke
    const json_t* backtrace;            // of the crashed thread; NULL: none
    struct heap_view* heap;
};

struct crossed_block crossed_block_find(const struct crossed_block_input* of);

#endif
