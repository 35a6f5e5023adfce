/* SPDX-License-Identifier: BSD-2-Clause */
/* loader: finds plugin files, checks them, loads them through libltdl, and never unloads them. */
#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <ltdl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "catalog.h"
#include "fault.h"
#include "options.h"
#include "platform.h"
#include "trust.h"

#define SYMBOL   "vpncore_plugin_v"
#define BUILT_IN "(built in)"
#define TEXT_MAX 512 /* of a refusal's reason */

const lt_dlsymlist *loader_preloaded(void);

struct found {
	struct loaded loaded;
	bool searched;
};

struct loader {
	struct found **found; /* pointers, so that what loader_find() returned stays where it is */
	size_t n_found;
	struct refused *refused;
	size_t n_refused;
	char **files; /* looked at already */
	size_t n_files;
	char **dirs;
	size_t n_dirs;
	const char *platform;
};

/* ---- libltdl, with a loader of our own ----------------------------------------------------------
 * The stock one says "file not found" whatever dlopen() said, and binds lazily, so that a plugin with
 * an undefined symbol would load and then kill the program at its first packet. It stays where it is, for
 * a program that embeds us may use libltdl too; what it has opened when ours could not is closed again. */

/* The last dlerror(), the one file that may be opened (libltdl has search paths of its own), and whether
 * a module was asked that our loader has opened. [main] */
static char dl_text[TEXT_MAX];
static const char *dl_expected;
static bool dl_asked;

