// Where the options come from: hakmem.conf, then the environment, which wins, then hak_option_set().
// Thread-safety: all functions; see options.h for who may set what.
// Errors: a bad value or name is told once on stderr, and changes nothing.
#ifndef HAK_CONFIG_SOURCES_H
#define HAK_CONFIG_SOURCES_H

#include "base/lock.h"
#include "config/options.h"

// No warnings, and no hakmem.conf. A program that reads the environment itself (hakstress) sets this before any
// constructor runs.
extern HAK_INTERNAL bool hak_options_silent;

// Called after hak_option_set has changed an option. NULL: nobody.
extern HAK_INTERNAL void (*_Atomic hak_option_changed)(void);

// Reads hakmem.conf and HAKMEM_* of the environment, if possible before the first allocation; later calls return at
// once. Set-user-id programs ignore the environment. Uses no malloc and no stdio. Does nothing while the C library has
// not set up `environ`.
void hak_options_init(void);
// Applies `step` to the lock of the options, around a fork.
void hak_options_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// From now on, setting a fixed option fails with EBUSY.
void hak_options_freeze(void);

#endif
