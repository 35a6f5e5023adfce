/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: what is refused says why. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "cases.h"

#define ARGS_MAX 32
#define ENDS     "--listen=192.0.2.1:7000 --to=198.51.100.2:7001"

static struct options o;
static char error[OPTIONS_ERROR];

/* Reads a line whose arguments have no spaces in them. */
static enum options_end read_line(const char *line)
{
	static char copy[512];
	char name[] = "impair", *argv[ARGS_MAX] = {name}, *rest = copy;
	int argc = 1;
	snprintf(copy, sizeof(copy), "%s", line);
	error[0] = '\0';
	while (argc < ARGS_MAX && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	return options_read(&o, argc, argv, error);
}

static void refuses_and_says_why(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"--to 198.51.100.2:7001", "--listen is missing"},
		{"--listen 192.0.2.1:7000", "--to is missing"},
		{"--listen 192.0.2.1 --to 198.51.100.2:1",
		 "--listen: '192.0.2.1' is not ADDRESS:PORT"},
		{"--listen 192.0.2.1:0 --to 198.51.100.2:1",
		 "--listen: the port is missing in '192.0.2.1:0'"},
		{"--listen 0.0.0.0:7 --to 198.51.100.2:1",
		 "--listen: an address is needed: answers have to come from it"},
		{"--listen [::]:7 --to 198.51.100.2:1",
		 "--listen: an address is needed: answers have to come from it"},
		{ENDS " loss", "'loss' is not an option"},
		{ENDS " -loss", "'-loss' is not an option"},
		{ENDS " --lose 5%", "there is no option '--lose'"},
		{ENDS " --a-very-long-option-that-is-none 5%",
		 "there is no option '--a-very-long-option-that-is-none'"},
		{ENDS " --loss", "--loss: the value is missing"},
		{ENDS " --loss 5", "--loss: '5' is not a share from 0% to 100%, as in 2.5%"},
		{ENDS " --loss 101%", "--loss: '101%' is not a share from 0% to 100%, as in 2.5%"},
		{ENDS " --delay 30", "--delay: '30' is not a time, as in 30ms"},
		{ENDS " --rate 100", "--rate: '100' is not a rate, as in 100mbit"},
		{ENDS " --rate 1mbit --queue 5",
		 "--queue: '5' is not a time or a size, as in 50ms or 64kB"},
		{ENDS " --queue 5ms", "--queue: there is no --rate that it is for"},
		{ENDS " --rate 1mbit --up --queue 5ms --down --rate 2mbit --both --burst p=1%",
		 "--burst: r= is missing"},
		{ENDS " --up --rate 1mbit --down --queue 5ms",
		 "--queue: there is no --rate that it is for"},
		{ENDS " --burst r=1%", "--burst: p= is missing"},
		{ENDS " --burst p=1%,r=2%,p=3%", "--burst: 'p' is there twice"},
		{ENDS " --burst p=1%,r=2%,q=3%", "--burst: there is no part 'q=3%'"},
		{ENDS " --burst p=1,r=2%",
		 "--burst: '1' is not a share from 0% to 100%, as in 2.5%"},
		{ENDS " --burst 1%", "--burst: there is no part '1%'"},
		{ENDS " --corrupt 1%,bits=0", "--corrupt: '0' is not a number from 1 to 64"},
		{ENDS " --corrupt bits=3",
		 "--corrupt: 'bits=3' is not a share from 0% to 100%, as in 2.5%"},
		{ENDS " --jitter 2ms,loose", "--jitter: there is no part 'loose'"},
		{ENDS " --jitter 2ms,free=1",
		 "--jitter: '1' is not wanted here: the word stands alone"},
		{ENDS " --reorder 1%,by=5", "--reorder: '5' is not a time, as in 30ms"},
		{ENDS " --seed -1", "--seed: '-1' is not a number"},
		{ENDS " --flows 0", "--flows: '0' is not a number from 1 to 60000"},
		{ENDS " --memory 1kB", "--memory: '1kB' is not a size from 1MiB to 32GiB"},
		{ENDS " --source [::1]:0", "--source: not of the family of --to"},
		{ENDS " --client [::1]:7", "--client: not of the family of --listen"},
		{ENDS " --client 192.0.2.7:0", "--client: the port is missing in '192.0.2.7:0'"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_line(bad[i].line), OPTIONS_BAD);
		assert_string_equal(error, bad[i].why);
	}
}

static void refuses_a_value_that_is_too_long(void **state)
{
	char line[400] = ENDS " --burst p=1%,r=1%,";
	(void)state;
	memset(line + strlen(line), 'x', 200);
	assert_int_equal(read_line(line), OPTIONS_BAD);
	assert_string_equal(error, "--burst: the value is too long");
}

