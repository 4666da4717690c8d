// Rubbish from hosts that are to be identified, as the exec driver reads it from real processes
// (tests/fleet/answer.c): nothing of it is an identity at a probe, sends a command or proves a
// restart. RUBBISH=N: so many answers of each kind, in each form and at each place; SEED=N: others.

#include "commands_run.h"

#include "clock.h"
#include "random.h"

#include <inttypes.h>

enum { FIRST = 1000000, TIMEOUT = 60000, VERIFY = 10000, SETTLE = 4000, LOOK = 10000 };

#define MACHINE "0123456789abcdef0123456789abcdef"
#define OLD     "11111111-1111-1111-1111-111111111111"
#define NEW     "22222222-2222-2222-2222-222222222222"

typedef enum {
    EMPTY,
    ERROR,
    BANNER,
    HALF,
    HTML,
    MEGABYTE,
    ZEROS,
    CRLF,
    SPELLING, // upper case, spaces
    GLUED,
    UPTIME,
    SWAPPED,
    KINDS
} kind_t;

typedef enum { WHOLE, SPLIT, LATE, BEHIND_A_LINE, FORMS } form_t;

static const char *const kind_names[] = {"empty",    "error", "banner", "half",
                                         "html",     "1 MB",  "zeros",  "CRLF",
                                         "spelling", "glued", "uptime", "swapped"};
static const char *const form_names[] = {"whole", "split", "late", "behind a valid line"};

// Where an answer is read.
typedef enum {
    PROBE,   // before anything is on record
    COMMAND, // before the command, and behind it
    CONFIRM  // behind one good read of a new boot
} place_t;

typedef struct {
    char *bytes; // owned
    size_t size;
} text_t;

typedef struct {
    fixture_t base;
    mm_options_t options;
    char identify[300], exec[128];
    driver_t *driver;
    int64_t now_ms;
    uint64_t random;
    const char *boot; // what is said is made of an answer of this boot
    kind_t kind;
    form_t form;
    uint32_t answers; // rubbish that was read
    bool is_late;     // the process that runs answers late
    bool is_good;     // the next answer is one
} rubbish_t;

// ---- what hosts say

static size_t below(rubbish_t *self, size_t limit)
{
    return (size_t)mm_random_below(&self->random, limit);
}

