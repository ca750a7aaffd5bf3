#include "profile/spare_runs.h"

_Atomic(void*) spare_runs[SPARE_LENGTHS][SPARE_PLACES];

bool spare_put(void* run, uint32_t pages) {
    for (unsigned i = 0; i < SPARE_PLACES && pages - 1 < SPARE_LENGTHS; i++) {
        void* none = NULL;
        _Atomic(void*)* place = &spare_runs[pages - 1][i];
        // pairs with the acquire in spare_take
        if (load_relaxed(place) == NULL && cas_release(place, &none, run)) return true;
    }
    return false;
}

void* spare_take(uint32_t pages) {
    for (unsigned i = 0; i < SPARE_PLACES && pages - 1 < SPARE_LENGTHS; i++) {
        _Atomic(void*)* place = &spare_runs[pages - 1][i];
        void* run = load_relaxed(place);
        if (run && cas_acquire(place, &run, NULL)) return run;  // pairs with the release in spare_put
    }
    return NULL;
}

bool spare_has(const void* run) {
    for (unsigned i = 0; i < SPARE_LENGTHS * SPARE_PLACES; i++)
        if (load_relaxed(&spare_runs[i / SPARE_PLACES][i % SPARE_PLACES]) == run) return true;
    return false;
}
