// A count of what a process holds, from the allocator's tables: this process, or another one that goes on meanwhile.
//
//   hak_live -> units -> slabs, page runs, huge blocks           used
//            -> TCBs  -> bins, bundles, parked bins, counters    cached, and so not live
//   /proc/PID/pagemap                                            which of these pages are in memory
//
// Nothing is locked or stopped, so each figure was true at some moment of the count; in a process that stands still,
// all are exact. What is read may change or vanish meanwhile: every walk is bounded, and reads what exists.
// Thread-safety: all functions. No malloc; async-signal-safe. About 3 KiB of stack.
// Errors: what cannot be read counts as 0.
#ifndef HAK_CENSUS_CENSUS_H
#define HAK_CENSUS_CENSUS_H

#include "census/live.h"

#include <hakmem/hakmem.h>

typedef struct CensusSource {
    uint32_t process;  // 0: the caller's own
    bool (*read)(const struct CensusSource* source, uint64_t at, void* out, size_t bytes);
} CensusSource;

// Where a count works: too large for the stack of a signal handler.
typedef struct {
    uint64_t entries[PAGES_PER_UNIT];      // of /proc/PID/pagemap
    char text[2048];                       // of other files there
    uint64_t owner_words[SLABS_PER_UNIT];  // the rest is of one unit
    UnitMeta metas;
    RemoteHead remote_heads[SLABS_PER_UNIT];
    uint64_t pages[PAGES_PER_UNIT / 64];   // bit 1: the page is in memory
    uint64_t unsure[PAGES_PER_UNIT / 64];  // bit 1: or it reads as zeros and takes none; or another process has it, too
    bool pages_known;
} CensusRoom;

// The blocks of one size class. Two more rows: page runs, and huge blocks.
typedef struct {
    uint64_t size;      // of a block; page runs and huge blocks: 0
    uint64_t slabs;     // page runs: SuperSlabs; huge blocks: units
    uint64_t held;      // bytes of these
    uint64_t resident;  // of them in memory
    uint64_t unsure;    // of these: perhaps not (parts.h)
    uint64_t live, live_bytes;
    uint64_t cached, cached_bytes;  // freed, and kept at hand by threads, or kept back by guard mode
} CensusRow;
enum { CENSUS_RUNS = CLASS_OF_RUNS, CENSUS_HUGE = CLASS_COUNT, CENSUS_ROWS };

// Parts of the resident bytes.
typedef struct {
    uint64_t live;        // in blocks that the program has
    uint64_t cached;      // in blocks that threads keep at hand
    uint64_t gaps;        // in slabs in use: between and behind their blocks
    uint64_t free_dirty;  // in free slabs, units and pages: goes back to the system, or is used again
    uint64_t tables;      // the allocator's own
    uint64_t others;      // not the allocator's: code, stacks, files, other allocators
} CensusParts;

typedef struct {
    bool checked;
    char version[24];
    char command[16];
    uint64_t process;
    uint64_t uptime_ms;
    uint64_t resident, resident_peak;
    uint64_t live, live_bytes;
    uint64_t cached, cached_bytes;
    uint64_t kept_back;       // blocks among the cached ones that guard mode keeps back
    uint64_t mallocs, frees;  // exact in the checked build, else lower bounds
    uint64_t purged;          // free address space that occupies no memory
    uint64_t heap_start, heap_end, tables_start, tables_end;
    hak_stats_t gauges;
    CensusParts parts;
    uint64_t free_unsure;  // of parts.free_dirty
    bool parts_known;      // false: /proc/PID/pagemap cannot be read; the tables say what may be resident
    CensusRow row[CENSUS_ROWS];
    uint64_t counters[HAK_COUNTER_COUNT];
} Census;

// A source of the calling process.
CensusSource census_source_here(void);
// Whether `live`, read from the process, is one that this library understands.
bool census_understands(const HakLive* live);
void census_take(const CensusSource* source, const HakLive* live, CensusRoom* room, Census* out);

#endif
