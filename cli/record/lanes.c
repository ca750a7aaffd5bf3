#include "record/lanes.h"

#include <stdlib.h>

static int by_first(const void* a, const void* b) {
    const struct span *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

uint32_t lanes_choose(struct span* spans, uint32_t count) {
    uint32_t lanes = 0;
    size_t* ends = calloc(count, sizeof *ends);  // last event of the latest thread in each lane
    if (ends == NULL) return 0;
    qsort(spans, count, sizeof *spans, by_first);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lane = 0;
        while (lane < lanes && ends[lane] > spans[i].first) lane++;
        if (lane == lanes) lanes++;
        ends[lane] = spans[i].last;
        spans[i].lane = lane;
    }
    free(ends);
    return lanes;
}
