// The options in force: one table (options.def). Read once from the environment, before the first allocation where that is
// possible; later changes go through hak_option_set().
// Thread-safety: options marked fixed never change after the first allocation; the others are relaxed atomics, any thread may
// set them; text is to be set by one thread at a time. Errors: bad values warn once on stderr and keep the default.
#ifndef HAK_CONFIG_OPTIONS_H
#define HAK_CONFIG_OPTIONS_H

#include "base/lock.h"

#define HAK_OPTION_TEXT_MAX 256

typedef struct {
#define OPTION_INT(field, NAME, def, min, max, flags, help) _Atomic int64_t field;
#define OPTION_ENUM(field, NAME, def, words, flags, help) _Atomic int64_t field;
#define OPTION_TEXT(field, NAME, def, flags, help) char field[HAK_OPTION_TEXT_MAX];
#define OPTION_SET(field, NAME, count, flags, help) _Atomic int64_t field;  // bit i: i + 1 is in
#include "config/options.def"
#undef OPTION_INT
#undef OPTION_ENUM
#undef OPTION_TEXT
#undef OPTION_SET
} HakOptions;

extern HAK_INTERNAL HakOptions hak_options;  // statically initialised with the defaults

#define hak_option(field) load_relaxed(&hak_options.field)

// Set before any constructor runs, by a program that looks at the environment itself (hakstress): no warnings.
extern HAK_INTERNAL bool hak_options_silent;

// Reads HAKMEM_* from the environment, once; later calls return at once. Ignores everything in set-user-id programs. Uses no
// malloc and no stdio. Does nothing yet when the C library has not set up `environ`.
void hak_options_init(void);
// Around a fork: the lock of the options.
void hak_options_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// After this, fixed options answer EBUSY.
void hak_options_freeze(void);

// What the table says of an option, for help, lists and documentation.
typedef enum { HAK_OPTION_INT, HAK_OPTION_ENUM, HAK_OPTION_TEXT, HAK_OPTION_SET } HakOptionKind;

typedef struct {
    const char* name;  // of the environment variable, whole
    HakOptionKind kind;
    bool fixed;             // cannot change once the first block was handed out
    bool checked_only;      // does something in the checked build only
    int64_t default_value;  // of an ENUM: index of the word; of a SET: all bits
    int64_t min;
    int64_t max;               // of a SET: its count
    const char* words;         // of an ENUM: "word|word|..."
    const char* default_text;  // of a TEXT
    const char* help;
    size_t offset;  // of the field in HakOptions
} HakOptionInfo;

const HakOptionInfo* hak_option_info(unsigned index);  // NULL: there is no such index
// The default, in the form that hak_option_set takes, and the values allowed, for people. Both return the length of the whole
// text, as snprintf does.
size_t hak_option_default(const HakOptionInfo* info, char* buffer, size_t size);
size_t hak_option_allowed(const HakOptionInfo* info, char* buffer, size_t size);
// Whether hak_option_set would take the value.
bool hak_option_accepts(const HakOptionInfo* info, const char* value);

#endif
