// Hints about words on the command line that compare does not have: a workload's parameters as options, or a command
// without its --.
// Thread-safety: none. Errors: none.
#ifndef HAKSTRESS_COMPARE_HINTS_H
#define HAKSTRESS_COMPARE_HINTS_H

#include "args/args.h"

// Implements the hint of struct command.
bool hint_for_option(const struct args* args, const char* typed, const char* next);

// Prints that there is no such workload, and returns STATUS_USAGE.
int hint_for_workload(const char* name);

#endif
