/* SPDX-License-Identifier: BSD-2-Clause */
#include "kext.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops.h"

#define LIST_BYTES      (512u * 1024u)
#define LIST_TIMEOUT_MS 10000u
#define PLIST_BYTES     16384u

const struct tap_kext tap_kext_table[TAP_KEXTS] = {
	{"net.tunnelblick.tap", "Tunnelblick", true, true},
	{"net.sf.tuntaposx.tap", "tuntaposx", true, false},
	{"foo.tap", "tuntaposx before 2011", true, false},
	{"net.tunnelblick.tun", "Tunnelblick", false, true},
	{"net.sf.tuntaposx.tun", "tuntaposx", false, false},
	{"foo.tun", "tuntaposx before 2011", false, false},
};

const struct tap_kext *tap_kext_by_id(const char *id)
{
	for (uint32_t i = 0; i < TAP_KEXTS; i++)
		if (strcmp(tap_kext_table[i].id, id) == 0)
			return &tap_kext_table[i];
	return NULL;
}

/* ---- loaded ---- */

bool tap_kext_is_loaded(const struct tap_loaded *l, const char *id)
{
	for (uint32_t i = 0; i < l->n_tap; i++)
		if (strcmp(l->taps[i]->id, id) == 0)
			return true;
	return false;
}

static void add_loaded(struct tap_loaded *l, const struct tap_kext *k)
{
	if (!k->tap)
		l->n_tun++;
	else if (!tap_kext_is_loaded(l, k->id) && l->n_tap < TAP_KEXTS)
		l->taps[l->n_tap++] = k;
}

/* Each line has the id as a word of its own, "(VERSION)" behind it. */
void tap_kext_parse_list(const char *text, struct tap_loaded *ret)
{
	memset(ret, 0, sizeof(*ret));
	while (*text != '\0') {
		size_t n = strcspn(text, " \t\n");
		for (uint32_t i = 0; i < TAP_KEXTS; i++)
			if (strlen(tap_kext_table[i].id) == n &&
			    memcmp(text, tap_kext_table[i].id, n) == 0)
				add_loaded(ret, &tap_kext_table[i]);
		text += n;
		text += strspn(text, " \t\n");
	}
}

int tap_kext_list(struct tap_loaded *ret)
{
	static const char *const kextstat[] = {"/usr/sbin/kextstat", NULL};
	static const char *const kmutil[] = {"/usr/bin/kmutil", "showloaded", NULL};
	int status = 0;
	memset(ret, 0, sizeof(*ret));
	char *text = malloc(LIST_BYTES);
	if (text == NULL)
		return ENOMEM;
	int e = darwin_ops.run(kextstat, LIST_TIMEOUT_MS, text, LIST_BYTES, &status);
	if (e != 0 || status != 0) {
		e = darwin_ops.run(kmutil, LIST_TIMEOUT_MS, text, LIST_BYTES, &status);
		if (e == 0 && status != 0)
			e = EIO;
	}
	if (e == 0 && strlen(text) == LIST_BYTES - 1)
		e = EOVERFLOW; /* what was cut off may be what we look for */
	if (e == 0)
		tap_kext_parse_list(text, ret);
	free(text);
	return e;
}

/* ---- on the disk ---- */

struct place {
	const char *path, *id;
	bool in_app; /* macOS 11 and newer loads from /Library/Extensions only */
};

#define APP "/Applications/Tunnelblick.app/Contents/Resources/"

static const struct place places[] = {
	{"/Library/Extensions/tunnelblick-tap.kext", "net.tunnelblick.tap", false},
	{"/Library/Extensions/tap-notarized.kext", "net.tunnelblick.tap", false},
	{"/Library/Extensions/tap.kext", "net.sf.tuntaposx.tap", false},
	{APP "tap-notarized.kext", "net.tunnelblick.tap", true},
	{APP "tap-signed.kext", "net.tunnelblick.tap", true},
	{APP "tap.kext", "net.tunnelblick.tap", true},
};

/* Copies the <string> behind a <key> of an XML property list. */
static bool plist_value(const char *text, const char *key, char *out, size_t cap)
{
	static const char open_tag[] = "<string>", close_tag[] = "</string>";
	const char *at = strstr(text, key);
	at = at != NULL ? strstr(at, open_tag) : NULL;
	if (at == NULL)
		return false;
	at += sizeof(open_tag) - 1;
	const char *end = strstr(at, close_tag);
	if (end == NULL || end == at || (size_t)(end - at) >= cap)
		return false;
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
	/* it goes into messages and arguments: letters, digits, '.', '-', '_' */
	return strspn(out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
	       strlen(out);
}

static void read_id(struct tap_found *f, const char *otherwise)
{
	char path[300], text[PLIST_BYTES];
	snprintf(path, sizeof(path), "%s/Contents/Info.plist", f->path);
	ssize_t n = darwin_ops.load(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	if (!plist_value(text, "<key>CFBundleIdentifier</key>", f->id, sizeof(f->id)))
		snprintf(f->id, sizeof(f->id), "%s", otherwise);
}

bool tap_kext_find(const char *asked, const struct tap_system *system, struct tap_found *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (asked != NULL && asked[0] != '\0') {
		snprintf(ret->path, sizeof(ret->path), "%s", asked);
		read_id(ret, "");
		return darwin_ops.exists(asked);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if ((places[i].in_app && tap_system_is_at_least(system, 11, 0)) ||
		    !darwin_ops.exists(places[i].path))
			continue;
		snprintf(ret->path, sizeof(ret->path), "%s", places[i].path);
		read_id(ret, places[i].id);
		return true;
	}
	return false;
}
