// Statistics for people and programs: gauges (what is in use now) and counters (what has happened), as text, JSON, XML.
// Thread-safety: all functions, from any thread; the figures of other threads may be a moment old. None calls malloc,
// except that hak_stats_xml writes to a stream, which may.
// Errors: text that cannot be written is lost; so is a report that is asked for while another one is being written.
#ifndef HAK_API_STATS_H
#define HAK_API_STATS_H

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
struct mallinfo2 hak_mallinfo2(void);

// HAKMEM_STATS: writes statistics when the process exits. Call it once, at load, after the options were read. It opens
// the file now.
void hak_stats_at_exit(void);
// Writes the statistics as one line of JSON, with one system call: so lines of several processes in one file stay
// whole.
void hak_stats_json_line(Output to);

#endif
