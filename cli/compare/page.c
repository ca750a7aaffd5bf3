#include "compare/page.h"

#include "base/error.h"
#include "base/save_file.h"
#include "embedded_page.h"

#include <errno.h>
#include <string.h>

extern const struct embedded_page compare_page;  // made by scripts/embed_page.py

static bool write_page(FILE* file, const void* document) {
    return embedded_page_write(&compare_page, document, file);
}

bool page_save(const char* path, const json_t* document) {
    if (save_file(path, write_page, document)) return true;
    missing_error("cannot write the page %s: %s", path,
                  errno != 0 ? strerror(errno) : "its document cannot be written as JSON");
    return false;
}
