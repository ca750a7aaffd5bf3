// What cmocka needs before its header. The checked core's headers see HAK_CHECKED=1.
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// last: it needs the four above
#include <cmocka.h>

#endif
