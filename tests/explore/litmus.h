#ifndef TESTS_EXPLORE_LITMUS_H
#define TESTS_EXPLORE_LITMUS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char* name;
    void (*thread[3])(void);
    uint32_t outcome[2];  // of results 0 and 1, plus 1; 0: not stored
    bool allowed;         // some schedule has that outcome
    const char* check;    // of the fault that some schedule has; NULL
} Litmus;

extern const Litmus litmus[];  // ended by a NULL name
uint32_t litmus_result(unsigned i);
extern uint8_t litmus_bytes[8];  // not static, or the compiler would leave out writes that nobody reads

#endif
