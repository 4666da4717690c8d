// mayhem-saver keeps the record of all jobs: it opens a store and serves the consumer with it.

#include "saver.h"
#include "service.h"

int main(int argc, char **argv)
{
    mm_options_t options;
    mm_endpoint_t base;
    store_t *store;
    char error[MM_ERROR_MAX];
    int exit_code;
    if (!mm_service_start(MM_PROGRAM_SAVER, argc, argv, NULL, &options, &base, &exit_code))
        return exit_code;
    exit_code = store_open(options.db, &store, error);
    if (exit_code != 0)
        return mm_service_quit(&options, mm_service_fail(&options, exit_code, "%s", error));
    exit_code = saver_run(&options, &base, &store);
    return mm_service_end(&options, exit_code);
}
