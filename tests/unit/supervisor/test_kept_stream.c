// An input that is a stream, on real pipes: each reader gets all of it, however slow the others are
// and however late it comes.

#include "kept_stream.h"
#include "inherited.h"
#include "loop_play.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

enum { SIZE = 300000, LIMIT = 100000 }; // more than a pipe holds

typedef struct {
    int descriptor; // -1: it has read to the end
    size_t size, most;
    bool is_wrong; // a byte is not that of the stream
} reader_t;

static char bytes[SIZE];
static int ends[2]; // the source; the writing end is -1 when it was closed
static size_t written;
static kept_stream_t *stream;
static reader_t readers[3];
static char path[TEMP_PATH_MAX];

static void end_reader(reader_t *self)
{
    if (self->descriptor < 0)
        return;
    mm_loop_remove_descriptor(loop, self->descriptor);
    close(self->descriptor);
    self->descriptor = -1;
}

static void end_writer(void)
{
    if (ends[1] < 0)
        return;
    mm_loop_remove_descriptor(loop, ends[1]);
    close(ends[1]);
    ends[1] = -1;
}

static int new_stream(void **state)
{
    make_loop(state);
    temp_path(path, "stdin");
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 % 251);
    for (size_t i = 0; i < 3; i++)
        readers[i] = (reader_t){.descriptor = -1, .most = SIZE_MAX};
    written = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    stream = kept_stream_new(loop, ends[0], path);
    return stream ? 0 : -1;
}

static int end_stream(void **state)
{
    kept_stream_destroy(&stream);
    kept_stream_destroy(&stream); // a second time: nothing happens
    for (size_t i = 0; i < 3; i++)
        end_reader(&readers[i]);
    end_writer();
    return end_loop(state);
}

// ---- both ends

static void write_more(void *arg)
{
    (void)arg;
    ssize_t size = write(ends[1], bytes + written, SIZE - written);
    written += size > 0 ? (size_t)size : 0;
    if (written == SIZE || (size < 0 && errno != EAGAIN))
        end_writer();
}

static void write_all(void)
{
    mm_loop_add_descriptor(loop, "writer", ends[1], ZMQ_POLLOUT, write_more, NULL);
}

static void put(const char *text)
{
    size_t size = strlen(text);
    memcpy(bytes + written, text, size);
    assert_int_equal(write(ends[1], text, size), size);
    written += size;
}

static void read_more(void *arg)
{
    reader_t *self = arg;
    static char found[65536];
    size_t wanted = self->most - self->size < sizeof found ? self->most - self->size : sizeof found;
    ssize_t size = read(self->descriptor, found, wanted > 0 ? wanted : 1);
    if (size > 0) {
        self->is_wrong |= self->size + (size_t)size > SIZE ||
                          memcmp(bytes + self->size, found, (size_t)size) != 0;
        self->size += (size_t)size;
    }
    if (size <= 0)
        end_reader(self);
    else if (self->size == self->most)
        mm_loop_remove_descriptor(loop, self->descriptor); // it takes no more for now
}

static void go_on(reader_t *self)
{
    mm_loop_add_descriptor(loop, "reader", self->descriptor, ZMQ_POLLIN, read_more, self);
}

static reader_t *open_reader(int which)
{
    reader_t *self = &readers[which];
    self->descriptor = kept_stream_open(stream);
    assert_true(self->descriptor >= 0);
    go_on(self);
    return self;
}

static void assert_has(int which, size_t size)
{
    assert_int_equal(readers[which].size, size);
    assert_false(readers[which].is_wrong);
}

