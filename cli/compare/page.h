// The page of a comparison: one HTML file with everything in it, to be read without a network.
// Thread-safety: none (umask). Errors: a line on stderr and false; a file that was there before is then unchanged.
#ifndef HAKSTRESS_COMPARE_PAGE_H
#define HAKSTRESS_COMPARE_PAGE_H

#include <jansson.h>
#include <stdbool.h>

bool page_save(const char* path, const json_t* document);  // False after a message

#endif
