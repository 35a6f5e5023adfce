/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread of somebody else's program inside of the library: its signals, its log, its turn. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>
#include <vpncore/plugin.h>

#include "control.h"

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	(void)number;
	caught++;
}

static int set_up(void **state)
{
	(void)state;
	caught = 0;
	signal(SIGPIPE, on_signal);
	return 0;
}

/* As reaper_dismiss() does when the reaper is gone. */
static void write_to_nobody(void)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	errno = 0;
	assert_int_equal(write(ends[1], "q", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
}

static bool is_blocked(int number)
{
	sigset_t now;
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, number) == 1;
}

static void a_pipe_without_a_reader_is_an_error_and_no_signal(void **state)
{
	struct control outer, inner;
	(void)state;
	control_enter(&outer, NULL);
	write_to_nobody();
	control_enter(&inner, NULL);
	write_to_nobody();
	control_leave(&inner);
	assert_true(is_blocked(SIGPIPE));
	control_leave(&outer);
	assert_false(is_blocked(SIGPIPE));
	assert_int_equal(caught, 0);
	write_to_nobody(); /* the program's own are the program's */
	assert_int_equal(caught, 1);
}

static void other_signals_and_those_that_waited_before_stay(void **state)
{
	struct control control;
	sigset_t set, pending;
	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	raise(SIGPIPE);
	control_enter(&control, NULL);
	assert_false(is_blocked(SIGTERM));
	write_to_nobody();
	control_leave(&control);
	assert_true(is_blocked(SIGPIPE));
	sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGPIPE), 1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	assert_int_equal(caught, 1);
}

static void the_log_is_the_objects_and_then_what_it_was(void **state)
{
	const struct log_sink one = {.level = VPN_LOG_DEBUG}, two = {.level = VPN_LOG_ERROR};
	struct control outer, inner;
	(void)state;
	control_enter(&outer, &one);
	assert_int_equal(log_level(), VPN_LOG_DEBUG);
	control_enter(&inner, &two);
	assert_int_equal(log_level(), VPN_LOG_ERROR);
	control_leave(&inner);
	assert_int_equal(log_level(), VPN_LOG_DEBUG);
	control_leave(&outer);
	assert_int_equal(log_level(), VPN_LOG_INFO);
}

#define ROUNDS 20000

static unsigned
	turns; /* guarded by the turn alone: TSan and the sum see when two take one at a time */

static void *take_turns(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct control control;
		control_enter(&control, NULL);
		turns = turns + 1;
		control_leave(&control);
	}
	return NULL;
}

static void threads_take_turns(void **state)
{
	pthread_t threads[3];
	(void)state;
	turns = 0;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_turns, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(turns, 3 * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_pipe_without_a_reader_is_an_error_and_no_signal, set_up),
		cmocka_unit_test_setup(other_signals_and_those_that_waited_before_stay, set_up),
		cmocka_unit_test(the_log_is_the_objects_and_then_what_it_was),
		cmocka_unit_test(threads_take_turns),
	};
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