static void add_bytes(text_t *text, const char *bytes, size_t size)
{
    text->bytes = realloc(text->bytes, text->size + size + 1);
    assert_non_null(text->bytes);
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

static void add(text_t *text, const char *more)
{
    add_bytes(text, more, strlen(more));
}

static void add_good(rubbish_t *self, text_t *text)
{
    char good[128];
    (void)snprintf(good, sizeof good, MACHINE "\n%s\n%u.%02u 1.00\n", self->boot,
                   (unsigned)below(self, 3), (unsigned)below(self, 100));
    add(text, good);
}

static void add_error(rubbish_t *self, text_t *text)
{
    static const char *const errors[] = {
        "cat: /proc/sys/kernel/random/boot_id: Input/output error\n",
        "ssh: connect to host web-7 port 22: Connection refused\n",
        MACHINE "\ncat: /proc/sys/kernel/random/boot_id: No such file or directory\n0.50 1.00\n",
        "bash: fork: retry: Resource temporarily unavailable\n"};
    add(text, errors[below(self, 4)]);
}

static void add_banner(rubbish_t *self, text_t *text)
{
    static const char *const banners[] = {
        "Warning: Permanently added 'web-7' (ED25519) to the list of known hosts.\n",
        "** Authorized use only **\n", "Last login: Mon Nov 30 07:41:02 2026 from 192.0.2.1\n",
        "\n"};
    bool is_behind = below(self, 2) == 1;
    if (is_behind)
        add_good(self, text);
    add(text, banners[below(self, 4)]);
    if (!is_behind)
        add_good(self, text);
}

// Cut off anywhere, but not behind the second line: that is a whole answer.
static void cut(rubbish_t *self, text_t *text)
{
    size_t whole = strlen(MACHINE "\n" OLD "\n");
    size_t size = 1 + below(self, text->size - 2);
    text->size = size == whole ? size - 1 : size;
}

static void add_megabyte(rubbish_t *self, text_t *text)
{
    size_t size = 1 << 20;
    if (below(self, 2) == 0)
        add_good(self, text);
    char *filler = malloc(size);
    assert_non_null(filler);
    memset(filler, below(self, 2) == 0 ? 'a' : '\n', size);
    add_bytes(text, filler, size);
    free(filler);
    if (below(self, 2) == 0)
        add_good(self, text);
}

static void add_zeros(rubbish_t *self, text_t *text)
{
    static const char zeros[64];
    size_t size = 1 + below(self, sizeof zeros);
    bool is_behind = below(self, 2) == 1;
    if (is_behind)
        add_good(self, text);
    add_bytes(text, zeros, size);
    if (!is_behind && below(self, 2) == 0)
        add_good(self, text);
    if (text->size == size && below(self, 2) == 0)
        add(text, "\n" OLD "\n0.50 1.00\n");
}

// The same with CR before each line's end, or before that of one.
static void add_crlf(rubbish_t *self, text_t *text)
{
    text_t good = {0};
    size_t one = below(self, 4), line = 0;
    add_good(self, &good);
    for (size_t i = 0; i < good.size; i++) {
        bool is_end = good.bytes[i] == '\n';
        if (is_end && (one == 3 || one == line))
            add(text, "\r");
        add_bytes(text, good.bytes + i, 1);
        line += is_end;
    }
    free(good.bytes);
}

// What stands before a boot id, and behind it.
typedef struct {
    const char *before, *behind;
} around_t;

static void add_around(const rubbish_t *self, text_t *text, const around_t *around)
{
    add(text, around->before);
    add(text, self->boot);
    add(text, around->behind);
}

// Letters in upper case, or one blank, dash or brace.
static void add_spelling(rubbish_t *self, text_t *text)
{
    static const around_t spellings[] = {
        {"0123456789ABCDEF0123456789ABCDEF\n", "\n0.50 1.00\n"},
        {"0123456789abcdeF0123456789abcdef\n", "\n0.50 1.00\n"},
        {" " MACHINE "\n", "\n0.50 1.00\n"},
        {MACHINE " \n", "\n0.50 1.00\n"},
        {MACHINE "\n ", "\n0.50 1.00\n"},
        {MACHINE "\n", "\t\n0.50 1.00\n"},
        {MACHINE "\n", "\n 0.50 1.00\n"},
        {MACHINE " ", " 0.50 1.00\n"},
        {"01234567-89ab-cdef-0123-456789abcdef\n", "\n0.50 1.00\n"},
        {MACHINE "\n{", "}\n0.50 1.00\n"}};
    add_around(self, text, &spellings[below(self, 10)]);
}

// The last two are numbers: a boot that is older than the restart is the old one (H2).
static void add_uptime(rubbish_t *self, text_t *text)
{
    static const around_t uptimes[] = {{MACHINE "\n", "\n-5.00 1.00\n"},
                                       {MACHINE "\n", "\n0.50 -1.00\n"},
                                       {MACHINE "\n", "\n99999999999999999999.00 1.00\n"},
                                       {MACHINE "\n", "\n1e9 1.00\n"},
                                       {MACHINE "\n", "\nnan nan\n"},
                                       {MACHINE "\n", "\n0x10.00 1.00\n"},
                                       {MACHINE "\n", "\n0.50\n"},
                                       {MACHINE "\n", "\n\n"},
                                       {MACHINE "\n", "\n0,50 1,00\n"},
                                       {MACHINE "\n", "\n4294967296.00 1.00\n"},
                                       {MACHINE "\n", "\n999999999999.99 1.00\n"}};
    bool is_new = strcmp(self->boot, NEW) == 0;
    add_around(self, text, &uptimes[below(self, is_new ? 11 : 9)]);
}

static void add_swapped(rubbish_t *self, text_t *text)
{
    static const around_t orders[] = {{"", "\n" MACHINE "\n0.50 1.00\n"},
                                      {"0.50 1.00\n" MACHINE "\n", "\n"},
                                      {"0.50 1.00\n", "\n" MACHINE "\n"},
                                      {"", "\n" NEW "\n0.50 1.00\n"},
                                      {"", "\n0.50 1.00\n" MACHINE "\n"}};
    add_around(self, text, &orders[below(self, 5)]);
}

static void add_rubbish(rubbish_t *self, text_t *text)
{
    switch (self->kind) {
    case EMPTY: break;
    case ERROR: add_error(self, text); break;
    case BANNER: add_banner(self, text); break;
    case HALF:
        add_good(self, text);
        cut(self, text);
        break;
    case HTML:
        add(text, "<html><head><title>502 Bad Gateway</title></head></html>\n");
        if (below(self, 2) == 0)
            add_good(self, text);
        break;
    case MEGABYTE: add_megabyte(self, text); break;
    case ZEROS: add_zeros(self, text); break;
    case CRLF: add_crlf(self, text); break;
    case SPELLING: add_spelling(self, text); break;
    case GLUED:
        add_good(self, text);
        add_good(self, text);
        break;
    case UPTIME: add_uptime(self, text); break;
    case SWAPPED: add_swapped(self, text); break;
    case KINDS: assert_true(false);
    }
}

// What comes first of a split answer: any part, of those that are glued mostly a whole answer.
static size_t first_part(rubbish_t *self, size_t size)
{
    bool is_half = self->kind == GLUED && below(self, 4) > 0;
    return size == 0 ? 0 : is_half ? size / 2 : below(self, size);
}

static void put_answer(rubbish_t *self)
{
    char path[64], head[64];
    text_t text = {0};
    (void)snprintf(path, sizeof path, "%s/answer", self->base.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    self->is_late = !self->is_good && self->form == LATE;
    if (self->is_good) {
        add_good(self, &text);
    } else {
        if (self->form == BEHIND_A_LINE)
            add(&text, MACHINE "\n");
        add_rubbish(self, &text);
    }
    (void)snprintf(head, sizeof head, "whole\n");
    if (self->is_late)
        (void)snprintf(head, sizeof head, "late\n");
    else if (!self->is_good && self->form == SPLIT)
        (void)snprintf(head, sizeof head, "split %zu\n", first_part(self, text.size));
    (void)fputs(head, file);
    if (text.size > 0)
        assert_int_equal(fwrite(text.bytes, 1, text.size, file), text.size);
    assert_int_equal(fclose(file), 0);
    free(text.bytes);
}

// ---- running

static bool was_sent(const rubbish_t *self)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/sent", self->base.folder);
    return access(path, F_OK) == 0;
}

static void begin(rubbish_t *self, place_t place)
{
    static const mm_id_t machine = {{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
                                     0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}};
    mm_real_t real = {.command = place == COMMAND ? 1 : 0,
                      .left_ms = TIMEOUT + VERIFY,
                      .age_ms = 100,
                      .first_ms = self->now_ms - 100,
                      .deadline_ms = self->now_ms + (place == COMMAND ? TIMEOUT + VERIFY : VERIFY)};
    if (place != PROBE) {
        real.machine = machine;
        memset(real.boot.bytes, 0x11, sizeof real.boot.bytes);
    }
    driver_start(self->driver,
                 &(mm_task_t){.number = self->answers + 1,
                              .leg = place == PROBE ? MM_LEG_PROBE : MM_LEG_RESTART,
                              .host = mm_str("web-7"),
                              .attempt = 1,
                              .real = &real},
                 self->now_ms);
}

// The process has its whole time, then TERM, and answers.
static void outwait(rubbish_t *self, int64_t due_ms)
{
    assert_line(&self->base, "ready");
    self->now_ms = due_ms;
    driver_step(self->driver, self->now_ms);
    (void)wait_deadline_other_than(self->driver, driver_deadline(self->driver), self->now_ms);
}

// Until the task is over. Whenever the driver waits for a time, there is another answer then.
static void run_task(rubbish_t *self, mm_result_t *ret_result)
{
    while (!driver_next_finished(self->driver, self->now_ms, ret_result)) {
        int64_t due_ms = driver_deadline(self->driver);
        if (due_ms == 0)
            continue; // it has finished
        if (due_ms - self->now_ms >= LOOK - 1000) {
            if (self->is_late) {
                outwait(self, due_ms);
            } else {
                wait_readable(driver_descriptor(self->driver));
                driver_step(self->driver, self->now_ms);
            }
            continue;
        }
        struct pollfd item = {.fd = driver_descriptor(self->driver), .events = POLLIN};
        if (poll(&item, 1, 0) == 0) {
            self->answers++;
            self->is_good = false;
            put_answer(self);
            self->now_ms = due_ms > self->now_ms ? due_ms : self->now_ms;
        }
        driver_step(self->driver, self->now_ms);
    }
}

static bool is_zero(const mm_id_t *id)
{
    static const mm_id_t none;
    return mm_id_equal(id, &none);
}

static void check(const rubbish_t *self, place_t place, const mm_result_t *result)
{
    const mm_real_t *real = result->real;
    const char *wrong = NULL;
    if (!real || result->status != MM_STATUS_FAILED)
        wrong = "the task did not fail";
    else if (real->proof != MM_PROOF_NONE)
        wrong = "it was taken for a proof";
    else if (place == PROBE && (!is_zero(&real->machine) || !is_zero(&real->boot)))
        wrong = "ids were taken from it";
    else if (place == PROBE && real->end != MM_END_UNREACHABLE)
        wrong = "the host was reached";
    else if (real->sent || was_sent(self))
        wrong = "a command was sent";
    if (wrong)
        fail_msg("%s: %s, %s, place %d: %.*s", wrong, kind_names[self->kind],
                 form_names[self->form], (int)place, (int)result->error.size, result->error.data);
}

static void try_place(rubbish_t *self, place_t place, uint32_t count)
{
    for (self->answers = 0; self->answers < count;) {
        mm_result_t result;
        self->boot = place == PROBE || (place == COMMAND && below(self, 2) == 0) ? OLD : NEW;
        self->is_good = place == CONFIRM;
        self->now_ms = FIRST;
        self->answers += place != CONFIRM;
        put_answer(self);
        begin(self, place);
        run_task(self, &result);
        check(self, place, &result);
    }
}

// ---- the tests

static int set_up_rubbish(void **state)
{
    char self_path[200];
    assert_int_equal(set_up(state), 0);
    rubbish_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->base = *(fixture_t *)*state;
    free(*state);
    *state = self;
    ssize_t size = readlink("/proc/self/exe", self_path, sizeof self_path - 1);
    assert_true(size > 0);
    self_path[size] = '\0';
    *strrchr(self_path, '/') = '\0';
    (void)snprintf(self->identify, sizeof self->identify, "'%s/answer' %s", self_path,
                   self->base.folder);
    (void)snprintf(self->exec, sizeof self->exec, "touch %s/sent", self->base.folder);
    const char *seed = getenv("SEED");
    self->random = seed ? strtoull(seed, NULL, 10) : 1;
    self->options = exec_options(self->exec);
    self->options.identify = self->identify;
    self->options.seed = 7;
    self->options.timeout_ms = TIMEOUT;
    self->options.verify_timeout_ms = VERIFY;
    self->options.settle_ms = SETTLE;
    self->driver = open_driver(&self->options);
    return 0;
}

static int tear_down_rubbish(void **state)
{
    static const char *const names[] = {"answer", "sent"};
    rubbish_t *self = *state;
    driver_destroy(&self->driver);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/%s", self->base.folder, names[i]);
        (void)unlink(path);
    }
    return tear_down(state);
}

static void try_all(rubbish_t *self, place_t place)
{
    const char *wanted = getenv("RUBBISH");
    uint32_t count = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : 2;
    uint32_t all = 0;
    skip_under_valgrind();
    for (self->kind = 0; self->kind < KINDS; self->kind++)
        for (self->form = 0; self->form < FORMS; self->form++) {
            try_place(self, place, count);
            all += self->answers;
        }
    if (wanted)
        print_message("%u answers: none was taken\n", all);
}

static void nothing_of_it_is_an_id_at_a_probe(void **state)
{
    try_all(*state, PROBE);
}

static void nothing_of_it_sends_a_command_or_proves_a_restart(void **state)
{
    try_all(*state, COMMAND);
}

static void nothing_of_it_agrees_with_a_new_boot(void **state)
{
    try_all(*state, CONFIRM);
}

#define RUBBISH(NAME) cmocka_unit_test_setup_teardown(NAME, set_up_rubbish, tear_down_rubbish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUBBISH(nothing_of_it_is_an_id_at_a_probe),
        RUBBISH(nothing_of_it_sends_a_command_or_proves_a_restart),
        RUBBISH(nothing_of_it_agrees_with_a_new_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
