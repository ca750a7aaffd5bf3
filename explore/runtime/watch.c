#include "runtime/watch.h"

#include "runtime/memory.h"

uint64_t watch_first, watch_end;

void watch(const volatile void* p, unsigned bytes) {
    watch_first = memory_offset(p);
    watch_end = watch_first == NOT_TRACKED ? watch_first : watch_first + bytes;
    if (watch_first == watch_end) return;
    for (uint64_t line = watch_first >> LINE_SHIFT; line <= (watch_end - 1) >> LINE_SHIFT; line++)
        memory_lines[line] |= LINE_IS_EXACT | LINE_IS_WRITTEN;
}
