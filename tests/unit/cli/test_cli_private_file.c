/* SPDX-License-Identifier: BSD-2-Clause */
/* Files for their owner alone, several or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private_file.h"

static char folder[] = "/tmp/vpncore-private-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	DIR *d = opendir(".");
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		(void)remove(e->d_name);
	closedir(d);
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static size_t count_files(void)
{
	size_t n = 0;
	DIR *d = opendir(".");
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static void assert_file(const char *path, const char *text)
{
	char buf[64] = "";
	struct stat st;
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	buf[fread(buf, 1, sizeof(buf) - 1, in)] = '\0';
	assert_int_equal(fstat(fileno(in), &st), 0);
	fclose(in);
	assert_string_equal(buf, text);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static int write_text(struct private_files *f, const char *path, const char *text)
{
	return private_files_write(f, path, text, strlen(text));
}

static void make_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void writes_files_for_the_owner_alone(void **state)
{
	struct private_files f = {.replace = false};
	char *path = NULL;
	mode_t old = umask(0);
	(void)state;
	assert_int_equal(write_text(&f, "a", "one"), 0);
	assert_int_equal(write_text(&f, "b", "two"), 0);
	umask(old);
	assert_int_equal(private_files_keep(&f, &path), 0);
	assert_file("a", "one");
	assert_file("b", "two");
	private_files_drop(&f); /* nothing is left that it could remove */
	assert_file("a", "one");
}

static void removes_all_when_one_is_refused(void **state)
{
	struct private_files f = {.replace = false};
	(void)state;
	make_file("c", "old");
	assert_int_equal(write_text(&f, "a", "one"), 0);
	assert_int_equal(write_text(&f, "b", "two"), 0);
	assert_int_equal(write_text(&f, "c", "three"), -EEXIST);
	private_files_drop(&f);
	assert_int_equal(count_files(), 1);
	chmod("c", 0600);
	assert_file("c", "old");
}

static void does_not_follow_a_link(void **state)
{
	struct private_files f = {.replace = false};
	(void)state;
	assert_int_equal(symlink("target", "a"), 0);
	assert_int_equal(write_text(&f, "a", "one"), -EEXIST);
	private_files_drop(&f);
	f.replace = true;
	assert_int_equal(write_text(&f, "a", "one"), -EEXIST);
	private_files_drop(&f);
	assert_int_equal(access("target", F_OK), -1);
	assert_int_equal(count_files(), 1);
}

static void replaces_only_when_all_is_there(void **state)
{
	struct private_files f = {.replace = true};
	char *path = NULL;
	(void)state;
	make_file("a", "old");
	chmod("a", 0644);
	assert_int_equal(write_text(&f, "a", "one"), 0);
	assert_int_equal(write_text(&f, "nowhere/b", "two"), -ENOENT);
	private_files_drop(&f);
	assert_int_equal(count_files(), 1);
	assert_int_equal(write_text(&f, "a", "one"), 0);
	chmod("a", 0600);
	assert_file("a", "old");
	assert_int_equal(private_files_keep(&f, &path), 0);
	assert_file("a", "one");
	assert_int_equal(count_files(), 1);
}

static void a_folder_is_never_replaced(void **state)
{
	struct private_files f = {.replace = true};
	(void)state;
	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(write_text(&f, "a", "one"), -EISDIR);
	private_files_drop(&f);
	assert_int_equal(count_files(), 1);
}

/* What happens when somebody interferes between the writing and the keeping. */
static void names_the_file_that_could_not_be_kept(void **state)
{
	struct private_files f = {.replace = true};
	char *path = NULL;
	(void)state;
	assert_int_equal(write_text(&f, "a", "one"), 0);
	assert_int_equal(write_text(&f, "b", "two"), 0);
	assert_int_equal(mkdir("b", 0700), 0);
	assert_int_equal(private_files_keep(&f, &path), -EISDIR);
	assert_string_equal(path, "b");
	free(path);
	assert_int_equal(count_files(), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_files_for_the_owner_alone), TEST(removes_all_when_one_is_refused),
		TEST(does_not_follow_a_link),           TEST(replaces_only_when_all_is_there),
		TEST(a_folder_is_never_replaced),       TEST(names_the_file_that_could_not_be_kept),
	};
	return cmocka_run_group_tests_name("cli private_file", tests, NULL, NULL);
}