static lt_module open_module(lt_user_data data, const char *filename, lt_dladvise advise)
{
	(void)data;
	(void)advise;
	if (filename == NULL || dl_expected == NULL || strcmp(filename, dl_expected) != 0)
		return NULL;
	dlerror();
	void *handle = dlopen(filename, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const char *text = handle == NULL ? dlerror() : NULL;
	snprintf(dl_text, sizeof(dl_text), "%s", text != NULL ? text : "");
	return handle;
}

static int close_module(lt_user_data data, lt_module module)
{
	(void)data;
	(void)module; /* code is never unloaded */
	return 0;
}

static void *find_symbol(lt_user_data data, lt_module module, const char *name)
{
	(void)data;
	dl_asked = true;
	return dlsym(module, name);
}

static bool set_up_libltdl(struct vpn_error *err)
{
	static const lt_dlvtable ours = {
		.name = "vpncore",
		.module_open = open_module,
		.module_close = close_module,
		.find_sym = find_symbol,
		.priority = LT_DLLOADER_PREPEND,
	};
	static bool ready;
	if (ready)
		return true;
	if (lt_dlinit() != 0 || lt_dlloader_add(&ours) != 0) {
		fault(err, VPN_EIO, 0, "libltdl cannot be set up: %s", lt_dlerror());
		return false;
	}
	ready = true;
	return true;
}

/* ---- lists ------------------------------------------------------------------------------------- */

/* Room for one more element in an array that grows by doubling. */
static bool make_room(void *array, size_t n, size_t element)
{
	void *old, *grown;
	if ((n & (n - 1)) != 0)
		return true;
	memcpy(&old, array, sizeof(old));
	grown = array_resize(old, n == 0 ? 1 : n * 2, element);
	if (grown == NULL)
		return false;
	memcpy(array, &grown, sizeof(grown));
	return true;
}

static bool add_text(char ***list, size_t *n, const char *text)
{
	if (!make_room(list, *n, sizeof(**list)) || ((*list)[*n] = strdup(text)) == NULL)
		return false;
	(*n)++;
	return true;
}

static void refuse(struct loader *l, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void refuse(struct loader *l, const char *path, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	char *copy = strdup(path);
	if (n < 0 || copy == NULL || !make_room(&l->refused, l->n_refused, sizeof(*l->refused))) {
		free(n < 0 ? NULL : text);
		free(copy);
		return;
	}
	l->refused[l->n_refused++] = (struct refused){copy, text};
}

static bool accept(struct loader *l, const char *path, bool searched,
		   const struct vpn_plugin *plugin, const struct vpn_component *component)
{
	struct found *f = calloc(1, sizeof(*f));
	char *copy = strdup(path);
	if (f == NULL || copy == NULL ||
	    !make_room(&l->found, l->n_found, sizeof(struct found *))) {
		free(f);
		free(copy);
		return false;
	}
	*f = (struct found){{component, plugin, copy}, searched};
	l->found[l->n_found++] = f;
	return true;
}

/* ---- is this a plugin that fits? Nothing of it is called here. ---------------------------------- */

/* Writes why, and returns false. */
static bool unfit(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool unfit(char *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, TEXT_MAX, format, args);
	va_end(args);
	return false;
}

/* Which side is older, and what to do about it. */
static bool unfit_major(char *why, unsigned major)
{
	bool newer = major > VPN_ABI_MAJOR;
	return unfit(why, "made for plugin ABI %u, %s than ABI %u of this vpncore; %s", major,
		     newer ? "newer" : "older", VPN_ABI_MAJOR,
		     newer ? "update vpncore" : "rebuild the plugin");
}

bool loader_id_is_valid(const char *id)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strspn(id, letters);
	return n > 0 && n <= 64 && id[n] == '\0' && id[0] != '.';
}

/* Bits 16-31 of a flags word must be understood (plugin.h section 1); 1.0 defines none. */
static bool flags_are_known(uint32_t flags, const char *of, char *why)
{
	if ((flags >> 16) == 0)
		return true;
	return unfit(why,
		     "%s asks for a feature that this vpncore does not know (flags 0x%08x): the "
		     "plugin is newer; update vpncore",
		     of, flags);
}

static bool lifecycle_fits(const struct vpn_lifecycle *life, uint32_t kind, char *why)
{
	bool piped = kind == VPN_KIND_DEVICE || kind == VPN_KIND_TRANSPORT;
	if (life == NULL || !VPN_HAS(life, struct vpn_lifecycle, get_extension))
		return unfit(why, "its lifecycle is missing or shorter than ABI 1.0 has it");
	if (!flags_are_known(life->flags, "its lifecycle", why))
		return false;
	if (life->create == NULL || life->start == NULL || life->stop == NULL ||
	    life->destroy == NULL || (piped && life->needs == NULL))
		return unfit(why, "it lacks one of needs, create, start, stop, destroy");
	if (life->n_counters > 1024 || (life->n_counters > 0 && life->counters == NULL))
		return unfit(why, "its counters are missing or too many");
	for (uint32_t i = 0; i < life->n_counters; i++)
		if (life->counters[i].name == NULL ||
		    !flags_are_known(life->counters[i].flags, "a counter", why))
			return life->counters[i].name != NULL ||
			       unfit(why, "counter %u has no name", i);
	struct vpn_error err = VPN_ERROR_INIT;
	if (life->options != NULL && options_vet(life->options, &err) != VPN_OK)
		return unfit(why, "its option table is wrong: %s", err.text);
	return true;
}

static bool functions_fit(const struct vpn_component *c, char *why)
{
	if (c->kind == VPN_KIND_ROUTES || c->kind == VPN_KIND_DNS) {
		if (c->plan == NULL || !VPN_HAS(c->plan, struct vpn_plan, revert) ||
		    c->plan->apply == NULL || c->plan->revert == NULL)
			return unfit(why, "it lacks apply or revert");
		return true;
	}
	if (c->flow == NULL || !VPN_HAS(c->flow, struct vpn_flow, resolved))
		return unfit(why, "its flow is missing or shorter than ABI 1.0 has it");
	if (c->kind == VPN_KIND_DEVICE && c->flow->recv == NULL)
		return unfit(why, "it is a device without recv");
	if (c->kind == VPN_KIND_DEVICE && c->lifecycle->get_extension == NULL)
		return unfit(why, "it is a device without get_extension (%s)", VPN_EXT_DEVICE);
	if (c->kind == VPN_KIND_TRANSPORT && c->flow->send == NULL)
		return unfit(why, "it is a transport without send");
	return true;
}

static bool component_fits(const struct vpn_component *c, char *why)
{
	if (!VPN_HAS(c, struct vpn_component, plan))
		return unfit(why, "it is shorter than ABI 1.0 has it");
	if (c->id == NULL || !loader_id_is_valid(c->id))
		return unfit(why,
			     "its id is missing or has other characters than A-Z a-z 0-9 . _ -");
	if (strcmp(loader_kind_name(c->kind), "") == 0)
		return unfit(why,
			     "its kind %u is unknown to this vpncore: the plugin is newer; "
			     "update vpncore",
			     c->kind);
	return lifecycle_fits(c->lifecycle, c->kind, why) && functions_fit(c, why);
}

static bool plugin_fits(const struct vpn_plugin *p, char *why)
{
	if (p->magic != VPN_PLUGIN_MAGIC)
		return unfit(why,
			     "not a vpncore plugin: its symbol " SYMBOL "1 has the wrong magic");
	if (p->size < offsetof(struct vpn_plugin, flags))
		return unfit(why, "not a vpncore plugin: its descriptor has %u bytes", p->size);
	if (p->abi_major != VPN_ABI_MAJOR)
		return unfit_major(why, p->abi_major);
	if (!VPN_HAS(p, struct vpn_plugin, components))
		return unfit(why,
			     "its descriptor has %u bytes, ABI 1.0 has %zu: the plugin is older "
			     "than 1.0; rebuild it",
			     p->size, sizeof(*p));
	if (p->name == NULL || p->version == NULL)
		return unfit(why, "it has no name or no version");
	if (p->components == NULL || p->components[0] == NULL)
		return unfit(why, "it has no components");
	return flags_are_known(p->flags, "it", why);
}

static bool stands_before(const struct vpn_plugin *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (p->components[k]->kind == p->components[i]->kind &&
		    p->components[k]->id != NULL &&
		    strcmp(p->components[k]->id, p->components[i]->id) == 0)
			return true;
	return false;
}

/* Takes those components of a plugin that fit, and says why others do not. */
static void take_components(struct loader *l, const char *path, bool searched,
			    const struct vpn_plugin *p)
{
	char why[TEXT_MAX] = "";
	for (size_t i = 0; p->components[i] != NULL; i++) {
		const struct vpn_component *c = p->components[i];
		bool fits = component_fits(c, why);
		if (fits && stands_before(p, i))
			fits = unfit(why, "it stands twice in this plugin");
		if (fits && !accept(l, path, searched, p, c))
			fits = unfit(why, "out of memory");
		if (!fits && VPN_HAS(c, struct vpn_component, plan) && c->id != NULL)
			refuse(l, path, "component \"%.64s\": %s", c->id, why);
		else if (!fits)
			refuse(l, path, "component %zu: %s", i, why);
	}
}

/* ---- is it whole? -------------------------------------------------------------------------------- */

/* A number of `size` bytes of an ELF file, in the machine's order: dlopen() refuses others. */
static uint64_t elf_number(const unsigned char *at, size_t size)
{
	uint64_t v64 = 0;
	uint32_t v32 = 0;
	uint16_t v16 = 0;
	memcpy(size == 8 ? (void *)&v64 : size == 4 ? (void *)&v32 : (void *)&v16, at, size);
	return v64 | v32 | v16;
}

/*
 * The dynamic linker trusts the headers of a file, and dies of SIGBUS when one was cut off (a download
 * that broke). Linkers write the table of sections last (ELF gABI, "ELF Header": e_shoff, e_shentsize,
 * e_shnum), so a file that reaches to its end is whole. What is not ELF is left to dlopen().
 */
static bool is_whole(const char *path, off_t size, char *why)
{
	unsigned char head[64] = {0};
	bool wide = sizeof(void *) == 8;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : -1;
	if (fd >= 0)
		close(fd);
	if (n < (ssize_t)sizeof(head) || memcmp(head, "\177ELF", 4) != 0 || head[4] != 1 + wide)
		return true;
	uint64_t offset = wide ? elf_number(head + 0x28, 8) : elf_number(head + 0x20, 4);
	const unsigned char *section = head + (wide ? 0x3a : 0x2e);
	uint64_t table = elf_number(section, 2) * elf_number(section + 2, 2);
	if (offset > (uint64_t)size || (uint64_t)size - offset < table)
		return unfit(why, "truncated: its headers speak of more than its %lld bytes",
			     (long long)size);
	return true;
}

/* `real` has no symbolic links in it. */
static bool is_trusted(const char *real, char *why)
{
	struct stat st;
	if (!trust_path(real, why, TEXT_MAX))
		return false;
	return stat(real, &st) == 0 ? is_whole(real, st.st_size, why)
				    : unfit(why, "%s", strerror(errno));
}

/* ---- loading ------------------------------------------------------------------------------------ */

static const struct vpn_plugin *find_plugin(lt_dlhandle handle, char *why)
{
	const struct vpn_plugin *p = lt_dlsym(handle, SYMBOL "1");
	if (p != NULL)
		return p;
	for (unsigned major = 0; major <= 9; major++) {
		char name[32];
		snprintf(name, sizeof(name), SYMBOL "%u", major);
		if (lt_dlsym(handle, name) == NULL)
			continue;
		unfit_major(why, major);
		return NULL;
	}
	unfit(why, "not a vpncore plugin: it exports no symbol " SYMBOL "1");
	return NULL;
}

/* Why a file could not be opened, without the file's own name in front. */
static const char *open_error(const char *name)
{
	size_t n = strlen(name);
	if (dl_text[0] == '\0')
		return lt_dlerror();
	return strncmp(dl_text, name, n) == 0 && strncmp(dl_text + n, ": ", 2) == 0
		       ? dl_text + n + 2
		       : dl_text;
}

static bool take_plugin(struct loader *l, const struct vpn_plugin *p, const char *path,
			bool searched, char *why)
{
	if (!plugin_fits(p, why))
		return false;
	take_components(l, path, searched, p);
	return true;
}

/* Opens the file `real` and takes what is in it; `path` is what it is called in messages. */
static bool load_module(struct loader *l, const char *real, const char *path, bool searched,
			char *why)
{
	dl_text[0] = '\0';
	dl_expected = real;
	lt_dlhandle handle = lt_dlopen(real);
	dl_expected = NULL;
	if (handle == NULL)
		return unfit(why, "%s", open_error(real));
	dl_asked = false;
	const struct vpn_plugin *p = find_plugin(handle, why);
	if (!dl_asked) {
		unfit(why, "%s",
		      dl_text[0] != '\0' ? open_error(real)
					 : "another part of this program has opened it");
		p = NULL;
	}
	if (p != NULL && take_plugin(l, p, path, searched, why))
		return true;
	lt_dlclose(handle);
	return false;
}

static bool load_checked(struct loader *l, const char *path, bool searched, char *why)
{
	size_t n = strlen(path);
	if (path[0] != '/')
		return unfit(why, "not an absolute path");
	if (n < 4 || strcmp(path + n - 3, ".so") != 0)
		return unfit(why, "a plugin file's name ends in .so");
	char *real = realpath(path, NULL);
	if (real == NULL)
		return unfit(why, "%s", strerror(errno));
	bool done = is_trusted(real, why) && load_module(l, real, path, searched, why);
	free(real);
	return done;
}

static bool is_known(const struct loader *l, const char *path)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (strcmp(l->files[i], path) == 0)
			return true;
	return false;
}

