// The allocators that take part: those found on this machine, those added on the command line, and what is known about
// each.
// Thread-safety: none. Errors: an exit status other than 0 after a message.
#ifndef HAKSTRESS_COMPARE_SUBJECTS_H
#define HAKSTRESS_COMPARE_SUBJECTS_H

#include "args/args.h"
#include "compare/comparison.h"

// Fills in subjects and baseline from --allocator, --allocators and --baseline.
int subjects_take(const struct args* args, struct comparison* comparison);
void subjects_free(struct comparison* comparison);

#endif
