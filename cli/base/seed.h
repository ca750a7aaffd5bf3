// A seed for a run that was given none. It is short, because people type it to repeat the run.
// Thread-safety: any thread. Errors: none.
#ifndef HAKSTRESS_SEED_H
#define HAKSTRESS_SEED_H

#include <stdint.h>

uint32_t fresh_seed(void);

#endif
