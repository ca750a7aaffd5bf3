// The table of a sweep: one line for each value, one column for each allocator, from the JSON document of a comparison.
// Thread-safety: none. Errors: those of the stream.
#ifndef HAKSTRESS_COMPARE_SWEEP_TABLE_H
#define HAKSTRESS_COMPARE_SWEEP_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// One table for each workload that was swept; nothing if none was.
void sweep_table_print(FILE* out, const json_t* document, bool markdown);

#endif
