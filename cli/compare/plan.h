// What has to be done: rows, rounds, and how long a run lasts.
// Thread-safety: none. Errors: an exit status other than 0 after a message.
#ifndef HAKSTRESS_COMPARE_PLAN_H
#define HAKSTRESS_COMPARE_PLAN_H

#include "args/args.h"
#include "compare/comparison.h"

// Fills in everything that options and operands say, except the allocators, which are there already.
int plan_take(const struct args* args, struct comparison* comparison);
void plan_free(struct comparison* comparison);

// The greatest number of runs, warm-ups and extra runs included.
double plan_runs(const struct comparison* comparison);

// The processors for a row's runs if pinned: as many as it has threads.
void plan_processors(struct row* row);

// Rows of the table of ratios, which the correction takes into account.
size_t plan_ratios(const struct comparison* comparison);

#endif
