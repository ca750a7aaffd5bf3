// The file of HAKMEM_STATS_FILE, and what takes its place.
// Thread-safety: stats_file_open at load; stats_file_write by whoever has the turn (stats_turn.h); async-signal-safe.
// Errors: a file that cannot be opened is told on stderr, and the statistics go there.
#ifndef HAK_API_STATS_FILE_H
#define HAK_API_STATS_FILE_H

#include "api/stats.h"

void stats_file_open(void);
// Writes one report, as HAKMEM_STATS says. calm: as hak_stats_report.
void stats_file_write(bool calm);

#endif
