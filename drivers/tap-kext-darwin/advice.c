/* SPDX-License-Identifier: BSD-2-Clause */
#include "advice.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fault.h"

#define MORE "; see docs/macos.md"

struct clue {
	const char *text;
	enum tap_reason reason;
};

/* Words of kextload, kextutil and kmutil, of all versions that are known; the first that fits. */
static const struct clue clues[] = {
	{"not privileged", TAP_NO_RIGHTS},
	{"must be run as root", TAP_NO_RIGHTS},
	{"must be running as root", TAP_NO_RIGHTS},
	{"system policy prevents loading", TAP_NOT_APPROVED},
	{"not approved to load", TAP_NOT_APPROVED},
	{"not allowed to load", TAP_NOT_APPROVED},
	{"kOSKextReturnSystemPolicy", TAP_NOT_APPROVED},
	{"reboot", TAP_NEEDS_RESTART},
	{"restart", TAP_NEEDS_RESTART},
	{"start/stop routine failed", TAP_NO_SLOT},
	{"0xdc008017", TAP_NO_SLOT},
	{"result 0x5", TAP_NO_SLOT},
	{"could not register character device switch", TAP_NO_SLOT},
	{"architecture", TAP_WRONG_CPU},
	{"ArchNotFound", TAP_WRONG_CPU},
	{"notariz", TAP_UNSIGNED},
	{"code signature", TAP_UNSIGNED},
	{"signature is invalid", TAP_UNSIGNED},
	{"validation problems", TAP_UNSIGNED},
	{"authentication problems", TAP_UNSIGNED},
};

static bool contains(const char *text, const char *words)
{
	size_t n = strlen(words);
	for (; *text != '\0'; text++)
		if (strncasecmp(text, words, n) == 0)
			return true;
	return false;
}

enum tap_reason tap_advice_classify(const char *output)
{
	for (size_t i = 0; i < sizeof(clues) / sizeof(clues[0]); i++)
		if (contains(output, clues[i].text))
			return clues[i].reason;
	return TAP_LOAD_FAILED;
}

/* A start routine that fails may do so once: Tunnelblick has seen kexts load at the second try. */
bool tap_advice_is_final(enum tap_reason reason)
{
	return reason != TAP_LOAD_FAILED && reason != TAP_NO_SLOT;
}

/* The last line that a program printed, without its end; at most 80 bytes. */
static void last_line(const char *output, char *buf, size_t cap)
{
	size_t n = strlen(output);
	while (n != 0 && (output[n - 1] == '\n' || output[n - 1] == ' '))
		n--;
	size_t begin = n;
	while (begin != 0 && output[begin - 1] != '\n')
		begin--;
	size_t len = n - begin < cap - 1 ? n - begin : cap - 1;
	memcpy(buf, output + begin, len);
	buf[len] = '\0';
}

static vpn_status not_installed(const struct tap_system *s, struct vpn_error *err)
{
	if (s->apple_silicon || tap_system_is_at_least(s, 10, 15))
		return darwin_fault(err, VPN_ENOENT, 0, NULL,
				    "there is no kernel extension for TAP devices here: install "
				    "Tunnelblick's (its Utilities panel), which is notarized%s, or "
				    "use \"layer\": \"ip\", which needs none" MORE,
				    s->apple_silicon ? " and built for this processor" : "");
	return darwin_fault(err, VPN_ENOENT, 0, NULL,
			    "there is no kernel extension for TAP devices here: install tuntaposx "
			    "or Tunnelblick, or use \"layer\": \"ip\", which needs none" MORE);
}

static vpn_status not_approved(const struct tap_system *s, const char *id, struct vpn_error *err)
{
	if (s->apple_silicon)
		return darwin_fault(
			err, VPN_EPERM, 0, NULL,
			"macOS refuses %s: start into Recovery, choose Reduced Security "
			"with extensions in Startup Security Utility, then approve it in "
			"Privacy & Security and restart" MORE,
			id);
	if (tap_system_is_at_least(s, 11, 0))
		return darwin_fault(
			err, VPN_EPERM, 0, NULL,
			"macOS refuses %s: approve its developer in Privacy & Security of "
			"the system's settings, and restart" MORE,
			id);
	return darwin_fault(
		err, VPN_EPERM, 0, NULL,
		"macOS refuses %s: approve it in Security & Privacy of the preferences, "
		"where it is offered for 30 minutes from now, and start again" MORE,
		id);
}

static vpn_status wrong_place(const struct tap_found *f, struct vpn_error *err)
{
	return darwin_fault(
		err, VPN_ENOTSUP, 0, "/kext",
		"macOS 11 and newer loads extensions from /Library/Extensions only: copy "
		"%.80s there, with root:wheel as its owner" MORE,
		f->path);
}

vpn_status tap_advice_explain(enum tap_reason reason, const struct tap_system *system,
			      const struct tap_found *found, const char *output,
			      struct vpn_error *err)
{
	const char *id = found != NULL && found->id[0] != '\0' ? found->id : "the extension";
	char line[81];
	last_line(output, line, sizeof(line));
	switch (reason) {
	case TAP_NOT_INSTALLED:
		return not_installed(system, err);
	case TAP_NOT_LOADED:
		return darwin_fault(
			err, VPN_ENOENT, 0, "/load",
			"%s is not loaded: write \"load\": true, or sudo kextload %.80s", id,
			found != NULL ? found->path : "");
	case TAP_NOT_APPROVED:
		return not_approved(system, id, err);
	case TAP_NEEDS_RESTART:
		return darwin_fault(err, VPN_EPERM, 0, NULL,
				    "%s is approved, and macOS loads it after a restart" MORE, id);
	case TAP_NO_SLOT:
		return darwin_fault(
			err, VPN_EBUSY, 0, NULL,
			"%s cannot get its devices: the kernel has no device number left "
			"(VirtualBox, HAXM and Shimo are known for that) or another "
			"extension has the names: unload that, or restart" MORE,
			id);
	case TAP_WRONG_CPU:
		return darwin_fault(err, VPN_ENOTSUP, 0, NULL,
				    "%s is not built for this processor: Tunnelblick's is, "
				    "tuntaposx's is for Intel only" MORE,
				    id);
	case TAP_UNSIGNED:
		return darwin_fault(
			err, VPN_EPERM, 0, NULL,
			"macOS does not take the signature of %s (from 10.15 on it must "
			"be notarized): install a current Tunnelblick" MORE,
			id);
	case TAP_NO_RIGHTS:
		return darwin_fault(err, VPN_EPERM, 0, "/load", "loading %s needs root: use sudo",
				    id);
	case TAP_WRONG_PLACE:
		return wrong_place(found, err);
	case TAP_LOAD_FAILED:
	default:
		return darwin_fault(err, VPN_EIO, 0, "/load", "%s was not loaded%s%s" MORE, id,
				    line[0] != '\0' ? ": " : "", line);
	}
}

vpn_status tap_advice_collision(const struct tap_loaded *loaded, struct vpn_error *err)
{
	return darwin_fault(
		err, VPN_EBUSY, 0, NULL,
		"%s (%s) and %s (%s) are loaded and want the same devices: unload one, "
		"sudo kextunload -b %s, and keep it from loading at the next start" MORE,
		loaded->taps[0]->id, loaded->taps[0]->maker, loaded->taps[1]->id,
		loaded->taps[1]->maker, loaded->taps[1]->id);
}
