// One line on stderr that is redrawn again and again: only on a terminal, not in a pipe.
#ifndef HAKSTRESS_PROGRESS_BAR_H
#define HAKSTRESS_PROGRESS_BAR_H

#include <stdbool.h>

bool progress_bar_wanted(bool quiet);
void progress_bar_draw(const char* title, double done, double whole, double ops_per_second);
// For work whose amount is known: runs done of all runs, and the time left.
void progress_bar_left(const char* title, double done, double whole, double seconds_left);
void progress_bar_clear(void);

#endif
