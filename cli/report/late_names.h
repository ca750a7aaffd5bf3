// Names of functions and lines for a saved crash report. Where they were not known, the report has the build id of the
// module and the address there: {"build_id", "address", "is_call"} in the place of code (code_place.h).
// Thread-safety: none. Errors: what is not known stays so.
#ifndef HAKSTRESS_LATE_NAMES_H
#define HAKSTRESS_LATE_NAMES_H

#include "binary/module_file.h"

#include <jansson.h>

void late_names_find(json_t* report, const struct module_search* search);

// Adds to the evidence which module of the stack, the innermost frame first, lacks its names, if one does.
void late_names_note(json_t* evidence, const json_t* frames);

#endif
