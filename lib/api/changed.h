// What follows when options are changed while the process runs.
// Thread-safety: once, at load. Errors: none.
#ifndef HAK_API_CHANGED_H
#define HAK_API_CHANGED_H

// From now on a change of an option (config/options.h) has its effect at once.
void changes_begin(void);

#endif
