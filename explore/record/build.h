// The build that schedules belong to: a hash of the sources, the compiler and its flags, not of the program's bytes.
// scripts/source_hash.py writes it.
// Thread-safety: a constant. Errors: none.
#ifndef EXPLORE_RECORD_BUILD_H
#define EXPLORE_RECORD_BUILD_H

extern const char explored_build[];

#endif
