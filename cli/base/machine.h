// A description of this machine, for result files and doctor.
#ifndef HAKSTRESS_MACHINE_H
#define HAKSTRESS_MACHINE_H

#include <jansson.h>
#include <stddef.h>

// A new object: kernel, processor, processors, memory, C library, and the kernel settings that affect an allocator.
json_t* machine_describe(void);

// The first line of a small file without its newline; "" if it cannot be read.
void machine_read_line(const char* path, char* out, size_t size);

#endif
