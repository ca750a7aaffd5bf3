// Statistics for people and programs: gauges (what is in use now) and counters (what has happened), as text, JSON, XML.
// Thread-safety: all functions, from any thread; the figures of other threads may be a moment old. None calls malloc,
// except that hak_stats_xml writes to a stream, which may.
// Errors: text that cannot be written is lost; so is a report that is asked for while another one is being written.
#ifndef HAK_API_STATS_H
#define HAK_API_STATS_H

#include "base/libc.h"
#include "base/output.h"
#include "count/counters.h"

#include <hakmem/hakmem.h>
#include <malloc.h>
#include <stdio.h>

// Where the figures come from (gauges.c). hak_gauges sets everything except `size` and `version`.
void hak_gauges(hak_stats_t* out);
void hak_counters_sum(uint64_t out[HAK_COUNTER_COUNT]);

// malloc_stats, malloc_info and mallinfo2.
void hak_stats_text(Output to);
int hak_stats_xml(FILE* stream);
#if LIBC_HAS_MALLINFO
struct mallinfo2 hak_mallinfo2(void);
#endif

// HAKMEM_STATS and its like: writes statistics when the process exits, on signals, and now and then. Call it once, at
// load, after the options were read. It opens the file now.
void hak_stats_at_exit(void);
// When options have changed.
void hak_stats_follow_options(void);
// Whether HAKMEM_STATS_INTERVAL says that a report is due; if so, writes it. No handler, which may have interrupted
// anything, calls the latter.
bool hak_stats_are_due(void);
void hak_stats_if_due(void);
// Whether the process ever allocated. One that did not has nothing to report, such as the supervisor of hakstress.
bool hak_stats_was_used(void);
// Writes the statistics as text, or as one line of JSON, with one system call: so lines of several processes in one
// file stay whole. Whoever has the turn calls it (stats_turn.h). calm: no handler, which may have interrupted anything;
// otherwise no lock is taken, and the gauges lack blocks that are sampled or have pages of their own.
void hak_stats_report(Output to, bool json, bool calm);
enum { STATS_NONE, STATS_TEXT, STATS_JSON };  // HAKMEM_STATS

#endif
