// A log of stderr, as `hakstress report` reads it: any text gives faults that can be printed.
#include "report/fault_log.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char* text = NULL;
    size_t length = 0;
    if (size == 0) return 0;
    FILE* log = fmemopen((void*)(uintptr_t)data, size, "r");
    EXPECT(log != NULL);
    json_t* faults = fault_log_read(log);
    EXPECT(fclose(log) == 0 && json_is_array(json_object_get(faults, "faults")));
    FILE* out = open_memstream(&text, &length);
    EXPECT(out != NULL);
    fault_log_print(faults, out);
    EXPECT(fclose(out) == 0 && (length > 0) == (json_array_size(json_object_get(faults, "faults")) > 0));
    free(text);
    json_decref(faults);
    return 0;
}
