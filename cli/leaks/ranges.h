// A set of address ranges.
// Thread-safety: none needed. Errors: ranges_add() without memory sets `failed`.
#ifndef HAKSTRESS_RANGES_H
#define HAKSTRESS_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t from, end;
};

struct ranges {
    struct range* range;
    size_t count, room;
    bool failed;
};

void ranges_add(struct ranges* ranges, uint64_t from, uint64_t end);
void ranges_sort(struct ranges* ranges);  // call it before ranges_each_gap
void ranges_free(struct ranges* ranges);
// Calls gap() for each part of [from, end) that is in no range.
void ranges_each_gap(const struct ranges* ranges, uint64_t from, uint64_t end,
                     void (*gap)(void* context, uint64_t from, uint64_t end), void* context);

#endif
