// hakmem.conf: options for programs whose environment nobody sets. conf_line.h says what stands in it.
// Thread-safety: none; the caller holds the lock of the options. The buffers are static, because a thread's stack may
// be small.
// Errors: below.
#ifndef HAK_CONFIG_CONF_H
#define HAK_CONFIG_CONF_H

#include "config/conf_line.h"

enum { CONF_LINE_BYTES = 512 };  // longer lines are wrong

typedef struct {
    int error;          // 0, or an errno number: the file could not be opened
    bool is_regular;    // others have no lines
    bool is_protected;  // root owns it, and nobody else may write it
} ConfFile;

// Calls `step` for each line of the file. If `only_protected`, a file that is not protected has none.
ConfFile conf_each(const char* path, bool only_protected,
                   void (*step)(void* context, unsigned number, const ConfLine* line), void* context);

// Sets what the file says for this program. If several lines set an option, the last one counts. Privileged programs
// take it only from a protected file, and take no option that has them write files. The first wrong line is told in one
// line on stderr. A file that cannot be opened is told only if it is `wanted`.
void conf_take(const char* path, bool wanted);

#endif
