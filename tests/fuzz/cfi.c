// Unwind tables, as a program or library may bring them: a distance (4 bytes) from the tables to a place in the code,
// then .eh_frame_hdr with .eh_frame behind it. Nothing outside of them is read, and a rule is the same each time.
#include "stack/cfi.h"

#include "fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    int32_t distance;
    if (size < sizeof distance) return 0;
    memcpy(&distance, data, sizeof distance);
    size -= sizeof distance;
    uint8_t* copy = malloc(size + (size == 0));  // sanitizers know its ends
    EXPECT(copy != NULL);
    if (size > 0) memcpy(copy, data + sizeof distance, size);
    CfiTables tables = {copy, copy, copy + size};
    uintptr_t place = (uintptr_t)copy + (uintptr_t)(intptr_t)distance;
    FrameRule rule = cfi_rule(&tables, place), again = cfi_rule(&tables, place);
    EXPECT(memcmp(&rule, &again, sizeof rule) == 0);
    EXPECT(rule.kind >= RULE_CALL || rule.cfa_offset == 0);
    free(copy);
    return 0;
}
