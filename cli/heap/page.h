// The page of a heap profile: one HTML file with everything in it, which needs no network.
// Thread-safety: none (umask). Errors: false with errno, or errno 0 where there is no JSON for it.
#ifndef HAKSTRESS_HEAP_PAGE_H
#define HAKSTRESS_HEAP_PAGE_H

#include "heap/profile.h"

#include <jansson.h>

// The document of the page, also for --json.
json_t* heap_document(const struct heap_profile* profile, const char* title);
bool heap_page_save(const char* path, const json_t* document);

#endif
