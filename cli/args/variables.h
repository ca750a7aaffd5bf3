// The HAKMEM_* variables that the tool and the programs it starts get. The library warns of a wrong one and goes on;
// hakstress refuses it.
// Thread-safety: none needed. Errors: one line on stderr.
#ifndef HAKSTRESS_VARIABLES_H
#define HAKSTRESS_VARIABLES_H

#include <stdbool.h>

// `where` says where the setting is, as "FILE:LINE: "; "" means the environment. False after a message.
bool variable_check(const char* where, const char* name, const char* value);
// Checks the whole environment.
bool variables_check(void);

#endif
