// The HAKMEM_* variables that the tool and the programs it starts are given: the library warns of a wrong one and goes on, hakstress
// refuses it.
// Thread-safety: none needed. Errors: one line on stderr.
#ifndef HAKSTRESS_VARIABLES_H
#define HAKSTRESS_VARIABLES_H

#include <stdbool.h>

// `where` names the place of the setting, as "FILE:LINE: "; "": the environment. False after a message.
bool variable_check(const char* where, const char* name, const char* value);
// All of the environment.
bool variables_check(void);

#endif
