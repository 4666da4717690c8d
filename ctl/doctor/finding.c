// See finding.h. Each line is written at once: the next check may take its time.

#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 0))) static void print(const char *verdict, const char *format,
                                                        va_list arguments)
{
    (void)printf("%-4s  ", verdict);
    (void)vprintf(format, arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

void finding_ok(findings_t *self, const char *format, ...)
{
    va_list arguments;
    (void)self;
    va_start(arguments, format);
    print("ok", format, arguments);
    va_end(arguments);
}

void finding_warn(findings_t *self, const char *format, ...)
{
    va_list arguments;
    (void)self;
    va_start(arguments, format);
    print("warn", format, arguments);
    va_end(arguments);
}

void finding_fail(findings_t *self, const char *format, ...)
{
    va_list arguments;
    self->failed++;
    va_start(arguments, format);
    print("FAIL", format, arguments);
    va_end(arguments);
}
