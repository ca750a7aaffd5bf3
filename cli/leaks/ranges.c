#include "leaks/ranges.h"

#include "base/array.h"

#include <stdlib.h>

void ranges_add(struct ranges* ranges, uint64_t from, uint64_t end) {
    if (from >= end) return;
    struct range* more = array_room(ranges->range, ranges->count, &ranges->room, 64, sizeof *more);
    ranges->failed = ranges->failed || more == NULL;
    if (more == NULL) return;
    ranges->range = more;
    ranges->range[ranges->count++] = (struct range){from, end};
}

static int by_start(const void* a, const void* b) {
    const struct range *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

// Sorts them, and joins those that overlap.
void ranges_sort(struct ranges* ranges) {
    size_t count = 0;
    if (ranges->count > 0) qsort(ranges->range, ranges->count, sizeof *ranges->range, by_start);
    for (size_t i = 0; i < ranges->count; i++) {
        struct range* last = count > 0 ? &ranges->range[count - 1] : NULL;
        if (last == NULL || ranges->range[i].from > last->end)
            ranges->range[count++] = ranges->range[i];
        else if (ranges->range[i].end > last->end)
            last->end = ranges->range[i].end;
    }
    ranges->count = count;
}

void ranges_free(struct ranges* ranges) {
    free(ranges->range);
    *ranges = (struct ranges){.count = 0};
}

// The first range that ends behind the address.
static size_t first_behind(const struct ranges* ranges, uint64_t address) {
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->range[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ranges_each_gap(const struct ranges* ranges, uint64_t from, uint64_t end,
                     void (*gap)(void* context, uint64_t from, uint64_t end), void* context) {
    for (size_t i = first_behind(ranges, from); from < end; i++) {
        uint64_t stop = i < ranges->count && ranges->range[i].from < end ? ranges->range[i].from : end;
        if (stop > from) gap(context, from, stop);
        from = i < ranges->count ? ranges->range[i].end : end;
    }
}
