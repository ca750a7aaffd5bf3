#include "tell/page.h"

#include "tell/page_template.h"

// Inside a script element '<' could end the element or begin a comment. In JSON these characters occur only in strings,
// where they can be escaped. Characters beyond ASCII are escaped by jansson.
static int write_escaped(const char* text, size_t size, void* out) {
    FILE* file = out;
    for (size_t i = 0; i < size; i++) {
        bool special = text[i] == '<' || text[i] == '>' || text[i] == '&';
        int written = special ? fprintf(file, "\\u%04x", (unsigned)text[i]) : putc(text[i], file);
        if (written < 0) return -1;
    }
    return 0;
}

bool page_write(const json_t* document, FILE* out) {
    return fwrite(page_before, 1, page_before_size, out) == page_before_size &&
           json_dump_callback(document, write_escaped, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
           fwrite(page_after, 1, page_after_size, out) == page_after_size;
}
