// The order of work: a warm-up of everything, A against A, rounds in random order, and extra runs for latency and
// memory over time.
// Thread-safety: none. Errors: an exit status other than 0; what was measured until then is in the comparison.
#ifndef HAKSTRESS_COMPARE_MEASURE_H
#define HAKSTRESS_COMPARE_MEASURE_H

#include "compare/comparison.h"

// STATUS_UNTRUSTED: the A/A run differs too much, and nothing else was measured.
int measure_all(struct comparison* comparison);

#endif