static void without_impairments_there_are_none(void **state)
{
	struct fate_model none;
	(void)state;
	fate_model_init(&none);
	none.hold_ns = 10000000;
	assert_int_equal(read_line("--listen 192.0.2.1:7000 --to [2001:db8::1]:7001"), OPTIONS_OK);
	for (int w = 0; w < WAYS; w++) {
		assert_memory_equal(&o.fate[w], &none, sizeof(none));
		assert_true(o.line[w].rate == 0 && o.line[w].delay_ns == 0 && !o.line[w].free);
	}
	assert_true(o.seed == 1 && o.max_flows == 1024 && o.memory == 256u << 20 && !o.realtime);
	assert_true(o.source.any.sa_family == 0 && o.client.any.sa_family == 0);
}

static void reads_every_option(void **state)
{
	(void)state;
	assert_int_equal(
		read_line(ENDS
			  " --seed 7 --flows 3 --memory 16MiB --realtime --loss 5% "
			  "--burst p=1%,r=25%,k=99%,h=10% --corrupt 0.5%,bits=3 --duplicate 2% "
			  "--rate 100mbit --queue 20ms --delay 30ms --jitter 2ms,free "
			  "--reorder 1%,by=4ms --source 198.51.100.9:0 --client 192.0.2.5:9"),
		OPTIONS_OK);
	for (int w = 0; w < WAYS; w++) {
		const struct fate_model *f = &o.fate[w];
		const struct line_model *l = &o.line[w];
		assert_true(f->loss == 0.05 && f->p == 0.01 && f->r == 0.25 && f->k == 0.99 &&
			    f->h == 0.1);
		assert_true(f->corrupt == 0.005 && f->corrupt_bits == 3 && f->duplicate == 0.02);
		assert_true(f->reorder == 0.01 && f->hold_ns == 4000000 && f->jitter_ns == 2000000);
		assert_true(l->rate == 100000000 && l->queue_ns == 20000000 &&
			    l->delay_ns == 30000000 && l->free);
	}
	assert_true(o.seed == 7 && o.max_flows == 3 && o.memory == 16u << 20 && o.realtime);
	assert_true(o.source.any.sa_family == AF_INET && o.client.any.sa_family == AF_INET);
}

static void directions_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(read_line("--loss 1% --up --loss 2% --delay 1ms --down --delay 2ms --both "
				   "--duplicate 3% " ENDS),
			 OPTIONS_OK);
	assert_true(o.fate[WAY_UP].loss == 0.02 && o.fate[WAY_DOWN].loss == 0.01);
	assert_true(o.line[WAY_UP].delay_ns == 1000000 && o.line[WAY_DOWN].delay_ns == 2000000);
	assert_true(o.fate[WAY_UP].duplicate == 0.03 && o.fate[WAY_DOWN].duplicate == 0.03);
}

static void a_queue_of_bytes_is_as_long_as_they_take(void **state)
{
	(void)state;
	assert_int_equal(read_line(ENDS " --queue 125kB --up --rate 100mbit --down --rate 10mbit"),
			 OPTIONS_OK);
	assert_true(o.line[WAY_UP].queue_ns == 10000000 && o.line[WAY_DOWN].queue_ns == 100000000);
}

static void a_fixed_source_port_has_one_client(void **state)
{
	(void)state;
	assert_int_equal(read_line(ENDS " --source 198.51.100.9:5000"), OPTIONS_OK);
	assert_int_equal(o.max_flows, 1);
}

static void help_is_given_before_anything_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(read_line("--help"), OPTIONS_HELP);
	assert_int_equal(read_line("--loss 5% --help"), OPTIONS_HELP);
	/* every option is in it */
	static const char *const names[] = {"--listen", "--to",      "--source",    "--client",
					    "--flows",  "--memory",  "--seed",      "--realtime",
					    "--up",     "--down",    "--both",      "--loss",
					    "--burst",  "--corrupt", "--duplicate", "--rate",
					    "--queue",  "--delay",   "--jitter",    "--reorder"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(options_help, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_and_says_why),
		cmocka_unit_test(refuses_a_value_that_is_too_long),
		cmocka_unit_test(without_impairments_there_are_none),
		cmocka_unit_test(reads_every_option),
		cmocka_unit_test(directions_are_told_apart),
		cmocka_unit_test(a_queue_of_bytes_is_as_long_as_they_take),
		cmocka_unit_test(a_fixed_source_port_has_one_client),
		cmocka_unit_test(help_is_given_before_anything_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
