// An access that stopped at a closed page which is open when the handler looks: another thread has put a new block
// there since. Doing it again is what would have happened a moment later.
//
//   open, or in change ──── again ──> it goes through, or stops at a page that has been closed again
//     `-- the same block was there at the last try ──> the page was open all the time: the program itself has
//     |                                                protected it, or executes data. The fault is the program's own.
//     `-- RETRIES times in a row ──> told all the same, so it does not go on for ever
//
// Thread-safety: any thread, and signal handlers. A thread remembers its last try. That it did not come back from there
// does no harm: a later fault at the same place in the same block is the program's own, too.
// Errors: none.
#ifndef HAK_SAMPLE_RETRY_H
#define HAK_SAMPLE_RETRY_H

#include "base/compiler.h"

enum { RETRIES = 16 };

typedef enum { RETRY_AGAIN, RETRY_OVER, RETRY_FOREIGN } RetryAdvice;

// generation: of the block that the open page belongs to; 0: it is not known.
RetryAdvice retry_advice(uintptr_t pc, const void* address, uint64_t generation);

#endif
