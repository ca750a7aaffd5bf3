// The story as a page: one file that needs no network.
// Thread-safety: none needed.
// Errors: false: it could not be written.
#ifndef EXPLORE_TELL_PAGE_H
#define EXPLORE_TELL_PAGE_H

#include "tell/story.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// From a document of story_document().
bool page_write(const json_t* document, FILE* out);

#endif