/* Loads a file once; a refusal is recorded. */
static void load_file(struct loader *l, const char *path, bool searched)
{
	char why[TEXT_MAX] = "";
	if (is_known(l, path))
		return;
	if (!add_text(&l->files, &l->n_files, path))
		refuse(l, path, "out of memory");
	else if (!load_checked(l, path, searched, why))
		refuse(l, path, "%s", why);
}

/*
 * Plugins that are linked in stand in a table of libltdl's form: {"NAME.a", NULL} and then
 * {"NAME_LTX_vpncore_plugin_v1", &symbol}. It is read here: lt_dlopen() by a bare name would look
 * through LD_LIBRARY_PATH and its like first.
 */
static void load_preloaded(struct loader *l)
{
	static const char ending[] = "_LTX_" SYMBOL "1";
	for (const lt_dlsymlist *s = loader_preloaded(); s->name != NULL; s++) {
		char why[TEXT_MAX] = "";
		size_t n = strlen(s->name), m = sizeof(ending) - 1;
		if (s->address == NULL || n <= m || strcmp(s->name + n - m, ending) != 0)
			continue;
		if (!take_plugin(l, s->address, BUILT_IN, true, why))
			refuse(l, s->name, "%s", why);
	}
}

static int is_plugin_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 3 && e->d_name[0] != '.' && strcmp(e->d_name + n - 3, ".so") == 0;
}

