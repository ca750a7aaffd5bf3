// A crash report in two files beside each other: text for people, JSON for `hakstress report` and programs.
#ifndef HAKSTRESS_CRASH_SAVE_H
#define HAKSTRESS_CRASH_SAVE_H

#include "args/args.h"

#include <jansson.h>

// Report `number` of this run, from 1. `path` becomes the path of the text, or "" after a message.
bool crash_report_save(const struct args* args, unsigned number, const json_t* report, char* path, size_t size);

#endif
