// From samples to claims: the ratios of every cell to the baseline, corrected for their number.
#ifndef HAKSTRESS_COMPARE_VERDICTS_H
#define HAKSTRESS_COMPARE_VERDICTS_H

#include "compare/comparison.h"

// Fills in the verdicts of all cells except the baseline's. A cell with failed runs makes no claim, because the runs
// that survived are not a fair selection.
void verdicts_make(struct comparison* comparison);

// After verdicts_make: are the intervals of this row's speeds all as narrow as requested, and does none of them lack
// only the probability for a claim, which more rounds would give? Whatever decides, the probabilities are corrected for
// the interim looks taken.
bool verdicts_are_settled(const struct comparison* comparison, const struct row* row);

// Over all rows in which both have samples; pairs is the number of rows.
struct estimate verdicts_geometric_mean(const struct comparison* comparison, size_t subject, enum metric metric);

#endif
