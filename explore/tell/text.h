// The story as text: a table with a column for each thread, and one for the slabs' words after each step.
// Thread-safety: none needed.
// Errors: false: something could not be written.
#ifndef EXPLORE_TELL_TEXT_H
#define EXPLORE_TELL_TEXT_H

#include "tell/story.h"

#include <stdbool.h>
#include <stdio.h>

bool story_text(const Story* story, FILE* out);

#endif
