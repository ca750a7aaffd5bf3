// One line on stderr that is drawn again and again: only on a terminal, nothing in a pipe.
#ifndef HAKSTRESS_PROGRESS_BAR_H
#define HAKSTRESS_PROGRESS_BAR_H

#include <stdbool.h>

bool progress_bar_wanted(bool quiet);
void progress_bar_draw(const char* title, double done, double whole, double ops_per_second);
void progress_bar_clear(void);

#endif