/* Those of a folder whose names begin with `prefix`. */
static void load_folder(struct loader *l, const char *dir, const char *prefix)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_plugin_file, alphasort);
	if (n < 0 && errno != ENOENT && !is_known(l, dir) && add_text(&l->files, &l->n_files, dir))
		refuse(l, dir, "%s", strerror(errno));
	for (int i = 0; i < n; i++) {
		char *path = NULL;
		bool wanted = strncmp(names[i]->d_name, prefix, strlen(prefix)) == 0;
		if (wanted && asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
			path = NULL;
		if (path != NULL)
			load_file(l, path, true);
		else if (wanted)
			refuse(l, dir, "out of memory");
		free(path);
		free(names[i]);
	}
	free(names);
}

/* ---- the loader --------------------------------------------------------------------------------- */

static bool add_search_path(struct loader *l)
{
	const char *at = platform_getenv("VPNCORE_PLUGIN_PATH");
	while (at != NULL && *at != '\0') {
		size_t n = strcspn(at, ":");
		char dir[PATH_MAX];
		snprintf(dir, sizeof(dir), "%.*s", (int)(n < PATH_MAX ? n : PATH_MAX - 1), at);
		at += n + (at[n] == ':');
		if (n >= sizeof(dir) || (n > 0 && dir[0] != '/'))
			refuse(l, dir, "VPNCORE_PLUGIN_PATH takes absolute paths only");
		else if (n > 0 && !add_text(&l->dirs, &l->n_dirs, dir))
			return false;
	}
	return add_text(&l->dirs, &l->n_dirs, VPNCORE_PLUGIN_DIR);
}