static size_t kept_bytes(void)
{
    struct stat status;
    return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

static bool first_has_ended(void)
{
    return readers[0].descriptor < 0;
}

static bool second_has_ended(void)
{
    return readers[1].descriptor < 0;
}

static bool third_has_ended(void)
{
    return readers[2].descriptor < 0;
}

static bool all_is_kept(void)
{
    return kept_bytes() == SIZE;
}

// ---- each gets all

static bool open_second(void)
{
    open_reader(1);
    return true;
}

static bool open_third(void)
{
    open_reader(2);
    return true;
}

static void each_of_several_readers_gets_the_whole_stream(void **state)
{
    (void)state;
    open_reader(0);
    write_all();
    play((step_fn *const[]){first_has_ended, open_second, second_has_ended, open_third,
                            third_has_ended, NULL});
    for (int i = 0; i < 3; i++)
        assert_has(i, SIZE);
    assert_int_equal(kept_stream_error(stream), 0);
}

static bool let_first_read(void)
{
    readers[0].most = SIZE_MAX;
    go_on(&readers[0]);
    return true;
}

static void a_reader_that_takes_nothing_does_not_hold_the_stream_up(void **state)
{
    (void)state;
    open_reader(0);
    readers[0].most = 10;
    write_all();
    play((step_fn *const[]){all_is_kept, let_first_read, first_has_ended, NULL});
    assert_has(0, SIZE);
}

static bool first_has_some(void)
{
    return readers[0].size == 10000;
}

static bool end_first(void)
{
    end_reader(&readers[0]);
    return true;
}

static void after_one_that_went_away_in_the_middle_the_next_gets_all(void **state)
{
    (void)state;
    open_reader(0);
    readers[0].most = 10000;
    write_all();
    // Its pipe is full, and then broken, while there is more to come.
    play((step_fn *const[]){first_has_some, all_is_kept, end_first, open_second, second_has_ended,
                            NULL});
    assert_has(0, 10000);
    assert_has(1, SIZE);
    assert_int_equal(kept_stream_error(stream), 0);
}

static void one_that_went_away_alone_is_no_failure(void **state)
{
    (void)state;
    open_reader(0);
    readers[0].most = 10000;
    write_all();
    play((step_fn *const[]){first_has_some, end_first, all_is_kept, NULL});
    assert_int_equal(kept_stream_error(stream), 0);
}

static void the_one_before_gets_no_more(void **state)
{
    (void)state;
    open_reader(0);
    readers[0].most = 10000;
    write_all();
    play((step_fn *const[]){first_has_some, all_is_kept, open_second, let_first_read,
                            first_has_ended, second_has_ended, NULL});
    assert_in_range(readers[0].size, 10000, SIZE - 1);
    assert_false(readers[0].is_wrong);
    assert_has(1, SIZE);
}

// ---- a stream that comes late, and in pieces

static bool first_has_all_so_far(void)
{
    return readers[0].size == written;
}

static bool put_a_piece(void)
{
    assert_true(readers[0].descriptor >= 0); // nothing is there, and yet it is not the end
    put(written == 0 ? "web-1\nwe" : "b-2\n");
    return true;
}

static bool close_source(void)
{
    assert_true(readers[0].descriptor >= 0);
    end_writer();
    return true;
}

static void what_comes_in_pieces_is_passed_on_in_pieces(void **state)
{
    (void)state;
    open_reader(0);
    play((step_fn *const[]){put_a_piece, first_has_all_so_far, put_a_piece, first_has_all_so_far,
                            close_source, first_has_ended, NULL});
    assert_has(0, strlen("web-1\nweb-2\n"));
}

static void a_stream_may_end_before_anything_was_read(void **state)
{
    (void)state;
    open_reader(0);
    end_writer();
    play((step_fn *const[]){first_has_ended, open_second, second_has_ended, NULL});
    assert_has(0, 0);
    assert_has(1, 0);
    assert_int_equal(kept_stream_error(stream), 0);
}

// ---- what can go wrong

static bool the_writer_has_ended(void)
{
    return ends[1] < 0;
}

static bool it_has_failed(void)
{
    return kept_stream_error(stream) != 0;
}

static void a_full_disk_is_told_and_what_was_kept_is_passed_on(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = LIMIT;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    open_reader(0);
    write_all();
    play((step_fn *const[]){it_has_failed, first_has_ended, the_writer_has_ended, open_second,
                            second_has_ended, NULL});
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(kept_stream_error(stream), EFBIG);
    assert_has(0, LIMIT);
    assert_has(1, LIMIT);
    assert_true(written < SIZE); // whoever writes learns that nobody reads
}

static bool shorten(void)
{
    assert_int_equal(truncate(path, 100), 0);
    return true;
}

static void a_file_that_somebody_shortens_is_told(void **state)
{
    (void)state;
    open_reader(0);
    readers[0].most = 10000;
    write_all();
    play((step_fn *const[]){first_has_some, all_is_kept, shorten, let_first_read, first_has_ended,
                            NULL});
    assert_int_equal(kept_stream_error(stream), EIO);
    assert_true(readers[0].size < SIZE);
    assert_false(readers[0].is_wrong);
}

static void the_file_is_the_owners_and_goes_with_the_stream(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    kept_stream_destroy(&stream);
    assert_null(stream);
    assert_int_equal(stat(path, &status), -1);
    assert_int_equal(write(ends[1], "x", 1), -1); // the source was closed
    assert_int_equal(errno, EPIPE);
}

static void without_a_file_there_is_none_and_the_source_is_closed(void **state)
{
    (void)state;
    int source[2];
    assert_int_equal(pipe2(source, O_CLOEXEC), 0);
    errno = 0;
    assert_null(kept_stream_new(loop, source[0], "/nonexistent/stdin"));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fcntl(source[0], F_GETFD), -1);
    close(source[1]);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_stream, end_stream)

int main(void)
{
    mm_loop_block_signals(); // PIPE and XFSZ are ignored, as in the supervisor
    const struct CMUnitTest tests[] = {
        TEST(each_of_several_readers_gets_the_whole_stream),
        TEST(a_reader_that_takes_nothing_does_not_hold_the_stream_up),
        TEST(after_one_that_went_away_in_the_middle_the_next_gets_all),
        TEST(one_that_went_away_alone_is_no_failure),
        TEST(the_one_before_gets_no_more),
        TEST(what_comes_in_pieces_is_passed_on_in_pieces),
        TEST(a_stream_may_end_before_anything_was_read),
        TEST(a_full_disk_is_told_and_what_was_kept_is_passed_on),
        TEST(a_file_that_somebody_shortens_is_told),
        TEST(the_file_is_the_owners_and_goes_with_the_stream),
        TEST(without_a_file_there_is_none_and_the_source_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
