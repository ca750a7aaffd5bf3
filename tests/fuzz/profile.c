// A profile: its lines, and the values of the variables in it.
#include "args/profile.h"

#include "args/variables.h"

#include "fuzz/fuzz.h"

#include <string.h>

static bool setting(void* settings, const char* key, const char* value, const char* where) {
    EXPECT(strlen(key) > 0 && strlen(where) > 0);
    ++*(unsigned*)settings;
    return strncmp(key, "HAKMEM_", 7) != 0 || variable_check(where, key, value);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    unsigned settings = 0;
    int status = profile_read(fuzz_file(data, size), setting, &settings);
    EXPECT(status == 0 || status == 2);
    EXPECT(settings <= size / 2);
    return 0;
}