struct loader *loader_new(struct vpn_error *err)
{
	if (!set_up_libltdl(err))
		return NULL;
	struct loader *l = calloc(1, sizeof(*l));
	if (l == NULL || !add_search_path(l)) {
		fault(err, VPN_ENOMEM, 0, "out of memory");
		return loader_free(l);
	}
	load_preloaded(l);
	return l;
}

bool loader_set_platform(struct loader *l, const char *platform)
{
	char dir[PATH_MAX];
	size_t n = l->platform == NULL ? l->n_dirs : 0; /* the folders are there by now */
	l->platform = platform;
	for (size_t i = 0; i < n; i++) {
		int len = snprintf(dir, sizeof(dir), "%s/foreign", l->dirs[i]);
		if (len > 0 && (size_t)len < sizeof(dir) && !add_text(&l->dirs, &l->n_dirs, dir))
			return false;
	}
	return true;
}

bool loader_serves(const struct loader *l, const struct loaded *c)
{
	return l->platform == NULL ||
	       catalog_serves(c->component->kind, c->component->id, l->platform);
}

const char *loader_platform(const struct loader *l)
{
	return l->platform;
}

struct loader *loader_free(struct loader *l)
{
	if (l == NULL)
		return NULL;
	for (size_t i = 0; i < l->n_found; i++) {
		free((char *)(uintptr_t)l->found[i]->loaded.path);
		free(l->found[i]);
	}
	for (size_t i = 0; i < l->n_refused; i++) {
		free((char *)(uintptr_t)l->refused[i].path);
		free((char *)(uintptr_t)l->refused[i].text);
	}
	for (size_t i = 0; i < l->n_files; i++)
		free(l->files[i]);
	for (size_t i = 0; i < l->n_dirs; i++)
		free(l->dirs[i]);
	free(l->found);
	free(l->refused);
	free(l->files);
	free(l->dirs);
	free(l);
	return NULL;
}

