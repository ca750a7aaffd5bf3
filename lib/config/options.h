// The options in force, from one table (options.def), and their values as text. sources.h says who sets them.
// Thread-safety: fixed options never change after the first allocation. The others are relaxed atomics, which any
// thread may set; only one thread at a time may set a text.
// Errors: a bad value is refused, and changes nothing.
#ifndef HAK_CONFIG_OPTIONS_H
#define HAK_CONFIG_OPTIONS_H

#include "base/atomic.h"

#define HAK_OPTION_TEXT_MAX 256
#define HAK_OPTION_PREFIX "HAKMEM_"

enum { HAK_OPTIONS_MOST = 64 };

typedef struct {
#define OPTION_INT(field, NAME, def, min, max, flags, help) _Atomic int64_t field;
#define OPTION_ENUM(field, NAME, def, words, flags, help) _Atomic int64_t field;
#define OPTION_TEXT(field, NAME, def, flags, help) char field[HAK_OPTION_TEXT_MAX];
#define OPTION_SET(field, NAME, count, flags, help) _Atomic int64_t field;  // bit i: member i + 1 is in
#include "config/options.def"
#undef OPTION_INT
#undef OPTION_ENUM
#undef OPTION_TEXT
#undef OPTION_SET
} HakOptions;

extern HAK_INTERNAL HakOptions hak_options;  // initialised statically with the defaults

#define hak_option(field) load_relaxed(&hak_options.field)

// What the table says of an option, for help, lists and documentation.
typedef enum { HAK_OPTION_INT, HAK_OPTION_ENUM, HAK_OPTION_TEXT, HAK_OPTION_SET } HakOptionKind;

typedef struct {
    const char* name;  // of the environment variable, in full
    HakOptionKind kind;
    bool fixed;             // cannot change after the first block was handed out
    bool checked_only;      // has an effect in the checked build only
    bool live;              // `hakstress set` changes it in a process that runs
    bool writes;            // has the process write files: privileged programs never take it from hakmem.conf
    int64_t default_value;  // of an ENUM: index of the word; of a SET: all bits
    int64_t min;
    int64_t max;               // of a SET: its count
    const char* words;         // of an ENUM: "word|word|..."
    const char* default_text;  // of a TEXT
    const char* help;
    size_t offset;  // of the field in HakOptions
} HakOptionInfo;

const HakOptionInfo* hak_option_info(unsigned index);                    // NULL: there is no such index; one array
const HakOptionInfo* hak_option_named(const char* name, size_t length);  // NULL: there is no such option
// hak_option_default writes the default, in the form that hak_option_set takes; hak_option_allowed the values allowed,
// for people. Both return the length of the whole text, as snprintf does.
size_t hak_option_default(const HakOptionInfo* info, char* buffer, size_t size);
size_t hak_option_allowed(const HakOptionInfo* info, char* buffer, size_t size);
// What to add to the values allowed: "" or how numbers may be shortened.
const char* hak_option_suffix_hint(const HakOptionInfo* info);
// Whether hak_option_assign would accept the value.
bool hak_option_accepts(const HakOptionInfo* info, const char* value);
// Sets the option; false: it does not accept the value.
bool hak_option_assign(const HakOptionInfo* info, const char* value);
// The value in force, as hak_option_default writes the default.
size_t hak_option_current(const HakOptionInfo* info, char* buffer, size_t size);
bool hak_option_is_default(const HakOptionInfo* info);
// The option that was probably meant by a name that does not exist; NULL: none is near.
const char* hak_option_nearest(const char* name, size_t length);

#endif
