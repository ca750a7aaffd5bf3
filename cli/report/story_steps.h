// The story of a fault, told in steps that follow each other in time.
// Thread-safety: none needed. Errors: what no record tells is listed as unknown.
#ifndef HAKSTRESS_STORY_STEPS_H
#define HAKSTRESS_STORY_STEPS_H

#include "report/story.h"

// {"summary", "steps": [{"time", "text"}], "unknown": [TEXT], "slab", "change", "site", "drained_by", "owner", ...}
json_t* story_tell(const struct story* story, const struct story_input* input);

#endif