/* The first component that fits; of this file only, unless it is NULL. */
static const struct loaded *look_up(const struct loader *l, uint32_t kind, const char *id,
				    const char *file)
{
	for (size_t i = 0; i < l->n_found; i++) {
		const struct found *f = l->found[i];
		bool here = file != NULL ? strcmp(f->loaded.path, file) == 0 : f->searched;
		if (here && f->loaded.component->kind == kind &&
		    strcmp(f->loaded.component->id, id) == 0)
			return &f->loaded;
	}
	return NULL;
}

static const struct loaded *find_in_file(struct loader *l, uint32_t kind, const char *id,
					 const char *file, struct vpn_error *err)
{
	load_file(l, file, false);
	const struct loaded *found = look_up(l, kind, id, file);
	if (found != NULL)
		return found;
	for (size_t i = l->n_refused; i-- > 0;)
		if (strcmp(l->refused[i].path, file) == 0) {
			fault(err, VPN_EABI, 0, "%s: %s", file, l->refused[i].text);
			return NULL;
		}
	fault(err, VPN_ENOENT, 0, "%s has no %s \"%s\"", file, loader_kind_name(kind), id);
	return NULL;
}

/* What the file of a component of this kind is named for: "WORD-ID.so". */
static const char *word_of(uint32_t kind)
{
	return kind == VPN_KIND_DEVICE ? "driver" : loader_kind_name(kind);
}

/* Tries the file that is named for the component, then all others of the folder. */
static const struct loaded *find_in_folder(struct loader *l, uint32_t kind, const char *id,
					   const char *dir)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%s-%s.so", dir, word_of(kind), id) < 0)
		return NULL;
	if (access(path, F_OK) == 0)
		load_file(l, path, true);
	free(path);
	const struct loaded *found = look_up(l, kind, id, NULL);
	if (found != NULL)
		return found;
	load_folder(l, dir, "");
	return look_up(l, kind, id, NULL);
}

const struct loaded *loader_find(struct loader *l, uint32_t kind, const char *id, const char *file,
				 struct vpn_error *err)
{
	if (!loader_id_is_valid(id)) {
		fault(err, VPN_EINVAL, 0, "\"%.64s\" cannot be the name of a %s", id,
		      loader_kind_name(kind));
		return NULL;
	}
	if (file != NULL)
		return find_in_file(l, kind, id, file, err);
	const struct loaded *found = look_up(l, kind, id, NULL);
	for (size_t i = 0; found == NULL && i < l->n_dirs; i++)
		found = find_in_folder(l, kind, id, l->dirs[i]);
	if (found == NULL)
		fault(err, VPN_ENOENT, 0, "no %s \"%s\" is installed", loader_kind_name(kind), id);
	return found;
}

void loader_scan(struct loader *l)
{
	for (size_t i = 0; i < l->n_dirs; i++)
		load_folder(l, l->dirs[i], "");
}

void loader_scan_kind(struct loader *l, uint32_t kind)
{
	char prefix[16];
	snprintf(prefix, sizeof(prefix), "%s-", word_of(kind));
	for (size_t i = 0; i < l->n_dirs; i++)
		load_folder(l, l->dirs[i], prefix);
}

size_t loader_count(const struct loader *l)
{
	return l->n_found;
}

const struct loaded *loader_at(const struct loader *l, size_t i)
{
	return &l->found[i]->loaded;
}

bool loader_is_searched(const struct loader *l, size_t i)
{
	return l->found[i]->searched;
}

size_t loader_refused_count(const struct loader *l)
{
	return l->n_refused;
}

const struct refused *loader_refused_at(const struct loader *l, size_t i)
{
	return &l->refused[i];
}

const char *loader_kind_name(uint32_t kind)
{
	static const char *const names[] = {"", "device", "transport", "routes", "dns"};
	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}
