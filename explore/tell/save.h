// Saves a story into the files that are asked for.
// Thread-safety: none needed.
// Errors: a message for each file that cannot be written.
#ifndef EXPLORE_TELL_SAVE_H
#define EXPLORE_TELL_SAVE_H

#include "tell/story.h"

typedef struct {
    const char *text, *json, *html;  // paths; NULL: not wanted
} StoryFiles;

bool story_is_wanted(const StoryFiles* files);
void story_save(const Story* story, const StoryFiles* files);

#endif
