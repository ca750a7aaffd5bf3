// From samples to what may be said: the ratios to the baseline of every cell, corrected for how many there are.
#ifndef HAKSTRESS_COMPARE_VERDICTS_H
#define HAKSTRESS_COMPARE_VERDICTS_H

#include "compare/comparison.h"

// Fills in the verdicts of all cells but the baseline's. A cell with failed runs makes no claim: the runs that survived are no fair choice.
void verdicts_make(struct comparison* comparison);

// After verdicts_make: are the intervals of this row's speeds all as narrow as was asked for, and is none of them a difference but for
// its probability, which more rounds would make smaller? Whatever decides, the probabilities are corrected for the looks taken.
bool verdicts_are_settled(const struct comparison* comparison, const struct row* row);

// Over all rows where both have samples; pairs is the number of rows.
struct estimate verdicts_geometric_mean(const struct comparison* comparison, size_t subject, enum metric metric);

#endif
