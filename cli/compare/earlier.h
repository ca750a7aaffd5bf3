// A comparison beside an earlier one of this machine: has an allocator lost against the baseline since then?
// What is compared are ratios to the baseline of the same round, so that a machine that is slower today does no harm.
// Thread-safety: none needed. Errors: earlier_load returns NULL after a message.
#ifndef HAKSTRESS_COMPARE_EARLIER_H
#define HAKSTRESS_COMPARE_EARLIER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// A name of --baseline that is a file and not an allocator.
bool earlier_is_file(const char* name);
json_t* earlier_load(const char* path);

// {"file", "started", "gate": share or null, "machine": [{"what", "then", "now"}], "rows": [{"workload", "allocator",
// "metric": "speed" or "rss_peak", "ratio", "low", "high", "loss"}], "losses", "left_out": [names]}. A ratio is that of
// now to that of then. A loss is beyond the gate with its whole interval. `gate` < 0: there is none.
json_t* earlier_compare(const json_t* now, const json_t* then, const char* path, double gate, uint64_t seed);

void earlier_print(const json_t* earlier, FILE* out);

#endif
