// HAKMEM_* variables that change nothing in a run, because what they change is switched off.
#ifndef HAKSTRESS_IDLE_VARIABLES_H
#define HAKSTRESS_IDLE_VARIABLES_H

#include <stdbool.h>
#include <stdio.h>

// What is in force.
struct modes_in_force {
    bool guard;
    const char* pages;  // "end", "start"; NULL: no pages of their own
};

// One line for each.
void idle_variables_print(const struct modes_in_force* modes, FILE* out);

#endif
