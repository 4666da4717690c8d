// See job.h.

#include "job.h"

static const char *const programs[MM_PROGRAMS] = {[MM_PROGRAM_PUBLISHER] = "publisher",
                                                  [MM_PROGRAM_CONSUMER] = "consumer",
                                                  [MM_PROGRAM_SAVER] = "saver",
                                                  [MM_PROGRAM_RESTARTER] = "restarter"};

const char *mm_program_name(mm_program_t program)
{
    return programs[program];
}

bool mm_program_parse(mm_str_t text, mm_program_t *ret_program)
{
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++)
        if (mm_str_equal(text, mm_str(programs[program]))) {
            *ret_program = program;
            return true;
        }
    return false;
}
