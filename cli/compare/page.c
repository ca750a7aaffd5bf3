#include "compare/page.h"

#include "base/error.h"
#include "base/save_file.h"
#include "compare/page_template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// Inside a script element '<' could end the element or begin a comment. In JSON these characters occur only in strings,
// where they can be escaped. Characters beyond ASCII, U+2028 among them, are escaped by jansson.
static int write_escaped(const char* text, size_t size, void* out) {
    FILE* file = out;
    for (size_t i = 0; i < size; i++) {
        bool special = text[i] == '<' || text[i] == '>' || text[i] == '&';
        int written = special ? fprintf(file, "\\u%04x", (unsigned)text[i]) : putc(text[i], file);
        if (written < 0) return -1;
    }
    return 0;
}

static bool write_page(FILE* file, const void* document) {
    errno = 0;  // a document that cannot be written as JSON sets none
    return fwrite(page_before, 1, page_before_size, file) == page_before_size &&
           json_dump_callback(document, write_escaped, file, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
           fwrite(page_after, 1, page_after_size, file) == page_after_size;
}

bool page_save(const char* path, const json_t* document) {
    if (save_file(path, write_page, document)) return true;
    missing_error("cannot write the page %s: %s", path,
                  errno != 0 ? strerror(errno) : "its document cannot be written as JSON");
    return false;
}
