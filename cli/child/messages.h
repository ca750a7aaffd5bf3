// The child's stderr: it is passed on, and its end is kept for the report.
#ifndef HAKSTRESS_MESSAGES_H
#define HAKSTRESS_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

enum { MESSAGES_KEPT = 16 << 10 };

struct messages {
    int pipe;  // -1: closed
    size_t length;
    char text[MESSAGES_KEPT + 1];
};

// Reads what is available, writes it to stderr, and keeps the end. The pipe does not block.
void messages_read(struct messages* messages);

// The last line that names a failed check: `... check=NAME site=SITE ...`, or the ownership assertion.
struct check_message {
    char check[64];
    char site[64];
    char line[1024];
};
bool messages_find_check(const char* text, struct check_message* out);

#endif
