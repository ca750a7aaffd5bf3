// Names the frames of a profile: functions and source lines, from the modules' files or their debug packages.
// Thread-safety: none. Errors: what is not known is MODULE+OFFSET. A file that is another build now is not read.
#ifndef HAKSTRESS_HEAP_SYMBOLS_H
#define HAKSTRESS_HEAP_SYMBOLS_H

#include "heap/profile.h"

struct args;

// leaks/wrappers.h knows who only passes a size on; functions given as --wrapper PATTERN do so, too. What cannot
// be read is told on stderr.
void heap_name_frames(struct heap_profile* profile, const struct args* args);
// The first frame of the stack that does not only pass a size on; if all do, the innermost one that is not
// of the C or C++ library.
size_t heap_first_own(const struct heap_profile* profile, const struct heap_stack* stack);

#endif
