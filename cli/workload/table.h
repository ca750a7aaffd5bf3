// All workloads, and their parameters by name. Nothing here allocates, because the worker must not.
#ifndef HAKSTRESS_WORKLOAD_TABLE_H
#define HAKSTRESS_WORKLOAD_TABLE_H

#include "workload/workload.h"

extern const struct workload* const workloads[];  // ended by NULL

const struct workload* workload_find(const char* name);  // NULL: there is none
// Writes the name that the user probably meant to `out`; "" if none is near.
void workload_nearest(const char* typed, char* out, size_t size);

void workload_standard_params(const struct workload* workload, uint64_t values[WORKLOAD_PARAMS_MAX]);
// The index of the parameter's value in the table; -1: the workload has none of that name.
int workload_param_index(const struct workload* workload, const char* name);
// NULL, or the reason why the values do not fit together.
const char* workload_conflict(const struct workload* workload, const uint64_t* values);

#endif
