#include "observe/fatal.h"

#include "base/text.h"
#include "observe/ring.h"

#include <stdlib.h>

void fatal(const char* check, const char* site, const char* format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    text_vformat(text, sizeof text, format, args);
    va_end(args);
    char line[640];
    text_format(line, sizeof line, "hakmem: check=%s site=%s %s\n", check, site, text);
    ring_record(HAK_EVENT_violation, NULL, 0, 0);
    hak_ring_last_words(line);
    text_warn("%s", line);
    abort();
}
