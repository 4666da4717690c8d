// See terminal.h. Signals are read from a descriptor, so that no handler does anything but for that
// of an abort, which restores the terminal.

#define NCURSES_NOMACROS 1
#include "terminal.h"

#include <assert.h>
#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_on;
static bool has_colors_on;
static int signals = -1;
static int both = -1; // an epoll of signals and keys

static sigset_t wanted_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGQUIT);
    (void)sigaddset(&set, SIGWINCH);
    return set;
}

void terminal_block_signals(void)
{
    sigset_t set = wanted_signals();
    int rc = sigprocmask(SIG_BLOCK, &set, NULL);
    assert(rc == 0);
}

static void on_abort(int number)
{
    (void)number;
    terminal_end(); // the abort goes on behind it
}

static void begin_colors(void)
{
    const char *none = getenv("NO_COLOR");
    has_colors_on = has_colors() && (!none || *none == '\0');
    if (!has_colors_on)
        return;
    (void)start_color();
    (void)use_default_colors();
    (void)init_pair(1, COLOR_RED, -1);
    (void)init_pair(2, COLOR_YELLOW, -1);
    (void)init_pair(3, COLOR_CYAN, -1);
}

bool terminal_begin(void)
{
    (void)setlocale(LC_CTYPE, ""); // numbers keep their point
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !newterm(NULL, stdout, stdin))
        return false;
    is_on = true;
    sigset_t set = wanted_signals();
    signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    both = epoll_create1(EPOLL_CLOEXEC);
    assert(signals >= 0 && both >= 0);
    int rc = epoll_ctl(both, EPOLL_CTL_ADD, signals, &(struct epoll_event){.events = EPOLLIN});
    assert(rc == 0);
    rc = epoll_ctl(both, EPOLL_CTL_ADD, STDIN_FILENO,
                   &(struct epoll_event){.events = EPOLLIN, .data.fd = STDIN_FILENO});
    assert(rc == 0);
    (void)atexit(terminal_end);
    (void)sigaction(
        SIGABRT, &(struct sigaction){.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND}, NULL);
    (void)cbreak();
    (void)noecho();
    (void)nodelay(stdscr, TRUE);
    (void)keypad(stdscr, TRUE);
    (void)set_escdelay(25);
    (void)curs_set(0);
    begin_colors();
    return true;
}

void terminal_end(void)
{
    if (!is_on)
        return;
    is_on = false;
    (void)endwin();
}

int terminal_descriptor(void)
{
    return both;
}

static bool is_hung_up(void)
{
    struct epoll_event event;
    return epoll_wait(both, &event, 1, 0) == 1 && event.data.fd == STDIN_FILENO &&
           (event.events & (EPOLLHUP | EPOLLERR)) != 0;
}

// The next signal as a key; TERMINAL_NO_KEY: there is none.
static int read_signal(void)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) != (ssize_t)sizeof info)
        return TERMINAL_NO_KEY;
    if (info.ssi_signo != SIGWINCH)
        return TERMINAL_STOP;
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        (void)resizeterm(size.ws_row, size.ws_col);
    return TERMINAL_SIZE;
}

int terminal_key(void)
{
    int signal = read_signal(), key = signal == TERMINAL_NO_KEY ? getch() : ERR;
    if (signal != TERMINAL_NO_KEY)
        return signal;
    switch (key) {
    case ERR: return is_hung_up() ? TERMINAL_STOP : TERMINAL_NO_KEY;
    case KEY_RESIZE: return TERMINAL_SIZE;
    case KEY_UP: return TERMINAL_UP;
    case KEY_DOWN: return TERMINAL_DOWN;
    case KEY_PPAGE: return TERMINAL_PAGE_UP;
    case KEY_NPAGE: return TERMINAL_PAGE_DOWN;
    case KEY_HOME: return TERMINAL_FIRST;
    case KEY_END: return TERMINAL_LAST;
    case KEY_RIGHT:
    case KEY_ENTER:
    case '\r':
    case '\n': return TERMINAL_INTO;
    case KEY_LEFT:
    case KEY_BACKSPACE:
    case 127:
    case 27: return TERMINAL_BACK;
    default: return key >= ' ' && key <= '~' ? key : TERMINAL_OTHER;
    }
}

void terminal_size(size_t *ret_width, size_t *ret_height)
{
    *ret_width = (size_t)(COLS > 0 ? COLS : 80);
    *ret_height = (size_t)(LINES > 0 ? LINES : 24);
}

static attr_t attributes_of(uint8_t style)
{
    attr_t attributes = A_NORMAL;
    if (style & PAGE_BOLD)
        attributes |= A_BOLD;
    if ((style & PAGE_DIM) && !(style & PAGE_REVERSE)) // together they are hard to read
        attributes |= A_DIM;
    if (style & PAGE_REVERSE)
        attributes |= A_REVERSE;
    short color = style & PAGE_RED ? 1 : style & PAGE_YELLOW ? 2 : style & PAGE_CYAN ? 3 : 0;
    return has_colors_on && color > 0 ? attributes | (attr_t)COLOR_PAIR(color) : attributes;
}

void terminal_draw(const page_t *page)
{
    (void)erase();
    for (size_t row = 0; row < page->count && row < (size_t)LINES; row++)
        for (size_t column = 0; column < page->width && column < (size_t)COLS; column++)
            (void)mvaddch((int)row, (int)column,
                          (chtype)(unsigned char)page->rows[row].text[column] |
                              attributes_of(page->rows[row].styles[column]));
    (void)refresh(); // sends only the changes
}
