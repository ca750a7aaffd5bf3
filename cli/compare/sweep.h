// --sweep NAME=VALUES: one parameter takes several values, each of which makes a row of its own.
// Thread-safety: none. Errors: STATUS_USAGE or STATUS_MISSING after a message.
#ifndef HAKSTRESS_COMPARE_SWEEP_H
#define HAKSTRESS_COMPARE_SWEEP_H

#include "args/args.h"
#include "compare/comparison.h"

// Reads the option into comparison->sweep, whose count stays 0 if it is not given.
int sweep_take(const struct args* args, struct comparison* comparison);
void sweep_free(struct comparison* comparison);

// Whether a setting "PARAMETER=..." is of the swept parameter.
bool sweep_is_of(const struct sweep* sweep, const char* setting);

// Makes the rows of the command, in which each {NAME} stands for a value.
int sweep_command(struct comparison* comparison);

#endif
