// The page of a comparison: one HTML file with everything in it, which needs no network.
// Thread-safety: none (umask). Errors: a line on stderr and false; an older file is then unchanged.
#ifndef HAKSTRESS_COMPARE_PAGE_H
#define HAKSTRESS_COMPARE_PAGE_H

#include <jansson.h>
#include <stdbool.h>

bool page_save(const char* path, const json_t* document);  // False after a message

#endif
