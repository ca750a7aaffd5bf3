// Finds out which library a user's command loaded: its processes are watched, and their memory maps are read when they
// end. This is weaker than the proof of a worker, which reports the address of its malloc: a library that is mapped
// need not be the one in use.
#ifndef HAKSTRESS_COMPARE_PROOF_H
#define HAKSTRESS_COMPARE_PROOF_H

#include "compare/comparison.h"

struct proof {
    int error;                 // errno of its exec
    int status;                // as waitpid gives it
    unsigned loaded, without;  // how many processes had the library mapped when they ended, and how many had not
    char c_library[PATH_MAX];  // mapped in the command's own process; "": none, it is static
    // The file whose malloc came before the wanted one, "": none; and the program that loaded it, which may be that
    // file.
    char other[PATH_MAX], other_program[PATH_MAX];
};

// What is preloaded into a command: the library of the allocator. For glibc it is the C library itself, because the
// command may be linked with another malloc. NULL: nothing, the C library is static.
const char* command_preload(const struct subject* subject);

// False: it was stopped, or took longer than comparison->timeout. Its stderr goes to `errors`.
bool proof_run(const struct comparison* comparison, const struct row* row, const struct subject* subject, int errors,
               struct proof* proof);

#endif
