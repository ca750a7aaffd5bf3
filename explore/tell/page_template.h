// The page as it is stored in the program: the part before the JSON document, and the part after it. Made by
// scripts/embed_page.py.
#ifndef EXPLORE_TELL_PAGE_TEMPLATE_H
#define EXPLORE_TELL_PAGE_TEMPLATE_H

#include <stddef.h>

extern const unsigned char page_before[];
extern const size_t page_before_size;
extern const unsigned char page_after[];
extern const size_t page_after_size;

#endif
