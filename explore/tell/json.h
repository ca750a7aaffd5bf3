// The story as a JSON document.
// Thread-safety: none needed.
// Errors: NULL, or false: no memory, or something could not be written.
#ifndef EXPLORE_TELL_JSON_H
#define EXPLORE_TELL_JSON_H

#include "tell/story.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// The caller calls json_decref().
json_t* story_document(const Story* story);
bool story_json(const Story* story, FILE* out);

#endif
