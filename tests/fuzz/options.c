// HAKMEM_* variables, a line each: NAME=VALUE. What is accepted can be read, and what is read is accepted and means
// the same.
#include "config/options.h"

#include <hakmem/hakmem.h>

#include "fuzz/fuzz.h"

#include <string.h>

static const HakOptionInfo* option(const char* name) {
    const HakOptionInfo* info = NULL;
    for (unsigned i = 0; (info = hak_option_info(i)) != NULL; i++)
        if (strcmp(info->name, name) == 0) break;
    return info;
}

static void set_and_get(const char* name, const char* value) {
    char first[HAK_OPTION_TEXT_MAX], again[HAK_OPTION_TEXT_MAX];
    const HakOptionInfo* info = option(name);
    bool accepted = info != NULL && hak_option_accepts(info, value);
    EXPECT((hak_option_set(name, value) == 0) == accepted);
    if (!accepted) return;
    EXPECT(hak_option_get(name, first, sizeof first) == 0);
    EXPECT(hak_option_set(name, first) == 0 && hak_option_get(name, again, sizeof again) == 0);
    EXPECT(strcmp(first, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char* text = fuzz_text(data, size);
    for (char* line = text; line != NULL;) {
        char* next = strchr(line, '\n');
        if (next != NULL) *next++ = '\0';
        char* equals = strchr(line, '=');
        if (equals != NULL) {
            *equals = '\0';
            set_and_get(line, equals + 1);
        }
        line = next;
    }
    free(text);
    return 0;
}
