// Which library a user's command has loaded: its processes are watched, and their memory maps read when they end.
// This is weaker than what the workers show, who tell where their malloc is: a library that is mapped need not be the one in use.
#ifndef HAKSTRESS_COMPARE_PROOF_H
#define HAKSTRESS_COMPARE_PROOF_H

#include "compare/comparison.h"

struct proof {
    int error;                 // errno of its exec
    int status;                // as waitpid gives it
    unsigned loaded, without;  // processes that had the library mapped when they ended, and that had not
    char c_library[PATH_MAX];  // mapped in the command's own process; "": none, it is static
    // The file whose malloc came before the one wanted, "": none; and the program that has loaded it, which may be that file.
    char other[PATH_MAX], other_program[PATH_MAX];
};

// What is preloaded into a command: the allocator's library; for that of the C library the C library itself, since the command may be
// linked with another malloc. NULL: nothing, the C library is static.
const char* command_preload(const struct subject* subject);

// False: it was stopped, or took longer than comparison->timeout. Its stderr goes to `errors`.
bool proof_run(const struct comparison* comparison, const struct subject* subject, int errors, struct proof* proof);

#endif
