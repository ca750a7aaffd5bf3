// Profiles: files NAME.profile of KEY=VALUE lines. A key is a HAKMEM_* variable or the name of a hakstress option.
// Lines that start with # are comments, and the first line is one that says what the profile is for.
// Thread-safety: none. Errors: a line on stderr.
#ifndef HAKSTRESS_PROFILE_H
#define HAKSTRESS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

// Called for each setting; false ends the reading.
typedef bool (*profile_setting)(void* context, const char* key, const char* value, const char* where);

// A name with a slash is a path; others are searched beside the program. Returns 0 or an exit status.
int profile_read(const char* name, profile_setting setting, void* context);

// Calls back for each profile found, with its name and first line.
typedef void (*profile_entry)(void* context, const char* name, const char* summary);
void profile_each(profile_entry entry, void* context);

#endif
