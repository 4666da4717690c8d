// See held_line.h.

#include "held_line.h"

#include <stdbool.h>

void mm_held_line_halt(const char *program, const char *dir, FILE *file)
{
    (void)fprintf(file, "halted; nothing begins until: %s resume --dir %s --why TEXT\n", program,
                  dir);
}

void mm_held_line_trip(const char *group, const char *program, const char *dir, FILE *file)
{
    bool is_run = *group == '\0';
    (void)fprintf(file,
                  "the breaker of %s has tripped; nothing%s begins until: %s resume%s%s --dir %s "
                  "--why TEXT\n",
                  is_run ? "the whole run" : group, is_run ? "" : " of it", program,
                  is_run ? "" : " ", group, dir);
}
