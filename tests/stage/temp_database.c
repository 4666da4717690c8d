// See temp_database.h.

#include "temp_database.h"
#include "temp_postgresql.h"

#include <sqlite3.h>

char path[TEMP_PATH_MAX];
char open_error[MM_ERROR_MAX];

void make_database_folder(const char *name)
{
    make_temp_folder();
    temp_path(path, name);
}

const char *query(const char *sql)
{
    static char answer[8192];
    if (temp_postgresql_is_used())
        return temp_postgresql_query(sql, answer, sizeof answer);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    size_t size = 0;
    answer[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            size += (size_t)snprintf(answer + size, sizeof answer - size, "%s%s", i ? "|" : "",
                                     value ? value : "NULL");
            assert_true(size < sizeof answer);
        }
        size += (size_t)snprintf(answer + size, sizeof answer - size, ";");
    }
    assert_true(size < sizeof answer);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

void execute(const char *sql)
{
    char none[1];
    if (temp_postgresql_is_used()) {
        (void)temp_postgresql_query(sql, none, 0);
        return;
    }
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}
