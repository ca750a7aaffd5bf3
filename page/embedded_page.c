#include "embedded_page.h"

#include <errno.h>

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

bool embedded_page_write(const struct embedded_page* page, const json_t* document, FILE* out) {
    errno = 0;  // a document that cannot be written as JSON sets none
    return fwrite(page->before, 1, page->before_size, out) == page->before_size &&
           json_dump_callback(document, write_escaped, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
           fwrite(page->after, 1, page->after_size, out) == page->after_size;
}
