#include "workload/table.h"

#include "base/nearest.h"
#include "workload/trace.h"

#include <stdio.h>
#include <string.h>

extern const struct workload workload_larson_sized;
extern const struct workload workload_pair;
extern const struct workload workload_batch;
extern const struct workload workload_batch_lifo;
extern const struct workload workload_batch_random;
extern const struct workload workload_prodcons;
extern const struct workload workload_xmalloc;
extern const struct workload workload_rptest;
extern const struct workload workload_mstress;
extern const struct workload workload_churn;
extern const struct workload workload_mid;
extern const struct workload workload_big;
extern const struct workload workload_growth;
extern const struct workload workload_calloc;
extern const struct workload workload_fragment;
extern const struct workload workload_alloctest;
extern const struct workload workload_cache_scratch;
extern const struct workload workload_cache_thrash;
extern const struct workload workload_idle_owner;
extern const struct workload workload_trivial;

const struct workload* const workloads[] = {
    &workload_larson,       &workload_larson_sized,
    &workload_pair,         &workload_batch,
    &workload_batch_lifo,   &workload_batch_random,
    &workload_prodcons,     &workload_xmalloc,
    &workload_rptest,       &workload_mstress,
    &workload_alloctest,    &workload_cache_scratch,
    &workload_cache_thrash, &workload_churn,
    &workload_mid,          &workload_big,
    &workload_growth,       &workload_calloc,
    &workload_fragment,     &workload_idle_owner,
    &workload_trivial,      NULL,
};

const struct workload* workload_find(const char* name) {
    for (const struct workload* const* w = workloads; *w != NULL; w++)
        if (strcmp((*w)->name, name) == 0) return *w;
    return trace_workload(name);
}

void workload_nearest(const char* typed, char* out, size_t size) {
    struct nearest nearest = {.typed = typed};
    for (const struct workload* const* w = workloads; *w != NULL; w++) nearest_offer(&nearest, (*w)->name);
    snprintf(out, size, "%s", nearest.best);
}

void workload_standard_params(const struct workload* workload, uint64_t values[WORKLOAD_PARAMS_MAX]) {
    for (size_t i = 0; workload->params[i].name != NULL; i++) values[i] = workload->params[i].standard;
}

int workload_param_index(const struct workload* workload, const char* name) {
    for (int i = 0; workload->params[i].name != NULL; i++)
        if (strcmp(workload->params[i].name, name) == 0) return i;
    return -1;
}

const char* workload_conflict(const struct workload* workload, const uint64_t* values) {
    if (workload->check != NULL) return workload->check(workload);
    int min = workload_param_index(workload, "min");
    int max = workload_param_index(workload, "max");
    if (min >= 0 && max >= 0 && values[min] > values[max])
        return "min is greater than max; give a smaller min or a larger max";
    return NULL;
}
