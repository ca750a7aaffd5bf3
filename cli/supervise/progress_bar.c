#include "supervise/progress_bar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 30 };

bool progress_bar_wanted(bool quiet) {
    const char* terminal = getenv("TERM");
    return !quiet && isatty(STDERR_FILENO) == 1 && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static void fill(char bar[WIDTH + 1], double done, double whole) {
    double part = whole > 0 ? done / whole : 1;
    int filled = (int)((part < 1 ? part : 1) * WIDTH);
    for (int i = 0; i < WIDTH; i++) bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = '\0';
}

void progress_bar_draw(const char* title, double done, double whole, double ops_per_second) {
    char bar[WIDTH + 1];
    fill(bar, done, whole);
    fprintf(stderr, "\r%s [%s] %.0f/%.0f s, %.2f M ops/s\033[K", title, bar, done, whole, ops_per_second / 1e6);
    fflush(stderr);
}

void progress_bar_left(const char* title, double done, double whole, double seconds_left) {
    char bar[WIDTH + 1];
    fill(bar, done, whole);
    unsigned left = seconds_left > 0 ? (unsigned)seconds_left : 0;
    fprintf(stderr, "\r[%s] %u:%02u left, %s\033[K", bar, left / 60, left % 60, title);
    fflush(stderr);
}

void progress_bar_clear(void) {
    fputs("\r\033[K", stderr);
    fflush(stderr);
}
