// A page of one HTML file that needs no network: what is embedded in the program, around a JSON document that is known
// only at run time. scripts/embed_page.py makes such pages, each with the name that meson.build gives it.
// Thread-safety: reentrant.
#ifndef PAGE_EMBEDDED_PAGE_H
#define PAGE_EMBEDDED_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct embedded_page {
    const unsigned char* before;  // what stands before the document
    size_t before_size;           // bytes
    const unsigned char* after;
    size_t after_size;
};

// False: it could not be written. errno says why, or is 0 where the document cannot be written as JSON.
bool embedded_page_write(const struct embedded_page* page, const json_t* document, FILE* out);

#endif
