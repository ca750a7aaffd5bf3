// The text of /proc/PID/maps, as it was copied at a crash: cut, or overwritten. What is found is a mapping with that
// address.
#include "process/procmaps.h"

#include "fuzz/fuzz.h"

#include <string.h>

static void look_up(const struct procmaps* maps, uint64_t address) {
    const struct mapping* found = procmaps_find(maps, address);
    EXPECT(found == NULL || (found->start <= address && address < found->end));
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    struct procmaps maps;
    procmaps_parse(&maps, (const char*)data, size);
    for (size_t i = 0; i < maps.count; i++) {
        EXPECT(strnlen(maps.mappings[i].path, sizeof maps.mappings[i].path) < sizeof maps.mappings[i].path);
        look_up(&maps, maps.mappings[i].start);
        look_up(&maps, maps.mappings[i].end - 1);
    }
    look_up(&maps, 0);
    look_up(&maps, UINT64_MAX);
    procmaps_free(&maps);
    return 0;
}
