// The end of a program's stderr, in which the line of the check that failed is looked for.
#include "child/messages.h"

#include "fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    struct check_message found;
    char* text = fuzz_text(data, size);
    if (messages_find_check(text, &found)) EXPECT(strlen(found.check) > 0 || strstr(text, "check=") != NULL);
    free(text);
    return 0;
}
