// The story of a fault in steps, in order of time.
// Thread-safety: none needed. Errors: what no record shows is listed as unknown.
#ifndef HAKSTRESS_STORY_STEPS_H
#define HAKSTRESS_STORY_STEPS_H

#include "report/story.h"

// {"summary", "steps": [{"time", "text"}], "unknown": [TEXT], "slab", "change", "site", "drained_by", "owner", ...}
json_t* story_tell(const struct story* story, const struct story_input* input);

#endif
