// What a verdict is made from.
#ifndef HAKSTRESS_VERDICT_FACTS_H
#define HAKSTRESS_VERDICT_FACTS_H

#include "observe/crash_record.h"
#include "child/messages.h"
#include "process/procmaps.h"
#include "report/block_record.h"
#include "report/crossed_block.h"
#include "report/heap_view.h"
#include "report/page_view.h"
#include "report/story.h"

#include <jansson.h>

struct verdict_facts {
    const CrashRecord* record;          // NULL: the handler did not run
    const struct check_message* check;  // NULL: no check failed
    const struct procmaps* maps;
    const struct story* story;            // NULL: none was searched for
    const struct heap_place* place;       // of the fault address; NULL: unknown
    const char* workload;                 // of hakstress, whose code is assumed to be correct; NULL: the user's program
    uint64_t link_key;                    // key of the links of free blocks; 0: not encoded, or unknown
    uint64_t heap_start, heap_end;        // what links point into
    uint64_t behind;                      // start of a block in use that is just after the fault address; 0: none
    bool behind_is_near;                  // only a few bytes after it
    const struct page_fault* page;        // of the fault address; NULL: no block has pages of its own
    const struct crossed_block* crossed;  // NULL: not searched for
    const struct block_record* held;      // guard mode's block at the fault address; NULL: it knows of none
    bool has_records;                     // guard mode was on
    const json_t* backtrace;              // of the crashed thread; NULL: none
    int process;                          // 0: unknown
    int died_of;                          // signal without a record; 0: none
    bool handler_died;                    // the handler began to copy, and crashed itself
    bool has_ring;                        // messages of checks would be in it
    const char* living;      // why there is a report of a living process: "hang", "timeout" or "asked"; NULL: it died
    const json_t* deadlock;  // the circle of waits in it, as sentences; NULL or empty: none
    bool stopped;            // by SIGSTOP or the like, when it was looked at
};

#endif
