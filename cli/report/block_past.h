// The past of the blocks that a crash concerns, from the records of guard mode: where each was allocated and freed.
//
//   the check's message | the fault address | registers      every block
//   the crashed thread's stack | the program's variables     freed blocks, if a bad pointer was followed
//
// Thread-safety: none needed. Errors: without records the list is empty.
#ifndef HAKSTRESS_BLOCK_PAST_H
#define HAKSTRESS_BLOCK_PAST_H

#include "observe/crash_record.h"
#include "process/process_memory.h"
#include "process/procmaps.h"
#include "report/rings.h"

#include <jansson.h>

struct block_past_input {
    const struct process_memory* memory;
    uint64_t root;    // address of the process's HakGuardRoot; 0: none
    uint64_t stacks;  // address of its hak_stack_table; 0: none
    const struct procmaps* maps;
    const struct ring_reader* rings;
    const CrashRecord* record;  // NULL: nothing was copied
    const char* words;          // the check's message; "": none
    uint64_t behind;            // the block that begins after the fault address; 0: none
    uint64_t block;             // the block that the fault is about, if the address lies outside of it; 0: none
};

// The values of `of` for a block that the message of a check names, for the block that the fault address is about, and
// for the one that begins after it.
#define BLOCK_PAST_CHECK "the check"
#define BLOCK_PAST_FAULT "fault_addr"
#define BLOCK_PAST_BEHIND "what follows fault_addr"

// [{of, address, size, state, family, allocated: {thread, os_tid, time, at: [frame...]}, freed: the same or null}...],
// each block once. A frame has the form that code_place makes; the call of malloc or free comes first.
json_t* block_past_list(const struct block_past_input* input);

// The first freed block of the list, as a sentence; NULL: none was freed. If `of` is not NULL: the first with that
// `of`.
json_t* block_past_sentence(const json_t* list, const char* of);

#endif
