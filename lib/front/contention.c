// hak_contention(): the names of what base/contend.h counts. In the counting build only.
#include "base/contend.h"
#include "count/counters.h"
#include "front/lock_table.h"
#include "superslab/heap.h"

#include <stdio.h>

// --- names

static bool is_within(uintptr_t at, const void* from, size_t bytes) {
    return at - (uintptr_t)from < bytes;
}

static const char* name_of(uintptr_t at) {
    const size_t slabs = load_relaxed(&hak_heap.slabs);
    for (uint32_t i = 0; i < hak_lock_table.count; i++)
        if (hak_lock_table.lock[i].address >> CONTEND_SHIFT == at >> CONTEND_SHIFT) return hak_lock_table.lock[i].name;
    if (is_within(at, hak_heap.owner, slabs * sizeof *hak_heap.owner)) return "owner words";
    if (is_within(at, hak_heap.remote, slabs * sizeof *hak_heap.remote)) return "remote word";
    if (is_within(at, &hak_counters_shared, sizeof hak_counters_shared)) return "shared counters";
    return "other";
}

// Prints a line for each lock that was taken, and one for each line that more than one thread wrote. Called by
// hakstress-worker at the end of a run, by its name.
__attribute__((visibility("default"))) void hak_contention(int fd);
void hak_contention(int fd) {
    lock_table_fill();
    for (size_t i = 0; i < CONTEND_ROOM; i++) {
        const ContendLine* line = &contend_lines[i];
        char name[32];
        snprintf(name, sizeof name, "%s", name_of(line->line << CONTEND_SHIFT));
        for (char* c = name; *c; c++)
            if (*c == ' ') *c = '-';
        if (line->taken)
            dprintf(fd, "lock %s taken=%lu held_ns=%lu\n", name, (unsigned long)line->taken,
                    (unsigned long)line->held_ns);
        // The writer that releases a lock has just taken it.
        uint64_t writes = line->taken ? line->taken : line->writes;
        if (line->writes != line->by_first) dprintf(fd, "line %s writes=%lu\n", name, (unsigned long)writes);
    }
}
